//! The queue against the emulator of Pub/Sub, which must be there for all but the last two tests; they say so where it is
//! not.

use std::time::{Duration, Instant};

use autopr_core::event::{Event, EventKind, PullRequestAction, Sender};
use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ids::{DeliveryId, ExecutionId, PrNumber, RepoName};
use autopr_core::message::{CUT, Message, V1};
use autopr_core::ports::Queue;
use autopr_core::trace::{TraceParent, traced};
use autopr_queue_pubsub::{MAX_BYTES, PubSubQueue, Topic};
use autopr_services::{Fault, FaultProxy, PubSub, free_port};
use data_encoding::BASE64;
use jiff::Timestamp;
use serde_json::{Value, json};

const PROJECT: &str = "projects/acme-prod";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn event(delivery: &str, kind: EventKind) -> Message {
    Message::event(Event {
        delivery: DeliveryId::new(delivery).unwrap(),
        at: Timestamp::UNIX_EPOCH,
        kind,
        repository: RepoName::new("acme/shop").unwrap(),
        number: PrNumber(7),
        base: None,
        head: None,
        draft: false,
        labels: Vec::new(),
        sender: Sender { login: "dev".to_owned(), bot: false },
        installation: None,
    })
}

fn opened(delivery: &str) -> Message {
    event(delivery, EventKind::PullRequest { action: PullRequestAction::Opened })
}

fn advance() -> (ExecutionId, Message) {
    let execution = ExecutionId::new();
    (execution, Message::advance(execution, RepoName::new("acme/shop").unwrap()))
}

fn topic(name: &str) -> Topic {
    Topic::parse(&format!("{PROJECT}/topics/{name}")).unwrap()
}

/// An emulator with the topic `reviews` and a subscription.
struct Consumer {
    pubsub: PubSub,
    http: reqwest::Client,
}

impl Consumer {
    async fn new() -> Option<Self> {
        let consumer = Self { pubsub: PubSub::start()?, http: reqwest::Client::new() };
        let http = &consumer.http;
        for (name, body) in [
            ("topics/reviews", json!({})),
            ("subscriptions/reviews", json!({ "topic": format!("{PROJECT}/topics/reviews") })),
        ] {
            let made = http.put(consumer.address(name)).json(&body).send().await.unwrap();
            assert!(made.status().is_success(), "{name}: {:?}", made.text().await);
        }
        Some(consumer)
    }

    async fn queue(&self) -> PubSubQueue {
        PubSubQueue::new(topic("reviews"), Some(&self.pubsub.address())).await.unwrap()
    }

    /// The messages that are there.
    async fn pull(&self) -> Vec<Value> {
        let wanted = json!({ "maxMessages": 100, "returnImmediately": true });
        let answer = self.http.post(self.address("subscriptions/reviews:pull")).json(&wanted).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let messages = answer["receivedMessages"].as_array().cloned().unwrap_or_default();
        messages.into_iter().map(|mut message| message["message"].take()).collect()
    }

    fn address(&self, name: &str) -> String {
        format!("{}/{PROJECT}/{name}", self.pubsub.rest())
    }
}

fn body(message: &Value) -> Message {
    let data = BASE64.decode(message["data"].as_str().unwrap().as_bytes()).unwrap();
    Message::decode(&String::from_utf8(data).unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_published_arrives_with_what_it_is_about() {
    let Some(consumer) = Consumer::new().await else { return };
    let queue = consumer.queue().await;
    let (execution, going_on) = advance();
    queue.publish(&opened("d-1")).await.unwrap();
    traced(TraceParent::parse(TRACE), queue.publish(&going_on)).await.unwrap();

    let mut received = consumer.pull().await;
    received.sort_by_key(|message| message["attributes"]["type"].to_string());
    let [advance, event] = &received[..] else { panic!("{received:?}") };
    assert_eq!(body(event), opened("d-1"));
    assert_eq!(event["attributes"], json!({ "type": "event", "delivery": "d-1" }));
    assert_eq!(body(advance), going_on);
    let expect = json!({ "type": "advance", "execution": execution.to_string(), "traceparent": TRACE });
    assert_eq!(advance["attributes"], expect);
    for message in &received {
        assert!(message.get("orderingKey").is_none(), "{message}");
    }
}

#[tokio::test]
async fn many_that_are_published_at_once_all_arrive() {
    let Some(consumer) = Consumer::new().await else { return };
    let queue = std::sync::Arc::new(consumer.queue().await);
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..60 {
        let queue = queue.clone();
        tasks.spawn(async move { queue.publish(&opened(&format!("d-{index}"))).await });
    }
    while let Some(published) = tasks.join_next().await {
        published.unwrap().unwrap();
    }
    assert_eq!(consumer.pull().await.len(), 60);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_cut_and_taken() {
    let Some(consumer) = Consumer::new().await else { return };
    let kind = EventKind::Command { name: "review".to_owned(), arguments: "x".repeat(MAX_BYTES + 1000), comment: None };
    let queue = consumer.queue().await;
    // Ten megabytes take their time through a server in Java; the first message takes more.
    queue.publish(&opened("d-0")).await.unwrap();
    assert_eq!(consumer.pull().await.len(), 1);
    queue.publish(&event("d-1", kind)).await.unwrap();
    let received = consumer.pull().await;
    // The first one may be there once more.
    let arguments = received.iter().find_map(|received| match body(received) {
        Message::V1(V1::Event { event }) => match event.kind {
            EventKind::Command { arguments, .. } => Some(arguments),
            _ => None,
        },
        Message::V1(V1::Advance { .. }) => None,
    });
    let arguments = arguments.expect("a command");
    assert!(arguments.ends_with(CUT) && arguments.len() > MAX_BYTES - 5000, "{}", arguments.len());
}

#[tokio::test]
async fn a_topic_that_does_not_exist_is_named() {
    let Some(consumer) = Consumer::new().await else { return };
    let queue = PubSubQueue::new(topic("nowhere"), Some(&consumer.pubsub.address())).await.unwrap();
    let fault = queue.publish(&opened("d-1")).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::NotFound, Retry::Never));
    assert_eq!(fault.to_string(), "could not publish to the topic projects/acme-prod/topics/nowhere: NOT_FOUND");
}

#[tokio::test]
async fn a_connection_that_is_reset_is_made_again() {
    let Some(consumer) = Consumer::new().await else { return };
    let proxy = FaultProxy::start(&consumer.pubsub.address());
    let queue = PubSubQueue::new(topic("reviews"), Some(&proxy.address())).await.unwrap();
    queue.publish(&opened("d-1")).await.unwrap();
    proxy.reset();
    queue.publish(&opened("d-2")).await.unwrap();
    assert_eq!(consumer.pull().await.len(), 2);
}

/// Publishes to an address where nothing is taken; how that ends, and after how long.
async fn refused(address: &str) -> (FaultKind, Retry, Duration) {
    let queue = PubSubQueue::new(topic("reviews"), Some(address)).await.unwrap();
    let begun = Instant::now();
    let fault = queue.publish(&opened("d-1")).await.unwrap_err();
    assert!(fault.to_string().starts_with("could not publish to the topic projects/acme-prod/topics/reviews: "));
    (fault.kind, fault.retry, begun.elapsed())
}

#[tokio::test]
async fn where_nobody_listens_it_is_told_in_time() {
    let (kind, retry, took) = refused(&format!("127.0.0.1:{}", free_port())).await;
    assert!(matches!(kind, FaultKind::Unavailable | FaultKind::Timeout), "{kind:?}");
    assert_eq!(retry, Retry::Backoff);
    // The machine may be busy; a patience of its own it has not.
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn where_nobody_answers_it_is_told_in_time() {
    let proxy = FaultProxy::start("127.0.0.1:1");
    proxy.set(Fault::Blackhole);
    let (kind, retry, took) = refused(&proxy.address()).await;
    assert_eq!((kind, retry), (FaultKind::Timeout, Retry::Backoff));
    // The machine may be busy; a patience of its own it has not.
    assert!(took < Duration::from_secs(5), "{took:?}");
}
