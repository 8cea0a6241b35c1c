//! `/api/health`: is the process alive, and how are the things it depends on; `/api/ready`: may it take traffic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_core::fault::Fault;
use autopr_core::ports::Store;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::problem::Problem;

/// How long a dependency may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// From this latency on a dependency counts as degraded.
const SLOW: Duration = Duration::from_millis(500);

/// Something the process can't work without, or can do less without.
pub struct Dependency {
    /// What it is called.
    pub name: &'static str,
    /// Whether the process may take traffic without it.
    pub required: bool,
    /// Asks it something cheap.
    pub check: Box<dyn Fn() -> BoxFuture<'static, Result<(), Fault>> + Send + Sync>,
}

impl Dependency {
    /// The database, without which nothing can be done.
    pub fn database(store: Arc<dyn Store>) -> Self {
        let check = move || -> BoxFuture<'static, Result<(), Fault>> {
            let store = store.clone();
            // One row by its key: cheap, whatever the tables hold.
            Box::pin(async move { store.spending("health").await.map(drop) })
        };
        Self { name: "database", required: true, check: Box::new(check) }
    }
}

/// What is known of the process's health.
pub struct Health {
    version: &'static str,
    started: Instant,
    shutdown: CancellationToken,
    dependencies: Vec<Dependency>,
}

impl Health {
    /// The health of a process of that version, begun now, which takes no more traffic once `shutdown` is called.
    pub fn new(version: &'static str, shutdown: CancellationToken, dependencies: Vec<Dependency>) -> Self {
        Self { version, started: Instant::now(), shutdown, dependencies }
    }

    async fn states(&self, required_only: bool) -> BTreeMap<&'static str, DependencyState> {
        let wanted = self.dependencies.iter().filter(|dependency| dependency.required || !required_only);
        let checks = wanted.map(|dependency| async move {
            let begun = Instant::now();
            let answer = tokio::time::timeout(PATIENCE, (dependency.check)()).await;
            let latency = begun.elapsed();
            let status = match answer {
                Ok(Ok(())) if latency < SLOW => Status::Healthy,
                Ok(Ok(())) => Status::Degraded,
                Ok(Err(fault)) => {
                    tracing::warn!(dependency = dependency.name, %fault, "a dependency is not well");
                    Status::Unhealthy
                }
                Err(_) => {
                    tracing::warn!(dependency = dependency.name, "a dependency does not answer");
                    Status::Unhealthy
                }
            };
            (
                dependency.name,
                DependencyState { status, latency_ms: latency.as_secs_f64() * 1000.0, required: dependency.required },
            )
        });
        join_all(checks).await.into_iter().collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Healthy,
    Degraded,
    Unhealthy,
}

#[derive(Serialize)]
struct DependencyState {
    status: Status,
    latency_ms: f64,
    #[serde(skip)]
    required: bool,
}

impl DependencyState {
    /// What this means for the whole.
    fn weight(&self) -> Status {
        if self.required { self.status } else { self.status.min(Status::Degraded) }
    }
}

#[derive(Serialize)]
struct Answer {
    status: Status,
    version: &'static str,
    uptime_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dependencies: Option<BTreeMap<&'static str, DependencyState>>,
}

/// Answers 200 while the process lives, whatever the state of its dependencies: restarting it would not mend those.
pub(super) async fn health(State(health): State<Arc<Health>>, RawQuery(query): RawQuery) -> Response {
    let dependencies =
        if detailed(query.as_deref().unwrap_or_default()) { Some(health.states(false).await) } else { None };
    let status =
        dependencies.iter().flat_map(BTreeMap::values).map(DependencyState::weight).max().unwrap_or(Status::Healthy);
    let uptime_seconds = health.started.elapsed().as_secs();
    Json(Answer { status, version: health.version, uptime_seconds, dependencies }).into_response()
}

/// Whether a query asks for the state of each dependency. What else it holds does not matter: a monitor that adds
/// something of its own must not take the process for dead.
fn detailed(query: &str) -> bool {
    query.split('&').any(|pair| matches!(pair, "detailed" | "detailed=true" | "detailed=1"))
}

/// Answers 200 when this process may take traffic, 503 otherwise.
pub(super) async fn ready(State(health): State<Arc<Health>>, headers: HeaderMap) -> Response {
    let not_ready =
        |detail: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, &headers, detail).retry_after(5).into_response();
    if health.shutdown.is_cancelled() {
        return not_ready("the process is shutting down".to_owned());
    }
    let states = health.states(true).await;
    match states.iter().find(|(_, state)| state.status == Status::Unhealthy) {
        Some((name, _)) => not_ready(format!("{name} can't be reached")),
        None => Json(serde_json::json!({ "status": "ready" })).into_response(),
    }
}
