//! The trace of a request goes on in the messages that it leads to.

use autopr_queue_azure::{TraceParent, traced};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;

/// Puts what reads the trace around all routes.
pub(crate) fn around(router: Router) -> Router {
    router.layer(from_fn(keep))
}

async fn keep(request: Request, next: Next) -> Response {
    let text = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    traced(text.and_then(TraceParent::parse), next.run(request)).await
}
