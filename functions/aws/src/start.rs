//! How a function starts: settings, secrets, logs and metrics, and then the loop that asks Lambda for invocations.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use autopr_core::clock::Clock;
use autopr_queue_sqs::SqsQueue;
use autopr_runtime::settings::{ConfigFile, Needs, Settings, Source};
use autopr_telemetry::{Emf, Format};

use crate::aws;
use crate::failed::Failed;
use crate::live::Configured;

/// The level until the settings have told theirs.
const LEVEL: &str = "info";

/// A kind of function.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// What its settings must have.
    pub needs: Needs,
    /// Whether it reads the configuration file that was packed with it. One that does not starts sooner, and is not
    /// concerned with what the file says of others' secrets.
    pub reads_file: bool,
    /// Where the file may name secrets that it has no use for, and no right to: see [`Source::unused`].
    pub unused: &'static [&'static str],
    /// Whether it uses several processors.
    pub threads: bool,
}

/// A function that has started.
pub struct Function {
    /// Its kind.
    pub kind: Kind,
    /// Its settings, as they are at the start.
    pub settings: Settings,
    /// The time that it goes by.
    pub clock: Clock,
    /// Where it publishes messages.
    pub queue: Arc<SqsQueue>,
    pub(crate) emf: Emf,
    pub(crate) configured: Arc<Configured>,
}

/// Runs a function until Lambda ends it. What is wrong at the start is logged, all of it at once, and ends it.
pub fn main<F>(kind: Kind, clock: Clock, serve: impl FnOnce(Function) -> F) -> ExitCode
where
    F: Future<Output = Result<(), Failed>>,
{
    std::panic::set_hook(Box::new(|panic| {
        // Without its text, which may quote what was being worked on.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked: this is a mistake in the program");
    }));
    let mut builder = match kind.threads {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(kind, &Failed::of("can't start the async runtime", &error)),
    };
    let ended = runtime.block_on(async {
        let function = Function::start(kind, clock).await?;
        serve(function).await
    });
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => refuse(kind, &failed),
    }
}

fn refuse(kind: Kind, failed: &Failed) -> ExitCode {
    // Nothing is logged yet when the settings have a mistake.
    drop(autopr_telemetry::start(LEVEL, Format::Json));
    failed.log(kind.name, "can't start");
    ExitCode::FAILURE
}

impl Function {
    async fn start(kind: Kind, clock: Clock) -> Result<Self, Failed> {
        let source = source(kind);
        let queue = aws::queue(&source.env);
        let configured = Configured::start(source, kind.needs, clock.clone()).await;
        let (queue, (configured, settings)) = match (queue, configured) {
            (Ok(queue), Ok(configured)) => (queue, configured),
            (Err(queue), Err(settings)) => return Err(settings.and(queue)),
            (Err(failed), Ok(_)) | (Ok(_), Err(failed)) => return Err(failed),
        };
        autopr_telemetry::start(settings.logging.level.as_str(), Format::Json).map_err(Failed::Other)?;
        let emf = match settings.monitoring.enable_metrics {
            true => Emf::start().map_err(|error| Failed::of("can't record metrics", &error))?,
            false => Emf::default(),
        };
        Ok(Self { kind, settings, clock, queue: Arc::new(queue), emf, configured: Arc::new(configured) })
    }
}

/// The function's variables, and the folder that it was packed into.
fn source(kind: Kind) -> Source {
    let env = autopr_runtime::environment();
    let dir = env.get("LAMBDA_TASK_ROOT").map(PathBuf::from);
    let config = if kind.reads_file { ConfigFile::OfEnvironment } else { ConfigFile::None };
    Source { dir: dir.unwrap_or_default(), env, config, unused: kind.unused, ..Source::default() }
}
