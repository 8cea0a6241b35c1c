//! Redis, where there is one.

use autopr_cache::RedisState;
use autopr_core::yaml::Diagnostic;
use autopr_runtime::settings::Redis;

use super::database::SLOW;
use super::report::{Check, milliseconds};
use super::{told, unclear, within};

const NAME: &str = "redis.server";

pub(super) async fn checks(redis: &Redis, mistakes: &[Diagnostic]) -> Vec<Check> {
    const FIX: &str = "correct redis.url (REDIS_URL), and see that Redis runs and lets this machine in";
    if let Some(check) = unclear(NAME, mistakes, &["redis.url", "redis.ssl"]) {
        return vec![check];
    }
    let (Some(url), Some(settings)) = (&redis.url, autopr_wiring::redis_settings(redis)) else {
        return vec![Check::skipped(NAME, "redis.url is not set: each process keeps its own cache in memory")];
    };
    let place = url.masked();
    let failed = |fault| Check::failed(NAME, format!("{place} can't be used: {}", told(&fault)), FIX);
    match within(NAME, FIX, autopr_cache::inspect(&settings)).await.and_then(|state| state.map_err(failed)) {
        Ok(state) => vec![server(&state, &place), latency(&state), memory(&state)],
        Err(check) => vec![check],
    }
}

fn server(state: &RedisState, place: &str) -> Check {
    match &state.version {
        Some(version) => Check::ok(NAME, format!("Redis {version} at {place}")).value("version", version.as_str()),
        None => Check::ok(NAME, format!("{place} answers; this user may not ask for its version")),
    }
}

fn latency(state: &RedisState) -> Check {
    const NAME: &str = "redis.latency";
    let milliseconds = milliseconds(state.latency);
    let found = format!("{milliseconds} ms for a round trip");
    let check = match milliseconds > SLOW {
        true => Check::warning(NAME, format!("{found}, more than {SLOW} ms"), "run Redis in the zone of the processes"),
        false => Check::ok(NAME, found),
    };
    check.value("latency_ms", milliseconds)
}

fn memory(state: &RedisState) -> Check {
    const NAME: &str = "redis.memory";
    let RedisState { max_memory, policy, .. } = state;
    match (max_memory, policy.as_deref()) {
        (_, None) => Check::skipped(NAME, "this user may not ask how much memory Redis may take"),
        (None, Some(_)) => Check::ok(NAME, "no limit; every value ends by itself, within a month at most"),
        (Some(bytes), Some("noeviction")) => {
            let found = format!("at most {} MiB, and writes fail once they are used up", bytes.div_ceil(1024 * 1024));
            Check::warning(NAME, found, "set Redis's maxmemory-policy to allkeys-lru")
        }
        (Some(bytes), Some(policy)) => {
            Check::ok(NAME, format!("at most {} MiB, then {policy}", bytes.div_ceil(1024 * 1024)))
        }
    }
}
