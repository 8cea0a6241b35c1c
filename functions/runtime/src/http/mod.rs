//! The HTTP side of every deployable: one router, and a server for those that listen themselves.

mod body;
mod health;
mod measure;
mod problem;
mod serve;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

pub use body::{BodyLimits, MOST_BYTES};
pub use health::{Dependency, Health};
pub use serve::{ServeLimits, serve};
pub use webhook::Intake;

/// The routes of the product. Each deployable gives what it has: one without an intake, such as a worker, has no
/// webhook.
pub fn router(intake: Option<Arc<Intake>>, health: Arc<Health>) -> Router {
    let mut router = Router::new()
        .route("/api/health", get(health::health))
        .route("/api/ready", get(health::ready))
        .with_state(health);
    if let Some(intake) = intake {
        let webhook = Router::new().route("/webhooks/github", post(webhook::receive)).with_state(intake);
        router = router.merge(webhook);
    }
    router
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(measure::measure))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
}
