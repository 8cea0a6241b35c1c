//! What an operator asks of a Redis before anything uses it.

use std::time::{Duration, Instant};

use autopr_core::fault::Fault;
use redis::{Cmd, Value};

use crate::line::{Failure, Line};
use crate::settings::RedisSettings;

/// How often the latency is measured.
const ROUNDS: usize = 5;

/// What a Redis says of itself. Our user may not be allowed to ask for more than the latency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisState {
    /// The quickest of a few round trips.
    pub latency: Duration,
    /// Its version, such as `7.2.4`.
    pub version: Option<String>,
    /// The most bytes it may hold; none when there is no limit.
    pub max_memory: Option<u64>,
    /// What it does when these are used up, such as `allkeys-lru`.
    pub policy: Option<String>,
}

/// Asks the Redis that the settings name, over a connection of its own.
///
/// # Errors
/// A fault of kind `Invalid` when the address can't be used, of kind `Unavailable` when Redis does not answer or lets nobody
/// in.
pub async fn inspect(settings: &RedisSettings) -> Result<RedisState, Fault> {
    let line = Line::new(settings.client()?);
    let ask = async |command: &Cmd| line.ask(command, settings.timeout).await;
    let mut latency = Duration::MAX;
    // The first makes the connection.
    for round in 0..=ROUNDS {
        let begun = Instant::now();
        match ask(&redis::cmd("PING")).await {
            Ok(_) if round > 0 => latency = latency.min(begun.elapsed()),
            Ok(_) => {}
            Err(Failure::Silent(why)) => return Err(Fault::unavailable(format!("asking Redis: {why}"))),
            Err(Failure::Refused(code)) => {
                return Err(Fault::unavailable(format!("asking Redis: it answers {code}")));
            }
        }
    }
    let about = async |section: &str| match ask(redis::cmd("INFO").arg(section)).await {
        Ok(Value::BulkString(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Ok(Value::VerbatimString { text, .. } | Value::SimpleString(text)) => text,
        _ => String::new(),
    };
    let (server, memory) = (about("server").await, about("memory").await);
    Ok(RedisState {
        latency,
        version: field(&server, "redis_version"),
        max_memory: field(&memory, "maxmemory").and_then(|bytes| bytes.parse().ok()).filter(|bytes| *bytes > 0),
        policy: field(&memory, "maxmemory_policy"),
    })
}

fn field(info: &str, name: &str) -> Option<String> {
    let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.trim();
    let plain = value.len() <= 40 && value.bytes().all(|byte| byte.is_ascii_graphic());
    (plain && !value.is_empty()).then(|| value.to_owned())
}
