//! The edge towards HTTP: what clients get who do wrong, who are slow, or who come in crowds.

mod answers;
mod limits;
mod real;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use autopr_core::clock::Clock;
use autopr_core::fault::Fault;
use autopr_core::intake::Secrets;
use autopr_core::message::Message;
use autopr_core::ports::Queue;
use autopr_e2e::server::{PATIENCE, SECRET, block_on};
use autopr_runtime::http::{BodyLimits, Dependency, Health, Intake, ServeLimits, router, serve};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What a queue does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    /// It takes it.
    Takes,
    /// It can't be reached.
    Fails,
    /// It takes it once it is told to.
    Waits,
    /// It has a mistake.
    Panics,
}

struct TestQueue {
    taking: Taking,
    taken: AtomicUsize,
    arrived: Semaphore,
    open: Semaphore,
}

#[async_trait]
impl Queue for TestQueue {
    async fn publish(&self, _message: &Message) -> Result<(), Fault> {
        self.arrived.add_permits(1);
        match self.taking {
            Taking::Takes => {}
            Taking::Fails => return Err(Fault::unavailable("the queue is down")),
            Taking::Waits => self.open.acquire().await.expect("it stays").forget(),
            Taking::Panics => panic!("a mistake of the test's queue"),
        }
        self.taken.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// The production router with a queue and dependencies of the test.
struct Edge {
    taking: Taking,
    secrets: Vec<&'static str>,
    bodies: BodyLimits,
    dependencies: Vec<Dependency>,
    limits: ServeLimits,
}

impl Default for Edge {
    fn default() -> Self {
        let (bodies, limits) = (BodyLimits::default(), ServeLimits::default());
        Self { taking: Taking::Takes, secrets: vec![SECRET], bodies, dependencies: Vec::new(), limits }
    }
}

impl Edge {
    fn router(self, shutdown: &CancellationToken) -> (axum::Router, Arc<TestQueue>) {
        let queue = Arc::new(TestQueue {
            taking: self.taking,
            taken: AtomicUsize::new(0),
            arrived: Semaphore::new(0),
            open: Semaphore::new(0),
        });
        let secrets = Secrets::new(self.secrets.into_iter().map(SecretString::from).collect()).expect("two at most");
        let intake = Intake::new(secrets, queue.clone(), Clock::System, self.bodies);
        let health = Health::new("1.2.3", shutdown.clone(), self.dependencies);
        (router(Arc::new(intake), axum::Router::new(), Arc::new(health)), queue)
    }

    /// Serves it on a port of its own.
    fn serve(self) -> Serving {
        let (limits, shutdown) = (self.limits, CancellationToken::new());
        let (router, queue) = self.router(&shutdown);
        block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            let serving = tokio::spawn(serve(listener, router, limits, shutdown.clone()));
            Serving { address, queue, shutdown, serving }
        })
    }
}

struct Serving {
    address: SocketAddr,
    queue: Arc<TestQueue>,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

impl Serving {
    fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    fn taken(&self) -> usize {
        self.queue.taken.load(Ordering::SeqCst)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A client that sends whatever bytes it likes.
struct Client(TcpStream);

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_nodelay(true).expect("no delay");
        Self(stream)
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).expect("the bytes are sent");
        self
    }

    /// Everything until the server closes the connection.
    fn rest(&mut self) -> String {
        let mut text = Vec::new();
        self.0.read_to_end(&mut text).expect("the server closes the connection in order");
        String::from_utf8(text).expect("text")
    }

    /// One answer, of which the body has the length it says.
    fn answer(&mut self) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).expect("an answer");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("text").to_lowercase();
        let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the whole answer");
        Answer::new(&head, &body)
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// An answer as a client sees it.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Value,
}

impl Answer {
    fn new(head: &str, body: &[u8]) -> Self {
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Self { status, head: head.to_owned(), body: serde_json::from_slice(body).unwrap_or_default() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// That this is an error answer as the product's contract says, and its text.
    fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!(self.body["status"], status);
        assert!(self.body["title"].as_str().is_some_and(|title| !title.is_empty()), "{self:?}");
        let id = self.body["request_id"].as_str().expect("the id of the request");
        assert_eq!(self.header("x-request-id"), Some(id), "{self:?}");
        self.body["detail"].as_str().expect("a detail")
    }
}

/// The smallest payload that is an event.
fn opened() -> Vec<u8> {
    let sha = "0123456789012345678901234567890123456789";
    let pull =
        serde_json::json!({ "updated_at": "2026-01-02T03:04:05Z", "head": { "sha": sha }, "base": { "sha": sha } });
    serde_json::to_vec(&serde_json::json!({
        "action": "opened", "number": 1, "pull_request": pull, "repository": { "full_name": "acme/shop" },
        "sender": { "login": "dev", "type": "User" }
    }))
    .expect("JSON")
}

fn sign(secret: &str, body: &[u8]) -> String {
    let secrets = Secrets::new(vec![SecretString::from(secret)]).expect("one secret");
    secrets.sign(body).expect("a signature")
}

/// The head of a signed delivery, but for its length.
fn head(delivery: &str, body: &[u8]) -> String {
    format!(
        "POST /webhooks/github HTTP/1.1\r\nHost: test\r\nX-GitHub-Event: pull_request\r\nX-GitHub-Delivery: {delivery}\r\n\
         Content-Type: application/json\r\nX-Hub-Signature-256: {}\r\n",
        sign(SECRET, body)
    )
}

/// A whole signed delivery.
fn delivery(delivery: &str) -> Vec<u8> {
    let body = opened();
    let mut request = format!("{}Content-Length: {}\r\n\r\n", head(delivery, &body), body.len()).into_bytes();
    request.extend_from_slice(&body);
    request
}

/// A time that passes soon.
const SOON: Duration = Duration::from_millis(100);
