//! A service that gives the answers it was told to, and one that does all but one thing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use autopr_queue_azure::AzureQueue;
use autopr_services::Azurite;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::messages::queue;

/// What the service answers to one request: a status and an error's code.
pub(crate) type Answer = (u16, &'static str);

/// The message was taken.
pub(crate) const TAKEN: Answer = (201, "");

/// A service with a list of answers. It counts what it was asked.
pub(crate) struct Service {
    address: String,
    state: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    answers: VecDeque<Answer>,
    requests: usize,
}

impl Service {
    pub(crate) async fn start(answers: &[Answer]) -> Self {
        let state = Arc::new(Mutex::new(Told { answers: answers.iter().copied().collect(), requests: 0 }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    pub(crate) fn queue(&self) -> AzureQueue {
        queue(&format!("{}/account/reviews?sp=raup&sig=hunter2", self.address))
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).requests
    }
}

async fn answer(State(state): State<Arc<Mutex<Told>>>) -> Response {
    let mut told = state.lock().unwrap_or_else(PoisonError::into_inner);
    told.requests += 1;
    let (status, code) = told.answers.pop_front().expect("one more answer");
    let status = StatusCode::from_u16(status).expect("a status");
    let code = (HeaderName::from_static("x-ms-error-code"), code);
    let body = "<?xml version=\"1.0\"?><QueueMessagesList></QueueMessagesList><!-- hunter2 -->";
    match code.1 {
        "" => (status, [("content-type", "application/xml")], body).into_response(),
        _ => (status, [code], body).into_response(),
    }
}

/// Passes requests on to an Azurite and refuses to remove anything. Its address.
pub(crate) async fn without_removing(azurite: &Azurite) -> String {
    let upstream = format!("http://{}", azurite.address());
    let pass = async move |method: Method, uri: Uri, mut headers: HeaderMap, body: Bytes| {
        if method == Method::DELETE {
            return (StatusCode::SERVICE_UNAVAILABLE, [("x-ms-error-code", "ServerBusy")]).into_response();
        }
        headers.remove("host");
        let request = reqwest::Client::new().request(method, format!("{upstream}{uri}")).headers(headers).body(body);
        let answer = request.send().await.expect("an answer");
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        headers.remove("transfer-encoding");
        (status, headers, answer.bytes().await.expect("a body")).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(pass)).await });
    address.to_string()
}
