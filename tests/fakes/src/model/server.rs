//! [`ScriptedModel`]: the server, its script and what it saw.

mod page;
mod perform;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use self::page::Page;
use self::perform::{perform, refuse, respond};
use super::reply::{Gate, Reply};
use super::request::{Parts, Refusal, Request};
use super::vendor::Vendor;
use super::wire;

/// The most bytes a request may have.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The request has arrived and nothing has been answered.
    Before,
    /// The answer has been handed to the connection, or the connection was closed instead.
    After,
}

type Answerer = Arc<dyn Fn(&Request) -> Option<Reply> + Send + Sync>;
type Hook = Arc<dyn Fn(Moment, &Request) + Send + Sync>;

/// Language models that follow a script, as a server on a free port of 127.0.0.1. It ends when it is dropped.
pub struct ScriptedModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<Vendor, VecDeque<Reply>>,
    answerer: Option<Answerer>,
    default: Option<Reply>,
    hook: Option<Hook>,
    holds: VecDeque<(Gate, Gate)>,
    requests: Vec<Arc<Request>>,
    without_bodies: bool,
    strays: Vec<String>,
}

impl ScriptedModel {
    /// Starts the server. Until told otherwise it answers `{}`.
    ///
    /// # Errors
    ///
    /// When no port can be opened.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts the server at this address.
    ///
    /// # Errors
    ///
    /// When the port can't be opened.
    pub async fn start_on(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { address, shared, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL a client of this vendor is configured with.
    pub fn base_url(&self, vendor: Vendor) -> String {
        format!("http://{}{}", self.address, vendor.base_path())
    }

    /// Queues a reply for the vendor's next request.
    pub fn then(&self, vendor: Vendor, reply: Reply) -> &Self {
        self.shared.state().queues.entry(vendor).or_default().push_back(reply);
        self
    }

    /// Answers requests for which nothing is queued; `None` leaves a request to the default reply.
    pub fn answer_with(&self, answerer: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) {
        self.shared.state().answerer = Some(Arc::new(answerer));
    }

    /// The reply when the script has none.
    pub fn by_default(&self, reply: Reply) {
        self.shared.state().default = Some(reply);
    }

    /// Calls the hook around every answer, on the server's own task: it must not block for long.
    pub fn on_request(&self, hook: impl Fn(Moment, &Request) + Send + Sync + 'static) {
        self.shared.state().hook = Some(Arc::new(hook));
    }

    /// Holds the next request, of whatever vendor, before it is answered.
    pub fn hold(&self) -> Held {
        let held = Held { arrived: Gate::new(), released: Gate::new() };
        self.shared.state().holds.push_back((held.arrived.clone(), held.released.clone()));
        held
    }

    /// Keeps no bodies, system texts or turns from now on: for load tests, which would fill the memory.
    pub fn keep_no_bodies(&self) {
        self.shared.state().without_bodies = true;
    }

    /// What arrived so far, in order.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.shared.state().requests.clone()
    }

    /// What arrived for this vendor, in order.
    pub fn requests_of(&self, vendor: Vendor) -> Vec<Arc<Request>> {
        self.requests().into_iter().filter(|request| request.vendor == vendor).collect()
    }

    /// How many requests arrived.
    pub fn count(&self) -> usize {
        self.shared.state().requests.len()
    }

    /// How many queued replies nobody has asked for.
    pub fn unread(&self) -> usize {
        self.shared.state().queues.values().map(VecDeque::len).sum()
    }

    /// The rules that were broken so far, and requests to places that do not exist.
    pub fn violations(&self) -> Vec<String> {
        let state = self.shared.state();
        let broken = state.requests.iter().filter_map(|request| {
            request.violation.as_ref().map(|violation| format!("{:?}: {violation}", request.vendor))
        });
        broken.chain(state.strays.iter().cloned()).collect()
    }
}

impl Drop for ScriptedModel {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A request that is held before it is answered. Dropping this lets it go.
pub struct Held {
    arrived: Gate,
    released: Gate,
}

impl Held {
    /// Waits until the request has arrived.
    pub async fn arrived(&self) {
        self.arrived.passed().await;
    }

    /// Lets it be answered.
    pub fn release(&self) {
        self.released.open();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes connections until the server is dropped, which ends those that are open too.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, shared.clone()));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // Answers are small: without this the last packet waits for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { shared.handle(request).await }
    });
    // An error here is a client that went away, or a reply that was to break the connection.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

impl Shared {
    async fn handle(self: Arc<Self>, request: http::Request<Incoming>) -> Result<Response<Page>, page::Broken> {
        let (head, body) = request.into_parts();
        let target = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        let Some((vendor, model)) = Vendor::at(head.uri.path()).filter(|_| head.method == http::Method::POST) else {
            self.state().strays.push(format!("{} {target}", head.method));
            return Ok(respond(StatusCode::NOT_FOUND, &[], Page::whole("{\"error\":\"no such page\"}")));
        };
        let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else { return Err(page::Broken) };
        let body = body.to_bytes();
        let query = head.uri.query().unwrap_or_default();
        let result = wire::read(vendor, model, query, &head.headers, &body);
        let (request, refusal) = self.record(vendor, target, head.headers, body, result);
        self.before(&request).await;
        let result = match refusal {
            Some(refusal) => Ok(refuse(vendor, refusal)),
            None => perform(vendor, &request, self.reply_to(&request)).await,
        };
        // Taken even if the connection is to be broken: then it is dropped, and the hook called, here.
        let after = self.state().hook.clone().map(|hook| page::After::new(hook, request));
        result.map(|response| response.map(|page| page.then(after)))
    }

    fn record(
        &self,
        vendor: Vendor,
        target: String,
        headers: HeaderMap,
        body: Bytes,
        result: Result<Parts, Refusal>,
    ) -> (Arc<Request>, Option<Refusal>) {
        let (parts, refusal) = match result {
            Ok(parts) => (parts, None),
            Err(refusal) => (Parts::default(), Some(refusal)),
        };
        let violation = match &refusal {
            Some(Refusal::Violation(rule)) => Some(rule.clone()),
            Some(Refusal::Unsupported { .. }) | None => None,
        };
        let Parts { model, system, turns, schema, json, output_tokens, temperature } = parts;
        let whole = Request {
            vendor,
            model,
            system,
            turns,
            schema,
            json,
            output_tokens,
            temperature,
            target,
            headers,
            body,
            violation,
        };
        let mut state = self.state();
        let kept = if state.without_bodies {
            // The reply may depend on the whole request; what is kept may not.
            let bare = (String::new(), Vec::new(), Bytes::new(), None);
            Arc::new(Request { system: bare.0, turns: bare.1, body: bare.2, schema: bare.3, ..whole.clone() })
        } else {
            Arc::new(whole.clone())
        };
        state.requests.push(kept.clone());
        let request = if state.without_bodies { Arc::new(whole) } else { kept };
        (request, refusal)
    }

    async fn before(&self, request: &Request) {
        let (hold, hook) = {
            let mut state = self.state();
            (state.holds.pop_front(), state.hook.clone())
        };
        if let Some(hook) = hook {
            hook(Moment::Before, request);
        }
        if let Some((arrived, released)) = hold {
            arrived.open();
            released.passed().await;
        }
    }

    fn reply_to(&self, request: &Request) -> Reply {
        let (queued, answerer) = {
            let mut state = self.state();
            let queued = state.queues.get_mut(&request.vendor).and_then(VecDeque::pop_front);
            (queued, state.answerer.clone())
        };
        queued
            .or_else(|| answerer.and_then(|answerer| answerer(request)))
            .or_else(|| self.state().default.clone())
            .unwrap_or_else(|| Reply::answer("{}"))
    }
}
