//! `autopr doctor`: the checklist of a set-up, run against what the settings name. Each check has a limit of time of its own,
//! all of them run at once, and nothing is changed.

mod certificate;
mod database;
mod deliveries;
mod github;
mod models;
mod permissions;
mod process;
mod redis;
mod report;
mod settings;
mod sqlite;
mod stored;
mod webhook;

use std::time::Duration;

use autopr_core::fault::Fault;
use autopr_core::yaml::Diagnostic;
use autopr_runtime::settings::Reading;
use autopr_wiring::Causes;

use report::{Check, Report};

/// How long one thing may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks into everything. `models` says whether models are asked, which may cost a fraction of a cent.
pub(crate) async fn examine(reading: &Reading, version: &'static str, models: bool) -> Report {
    let mut checks = settings::checks(reading);
    let Some(settings) = &reading.settings else {
        checks.push(Check::skipped("others", "the settings can't be read, so there is nothing else to look at"));
        return Report::new(version, checks);
    };
    let mistakes = &reading.mistakes;
    let found = tokio::join!(
        database::checks(&settings.database, mistakes),
        redis::checks(&settings.redis, mistakes),
        github::checks(settings, mistakes),
        models::checks(&settings.llm, mistakes, models),
        process::checks(settings, mistakes, version),
    );
    checks.push(settings::workflows(settings, mistakes));
    for group in <[Vec<Check>; 5]>::from(found) {
        checks.extend(group);
    }
    Report::new(version, checks)
}

/// What comes of it within the time there is; otherwise a check that failed.
async fn within<T>(name: &str, fix: &str, work: impl Future<Output = T>) -> Result<T, Check> {
    let late = |_| Check::failed(name, format!("no answer within {} s", PATIENCE.as_secs()), fix);
    tokio::time::timeout(PATIENCE, work).await.map_err(late)
}

/// A check that could not be made because some of the settings it depends on have mistakes, which are told of already: what
/// holds in their place is not what was meant.
fn unclear(name: &str, mistakes: &[Diagnostic], keys: &[&str]) -> Option<Check> {
    let about = |mistake: &&Diagnostic| {
        keys.iter().any(|key| {
            mistake.path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    let mistake = mistakes.iter().find(about)?;
    Some(Check::skipped(name, format!("the setting {} has a mistake", mistake.path)))
}

/// A fault with everything that led to it.
fn told(fault: &Fault) -> String {
    Causes(fault).to_string()
}

/// `1 message`, `2 messages`.
fn count(number: u64, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

/// About how long, for people.
fn about(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
