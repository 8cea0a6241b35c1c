//! Requests that come through an HTTP API (format 2.0), a REST API (format 1.0), a load balancer or a function's URL, for
//! the router that every deployment has.

use std::convert::Infallible;
use std::future::Future;

use autopr_queue_sqs::{TraceHeader, traced};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{HeaderValue, Request, Response};
use lambda_http::request::RequestContext;
use lambda_http::{RequestExt, Service, service_fn};

use crate::failed::Failed;
use crate::invocation::flush;
use crate::start::Function;

/// What a path that is none becomes: nothing is found there.
const NOWHERE: &str = "/not/a/path";

/// The header that holds the id of a request.
const REQUEST_ID: &str = "x-request-id";

/// The header that holds the trace of a request, which Lambda's own takes the place of.
const TRACE: &str = "x-amzn-trace-id";

/// Answers requests with the router that `router` tells for each, until Lambda ends the function.
///
/// # Errors
/// When Lambda can't be asked for requests.
pub async fn serve<R>(function: &Function, router: impl Fn() -> R) -> Result<(), Failed>
where
    R: Future<Output = Router> + Send,
{
    let answer = service_fn(|request: lambda_http::Request| {
        let router = router();
        async move {
            let id = request.lambda_context_ref().map(|context| context.request_id.clone()).unwrap_or_default();
            let response = answer(router.await, request, &id).await;
            flush(function, &id);
            Ok::<_, Infallible>(response)
        }
    });
    lambda_http::run(answer).await.map_err(|error| Failed::of("Lambda can't be asked for requests", error.as_ref()))
}

/// The router's answer to a request. Messages that it publishes carry the request's trace.
pub async fn answer(mut router: Router, request: lambda_http::Request, id: &str) -> Response<Body> {
    let request = translate(request, id);
    let trace = request.headers().get(TRACE).and_then(|header| TraceHeader::parse(header.to_str().ok()?));
    // A router is always ready, and never fails.
    let answered: Result<Response<Body>, Infallible> = traced(trace, Service::call(&mut router, request)).await;
    match answered {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The request as it was sent: its path without the name of the API's stage, the bytes of its body. Its id becomes the one
/// that stands in Lambda's own log lines.
fn translate(request: lambda_http::Request, id: &str) -> Request<Body> {
    let path = request.raw_http_path().to_owned();
    let stage = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.stage.clone(),
        _ => None,
    };
    let (mut parts, body) = request.into_parts();
    let uri = relative(without_stage(&path, stage.as_deref()), parts.uri.query());
    parts.uri = uri.unwrap_or_else(|| Uri::from_static(NOWHERE));
    if let Ok(id) = HeaderValue::from_str(id) {
        parts.headers.insert(REQUEST_ID, id);
    }
    let bytes = match body {
        lambda_http::Body::Text(text) => Bytes::from(text),
        lambda_http::Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    Request::from_parts(parts, Body::from(bytes))
}

/// An HTTP API with a stage of its own name puts it before the path; a REST API does not.
fn without_stage<'p>(path: &'p str, stage: Option<&str>) -> &'p str {
    let rest = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    rest.filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

fn relative(path: &str, query: Option<&str>) -> Option<Uri> {
    let text = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    text.parse::<PathAndQuery>().map(Uri::from).ok()
}
