//! Pub/Sub, with what pushes its messages at Google: the emulator's own pushes can't be told to stop while no process is
//! there (`tests/tests/gcp.rs` has them), so that messages are pulled here and handed over as a push brings them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use autopr_core::clock::{Clock, after};
use autopr_core::engine::{Engine, Handled};
use autopr_core::ports::Store;
use autopr_core::trace::{TraceParent, traced};
use autopr_queue_pubsub::push::read;
use autopr_queue_pubsub::{PubSubQueue, TRACE_ATTRIBUTE, Topic};
use autopr_services::PubSub;
use data_encoding::BASE64;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Adapter, Plug, Shop, TRACE_PARENT, VISIBILITY};

const PROJECT: &str = "projects/acme-prod";

/// The subscription whose messages are handed over.
const REVIEWS: &str = "subscriptions/reviews";

/// The subscription that brings every message once more, to be counted.
const COUNTED: &str = "subscriptions/counted";

/// The subscription to what is set aside.
const DEAD: &str = "subscriptions/dead";

/// How often a message is delivered before it is set aside: Pub/Sub takes no less.
const DELIVERIES: u32 = 5;

/// How long before the next look when there was nothing.
const PAUSE: Duration = Duration::from_millis(50);

/// A topic of the emulator, and the one for its dead letters; none where there is no emulator.
pub async fn pubsub(_: &Shop) -> Option<Arc<dyn Plug>> {
    let pubsub = PubSub::start()?;
    let service = Service { address: pubsub.rest(), http: reqwest::Client::new() };
    for (topic, subscriptions) in [("topics/dead", [DEAD].as_slice()), ("topics/reviews", &[REVIEWS, COUNTED])] {
        service.make(topic, &json!({})).await;
        for subscription in subscriptions {
            let mut body = json!({ "topic": format!("{PROJECT}/{topic}"), "ackDeadlineSeconds": 10 });
            if *subscription == REVIEWS {
                body["deadLetterPolicy"] =
                    json!({ "deadLetterTopic": format!("{PROJECT}/topics/dead"), "maxDeliveryAttempts": DELIVERIES });
            }
            service.make(subscription, &body).await;
        }
    }
    Some(Arc::new(OfEmulator { pubsub, service, seen: Arc::default() }))
}

struct OfEmulator {
    pubsub: PubSub,
    service: Service,
    seen: Arc<Mutex<Seen>>,
}

/// What is known of messages: the emulator counts none.
#[derive(Default)]
struct Seen {
    published: BTreeSet<String>,
    acknowledged: BTreeSet<String>,
    dead: Vec<String>,
}

#[async_trait]
impl Plug for OfEmulator {
    async fn open(&self, _: Arc<dyn Store>, clock: Clock) -> Adapter {
        let topic = Topic::parse(&format!("{PROJECT}/topics/reviews")).expect("a topic");
        let queue = PubSubQueue::new(topic, Some(&self.pubsub.address())).await.expect("a queue");
        // A client's connections end with the process.
        let service = Service { address: self.service.address.clone(), http: reqwest::Client::new() };
        let seen = self.seen.clone();
        Adapter {
            queue: Arc::new(queue),
            consumer: Box::new(move |engine, shutdown, time| {
                let end = move || time.map(|time| after(clock.now(), time));
                Box::pin(pushes(service, seen, engine, shutdown, end))
            }),
        }
    }

    fn traced<'f>(&self, publishing: BoxFuture<'f, ()>) -> BoxFuture<'f, ()> {
        Box::pin(traced(TraceParent::parse(TRACE_PARENT), publishing))
    }

    fn trace(&self) -> Option<&'static str> {
        Some(TRACE_PARENT)
    }

    async fn traces(&self) -> Vec<Option<String>> {
        let messages = self.service.pull(REVIEWS, false).await;
        self.service.hide(REVIEWS, &messages, Duration::ZERO).await;
        let trace = |pulled: &Pulled| Some(pulled.0["message"]["attributes"][TRACE_ATTRIBUTE].as_str()?.to_owned());
        messages.iter().map(trace).collect()
    }

    async fn put(&self, body: &str) {
        let messages = json!({ "messages": [{ "data": BASE64.encode(body.as_bytes()) }] });
        self.service.call("topics/reviews:publish", &messages).await;
    }

    async fn messages(&self) -> usize {
        let more = self.service.take(COUNTED).await;
        self.set_aside().await;
        let mut seen = locked(&self.seen);
        seen.published.extend(more.iter().map(|pulled| pulled.id().to_owned()));
        seen.published.difference(&seen.acknowledged).count() - seen.dead.len()
    }

    async fn set_aside(&self) -> Vec<String> {
        let more = self.service.take(DEAD).await;
        let mut seen = locked(&self.seen);
        seen.dead.extend(more.iter().map(Pulled::text));
        seen.dead.clone()
    }
}

/// Hands messages over until the shutdown, then waits for the answers that are due.
async fn pushes(
    service: Service,
    seen: Arc<Mutex<Seen>>,
    engine: Engine,
    shutdown: CancellationToken,
    end: impl Fn() -> Option<Timestamp>,
) {
    let service = Arc::new(service);
    let mut under_way = JoinSet::new();
    while !shutdown.is_cancelled() {
        let pulled = service.pull(REVIEWS, true).await;
        if pulled.is_empty() {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        for pulled in pulled {
            let (service, seen, engine) = (service.clone(), seen.clone(), engine.clone());
            let end = end();
            under_way.spawn(async move { push(&service, &seen, &engine, pulled, end).await });
        }
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}

/// A push of a message, and what Pub/Sub does with the answer.
async fn push(service: &Service, seen: &Mutex<Seen>, engine: &Engine, pulled: Pulled, end: Option<Timestamp>) {
    let pulled = [pulled];
    service.hide(REVIEWS, &pulled, VISIBILITY).await;
    let mut envelope = pulled[0].0.clone();
    envelope["subscription"] = json!(format!("{PROJECT}/{REVIEWS}"));
    let pushed = read(envelope.to_string().as_bytes()).expect("a message");
    match traced(pushed.trace, engine.handle(&pushed.body, end)).await {
        Handled::Ack => {
            service.acknowledge(REVIEWS, &pulled).await;
            locked(seen).acknowledged.insert(pushed.id);
        }
        Handled::Redeliver => service.hide(REVIEWS, &pulled, Duration::ZERO).await,
    }
}

fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A message as a pull brings it.
struct Pulled(Value);

impl Pulled {
    fn id(&self) -> &str {
        self.0["message"]["messageId"].as_str().unwrap_or_default()
    }

    fn text(&self) -> String {
        let data = self.0["message"]["data"].as_str().unwrap_or_default();
        String::from_utf8(BASE64.decode(data.as_bytes()).expect("base64")).expect("a text")
    }
}

/// The emulator's interface.
struct Service {
    address: String,
    http: reqwest::Client,
}

impl Service {
    async fn make(&self, name: &str, body: &Value) {
        let answer = self.http.put(self.of(name)).json(body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{name}: {}", answer.text().await.unwrap_or_default());
    }

    /// Messages that can be had: those that there are, or the first ones that come.
    async fn pull(&self, subscription: &str, at_once: bool) -> Vec<Pulled> {
        let wanted = json!({ "maxMessages": 10, "returnImmediately": at_once });
        let told = self.call(&format!("{subscription}:pull"), &wanted).await;
        told["receivedMessages"].as_array().into_iter().flatten().cloned().map(Pulled).collect()
    }

    /// All messages that there are, for good.
    async fn take(&self, subscription: &str) -> Vec<Pulled> {
        let mut all = Vec::new();
        loop {
            let mut some = self.pull(subscription, true).await;
            if some.is_empty() {
                return all;
            }
            self.acknowledge(subscription, &some).await;
            all.append(&mut some);
        }
    }

    async fn acknowledge(&self, subscription: &str, messages: &[Pulled]) {
        self.call(&format!("{subscription}:acknowledge"), &json!({ "ackIds": ids(messages) })).await;
    }

    async fn hide(&self, subscription: &str, messages: &[Pulled], how_long: Duration) {
        let wanted = json!({ "ackIds": ids(messages), "ackDeadlineSeconds": how_long.as_secs() });
        self.call(&format!("{subscription}:modifyAckDeadline"), &wanted).await;
    }

    async fn call(&self, name: &str, body: &Value) -> Value {
        let answer = self.http.post(self.of(name)).json(body).send().await.expect("an answer");
        let (status, told) = (answer.status(), answer.json().await.unwrap_or_default());
        assert!(status.is_success(), "{name}: {told}");
        told
    }

    fn of(&self, name: &str) -> String {
        format!("{}/{PROJECT}/{name}", self.address)
    }
}

fn ids(messages: &[Pulled]) -> Vec<&str> {
    messages.iter().filter_map(|pulled| pulled.0["ackId"].as_str()).collect()
}
