//! `autopr serve` and `autopr worker`: HTTP server, worker and sweeper around one engine.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use autopr_cache::Cache;
use autopr_core::clock::Clock;
use autopr_core::engine::{Edges, Engine, PATIENCE};
use autopr_core::fault::Fault;
use autopr_core::intake::Secrets;
use autopr_core::ports::Store;
use autopr_core::ports::queue::StoreQueue;
use autopr_core::workflow::Catalog;
use autopr_runtime::http::{self, BodyLimits, Dependency, Health, Intake, ServeLimits};
use autopr_runtime::settings::Settings;
use autopr_runtime::{Upkeep, Worker};
use autopr_telemetry::Metrics;
use autopr_wiring::NotOpened;
use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::routing::get;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::listener::{address, listen, serve_apart};
use crate::signals::{Signals, Stopped};
use crate::store::{self, AnyStore};

/// How often recorded times are sorted into their buckets.
const UPKEEP: Duration = Duration::from_secs(10);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Takes webhooks and runs executions.
    Serve,
    /// Runs executions only.
    Work,
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
    #[error("the database {place} can't be used: {error}")]
    Database {
        /// Which.
        place: String,
        /// Why.
        error: NotOpened,
    },
    /// The system does not let the process hear signals.
    #[error("can't listen for signals: {0}")]
    Signals(#[from] io::Error),
    /// Metrics are recorded already.
    #[error("can't record metrics: {0}")]
    Metrics(String),
    /// A part can't be set up.
    #[error("{0}")]
    Fault(#[from] Fault),
}

/// Runs until a signal stops it. Tests run it by another clock than the machine's, and `wrap` may put something between the
/// engine and its edges; the product puts nothing.
///
/// # Errors
/// When it can't start.
pub async fn run(
    settings: &Settings,
    catalog: Catalog,
    role: Role,
    version: &'static str,
    clock: Clock,
    wrap: impl FnOnce(Edges) -> Edges,
) -> Result<Stopped, Failed> {
    let signals = Signals::listen()?;
    let shutdown = CancellationToken::new();
    // Nobody is let in before there is a place for what they bring.
    let opened = AnyStore::open(&settings.database).await.map_err(|error| {
        let place = store::place(&settings.database);
        Failed::Database { place, error }
    })?;
    let server = match role {
        Role::Serve => Some(listen(settings.server.host, settings.server.port, "server.port (AUTOPR_PORT)").await?),
        Role::Work => None,
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
    let store: Arc<dyn Store> = opened.port();
    let cache = autopr_wiring::cache(&settings.redis)?;
    let queue = StoreQueue::new(store.clone(), clock.clone());
    let edges = wrap(Edges {
        store: store.clone(),
        queue: Arc::new(queue.clone()),
        forge: Arc::new(autopr_wiring::github(&settings.github, cache.clone())?),
        models: autopr_wiring::models(&settings.llm, cache.clone())?,
    });
    let name = format!("{}-{}", role_name(role), Uuid::now_v7());
    let policy = autopr_runtime::policy(&settings.workflow);
    let engine = Engine::new(edges.clone(), Arc::new(catalog), policy, clock.clone(), &name, shutdown.clone());
    engine.register().await?;

    let upkeep = Upkeep::new(engine.clone(), clock.clone(), shutdown.clone(), PATIENCE);
    let upkeep = upkeep.run(&settings.workflow.history, &settings.github.reconcile);
    let worker = Worker::new(engine, queue, clock.clone(), settings.workflow.max_concurrent as usize, shutdown.clone());
    let redis = settings.redis.url.is_some().then(|| redis(cache));
    let dependencies = [Dependency::database(edges.store.clone())].into_iter().chain(redis).collect();
    let health = Arc::new(Health::new(version, shutdown.clone(), dependencies));
    let http = async {
        let Some(listener) = server else { return };
        let secrets = settings.github.webhook_secrets.iter();
        let secrets = Secrets::new(secrets.map(|secret| SecretString::from(secret.expose())).collect());
        // Settings hold two at most.
        let secrets = secrets.unwrap_or_default();
        let intake = Arc::new(Intake::new(secrets, edges.queue.clone(), clock, BodyLimits::default()));
        tracing::info!(address = address(&listener), version, "listening");
        let router = http::router(intake, health.clone());
        if let Err(error) = serve_apart(listener, router, shutdown.clone()).await {
            tracing::error!(%error, "the HTTP server ended");
            shutdown.cancel();
        }
    };
    let measured = async {
        let Some((listener, metrics)) = metrics else { return };
        tracing::info!(address = address(&listener), "metrics");
        // A worker has no other port, so this one has the health routes too.
        let router = http::router_with(exporter(metrics.clone()), health.clone());
        let served = http::serve(listener, router, ServeLimits::default(), shutdown.clone());
        tokio::select! {
            () = served => {}
            () = keep_up(&metrics) => {}
        }
    };
    let everything = async {
        tokio::join!(worker.run(), upkeep, http, measured);
    };
    let stopped = signals.until(shutdown.clone(), everything).await;
    opened.close().await;
    Ok(stopped)
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Serve => "serve",
        Role::Work => "worker",
    }
}

/// Without it work is done again, nothing else.
fn redis(cache: Arc<Cache>) -> Dependency {
    let check = move || -> futures_util::future::BoxFuture<'static, Result<(), Fault>> {
        let cache = cache.clone();
        Box::pin(async move { cache.check().await })
    };
    Dependency { name: "redis", required: false, check: Box::new(check) }
}

fn exporter(metrics: Metrics) -> Router {
    let render = move |headers: HeaderMap| async move {
        let accepted = headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
        match accepted.contains(Metrics::OPEN_TYPE) {
            true => ([(CONTENT_TYPE, Metrics::OPEN_CONTENT_TYPE)], metrics.render_open()),
            false => ([(CONTENT_TYPE, Metrics::CONTENT_TYPE)], metrics.render()),
        }
    };
    Router::new().route("/metrics", get(render))
}

/// Keeps what is recorded small while nobody asks for it. Never comes to an end.
async fn keep_up(metrics: &Metrics) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        metrics.upkeep();
    }
}
