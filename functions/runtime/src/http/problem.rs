//! Errors as problem details (RFC 9457), with the id of the request.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::around::REQUEST_ID;

/// An error answer.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    request: Option<String>,
    retry_after: Option<u32>,
}

#[derive(Serialize)]
struct Shape<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl Problem {
    /// A problem with the request of these headers.
    pub fn new(status: StatusCode, headers: &HeaderMap, detail: impl Into<String>) -> Self {
        let request = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        Self { status, detail: detail.into(), request, retry_after: None }
    }

    /// What is wrong, in words.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Says when to try again, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, detail, request, retry_after } = &self;
        let title = status.canonical_reason().unwrap_or("Error");
        let shape =
            Shape { kind: "about:blank", title, status: status.as_u16(), detail, request_id: request.as_deref() };
        let body = serde_json::to_string(&shape).unwrap_or_default();
        let mut response = (*status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
        }
        response
    }
}

pub(super) async fn not_found(uri: Uri, headers: HeaderMap) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::new(StatusCode::NOT_FOUND, &headers, format!("there is nothing at {path}"))
}

pub(super) async fn method_not_allowed(headers: HeaderMap) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, &headers, "this address does not take that method")
}

/// What is answered to the request of that id when its handler panicked. The panic itself is logged by the process's
/// hook.
pub(super) fn panicked(request: &HeaderValue) -> Response {
    tracing::error!(request_id = request.to_str().unwrap_or_default(), "answering a request panicked");
    let headers = HeaderMap::from_iter([(HeaderName::from_static(REQUEST_ID), request.clone())]);
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, &headers, "the server made a mistake").into_response()
}
