//! A GitHub that keeps state, for tests and for showing the engine.
//!
//! [`FakeGitHub`] listens on this machine and speaks the part of GitHub's REST API that AutoPR Engine uses, also below
//! the prefix of GitHub Enterprise. A test sets up repositories and pull requests in Rust, lets the product talk to it
//! over HTTP, and then looks at what is there. It is written from GitHub's documentation and shares no code with the
//! product. It refuses what GitHub refuses and remembers every such refusal, and it checks each request and each of its
//! own answers against GitHub's OpenAPI description.

mod answering;
mod auth;
mod call;
mod clock;
mod diff;
mod http;
mod install;
mod knobs;
mod look;
mod new;
mod openapi;
mod payload;
mod record;
mod render;
mod routes;
mod rules;
mod setup;
mod state;
mod webhook;
mod wire;
mod written;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Handle, Runtime};

pub use diff::Side;
pub use install::Installed;
pub use knobs::{Fault, Hold, Moment, Until};
pub use new::{NewPull, NewRepository};
pub use record::Request;
pub use state::Permission;
pub use written::{CheckRun, Comment, Delivery, Review, ReviewComment, Status};

use clock::Clock;
use http::locked;
use knobs::Knobs;
use openapi::Description;
use record::Record;
use state::State;
use webhook::Receiver;

/// A running fake GitHub; dropping it stops it.
pub struct FakeGitHub {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

/// Called for each request before and after its effect.
type Notice = Arc<dyn Fn(Moment, &Request) + Send + Sync>;

/// What the server and its owner share. At most one of the locks is taken at a time, the state first where two are.
struct Shared {
    url: String,
    clock: Clock,
    state: Mutex<State>,
    knobs: Mutex<Knobs>,
    record: Mutex<Record>,
    notices: Mutex<Vec<Notice>>,
    receiver: Mutex<Option<Receiver>>,
    description: Option<&'static Description>,
    client: OnceLock<reqwest::Client>,
    handle: Handle,
}

impl FakeGitHub {
    /// Starts one that checks every request and answer against GitHub's OpenAPI description.
    ///
    /// # Panics
    ///
    /// When the description is not installed (`scripts/test` installs it) or no port can be had.
    pub fn start() -> Self {
        match Description::load() {
            Ok(description) => Self::listen(Some(description)),
            Err(why) => panic!("{why}"),
        }
    }

    /// Starts one that knows GitHub's prose rules only, for showing the engine where the description is not installed.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    pub fn unchecked() -> Self {
        Self::listen(None)
    }

    fn listen(description: Option<&'static Description>) -> Self {
        let made = || {
            let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            let listener = TcpListener::bind("127.0.0.1:0")?;
            listener.set_nonblocking(true)?;
            let url = format!("http://{}", listener.local_addr()?);
            let entered = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener)?;
            drop(entered);
            Ok::<_, std::io::Error>((runtime, listener, url))
        };
        let (runtime, listener, url) =
            made().unwrap_or_else(|error| panic!("the fake GitHub could not listen: {error}"));
        let shared = Arc::new(Shared {
            url,
            clock: Clock::default(),
            state: Mutex::default(),
            knobs: Mutex::default(),
            record: Mutex::default(),
            notices: Mutex::default(),
            receiver: Mutex::default(),
            description,
            client: OnceLock::new(),
            handle: runtime.handle().clone(),
        });
        runtime.spawn(http::serve(listener, Arc::clone(&shared)));
        Self { shared, runtime: Some(runtime) }
    }

    /// Where it listens, as `http://127.0.0.1:PORT`: the base URL of the API as on github.com.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// The base URL of the API as GitHub Enterprise has it.
    pub fn enterprise_url(&self) -> String {
        format!("{}/api/v3", self.shared.url)
    }

    /// Moves its clock ahead: tokens end, limits pass.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
    }

    /// Makes the next request of this method whose path contains this text fail.
    pub fn fail_next(&self, method: &str, path: &str, fault: Fault) {
        self.shared.knobs().plan_fault(method, path, fault);
    }

    /// Holds the next such request before it does anything. It has arrived: it is carried out when it is let go, also
    /// when its caller is gone by then. (What was lost on the way is [`Fault::DropBefore`].)
    pub fn hold(&self, method: &str, path: &str) -> Hold {
        self.shared.knobs().plan_hold(method, path, Moment::Before)
    }

    /// Lets the next such request do its work and holds its answer.
    pub fn stall(&self, method: &str, path: &str) -> Hold {
        self.shared.knobs().plan_hold(method, path, Moment::After)
    }

    /// Answers with a secondary rate limit: 403 or 429, with `Retry-After` in seconds if given.
    pub fn limit_secondary(&self, status: u16, retry_after: Option<u64>, until: Until) {
        self.shared.knobs().limit_secondary(status, retry_after, until, self.shared.clock.now());
    }

    /// Leaves this many requests until the primary limit starts anew.
    pub fn limit_primary(&self, remaining: u64, anew_in: Duration) {
        let seconds = i64::try_from(anew_in.as_secs()).unwrap_or(i64::MAX);
        self.shared.knobs().limit_primary(remaining, self.shared.clock.now().as_second().saturating_add(seconds));
    }

    /// Calls this for each request, before its effect and after it (with the status that will be answered). It runs on
    /// the server's thread with nothing locked, so it may look at the fake, and may kill a process.
    pub fn on_request(&self, notice: impl Fn(Moment, &Request) + Send + Sync + 'static) {
        locked(&self.shared.notices).push(Arc::new(notice));
    }
}

impl Drop for FakeGitHub {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    fn knobs(&self) -> MutexGuard<'_, Knobs> {
        locked(&self.knobs)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        locked(&self.record)
    }

    fn notice(&self, moment: Moment, request: &Request) {
        let notices = locked(&self.notices).clone();
        notices.iter().for_each(|notice| notice(moment, request));
    }

    fn violated(&self, call: &call::Call, what: &str) {
        self.record().violations.push(format!("{} {}: {what}", call.method, call.path));
    }
}

/// A digest in hexadecimal, for ids and tags.
fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
