//! The metrics' own port.

use std::time::Duration;

use autopr_telemetry::Metrics;
use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::routing::get;

/// How often recorded times are sorted into their buckets.
const UPKEEP: Duration = Duration::from_secs(10);

/// The route that shows what was recorded.
pub(crate) fn exporter(metrics: Metrics) -> Router {
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
pub(crate) async fn keep_up(metrics: &Metrics) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        metrics.upkeep();
    }
}
