//! What stands between the emulator of Pub/Sub and the service: the emulator pushes without a token, which this adds, and it
//! fails when it is told to.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use autopr_fakes::google::FakeGoogle;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use super::{ACCOUNT, AUDIENCE};

/// How often it is looked whether there is a service.
const LOOK: Duration = Duration::from_millis(20);

/// How a push fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakage {
    /// It is answered 500.
    Status500,
    /// The connection is closed without an answer.
    Close,
}

/// A proxy that a subscription pushes to.
pub struct PushProxy {
    address: String,
    state: Arc<Mutex<State>>,
}

struct State {
    google: Arc<FakeGoogle>,
    target: String,
    breakages: VecDeque<Breakage>,
    answers: Vec<u16>,
}

impl PushProxy {
    /// Starts it with tokens of this Google.
    pub async fn start(google: Arc<FakeGoogle>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}/pubsub/push", listener.local_addr().expect("an address"));
        let state = State { google, target: String::new(), breakages: VecDeque::new(), answers: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let client = reqwest::Client::new();
        let served = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (client, state) = (client.clone(), served.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| pass_on(client.clone(), state.clone(), request));
                    let connection = hyper::server::conn::http1::Builder::new();
                    // One that ends badly is what some tests ask for.
                    connection.serve_connection(TokioIo::new(stream), service).await.ok();
                });
            }
        });
        Self { address, state }
    }

    /// Where the subscription pushes to.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Passes pushes on to that address.
    pub fn target(&self, url: String) {
        self.state().target = url;
    }

    /// Fails the next pushes, one after the other.
    pub fn fail(&self, breakages: &[Breakage]) {
        self.state().breakages.extend(breakages);
    }

    /// What pushes were answered so far; 0 where there was no answer.
    pub fn answers(&self) -> Vec<u16> {
        self.state().answers.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass_on(
    client: reqwest::Client,
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, io::Error> {
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let (target, token, breakage) = {
        let mut state = locked(&state);
        let token = state.google.sign(&FakeGoogle::claims(AUDIENCE, ACCOUNT));
        (state.target.clone(), token, state.breakages.pop_front())
    };
    let status = match breakage {
        Some(Breakage::Status500) => 500,
        Some(Breakage::Close) => 0,
        None => {
            let mut target = target;
            loop {
                let request = client.post(&target).header("content-type", "application/json").bearer_auth(&token);
                match request.body(body.clone()).send().await {
                    Ok(answer) => break answer.status().as_u16(),
                    // Cloud Run holds a request until there is an instance.
                    Err(error) if error.is_connect() => tokio::time::sleep(LOOK).await,
                    Err(_) => break 0,
                }
                target = locked(&state).target.clone();
            }
        }
    };
    locked(&state).answers.push(status);
    if status == 0 {
        return Err(io::Error::other("closed"));
    }
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    Ok(answer)
}
