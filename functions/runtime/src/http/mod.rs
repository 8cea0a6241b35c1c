//! The HTTP side of every deployable: one router, and a server for those that listen themselves.

mod around;
mod body;
mod health;
mod problem;
mod serve;
mod stream;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post};

pub use body::{BodyLimits, Held, MOST_BYTES, read as read_body};
pub use health::{Dependency, Health};
pub use problem::Problem;
pub use serve::{ServeLimits, serve};
pub use webhook::Intake;

/// The routes of a process that takes webhooks, and others.
pub fn router(intake: Arc<Intake>, routes: Router, health: Arc<Health>) -> Router {
    let webhooks = Router::new().route("/webhooks/github", post(webhook::receive)).with_state(intake);
    router_with(webhooks.merge(routes), health)
}

/// The health routes and others, with what every router of ours has: problem details for what it does not know, request
/// ids, metrics, and an answer when a handler panics.
pub fn router_with(routes: Router, health: Arc<Health>) -> Router {
    Router::new()
        .route("/api/health", get(health::health))
        .route("/api/ready", get(health::ready))
        .with_state(health)
        .merge(routes)
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        // The webhook bounds its body itself; no other route reads one.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(around::around))
}
