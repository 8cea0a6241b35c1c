//! `POST /sweep`: what one process does for all, asked for by Cloud Scheduler each minute, because an instance of Cloud Run
//! has a processor only while it answers.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::{Clock, after};
use autopr_core::reconcile::Progress;
use autopr_runtime::Upkeep;
use autopr_runtime::http::Problem;
use autopr_runtime::settings::{History, Reconcile};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::door::Door;
use crate::tasks::Tasks;

/// How long a sweep takes at most. The next is asked for in a minute.
const TIME: Duration = Duration::from_secs(50);

/// What sweeps.
pub(crate) struct Sweeps {
    pub(crate) door: Arc<Door>,
    pub(crate) tasks: Tasks,
    pub(crate) upkeep: Upkeep,
    pub(crate) clock: Clock,
    pub(crate) history: History,
    pub(crate) reconcile: Reconcile,
    /// How far the forge was asked; another instance asks for everything once more.
    pub(crate) progress: Arc<Mutex<Progress>>,
}

pub(crate) async fn sweep(State(sweeps): State<Arc<Sweeps>>, headers: HeaderMap) -> Response {
    if let Err(problem) = sweeps.door.admit(&headers).await {
        return problem.into_response();
    }
    let Ok(mut progress) = sweeps.progress.clone().try_lock_owned() else {
        tracing::info!("the last sweep is not over yet");
        return StatusCode::NO_CONTENT.into_response();
    };
    let (upkeep, history, reconcile) = (sweeps.upkeep.clone(), sweeps.history.clone(), sweeps.reconcile.clone());
    let deadline = sweeps.clock.at(after(Timestamp::now(), TIME));
    let work = async move { upkeep.once(&history, &reconcile, &mut progress, deadline).await };
    match sweeps.tasks.run(work).await {
        Some(()) => StatusCode::NO_CONTENT.into_response(),
        None => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, &headers, "the server made a mistake").into_response(),
    }
}
