//! Webhooks as GitHub sends them: signed, numbered, remembered, and sent again when asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::http::locked;
use super::state::Hook;
use super::wire::Urls;
use super::written::{Comment, Delivery};
use super::{FakeGitHub, Shared, digest, payload};

/// How long GitHub waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where webhooks go.
#[derive(Clone)]
pub(super) struct Receiver {
    url: String,
    secret: String,
    form: bool,
}

impl FakeGitHub {
    /// Sends webhooks to this address, signed with this secret.
    pub fn send_webhooks_to(&self, url: &str, secret: &str) {
        let receiver = Receiver { url: url.to_owned(), secret: secret.to_owned(), form: false };
        *locked(&self.shared.receiver) = Some(receiver);
        self.shared.state().hook = Hook { url: Some(url.to_owned()), secret: true, ..Hook::default() };
    }

    /// Takes any certificate for the receiver's from now on: "SSL verification" is disabled.
    pub fn send_webhooks_to_any_certificate(&self) {
        self.shared.state().hook.any_certificate = true;
    }

    /// Shows another address on the App's settings page than the one webhooks go to: one that nobody listens at.
    pub fn show_webhook_url(&self, url: &str) {
        self.shared.state().hook.url = Some(url.to_owned());
    }

    /// Sends them as a form from now on, the other content type GitHub offers.
    pub fn send_webhooks_as_form(&self) {
        locked(&self.shared.receiver).iter_mut().for_each(|receiver| receiver.form = true);
        self.shared.state().hook.form = true;
    }

    /// Tells of a pull request: `opened`, `synchronize`, `reopened`, `ready_for_review`, `edited`, `labeled`, `closed`.
    /// `synchronize` tells the heads before and after the last push, `labeled` the last label.
    ///
    /// # Panics
    ///
    /// When there is no such pull request or nowhere to send to.
    pub async fn deliver_pull_request(&self, owner: &str, repo: &str, number: u64, action: &str) -> Delivery {
        let urls = Urls { api: &self.shared.url, web: &self.shared.url };
        let payload = payload::pull_request(&self.shared.state(), owner, repo, number, action, urls);
        self.deliver("pull_request", payload).await
    }

    /// Tells of a comment that stands in the conversation of a pull request.
    ///
    /// # Panics
    ///
    /// When there is no such comment or nowhere to send to.
    pub async fn deliver_comment(&self, owner: &str, repo: &str, number: u64, comment: u64) -> Delivery {
        let urls = Urls { api: &self.shared.url, web: &self.shared.url };
        let of = |comments: &[Comment]| comments.iter().find(|known| known.id == comment).cloned();
        let comment =
            of(&self.comments(owner, repo, number)).unwrap_or_else(|| panic!("there is no comment {comment}"));
        let payload = payload::comment(&self.shared.state(), owner, repo, number, &comment, urls);
        self.deliver("issue_comment", payload).await
    }

    /// Tells that somebody asked for a check run to be run again.
    ///
    /// # Panics
    ///
    /// When there is no such check run or nowhere to send to.
    pub async fn deliver_check_rerequested(&self, owner: &str, repo: &str, check: u64, sender: &str) -> Delivery {
        let urls = Urls { api: &self.shared.url, web: &self.shared.url };
        let payload = payload::check_rerequested(&self.shared.state(), owner, repo, check, sender, urls);
        self.deliver("check_run", payload).await
    }

    /// Sends the event that follows the making of a webhook.
    ///
    /// # Panics
    ///
    /// When there is nowhere to send to.
    pub async fn deliver_ping(&self) -> Delivery {
        self.deliver("ping", payload::ping(&self.shared.url)).await
    }

    /// Sends any event with any payload and gives what became of it.
    ///
    /// # Panics
    ///
    /// When there is nowhere to send to.
    pub async fn deliver(&self, event: &str, payload: Value) -> Delivery {
        let shared = Arc::clone(&self.shared);
        let event = event.to_owned();
        let task = self.shared.handle.spawn(async move { shared.deliver(&event, &payload).await });
        task.await.unwrap_or_else(|error| panic!("the webhook could not be sent: {error}"))
    }

    /// Writes the event of a pull request as it is now, for [`Self::deliver_late`]: events overtake each other and are
    /// sent long after what they tell of.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn write_pull_request_event(&self, owner: &str, repo: &str, number: u64, action: &str) -> Delivery {
        let urls = Urls { api: &self.shared.url, web: &self.shared.url };
        let payload = payload::pull_request(&self.shared.state(), owner, repo, number, action, urls);
        self.shared.written("pull_request", &payload)
    }

    /// Writes the event of a comment, for [`Self::deliver_late`].
    ///
    /// # Panics
    ///
    /// When there is no such comment.
    pub fn write_comment_event(&self, owner: &str, repo: &str, number: u64, comment: u64) -> Delivery {
        let urls = Urls { api: &self.shared.url, web: &self.shared.url };
        let of = |comments: &[Comment]| comments.iter().find(|known| known.id == comment).cloned();
        let comment =
            of(&self.comments(owner, repo, number)).unwrap_or_else(|| panic!("there is no comment {comment}"));
        let payload = payload::comment(&self.shared.state(), owner, repo, number, &comment, urls);
        self.shared.written("issue_comment", &payload)
    }

    /// Sends a written event, or one that was sent before, to this address: the same body and delivery id.
    ///
    /// # Panics
    ///
    /// When [`Self::send_webhooks_to`] has not said what to sign with.
    pub async fn deliver_late(&self, delivery: &Delivery, url: &str) -> Delivery {
        let (shared, url) = (Arc::clone(&self.shared), url.to_owned());
        let fresh = shared.state().id();
        let delivery = Delivery { id: fresh, redelivery: true, ..delivery.clone() };
        let task = self.shared.handle.spawn(async move { shared.send(delivery, Some(url)).await });
        task.await.unwrap_or_else(|error| panic!("the webhook could not be sent: {error}"))
    }

    /// Sends a delivery again: the same event, body and delivery id.
    ///
    /// # Panics
    ///
    /// When there is no such delivery or nowhere to send to.
    pub async fn redeliver(&self, id: u64) -> Delivery {
        let shared = Arc::clone(&self.shared);
        let task = self.shared.handle.spawn(async move { shared.again(id).await });
        let sent = task.await.unwrap_or_else(|error| panic!("the webhook could not be sent: {error}"));
        sent.unwrap_or_else(|| panic!("there is no delivery {id}"))
    }
}

impl Shared {
    /// Sends a delivery again some time soon, as GitHub does when it is asked over HTTP.
    pub(super) fn redeliver(self: &Arc<Self>, id: u64) {
        let shared = Arc::clone(self);
        self.handle.spawn(async move { shared.again(id).await });
    }

    async fn again(&self, id: u64) -> Option<Delivery> {
        let known = self.state().deliveries.iter().find(|known| known.id == id).cloned()?;
        let fresh = self.state().id();
        Some(self.send(Delivery { id: fresh, redelivery: true, ..known }, None).await)
    }

    async fn deliver(&self, event: &str, payload: &Value) -> Delivery {
        self.send(self.written(event, payload), None).await
    }

    /// An event that is not sent yet.
    fn written(&self, event: &str, payload: &Value) -> Delivery {
        let action = payload["action"].as_str();
        if let Some(description) = self.description {
            let name = action.map_or_else(|| event.to_owned(), |action| format!("{event}-{action}")).replace('_', "-");
            for text in description.webhook(&name, payload) {
                self.record().violations.push(format!("webhook {event}: {text}"));
            }
        }
        let id = self.state().id();
        let unique = digest(format!("{} {id}", self.url).as_bytes());
        let guid = [&unique[..8], &unique[8..12], &unique[12..16], &unique[16..20], &unique[20..32]].join("-");
        Delivery {
            id,
            guid,
            event: event.to_owned(),
            action: action.map(str::to_owned),
            redelivery: false,
            status_code: 0,
            body: Bytes::from(payload.to_string()),
            url: String::new(),
            installation: payload["installation"]["id"].as_u64(),
            repository: payload["repository"]["id"].as_u64(),
            at: self.clock.now(),
            seconds: 0.0,
        }
    }

    async fn send(&self, mut delivery: Delivery, to: Option<String>) -> Delivery {
        let receiver = locked(&self.receiver).clone();
        let mut receiver = receiver.unwrap_or_else(|| panic!("send_webhooks_to has not said where webhooks go"));
        receiver.url = to.unwrap_or(receiver.url);
        let (media, body) = if receiver.form {
            let text = String::from_utf8_lossy(&delivery.body);
            let form = serde_urlencoded::to_string([("payload", text.as_ref())]).unwrap_or_default();
            ("application/x-www-form-urlencoded", Bytes::from(form))
        } else {
            ("application/json", delivery.body.clone())
        };
        let client = self.client.get_or_init(|| {
            let built = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
            built.unwrap_or_else(|error| panic!("no HTTP client: {error}"))
        });
        let target = delivery.installation.map_or("repository", |_| "integration");
        let request = client
            .post(&receiver.url)
            .header("accept", "*/*")
            .header("content-type", media)
            .header("user-agent", "GitHub-Hookshot/0fa4e00")
            .header("x-github-delivery", &delivery.guid)
            .header("x-github-event", &delivery.event)
            .header("x-github-hook-id", "1")
            .header("x-github-hook-installation-target-id", delivery.repository.unwrap_or(1).to_string())
            .header("x-github-hook-installation-target-type", target)
            .header("x-hub-signature-256", signature(&receiver.secret, &body))
            .body(body);
        let began = Instant::now();
        let answer = request.send().await;
        delivery.url = receiver.url;
        delivery.seconds = began.elapsed().as_secs_f64();
        delivery.at = self.clock.now();
        delivery.status_code = answer.map_or(0, |answer| answer.status().as_u16());
        self.state().deliveries.push(delivery.clone());
        delivery
    }
}

/// The value of `X-Hub-Signature-256`.
fn signature(secret: &str, body: &[u8]) -> String {
    let code = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    });
    format!("sha256={}", code.unwrap_or_default())
}
