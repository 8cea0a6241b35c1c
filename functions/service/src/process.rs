//! A process from its first signal handler to its last answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use autopr_cache::Cache;
use autopr_core::clock::Clock;
use autopr_core::engine::{Edges, Engine};
use autopr_core::fault::Fault;
use autopr_core::intake::Secrets;
use autopr_core::ports::{Queue, Store};
use autopr_core::workflow::Catalog;
use autopr_runtime::Upkeep;
use autopr_runtime::http::{self, BodyLimits, Dependency, Health, Intake, ServeLimits};
use autopr_runtime::settings::Settings;
use autopr_telemetry::Metrics;
use autopr_wiring::Unusable;
use axum::Router;
use axum::middleware::from_fn;
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::exporter::{exporter, keep_up};
use crate::listener::{address, listen, serve_apart};
use crate::signals::{Signals, Stopped};
use crate::trace;

/// How long closing the store may take at the end.
const CLOSE: Duration = Duration::from_millis(500);

/// What kind of process it is.
pub struct Process<'p> {
    /// What it is called in leases and in the audit log, before an identity of its own.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Its settings.
    pub settings: &'p Settings,
    /// The workflows that it knows.
    pub catalog: Catalog,
    /// The time that it goes by.
    pub clock: Clock,
    /// Whether it takes webhooks. One that does not listens for metrics and health only.
    pub serves: bool,
    /// Whether it does, together with others like it, what one process does for all, and with what patience: see
    /// [`Upkeep::new`]. One that gets no processor between two requests can't.
    pub upkeep: Option<Duration>,
}

/// What it keeps its work in.
pub struct Backing<Q> {
    /// Where executions are recorded.
    pub store: Arc<dyn Store>,
    /// Where messages go.
    pub queue: Arc<Q>,
    /// Ends what is under way in the store and closes it.
    pub close: BoxFuture<'static, ()>,
}

/// A process that is about to begin its work.
pub struct Parts<Q> {
    /// Runs executions.
    pub engine: Engine,
    /// The queue of the backing, whatever was put between it and the engine.
    pub queue: Arc<Q>,
    /// The time that the process goes by.
    pub clock: Clock,
    /// Asks everything to come to its end.
    pub shutdown: CancellationToken,
}

/// What a deployable does besides what all of them do.
pub struct Work {
    /// What it answers over HTTP besides webhooks and its health. Requests are answered on a thread of their own: what takes
    /// longer belongs into a task of the process's runtime.
    pub routes: Router,
    /// Deals with messages until the shutdown, and ends once nothing is under way any more.
    pub consumer: BoxFuture<'static, ()>,
}

/// Why a process could not start.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// An address is taken or not allowed.
    #[error("can't listen on {address}: {error}; choose another port with {setting}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// The key that names its port.
        setting: &'static str,
        /// Why.
        error: io::Error,
    },
    /// The database can't be reached or used.
    #[error(transparent)]
    Database(#[from] Unusable),
    /// The system does not let the process hear signals.
    #[error("can't listen for signals: {0}")]
    Signals(io::Error),
    /// The system gives the process no threads.
    #[error("can't start the async runtime: {0}")]
    Runtime(io::Error),
    /// Metrics are recorded already.
    #[error("can't record metrics: {0}")]
    Metrics(String),
    /// A part can't be set up.
    #[error("{0}")]
    Fault(#[from] Fault),
}

/// Runs until a signal stops it. `backing` opens what the work is kept in, and `work` says what is done besides what every
/// process does. `wrap` may put something between the engine and its edges; only tests do.
///
/// # Errors
/// When it can't start.
pub async fn run<Q: Queue + 'static>(
    process: Process<'_>,
    backing: impl Future<Output = Result<Backing<Q>, Failed>>,
    wrap: impl FnOnce(Edges) -> Edges,
    work: impl FnOnce(Parts<Q>) -> Result<Work, Failed>,
) -> Result<Stopped, Failed> {
    let Process { name, version, settings, catalog, clock, serves, upkeep } = process;
    let signals = Signals::listen().map_err(Failed::Signals)?;
    let shutdown = CancellationToken::new();
    // Nobody is let in before there is a place for what they bring.
    let Backing { store, queue, close } = backing.await?;
    let server = match serves {
        true => Some(listen(settings.server.host, settings.server.port, "server.port (AUTOPR_PORT)").await?),
        false => None,
    };
    let monitoring = &settings.monitoring;
    let metrics = match monitoring.enable_metrics {
        true => {
            let metrics = Metrics::start().map_err(|error| Failed::Metrics(error.to_string()))?;
            let port = monitoring.metrics_port;
            Some((listen(settings.server.host, port, "monitoring.metrics_port").await?, metrics))
        }
        false => None,
    };
    let cache = autopr_wiring::cache(&settings.redis)?;
    let edges = wrap(Edges {
        store,
        queue: queue.clone(),
        forge: Arc::new(autopr_wiring::github(&settings.github, cache.clone())?),
        models: autopr_wiring::models(&settings.llm, cache.clone())?,
    });
    let name = format!("{name}-{}", Uuid::now_v7());
    let policy = autopr_runtime::policy(&settings.workflow);
    let engine = Engine::new(edges.clone(), Arc::new(catalog), policy, clock.clone(), &name, shutdown.clone());
    engine.register().await?;

    let parts = Parts { engine: engine.clone(), queue, clock: clock.clone(), shutdown: shutdown.clone() };
    let Work { routes, consumer } = work(parts)?;
    let kept_up = async {
        if let Some(patience) = upkeep {
            let upkeep = Upkeep::new(engine, clock.clone(), shutdown.clone(), patience);
            upkeep.run(&settings.workflow.history, &settings.github.reconcile).await;
        }
    };
    let redis = settings.redis.url.is_some().then(|| redis(cache));
    let dependencies = [Dependency::database(edges.store.clone())].into_iter().chain(redis).collect();
    let health = Arc::new(Health::new(version, shutdown.clone(), dependencies));
    let http = async {
        let Some(listener) = server else { return };
        let secrets = settings.github.webhook_secrets.iter();
        let secrets = Secrets::new(secrets.map(|secret| SecretString::from(secret.expose())).collect());
        // Settings hold two at most.
        let secrets = secrets.unwrap_or_default();
        let intake = Arc::new(Intake::new(secrets, edges.queue.clone(), clock.clone(), BodyLimits::default()));
        tracing::info!(address = address(&listener), version, "listening");
        let router = http::router(intake, routes, health.clone()).layer(from_fn(trace::keep));
        if let Err(error) = serve_apart(listener, router, shutdown.clone()).await {
            tracing::error!(%error, "the HTTP server ended");
            shutdown.cancel();
        }
    };
    let measured = async {
        let Some((listener, metrics)) = metrics else { return };
        tracing::info!(address = address(&listener), "metrics");
        // A process that takes no webhooks has no other port, so this one has the health routes too.
        let router = http::router_with(exporter(metrics.clone()), health.clone());
        let served = http::serve(listener, router, ServeLimits::default(), shutdown.clone());
        tokio::select! {
            () = served => {}
            () = keep_up(&metrics) => {}
        }
    };
    let everything = async {
        tokio::join!(consumer, kept_up, http, measured);
    };
    let stopped = signals.until(shutdown.clone(), everything).await;
    if tokio::time::timeout(CLOSE, close).await.is_err() {
        tracing::warn!("the store was not closed in order");
    }
    Ok(stopped)
}

/// Without it work is done again, nothing else.
fn redis(cache: Arc<Cache>) -> Dependency {
    let check = move || -> BoxFuture<'static, Result<(), Fault>> {
        let cache = cache.clone();
        Box::pin(async move { cache.check().await })
    };
    Dependency { name: "redis", required: false, check: Box::new(check) }
}
