//! `autopr serve` and `autopr worker`.

use std::path::PathBuf;

use autopr::Role;
use autopr_core::clock::Clock;
use autopr_runtime::settings::{Needs, Settings};

use super::{Done, Failure};
use crate::cli::VERSION;

pub(crate) fn run(role: Role, config: Option<PathBuf>) -> Done {
    let needs = match role {
        Role::Serve => Needs::SERVE,
        Role::Work => Needs::WORK,
    };
    let loaded = Settings::load_for(&super::source(config)?, needs).map_err(Failure::unusable)?;
    let settings = &loaded.settings;
    autopr_service::start_logging(settings, settings.logging.level.as_str()).map_err(Failure::unusable)?;
    autopr_service::log_panics();
    if role == Role::Serve && settings.github.webhook_secrets.is_empty() {
        tracing::warn!("GITHUB_WEBHOOK_SECRET is not set: every delivery will be refused");
    }
    let catalog = autopr_runtime::catalog(&settings.workflow).map_err(Failure::unusable)?;
    let stopped = autopr_service::ends(autopr::run(settings, catalog, role, VERSION, Clock::System, |edges| edges));
    Ok(autopr_service::exit_code(stopped.map_err(Failure::unusable)?))
}

pub(crate) fn health(worker: bool, config: Option<PathBuf>) -> Done {
    let settings = super::settings(config)?.settings;
    Ok(autopr_service::health("autopr", autopr_service::own_address(&settings, !worker)))
}
