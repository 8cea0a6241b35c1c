//! `autopr serve` and `autopr worker`.

use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::process::ExitCode;

use autopr::{Role, Stopped};
use autopr_core::clock::Clock;
use autopr_runtime::settings::{Needs, Settings};

use super::{Done, Failure, INTERRUPTED};
use crate::cli::VERSION;

pub(crate) fn run(role: Role, config: Option<PathBuf>) -> Done {
    let needs = match role {
        Role::Serve => Needs::SERVE,
        Role::Work => Needs::WORK,
    };
    let loaded = Settings::load_for(&super::source(config)?, needs).map_err(Failure::unusable)?;
    let settings = &loaded.settings;
    super::start_logging(settings, settings.logging.level.as_str())?;
    std::panic::set_hook(Box::new(log_panic));
    if role == Role::Serve && settings.github.webhook_secrets.is_empty() {
        tracing::warn!("GITHUB_WEBHOOK_SECRET is not set: every delivery will be refused");
    }
    let catalog = autopr_runtime::catalog(&settings.workflow).map_err(Failure::unusable)?;
    let runtime = runtime()?;
    let stopped = runtime.block_on(autopr::run(settings, catalog, role, VERSION, Clock::System, |edges| edges));
    // A name that is still being looked up, or a body that is still being read, must not hold up the end.
    runtime.shutdown_background();
    match stopped.map_err(Failure::unusable)? {
        Stopped::Interrupted => Ok(ExitCode::from(INTERRUPTED)),
        // What supervisors ask for is no failure.
        Stopped::Terminated => Ok(ExitCode::SUCCESS),
    }
}

/// A panic as a line like the others. Its text is left out: it may quote what was being worked on.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panicked: this is a mistake in the program");
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::unusable(format!("can't start the async runtime: {error}")))
}
