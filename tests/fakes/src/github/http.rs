//! The server: takes requests off the wire, lets the knobs act, asks the routes and answers.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use http::request::Parts;
use http::{Request as HttpRequest, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::call::{Answer, Call};
use super::knobs::{Fault, Moment};
use super::record::Request;
use super::{Shared, answering};

/// What is sent back: whole, or cut short by an error.
type Sent = BoxBody<Bytes, io::Error>;

/// Serves until the runtime ends.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| handle(request, Arc::clone(&shared)));
            // A connection that breaks is what some tests ask for.
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

/// Once a request has arrived whole it is carried out, also when its caller goes away meanwhile.
async fn handle(request: HttpRequest<Incoming>, shared: Arc<Shared>) -> io::Result<Response<Sent>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    tokio::spawn(carry_out(parts, body, shared)).await.map_err(io::Error::other)?
}

async fn carry_out(parts: Parts, body: Bytes, shared: Arc<Shared>) -> io::Result<Response<Sent>> {
    let path = parts.uri.path();
    // GitHub Enterprise has the API below a prefix, github.com at a host of its own.
    let (raw, prefix) = match path.strip_prefix("/api/v3") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => (rest, "/api/v3"),
        _ => (path, ""),
    };
    let raw = raw.to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let call = Call {
        method: parts.method,
        path: raw.clone(),
        query: serde_urlencoded::from_str(&query).unwrap_or_default(),
        headers: parts.headers,
        body,
        api: format!("{}{prefix}", shared.url),
        web: shared.url.clone(),
    };
    let method = call.method.as_str().to_owned();
    let caller = answering::caller(&shared, &call);
    let request = Request { method: method.clone(), path: raw, query, caller, body: call.json(), status: None };
    let place = shared.record().begin(request.clone());
    shared.notice(Moment::Before, &request);
    let gate = shared.knobs().gate(&method, &request.path, Moment::Before);
    if let Some(gate) = gate {
        gate.pass().await;
    }
    let fault = shared.knobs().fault(&method, &request.path);
    let answer = match fault {
        Some(Fault::DropBefore) => return Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Fault::Status(status)) => Answer::error(status, "Server Error"),
        _ => answering::answer(&shared, &call),
    };
    let shown = match fault {
        Some(Fault::StatusAfter(status)) => Answer::error(status, "Server Error"),
        _ => answer,
    };
    let done = Request { status: Some(shown.status), ..request };
    if fault != Some(Fault::DropAfter) {
        shared.record().end(place, done.status);
    }
    shared.notice(Moment::After, &done);
    let gate = shared.knobs().gate(&method, &done.path, Moment::After);
    if let Some(gate) = gate {
        gate.pass().await;
    }
    match fault {
        Some(Fault::DropAfter) => Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Fault::Truncate) => respond(&shown, true),
        _ => respond(&shown, false),
    }
}

fn respond(answer: &Answer, cut: bool) -> io::Result<Response<Sent>> {
    let mut response = Response::builder().status(answer.status).header("server", "github.com");
    if answer.status != 304 {
        response = response.header("content-type", answer.media);
    }
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    let whole = answer.body.clone();
    let body = if cut {
        response = response.header("content-length", whole.len());
        Cut { half: Some(whole.slice(..whole.len() / 2)), waited: false }.boxed()
    } else {
        Full::new(whole).map_err(|never: Infallible| match never {}).boxed()
    };
    response.body(body).map_err(io::Error::other)
}

/// A body that ends too early. It pauses once after its half, so that the server sends what there is.
struct Cut {
    half: Option<Bytes>,
    waited: bool,
}

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !self.waited {
            self.waited = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}

/// A part of a path without its percent signs.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => (bytes.push(byte), rest = &after[2..]).1,
            None => (bytes.push(first), rest = after).1,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The value behind a lock, also after a test's panic.
pub(super) fn locked<T>(lock: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
