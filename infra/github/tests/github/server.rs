//! A server that remembers what it was asked and answers by a function of the test.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use autopr_core::ids::{CommitSha, InstallationId, PrNumber};
use autopr_core::ports::Cache;
use autopr_core::ports::forge::{Marker, PullRequest, Target};
use autopr_github::{Credentials, GitHub, Settings};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// The path without the query, escapes kept.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    /// The JSON body, or null.
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The server; it ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        let app = Router::new().fallback(move |request: Request| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, usize::MAX).await.unwrap();
                let asked = Asked {
                    method: parts.method,
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    headers: parts.headers,
                    body: serde_json::from_slice(&body).unwrap_or_default(),
                };
                log.lock().unwrap().push(asked.clone());
                answer(&asked)
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, asked }
    }

    /// Everything asked so far, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The same as lines of method and path.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }

    /// A forge that uses this server with a token, and remembers in memory.
    pub(crate) fn forge(&self) -> GitHub {
        self.forge_with(memory())
    }

    /// The same, which remembers there.
    pub(crate) fn forge_with(&self, cache: Arc<dyn Cache>) -> GitHub {
        GitHub::new(settings(&self.url)).unwrap().with_cache(cache)
    }
}

pub(crate) fn memory() -> Arc<dyn Cache> {
    Arc::new(autopr_cache::Cache::memory(64 * 1024 * 1024))
}

pub(crate) fn settings(url: &str) -> Settings {
    Settings {
        base_url: url.parse().unwrap(),
        timeout: Duration::from_secs(20),
        credentials: Credentials::Token("ghp_test".to_owned().into()),
        check_name: "autopr/review".to_owned(),
    }
}

pub(crate) fn reply(status: u16, body: Value) -> Response {
    with(status, &[("content-type", "application/json; charset=utf-8")], body.to_string())
}

pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response.headers_mut().append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    response
}

pub(crate) fn sha(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

pub(crate) fn target() -> Target {
    Target { repository: "octo/demo".parse().unwrap(), number: PrNumber(7), installation: None }
}

pub(crate) fn installed(installation: u64) -> Target {
    Target { installation: Some(InstallationId(installation)), ..target() }
}

pub(crate) fn marker() -> Marker {
    Marker("autopr:review:0192f0c4-7a10:publish".to_owned())
}

/// The pull request of [`pull_json`] with this head.
pub(crate) fn pull(head: char) -> PullRequest {
    PullRequest {
        target: target(),
        title: "Add a thing".to_owned(),
        body: "It was missing.".to_owned(),
        author: "octocat".to_owned(),
        base: sha('b'),
        head: sha(head),
        draft: true,
        labels: vec!["bug".to_owned(), "help wanted".to_owned()],
        changed_at: None,
    }
}

pub(crate) fn pull_json(head: char) -> Value {
    json!({
        "number": 7,
        "title": "Add a thing",
        "body": "It was missing.",
        "user": { "login": "octocat", "id": 1 },
        "base": { "ref": "main", "sha": sha('b') },
        "head": { "ref": "topic", "sha": sha(head), "repo": null },
        "draft": true,
        "labels": [{ "id": 1, "name": "bug" }, { "id": 2, "name": "help wanted" }],
        "html_url": "https://github.example/octo/demo/pull/7",
        "changed_files": 2
    })
}
