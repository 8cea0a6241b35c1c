//! The trace of a request goes on in the messages that it leads to.

use autopr_core::trace::{TraceParent, traced};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// Answers a request; what is published meanwhile carries its trace.
pub(crate) async fn keep(request: Request, next: Next) -> Response {
    let text = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    traced(text.and_then(TraceParent::parse), next.run(request)).await
}
