//! `autopr serve` by a clock that runs faster than the machine's, so that leases and pauses of a minute are over in
//! seconds. Only for tests; everything else is as in `autopr`.
//!
//! `AUTOPR_FAST_START` is the moment the clocks of all processes agreed with the machine's, in RFC 3339;
//! `AUTOPR_FAST_TIMES` how many times as fast they run since, and `AUTOPR_FAST_AHEAD` by how many seconds this one is ahead
//! besides.

use std::env;
use std::error::Error;
use std::time::Duration;

use autopr::Role;
use autopr_core::clock::{Clock, FastClock};
use autopr_runtime::settings::{ConfigFile, Needs, Settings};

fn main() -> Result<(), Box<dyn Error>> {
    let clock = Clock::Fast(FastClock {
        start: env::var("AUTOPR_FAST_START")?.parse()?,
        times: env::var("AUTOPR_FAST_TIMES")?.parse()?,
        ahead: Duration::from_secs(env::var("AUTOPR_FAST_AHEAD")?.parse()?),
    });
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
