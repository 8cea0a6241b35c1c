//! `autopr serve` and `autopr worker`.

use std::path::PathBuf;
use std::process::ExitCode;

use autopr::{Role, Stopped};

use super::{Done, Failure, INTERRUPTED};
use crate::cli::VERSION;

pub(crate) fn run(role: Role, config: Option<PathBuf>) -> Done {
    let loaded = super::settings(config)?;
    loaded.check_serving().map_err(Failure::unusable)?;
    let settings = &loaded.settings;
    super::start_logging(settings, settings.logging.level.as_str())?;
    if role == Role::Serve && settings.github.webhook_secrets.is_empty() {
        tracing::warn!("GITHUB_WEBHOOK_SECRET is not set: every delivery will be refused");
    }
    let catalog = autopr_runtime::catalog(&settings.workflow).map_err(Failure::unusable)?;
    let stopped = runtime()?.block_on(autopr::run(settings, catalog, role, VERSION, |edges| edges));
    match stopped.map_err(Failure::unusable)? {
        Stopped::Interrupted => Ok(ExitCode::from(INTERRUPTED)),
        // What supervisors ask for is no failure.
        Stopped::Terminated => Ok(ExitCode::SUCCESS),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::unusable(format!("can't start the async runtime: {error}")))
}
