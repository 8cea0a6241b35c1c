//! A closed loop of connections that each send the next delivery as soon as the last one was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use autopr_core::intake::Secrets;
use secrecy::SecretString;

/// The connections.
const CONNECTIONS: usize = 32;

/// The secret that deliveries are signed with.
pub(crate) const SECRET: &str = "a secret of the benchmark";

/// Webhooks as GitHub sends them, about 25 KB each, signed.
#[derive(Clone)]
pub(crate) struct Deliveries {
    body: bytes::Bytes,
    signature: String,
}

impl Deliveries {
    pub(crate) fn new() -> Self {
        let pull = serde_json::json!({
            "updated_at": "2026-01-02T03:04:05Z", "head": { "sha": "a".repeat(40) }, "base": { "sha": "b".repeat(40) },
            "body": "A sentence about this change. ".repeat(820), "draft": false
        });
        let body = serde_json::json!({
            "action": "opened", "number": 7, "pull_request": pull, "repository": { "full_name": "acme/shop" },
            "sender": { "login": "dev", "type": "User" }, "installation": { "id": 1 }
        });
        let body = serde_json::to_vec(&body).expect("JSON");
        let secrets = Secrets::new(vec![SecretString::from(SECRET)]).expect("a secret");
        Self { signature: secrets.sign(&body).expect("a signature"), body: body.into() }
    }

    /// The body and the header that signs it.
    pub(crate) fn parts(&self) -> (&str, &str) {
        (std::str::from_utf8(&self.body).expect("JSON"), &self.signature)
    }

    /// Sends deliveries for that long; returns how many were acknowledged a second. Their ids begin with `name`.
    pub(crate) async fn send(&self, url: &str, name: &str, time: Duration) -> f64 {
        let (count, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let loops = (0..CONNECTIONS).map(|connection| {
            let (url, count, this) = (url.to_owned(), count.clone(), self.clone());
            let name = format!("{name}-{connection}");
            tokio::spawn(async move {
                let http = reqwest::Client::builder().pool_max_idle_per_host(1).build().expect("a client");
                let mut number = 0_u64;
                while begun.elapsed() < time {
                    number += 1;
                    this.one(&http, &url, &format!("{name}-{number}")).await;
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        for connection in loops.collect::<Vec<_>>() {
            connection.await.expect("it sends");
        }
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53")]
        let count = count.load(Ordering::Relaxed) as f64;
        count / begun.elapsed().as_secs_f64()
    }

    /// Sends one delivery and waits for its acknowledgement.
    pub(crate) async fn one(&self, http: &reqwest::Client, url: &str, id: &str) {
        let request = http.post(url).header("x-github-event", "pull_request").header("x-github-delivery", id);
        let request = request.header("content-type", "application/json").header("x-hub-signature-256", &self.signature);
        let answer = request.body(self.body.clone()).send().await.expect("an answer");
        assert_eq!(answer.status(), 202, "{id}");
        answer.bytes().await.expect("its body");
    }
}
