//! The Lambda function that is called each minute: it queues executions that nobody is at, removes what is old, and asks
//! GitHub what was missed.

use std::process::ExitCode;
use std::sync::Arc;

use autopr_aws::{Failed, Function, Kind, Live};
use autopr_core::clock::Clock;
use autopr_core::engine::{Edges, Engine, LONG_PATIENCE};
use autopr_core::model_chain::ModelChain;
use autopr_core::ports::Queue;
use autopr_core::reconcile::Progress;
use autopr_core::workflow::Catalog;
use autopr_runtime::Upkeep;
use autopr_runtime::settings::{Needs, Settings};
use autopr_store_postgres::PostgresStore;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// It asks no model.
const NEEDS: Needs = Needs { postgres: true, models: false, ..Needs::WORK };

const KIND: Kind = Kind {
    name: "aws-sweeper",
    needs: NEEDS,
    reads_file: true,
    unused: &["github.webhook_secrets", "llm.providers", "server.api_keys"],
    threads: false,
};

/// The most connections: it does one thing after the other.
const MOST_CONNECTIONS: u32 = 2;

/// What an invocation works with.
struct Sweeper {
    upkeep: Upkeep,
    store: Arc<PostgresStore>,
    settings: Settings,
}

/// Runs the function by a clock; another one than the machine's is for tests.
pub fn run(clock: Clock) -> ExitCode {
    autopr_aws::main(KIND, clock, serve)
}

async fn serve(function: Function) -> Result<(), Failed> {
    let shutdown = CancellationToken::new();
    let (queue, clock, stopping) = (function.queue.clone(), function.clock.clone(), shutdown.clone());
    let sweeper = Live::start(&function, move |settings| {
        Sweeper::start(settings, queue.clone(), clock.clone(), stopping.clone())
    });
    let sweeper = Arc::new(sweeper.await?);
    autopr_aws::at_end(&sweeper, shutdown, |sweeper: Arc<Sweeper>| async move { sweeper.store.close().await }).await;
    // How far it was asked; another environment asks for everything once more.
    let progress = Mutex::new(Progress::default());
    let (function, progress) = (&function, &progress);
    let invoked = service_fn(|event: LambdaEvent<Value>| {
        let sweeper = sweeper.clone();
        async move {
            let sweeper = sweeper.current().await;
            let deadline = autopr_aws::deadline(&event.context, &function.clock);
            let Settings { workflow, github, .. } = &sweeper.settings;
            let mut progress = progress.lock().await;
            sweeper.upkeep.once(&workflow.history, &github.reconcile, &mut progress, deadline).await;
            autopr_aws::flush(function, &event.context.request_id);
            Ok::<(), lambda_runtime::Error>(())
        }
    });
    let ended = lambda_runtime::run(invoked).await;
    ended.map_err(|error| Failed::of("Lambda can't be asked for work", error.as_ref()))
}

impl Sweeper {
    async fn start(
        settings: Settings,
        queue: Arc<dyn Queue>,
        clock: Clock,
        shutdown: CancellationToken,
    ) -> Result<Self, Failed> {
        let opened = autopr_wiring::open_few(&settings.database, MOST_CONNECTIONS).await;
        let store = opened.map_err(|error| Failed::database(&error))?;
        let cache = autopr_wiring::cache(&settings.redis)?;
        let forge = autopr_wiring::github(&settings.github, cache)?;
        let edges = Edges { store: store.clone(), queue, forge: Arc::new(forge), models: ModelChain::default() };
        let policy = autopr_runtime::policy(&settings.workflow);
        let unusable = |error| Failed::of("the workflows can't be used", &error);
        let catalog: Catalog = autopr_runtime::catalog(&settings.workflow).map_err(unusable)?;
        let name = format!("{}-{}", KIND.name, Uuid::now_v7());
        let engine = Engine::new(edges, Arc::new(catalog), policy, clock.clone(), &name, shutdown.clone());
        Ok(Self { upkeep: Upkeep::new(engine, clock, shutdown, LONG_PATIENCE), store, settings })
    }
}
