//! The Lambda function that runs executions: the messages of a batch at once, in one invocation, because they wait for
//! models most of the time. What is not done when the time is nearly over is given back and goes on in another invocation.

mod batch;

use std::process::ExitCode;
use std::sync::Arc;

use autopr_aws::{Failed, Function, Kind, Live};
use autopr_core::clock::Clock;
use autopr_core::engine::{Edges, Engine};
use autopr_core::ports::Queue;
use autopr_queue_sqs::batch::{failed, records, response};
use autopr_runtime::settings::{Needs, Settings};
use autopr_store_postgres::PostgresStore;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{LambdaEvent, service_fn};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::batch::Times;

const KIND: Kind = Kind {
    name: "aws-worker",
    needs: Needs { postgres: true, ..Needs::WORK },
    reads_file: true,
    unused: &["github.webhook_secrets", "server.api_keys"],
    threads: true,
};

/// The most connections of one environment. There may be as many environments as the function has concurrency, and the
/// executions of a batch wait for models, not for the database: four are enough for ten.
const MOST_CONNECTIONS: u32 = 4;

/// What an invocation works with.
struct Worker {
    engine: Engine,
    store: Arc<PostgresStore>,
    at_once: usize,
}

/// Runs the function by a clock; another one than the machine's is for tests.
pub fn run(clock: Clock) -> ExitCode {
    autopr_aws::main(KIND, clock, serve)
}

async fn serve(function: Function) -> Result<(), Failed> {
    let shutdown = CancellationToken::new();
    let (queue, clock, stopping) = (function.queue.clone(), function.clock.clone(), shutdown.clone());
    let worker =
        Live::start(&function, move |settings| Worker::start(settings, queue.clone(), clock.clone(), stopping.clone()));
    let worker = Arc::new(worker.await?);
    autopr_aws::at_end(&worker, shutdown, |worker: Arc<Worker>| async move { worker.store.close().await }).await;
    let function = &function;
    let invoked = service_fn(|event: LambdaEvent<SqsEvent>| {
        let worker = worker.clone();
        async move {
            let LambdaEvent { payload, context } = event;
            let worker = worker.current().await;
            let times = Times {
                deadline: autopr_aws::deadline(&context, &function.clock),
                left: autopr_aws::time_left(&context),
            };
            let records = records(payload);
            let results = batch::run(&worker.engine, &records, &context.request_id, times, worker.at_once).await;
            function.queue.appear_after(&failed(&records, &results)).await;
            autopr_aws::flush(function, &context.request_id);
            Ok::<SqsBatchResponse, lambda_runtime::Error>(response(&records, &results))
        }
    });
    let ended = lambda_runtime::run(invoked).await;
    ended.map_err(|error| Failed::of("Lambda can't be asked for batches", error.as_ref()))
}

impl Worker {
    async fn start(
        settings: Settings,
        queue: Arc<dyn Queue>,
        clock: Clock,
        shutdown: CancellationToken,
    ) -> Result<Self, Failed> {
        let database = settings.database.clone();
        // A connection takes about as long to be made as all the rest.
        let opening = tokio::spawn(async move { autopr_wiring::open_few(&database, MOST_CONNECTIONS).await });
        let unusable = |error| Failed::of("the workflows can't be used", &error);
        let catalog = autopr_runtime::catalog(&settings.workflow).map_err(unusable)?;
        let cache = autopr_wiring::cache(&settings.redis)?;
        let forge = autopr_wiring::github(&settings.github, cache.clone())?;
        let models = autopr_wiring::models(&settings.llm, cache)?;
        let opened = opening.await.map_err(|error| Failed::of("the database can't be opened", &error))?;
        let store = opened.map_err(|error| Failed::database(&error))?;
        let edges = Edges { store: store.clone(), queue, forge: Arc::new(forge), models };
        let policy = autopr_runtime::policy(&settings.workflow);
        let name = format!("{}-{}", KIND.name, Uuid::now_v7());
        let engine = Engine::new(edges, Arc::new(catalog), policy, clock, &name, shutdown);
        engine.register().await?;
        Ok(Self { engine, store, at_once: settings.workflow.max_concurrent as usize })
    }
}
