//! The service for Google Cloud Run: takes webhooks and publishes them to Pub/Sub, and runs the executions whose messages
//! Pub/Sub pushes to it. It does nothing between two requests, because it may have no processor then.

mod door;
mod keys;
mod push;
mod sweep;
mod tasks;
mod token;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::Clock;
use autopr_core::engine::LONG_PATIENCE;
use autopr_core::yaml::Diagnostic;
use autopr_queue_pubsub::{PubSubQueue, Topic};
use autopr_runtime::Upkeep;
use autopr_runtime::http::BodyLimits;
use autopr_runtime::settings::{ConfigFile, Loaded, Needs, Settings, Source};
use autopr_service::{Asked, Backing, Failed, Parts, Process, Stopped, Work};
use axum::Router;
use axum::routing::post;

use crate::door::Door;
use crate::push::Pushes;
use crate::sweep::Sweeps;
use crate::tasks::Tasks;

/// What it is called.
const NAME: &str = "gcp-service";

/// What it is.
const ABOUT: &str = "AutoPR Engine for Google Cloud Run: takes webhooks and what Pub/Sub pushes.";

/// What its settings must have.
const NEEDS: Needs = Needs { postgres: true, push: true, ..Needs::SERVE };

/// The variable that names the topic, as it names the queue elsewhere.
const TOPIC: &str = "AUTOPR_QUEUE_URL";

/// The variable that names an emulator of Pub/Sub, as Google's own tools know it.
const EMULATOR: &str = "PUBSUB_EMULATOR_HOST";

/// The most connections of one instance. There may be many instances, and executions wait for models, not for the
/// database.
const MOST_CONNECTIONS: u32 = 6;

/// How long the body of a push may take to arrive. Its sender is near and in no way slow.
const BODY: Duration = Duration::from_secs(10);

/// What it ends with that can't start.
const UNUSABLE: u8 = 2;

/// Runs the service until a signal stops it, by a clock; another one than the machine's is for tests.
pub fn run(clock: Clock) -> ExitCode {
    let done = match autopr_service::asked(NAME, env!("CARGO_PKG_VERSION"), ABOUT) {
        Asked::Run => start(clock).map(autopr_service::exit_code),
        Asked::Health => health(),
        Asked::Answered(code) => Ok(code),
    };
    done.unwrap_or_else(|why| {
        eprintln!("{NAME}: {}", why.trim_end());
        ExitCode::from(UNUSABLE)
    })
}

fn health() -> Result<ExitCode, String> {
    let source = source()?;
    let loaded = Settings::load(&source).map_err(|invalid| invalid.to_string())?;
    Ok(autopr_service::health(NAME, autopr_service::own_address(&loaded.settings, true)))
}

fn source() -> Result<Source, String> {
    let source = autopr_runtime::source(ConfigFile::OfEnvironment);
    source.map_err(|error| format!("can't tell the current folder: {error}"))
}

fn start(clock: Clock) -> Result<Stopped, String> {
    let source = source()?;
    let (Loaded { settings, .. }, topic) = match (Settings::load_for(&source, NEEDS), topic(&source.env)) {
        (Ok(loaded), Ok(topic)) => (loaded, topic),
        (Ok(_), Err(mistake)) => return Err(mistake.to_string()),
        (Err(mut invalid), topic) => {
            invalid.mistakes.extend(topic.err());
            return Err(invalid.to_string());
        }
    };
    autopr_service::start_logging(&settings, settings.logging.level.as_str())?;
    autopr_service::log_panics();
    let catalog = autopr_runtime::catalog(&settings.workflow).map_err(|error| error.to_string())?;
    let process = Process {
        name: NAME,
        version: env!("CARGO_PKG_VERSION"),
        settings: &settings,
        catalog,
        clock,
        serves: true,
        upkeep: None,
    };
    let backing = async {
        let emulator = set(&source.env, EMULATOR);
        if let Some(address) = emulator {
            tracing::warn!(address, "messages go to an emulator of Pub/Sub: nothing that it has outlives it");
        }
        let queue = Arc::new(PubSubQueue::new(topic, emulator).await?);
        let store = autopr_wiring::open_few(&settings.database, MOST_CONNECTIONS).await?;
        let closing = store.clone();
        Ok(Backing { store, queue, close: Box::pin(async move { closing.close().await }) })
    };
    let ended = autopr_service::run(process, backing, |edges| edges, |parts| work(&settings, parts));
    autopr_service::ends(ended).map_err(|failed| failed.to_string())
}

/// The topic that messages go to.
fn topic(env: &BTreeMap<String, String>) -> Result<Topic, Diagnostic> {
    let mistake = |message: &str| {
        let fix = "set it to the topic's full name, projects/PROJECT/topics/TOPIC";
        Diagnostic::new("environment", TOPIC, message).fix(fix)
    };
    let text = set(env, TOPIC).ok_or_else(|| mistake("the topic is not named"))?;
    Topic::parse(text).map_err(|error| mistake(&error.to_string()))
}

fn set<'e>(env: &'e BTreeMap<String, String>, name: &str) -> Option<&'e str> {
    env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn work(settings: &Settings, parts: Parts<PubSubQueue>) -> Result<Work, Failed> {
    let Parts { engine, clock, shutdown, .. } = parts;
    let door = Arc::new(Door::new(&settings.push)?);
    let tasks = Tasks::new(settings.workflow.max_concurrent as usize, shutdown.clone());
    let sweeps = Sweeps {
        door: door.clone(),
        tasks: tasks.clone(),
        upkeep: Upkeep::new(engine.clone(), clock.clone(), shutdown, LONG_PATIENCE),
        clock: clock.clone(),
        history: settings.workflow.history.clone(),
        reconcile: settings.github.reconcile.clone(),
        progress: Arc::default(),
    };
    let most = autopr_queue_pubsub::push::MAX_BYTES;
    let limits = BodyLimits::new(most, BODY, 4 * most);
    let timeout = settings.push.timeout.duration();
    let pushes = Pushes { door, tasks: tasks.clone(), engine, clock, timeout, limits };
    let routes = Router::new()
        .route("/pubsub/push", post(push::receive))
        .with_state(Arc::new(pushes))
        .merge(Router::new().route("/sweep", post(sweep::sweep)).with_state(Arc::new(sweeps)));
    Ok(Work { routes, consumer: Box::pin(tasks.drained()) })
}
