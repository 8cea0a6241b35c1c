//! `autopr serve` by a clock that runs faster than the machine's, so that leases and pauses of a minute are over in
//! seconds. Only for tests; everything else is as in `autopr`.
//!
//! `autopr_e2e::fast_clock` tells the variables that say how fast.

use std::error::Error;

use autopr::Role;
use autopr_runtime::settings::{ConfigFile, Needs, Settings};

fn main() -> Result<(), Box<dyn Error>> {
    let clock = autopr_e2e::fast_clock()?;
    let source = autopr_runtime::source(ConfigFile::Named("settings.yaml".into()))?;
    let loaded = Settings::load_for(&source, Needs::SERVE).map_err(|invalid| invalid.to_string())?;
    let settings = &loaded.settings;
    autopr_telemetry::start(settings.logging.level.as_str(), autopr_telemetry::Format::Json)?;
    let catalog = autopr_runtime::catalog(&settings.workflow)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let version = env!("CARGO_PKG_VERSION");
    let stopped = runtime.block_on(autopr::run(settings, catalog, Role::Serve, version, clock, |edges| edges));
    runtime.shutdown_background();
    stopped?;
    Ok(())
}
