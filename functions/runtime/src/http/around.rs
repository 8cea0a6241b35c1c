//! What is done around every request: it gets an id, it is counted and timed, and a panic becomes an answer.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use autopr_core::telemetry::{HTTP_DURATION, HTTP_REQUESTS};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use metrics::{counter, histogram};
use uuid::Uuid;

use super::problem;

/// The header that holds the id of a request, in the request and in its answer.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// The longest id that is taken over from a client.
const LONGEST_ID: usize = 64;

pub(super) async fn around(mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = id(request.headers());
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    let method = known(request.method());
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => problem::panicked(&id),
    };
    let (status, elapsed) = (response.status().as_u16(), begun.elapsed().as_secs_f64());
    let shown = id.to_str().unwrap_or_default();
    tracing::debug!(request_id = shown, route, method, status, duration_ms = elapsed * 1000.0, "answered");
    counter!(HTTP_REQUESTS, "route" => route.clone(), "method" => method, "status" => status.to_string()).increment(1);
    histogram!(HTTP_DURATION, "route" => route).record(elapsed);
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The id that the client gave, when it is one that may stand in logs and answers; a new one otherwise.
fn id(headers: &HeaderMap) -> HeaderValue {
    let plain = |id: &&HeaderValue| {
        let bytes = id.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        (1..=LONGEST_ID).contains(&bytes.len()) && bytes.iter().all(allowed)
    };
    match headers.get(REQUEST_ID).filter(plain) {
        Some(id) => id.clone(),
        // A UUID is made of characters that every header may hold.
        None => HeaderValue::from_str(&Uuid::now_v7().to_string()).unwrap_or(HeaderValue::from_static("none")),
    }
}

/// The method as a label: one of a closed set.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
