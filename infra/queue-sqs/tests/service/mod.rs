//! A client with credentials of no worth, and a service that gives the answers it was told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use autopr_queue_sqs::SqsQueue;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A client of the service at that address.
pub(crate) fn client(endpoint: &str) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint)
        .build();
    aws_sdk_sqs::Client::from_conf(config)
}

/// What the service answers to one request.
pub(crate) struct Answer(u16, Value);

impl Answer {
    /// The message was taken.
    pub(crate) fn taken() -> Self {
        Self(200, json!({ "MessageId": "m-1", "MD5OfMessageBody": "00000000000000000000000000000000" }))
    }

    /// An error, with words of the service that must not get into logs.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self(status, json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": "hunter2" }))
    }

    /// What became of the entries of a batch, the failed ones with their code and whether it is the sender's doing.
    pub(crate) fn batch(taken: &[&str], failed: &[(&str, &str, bool)]) -> Self {
        let taken = taken.iter().map(|id| json!({ "Id": id, "MessageId": id, "MD5OfMessageBody": "0" }));
        let failed = failed
            .iter()
            .map(|(id, code, ours)| json!({ "Id": id, "Code": code, "SenderFault": ours, "Message": "hunter2" }));
        Self(200, json!({ "Successful": taken.collect::<Vec<_>>(), "Failed": failed.collect::<Vec<_>>() }))
    }
}

/// A service with a list of answers. It keeps what it was asked.
pub(crate) struct Service {
    address: String,
    state: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    answers: VecDeque<Answer>,
    requests: Vec<Value>,
}

impl Service {
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let state = Arc::new(Mutex::new(Told { answers: answers.into(), requests: Vec::new() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    pub(crate) fn queue(&self) -> SqsQueue {
        SqsQueue::new(client(&self.address), format!("{}/123456789012/autopr", self.address))
    }

    pub(crate) fn requests(&self) -> Vec<Value> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }
}

async fn answer(State(state): State<Arc<Mutex<Told>>>, headers: HeaderMap, body: String) -> Response {
    assert!(headers.contains_key("authorization"), "requests are signed");
    let mut told = state.lock().unwrap_or_else(PoisonError::into_inner);
    told.requests.push(serde_json::from_str(&body).expect("JSON"));
    let Answer(status, body) = told.answers.pop_front().expect("one more answer");
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("content-type", "application/x-amz-json-1.0")], body.to_string()).into_response()
}
