//! One request to GitHub: its time limit, its size limit, its redirects, and the few cases in which it is sent again.

use std::fmt::Write;
use std::time::{Duration, Instant};

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, IF_NONE_MATCH, LOCATION};
use ::http::{HeaderValue, Method, StatusCode};
use autopr_core::fault::{Fault, FaultKind, Retry};
use autopr_core::telemetry::{GITHUB_REMAINING, GITHUB_REQUESTS};
use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use serde::Serialize;
use url::Url;

use crate::answer::Answer;
use crate::operation::Operation;

/// The media type of everything that is not a diff or a file.
pub(crate) const JSON: &str = "application/vnd.github+json";

/// The most bytes of a JSON answer that are read.
pub(crate) const JSON_LIMIT: usize = 16 * 1024 * 1024;

/// The most bytes of a refusal that are read.
const REFUSAL_LIMIT: usize = 64 * 1024;

/// How many redirects are followed.
const HOPS: usize = 3;

/// A connection to GitHub's REST API.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    base: Url,
}

/// What to ask.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) operation: Operation,
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    accept: &'static str,
    etag: Option<HeaderValue>,
    body: Option<Bytes>,
    limit: usize,
}

impl Request {
    /// A read. The parts of the path are escaped.
    pub(crate) fn get(operation: Operation, path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        let (query, etag, body) = (Vec::new(), None, None);
        Self { operation, method: Method::GET, path, query, accept: JSON, etag, body, limit: JSON_LIMIT }
    }

    /// A request to do what its address says.
    pub(crate) fn act(operation: Operation, path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { method: Method::POST, ..Self::get(operation, path) }
    }

    /// A write with a JSON body.
    pub(crate) fn write(
        operation: Operation,
        method: Method,
        path: impl IntoIterator<Item = impl Into<String>>,
        body: &impl Serialize,
    ) -> Result<Self, Fault> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Fault::new(FaultKind::Bug, format!("{}: the request", operation.doing())).json(&error))?;
        Ok(Self { method, body: Some(body.into()), ..Self::get(operation, path) })
    }

    /// Adds a parameter.
    pub(crate) fn query(mut self, key: &'static str, value: impl ToString) -> Self {
        self.query.push((key, value.to_string()));
        self
    }

    /// Asks for another form of the answer, and says how many bytes of it are read at most.
    pub(crate) fn accept(mut self, media_type: &'static str, limit: usize) -> Self {
        (self.accept, self.limit) = (media_type, limit);
        self
    }

    /// Asks for the answer only if it differs from the one with this entity tag.
    pub(crate) fn unless(mut self, etag: Option<HeaderValue>) -> Self {
        self.etag = etag;
        self
    }

    /// A fault when a part of the path would not survive in a URL.
    fn url(&self, base: &Url) -> Result<Url, Fault> {
        if self.path.iter().any(|part| matches!(part.as_str(), "" | "." | "..")) {
            let doing = self.operation.doing();
            return Err(Fault::invalid(format!("{doing}: a part of its address is empty or made of dots")));
        }
        let mut path = base.path().trim_end_matches('/').to_owned();
        for part in &self.path {
            path.push('/');
            escape(part, &mut path);
        }
        let mut url = base.clone();
        url.set_path(&path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986. `Url` alone would drop line feeds and tabs.
fn escape(part: &str, path: &mut String) {
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => path.push(char::from(byte)),
            _ => {
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
}

/// Why no answer arrived, and whether the same request may be sent again at once.
struct Lost {
    fault: Fault,
    again: bool,
}

impl Http {
    /// Prepares connections; none is made yet.
    pub(crate) fn new(base: Url, timeout: Duration) -> Result<Self, Fault> {
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(Fault::invalid(
                "`github.base_url` must start with https:// and name a host, such as https://api.github.com",
            ));
        }
        let client = reqwest::Client::builder()
            .user_agent(concat!("autopr-engine/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            // Ours: what may be followed and repeated depends on whether the request writes.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| {
                Fault::new(FaultKind::Bug, "preparing connections to GitHub").source(error.without_url())
            })?;
        Ok(Self { client, base })
    }

    /// Sends the request and reads the answer, whatever its status. When the connection fails it is tried twice more, if
    /// it only reads or surely never reached GitHub.
    pub(crate) async fn send(&self, request: &Request, authorization: &HeaderValue) -> Result<Answer, Fault> {
        let pauses = ExponentialBuilder::new().with_min_delay(Duration::from_millis(100)).with_factor(4.0);
        let sending = || self.follow(request, authorization);
        let answer = sending.retry(pauses.with_max_times(2).with_jitter()).when(|lost| lost.again).await;
        answer.map_err(|lost| lost.fault)
    }

    /// Sends the request where redirects lead. A renamed repository answers 301 to reads and 307 to writes.
    async fn follow(&self, request: &Request, authorization: &HeaderValue) -> Result<Answer, Lost> {
        let refused = |fault| Lost { fault, again: false };
        let mut url = request.url(&self.base).map_err(refused)?;
        for _ in 0..=HOPS {
            let answer = self.once(request, &url, authorization).await?;
            let same_method = match answer.status {
                StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
                StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method == Method::GET,
                _ => return Ok(answer),
            };
            let to = answer.headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
            // The token goes to the configured host and nowhere else.
            match to.filter(|to| same_method && to.origin() == self.base.origin()) {
                Some(to) => url = to,
                None => return Ok(answer),
            }
        }
        Err(refused(Fault::unavailable(format!(
            "{}: GitHub redirected more than {HOPS} times",
            request.operation.doing()
        ))))
    }

    async fn once(&self, request: &Request, url: &Url, authorization: &HeaderValue) -> Result<Answer, Lost> {
        let started = Instant::now();
        let answered = self.exchange(request, url, authorization).await;
        let status = match &answered {
            Ok(answer) => answer.status.as_str().to_owned(),
            Err(error) if error.is_timeout() => "timeout".to_owned(),
            Err(_) => "error".to_owned(),
        };
        let (operation, doing) = (request.operation.as_str(), request.operation.doing());
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(operation, status, duration_ms, "asked GitHub");
        metrics::counter!(GITHUB_REQUESTS, "operation" => operation, "status" => status).increment(1);
        if let Some(left) = answered.as_ref().ok().and_then(Answer::remaining) {
            metrics::gauge!(GITHUB_REMAINING).set(left as f64);
        }
        answered.map_err(|error| {
            let slow = error.is_timeout();
            let (kind, what) = match slow {
                true => (FaultKind::Timeout, "GitHub did not answer in time"),
                false => (FaultKind::Unavailable, "the connection to GitHub failed"),
            };
            let again = !slow && (error.is_connect() || request.method == Method::GET);
            // The address is left out: it may name an account or a path.
            let source = chain(&error.without_url());
            Lost { fault: Fault::new(kind, format!("{doing}: {what}")).retry(Retry::Backoff).source(source), again }
        })
    }

    async fn exchange(&self, request: &Request, url: &Url, authorization: &HeaderValue) -> reqwest::Result<Answer> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization.clone());
        headers.insert(ACCEPT, HeaderValue::from_static(request.accept));
        headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
        if let Some(etag) = &request.etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        let mut sending = self.client.request(request.method.clone(), url.clone());
        if let Some(body) = &request.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            sending = sending.body(body.clone());
        }
        let mut response = sending.headers(headers).send().await?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let limit = if status.is_success() { request.limit } else { request.limit.min(REFUSAL_LIMIT) };
        let (mut body, mut cut) = (Vec::new(), false);
        while let Some(chunk) = response.chunk().await? {
            let room = limit - body.len();
            cut = chunk.len() > room;
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if cut {
                break;
            }
        }
        body.shrink_to_fit();
        Ok(Answer { operation: request.operation, status, headers, body: body.into(), limit, cut })
    }
}

/// An error with what caused it, in one line: the outermost alone rarely says what happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
