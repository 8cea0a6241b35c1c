//! The loop that takes messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use autopr_core::fault::Fault;
use autopr_core::message::Message;
use autopr_core::model_chain::{ChainSettings, ModelChain, Price};
use autopr_core::ports::model::{Completion, Limits as ModelLimits, Prompt, Stopped};
use autopr_core::ports::{Model, Operations, Queue};
use autopr_core::testkit::world::World;
use autopr_core::testkit::{MemoryStore, sample};
use autopr_queue_azure::{AzureQueue, Consumer, Limits};
use autopr_services::{Fault as Broken, FaultProxy};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::log;
use crate::messages::{QUEUE, azurite, queue};
use crate::service::without_removing;

/// How long anything may take. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A review that runs side by side with others of its pull request.
const MANY: &str = "name: pr-review\non: { pull_request: [opened] }\nsteps:\n  - { id: fetch, uses: fetch }\n  \
    - { id: review, uses: review, needs: [fetch] }\n";

/// A model that holds its callers until it is opened, and counts them.
#[derive(Debug)]
struct Gate {
    inside: AtomicUsize,
    most: AtomicUsize,
    calls: AtomicUsize,
    arrived: Semaphore,
    open: Semaphore,
}

impl Gate {
    fn new() -> Arc<Self> {
        let number = AtomicUsize::default;
        let (arrived, open) = (Semaphore::new(0), Semaphore::new(0));
        Arc::new(Self { inside: number(), most: number(), calls: number(), arrived, open })
    }

    async fn arrived(&self) {
        self.arrived.acquire().await.expect("the gate stays").forget();
    }
}

#[async_trait]
impl Model for Gate {
    fn provider(&self) -> &str {
        "gate"
    }

    fn model(&self) -> &str {
        "gate-1"
    }

    async fn complete(&self, _prompt: &Prompt, _limits: ModelLimits) -> Result<Completion, Fault> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.most.fetch_max(self.inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        self.arrived.add_permits(1);
        self.open.acquire().await.expect("the gate stays").forget();
        self.inside.fetch_sub(1, Ordering::SeqCst);
        let text = r#"{"findings":[]}"#.to_owned();
        Ok(Completion { text, input_tokens: 1, output_tokens: 1, stopped: Stopped::Complete })
    }
}

fn gated(workflows: &[(&str, &str)]) -> (World, Arc<Gate>) {
    let gate = Gate::new();
    let mut world = World::new(Arc::new(MemoryStore::default())).workflows(workflows);
    world.edges.models = ModelChain::new([(gate.clone() as Arc<dyn Model>, Price::Free)], ChainSettings::default());
    (world, gate)
}

/// A consumer that runs until it is stopped.
struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(world: &World, name: &str, queue: &AzureQueue, limits: Limits) -> Self {
        let shutdown = CancellationToken::new();
        let mut edges = world.edges.clone();
        edges.queue = Arc::new(queue.clone());
        let engine = world.engine_until(edges, name, shutdown.clone());
        let consumer = Consumer::new(engine, queue.clone(), world.clock.clone(), limits, shutdown.clone());
        Self { shutdown, task: tokio::spawn(consumer.run()) }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it ends").expect("it does not panic");
    }
}

async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_message_is_dealt_with_and_removed() {
    let (azurite, queue) = azurite().await;
    let world = World::new(Arc::new(MemoryStore::default()));
    let consumer = Running::start(&world, "one", &queue, Limits::default());
    queue.publish(&Message::event(sample::opened("d-1"))).await.expect("published");
    // The same delivery again, by hand and without an envelope or Base64.
    azurite.put(QUEUE, &Message::event(sample::opened("d-1")).encode()).await;
    eventually("the queue is empty", async || azurite.messages(QUEUE).await == 0).await;
    assert_eq!((world.forge.reviews().len(), azurite.messages("reviews-poison").await), (1, 0));
    consumer.stop().await;
}

#[tokio::test]
async fn at_most_so_many_are_dealt_with_at_once_and_all_of_them_are() {
    let (azurite, queue) = azurite().await;
    let (world, gate) = gated(&[("many.yaml", MANY)]);
    for number in 0..5 {
        queue.publish(&Message::event(sample::opened(&format!("d-{number}")))).await.expect("published");
    }
    let consumer = Running::start(&world, "one", &queue, Limits { at_once: 2, ..Limits::default() });
    gate.arrived().await;
    gate.arrived().await;
    gate.open.add_permits(5);
    eventually("the queue is empty", async || azurite.messages(QUEUE).await == 0).await;
    assert_eq!((gate.most.load(Ordering::SeqCst), gate.calls.load(Ordering::SeqCst)), (2, 5));
    consumer.stop().await;
}

#[tokio::test]
async fn what_nobody_understands_is_set_aside_and_harms_no_other() {
    let (azurite, queue) = azurite().await;
    let store = Arc::new(MemoryStore::default());
    let world = World::new(store.clone());
    let poison = r#"{"v":"99","of":"<a version> that & nobody knows"}"#;
    azurite.put(QUEUE, poison).await;
    queue.publish(&Message::event(sample::opened("d-1"))).await.expect("published");
    let consumer = Running::start(&world, "one", &queue, Limits { most_receives: 2, ..Limits::default() });
    eventually("it is set aside", async || azurite.messages("reviews-poison").await == 1).await;
    eventually("the queue is empty", async || azurite.messages(QUEUE).await == 0).await;
    assert_eq!(azurite.peek("reviews-poison").await[0].text, poison);
    assert_eq!(world.forge.reviews().len(), 1);
    let audit = store.audit_log(None, 10).await.expect("the audit log");
    let told: Vec<_> = audit.iter().map(|(_, entry)| entry.action.as_str()).collect();
    assert_eq!(told, ["message.set_aside"]);
    consumer.stop().await;
}

#[tokio::test]
async fn what_was_set_aside_is_noted_even_if_it_can_not_be_removed() {
    let (azurite, _) = azurite().await;
    let queue = queue(&azurite.queue_url_at(&without_removing(&azurite).await, QUEUE));
    let store = Arc::new(MemoryStore::default());
    let world = World::new(store.clone());
    log::start();
    azurite.put(QUEUE, "{}").await;
    let consumer = Running::start(&world, "one", &queue, Limits { most_receives: 1, ..Limits::default() });
    let noted = async || store.audit_log(None, 10).await.expect("the audit log").len();
    eventually("it is noted", async || noted().await == 1).await;
    eventually("it is told", async || log::lines("that was set aside could not be removed").len() == 1).await;
    assert_eq!(log::lines("is there a queue for it?"), [""; 0]);
    assert_eq!((azurite.messages("reviews-poison").await, azurite.messages(QUEUE).await), (1, 1));
    consumer.stop().await;
}

#[tokio::test]
async fn a_message_that_takes_longer_than_it_is_hidden_is_not_handed_out_again() {
    let (azurite, queue) = azurite().await;
    let (world, gate) = gated(&[]);
    let limits = Limits { visibility: Duration::from_secs(6), ..Limits::default() };
    queue.publish(&Message::event(sample::opened("d-1"))).await.expect("published");
    let consumer = Running::start(&world, "one", &queue, limits);
    gate.arrived().await;
    // Whoever looked at any moment of twice the time would find it, were it not hidden again and again.
    let begun = Instant::now();
    while begun.elapsed() < 2 * limits.visibility {
        assert_eq!(azurite.peek(QUEUE).await, [], "it is handed out again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    gate.open.add_permits(1);
    eventually("the queue is empty", async || azurite.messages(QUEUE).await == 0).await;
    assert_eq!((gate.calls.load(Ordering::SeqCst), world.forge.reviews().len()), (1, 1));
    consumer.stop().await;
}

#[tokio::test]
async fn a_message_that_came_into_other_hands_is_left_to_them() {
    log::start();
    let (azurite, rivals) = azurite().await;
    let proxy = FaultProxy::start(&azurite.address());
    let cut_off = queue(&azurite.queue_url_at(&proxy.address(), QUEUE));
    let (world, gate) = gated(&[]);
    let limits = Limits { visibility: Duration::from_secs(2), ..Limits::default() };
    cut_off.publish(&Message::event(sample::opened("d-1"))).await.expect("published");
    let first = Running::start(&world, "first", &cut_off, limits);
    gate.arrived().await;
    proxy.set(Broken::Refuse);
    let second = Running::start(&world, "second", &rivals, limits);
    // The second finds that somebody is at the execution, and removes the message.
    eventually("the queue is empty", async || azurite.messages(QUEUE).await == 0).await;
    proxy.set(Broken::Pass);
    eventually("it is noticed", async || !log::lines("a message came into other hands").is_empty()).await;
    gate.open.add_permits(1);
    eventually("the first is done with it", async || !log::lines("outcome=\"lost\"").is_empty()).await;
    // What is not its own it does not try to remove.
    assert_eq!(log::lines("could not be removed"), [""; 0]);
    first.stop().await;
    second.stop().await;
    assert_eq!((gate.calls.load(Ordering::SeqCst), world.forge.reviews().len()), (1, 1));
    assert_eq!(azurite.messages("reviews-poison").await, 0);
}

#[tokio::test]
async fn a_queue_that_was_away_is_asked_again() {
    let (azurite, direct) = azurite().await;
    let proxy = FaultProxy::start(&azurite.address());
    proxy.set(Broken::Refuse);
    let world = World::new(Arc::new(MemoryStore::default()));
    let consumer =
        Running::start(&world, "one", &queue(&azurite.queue_url_at(&proxy.address(), QUEUE)), Limits::default());
    direct.publish(&Message::event(sample::opened("d-1"))).await.expect("published");
    proxy.set(Broken::Pass);
    eventually("one review", async || world.forge.reviews().len() == 1).await;
    consumer.stop().await;
}
