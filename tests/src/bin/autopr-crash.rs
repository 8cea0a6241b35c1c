//! `autopr serve` that ends at once, as if it were killed, at a planned point. Only for tests.
//!
//! `AUTOPR_CRASH_LIST` names the file that gets the name of each point as it is passed. `AUTOPR_CRASH_AT` says where to
//! end, such as `after settle_call#2` for the second of these points; without it the process serves like any other.

use std::env;
use std::error::Error;
use std::fs::File;

use autopr::Role;
use autopr_core::clock::Clock;
use autopr_core::testkit::Crasher;
use autopr_runtime::settings::{ConfigFile, Needs, Settings};

fn main() -> Result<(), Box<dyn Error>> {
    let source = autopr_runtime::source(ConfigFile::Named("settings.yaml".into()))?;
    let loaded = Settings::load_for(&source, Needs::SERVE).map_err(|invalid| invalid.to_string())?;
    let settings = &loaded.settings;
    autopr_telemetry::start(settings.logging.level.as_str(), autopr_telemetry::Format::Json)?;
    let catalog = autopr_runtime::catalog(&settings.workflow)?;
    let crasher = Crasher::aborting(planned()?, File::create(env::var("AUTOPR_CRASH_LIST")?)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let version = env!("CARGO_PKG_VERSION");
    runtime
        .block_on(autopr::run(settings, catalog, Role::Serve, version, Clock::System, |edges| crasher.wrap(&edges)))?;
    Ok(())
}

fn planned() -> Result<Option<(String, usize)>, Box<dyn Error>> {
    let Ok(plan) = env::var("AUTOPR_CRASH_AT") else { return Ok(None) };
    let (name, count) = plan.rsplit_once('#').ok_or("AUTOPR_CRASH_AT has the form NAME#COUNT")?;
    Ok(Some((name.to_owned(), count.parse()?)))
}
