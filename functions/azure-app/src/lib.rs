//! The service for Azure Container Apps: takes webhooks and puts them on Azure Storage Queue, takes messages from there and
//! runs executions, and does its part of the upkeep. Any number of replicas may run side by side, or none while the queue is
//! empty; a replica that is taken away gives back what it can't end.

mod failed;
mod queue;

use std::process::ExitCode;
use std::sync::Arc;

use autopr_core::clock::Clock;
use autopr_core::engine::LONG_PATIENCE;
use autopr_core::fault::{Fault, FaultKind};
pub use autopr_queue_azure::Limits;
use autopr_queue_azure::{AzureQueue, Consumer};
use autopr_runtime::settings::{ConfigFile, Needs, Settings, Source};
use autopr_service::{Asked, Backing, Process, Stopped, Work};
use autopr_store_postgres::PostgresStore;
use axum::Router;

use failed::Failed;

/// What it is called.
const NAME: &str = "azure-app";

/// What it is.
const ABOUT: &str = "AutoPR Engine for Azure Container Apps: takes webhooks, and messages from Azure Storage Queue.";

/// What its settings must have.
const NEEDS: Needs = Needs { postgres: true, ..Needs::SERVE };

/// The most connections of a replica: the executions of one wait for models, not for the database, and there may be many
/// replicas.
const MOST_CONNECTIONS: u32 = 8;

/// What it ends with that can't start.
const UNUSABLE: u8 = 2;

/// The level until the settings have told theirs.
const LEVEL: &str = "info";

/// Runs the service until a signal ends it. What is wrong at the start is logged, all of it at once, and ends it. Tests run
/// it by another clock than the machine's and with other limits; how many messages are dealt with at once the settings say.
pub fn run(clock: Clock, limits: Limits) -> ExitCode {
    let done = match autopr_service::asked(NAME, env!("CARGO_PKG_VERSION"), ABOUT) {
        Asked::Run => ends(clock, limits).map(autopr_service::exit_code),
        Asked::Health => health(),
        Asked::Answered(code) => Ok(code),
    };
    match done {
        Ok(code) => code,
        Err(failed) => {
            // Nothing is logged yet when the settings have a mistake.
            drop(autopr_telemetry::start(LEVEL, autopr_telemetry::Format::Json));
            failed.log();
            ExitCode::from(UNUSABLE)
        }
    }
}

fn source() -> Result<Source, Failed> {
    let source = autopr_runtime::source(ConfigFile::OfEnvironment);
    source.map_err(|error| Failed::Other(format!("can't tell the current folder: {error}")))
}

fn health() -> Result<ExitCode, Failed> {
    let loaded = Settings::load(&source()?).map_err(|invalid| Failed::Settings(invalid.mistakes))?;
    Ok(autopr_service::health(NAME, autopr_service::own_address(&loaded.settings, true)))
}

fn ends(clock: Clock, limits: Limits) -> Result<Stopped, Failed> {
    let source = source()?;
    let (settings, queue, variable) = configured(&source)?;
    autopr_service::start_logging(&settings, settings.logging.level.as_str()).map_err(Failed::Other)?;
    autopr_service::log_panics();
    let catalog = autopr_runtime::catalog(&settings.workflow).map_err(|error| Failed::Other(error.to_string()))?;
    let process = Process {
        name: NAME,
        version: env!("CARGO_PKG_VERSION"),
        settings: &settings,
        catalog,
        clock,
        serves: true,
        upkeep: Some(LONG_PATIENCE),
    };
    let limits = Limits { at_once: settings.workflow.max_concurrent as usize, ..limits };
    let stopped = autopr_service::ends(autopr_service::run(
        process,
        open(&settings, queue, variable),
        |edges| edges,
        |parts| {
            let queue = AzureQueue::clone(&parts.queue);
            let consumer = Consumer::new(parts.engine, queue, parts.clock, limits, parts.shutdown);
            Ok(Work { routes: Router::new(), consumer: Box::pin(consumer.run()) })
        },
    ));
    stopped.map_err(|error| Failed::Other(error.to_string()))
}

/// The settings, and the queue with the variable that names it, or everything that is wrong with either.
fn configured(source: &Source) -> Result<(Settings, AzureQueue, &'static str), Failed> {
    match (Settings::load_for(source, NEEDS), queue::named(source)) {
        (Ok(loaded), Ok((queue, variable))) => Ok((loaded.settings, queue, variable)),
        (Err(invalid), queue) => {
            Err(Failed::Settings(invalid.mistakes).and(queue.err().unwrap_or(Failed::Settings(Vec::new()))))
        }
        (Ok(_), Err(failed)) => Err(failed),
    }
}

/// Opens the database while it is looked whether the queue that the variable names can be used.
async fn open(
    settings: &Settings,
    queue: AzureQueue,
    variable: &str,
) -> Result<Backing<AzureQueue>, autopr_service::Failed> {
    let (opened, looked) = tokio::join!(autopr_wiring::open_few(&settings.database, MOST_CONNECTIONS), queue.check());
    let store: Arc<PostgresStore> = opened?;
    match looked {
        Ok(()) => {}
        // A mistake that does not mend itself is better seen now than when the first webhook comes.
        Err(fault) if matches!(fault.kind, FaultKind::Denied | FaultKind::NotFound | FaultKind::Invalid) => {
            return Err(Fault::new(fault.kind, format!("{variable}: {fault}")).into());
        }
        Err(fault) => tracing::warn!(%fault, "it is tried again when there is something to do"),
    }
    let close = store.clone();
    Ok(Backing { store, queue: Arc::new(queue), close: Box::pin(async move { close.close().await }) })
}
