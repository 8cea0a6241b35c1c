//! The worker loop on the store-backed queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use autopr_core::engine::Progress;
use autopr_core::execution::ExecutionStatus;
use autopr_core::fault::Fault;
use autopr_core::message::Message;
use autopr_core::model_chain::{ChainSettings, ModelChain, Price};
use autopr_core::ports::model::{Completion, Limits, Prompt, Stopped};
use autopr_core::ports::queue::StoreQueue;
use autopr_core::ports::store::Backlog;
use autopr_core::ports::{Model, Queue, Store};
use autopr_core::testkit::world::World;
use autopr_core::testkit::{MemoryStore, sample};
use autopr_runtime::Worker;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// A workflow that runs for every event, side by side with itself. It takes the place of the built-in review, whose newer
/// executions would supersede older ones.
const MANY: &str = "name: pr-review\non: { pull_request: [opened] }\nsteps:\n  - { id: fetch, uses: fetch }\n  \
    - { id: review, uses: review, needs: [fetch] }\n";

/// A model that holds its callers until it is opened, and counts them.
#[derive(Debug)]
struct Gate {
    inside: AtomicUsize,
    most: AtomicUsize,
    arrived: Semaphore,
    open: Semaphore,
}

#[async_trait]
impl Model for Gate {
    fn provider(&self) -> &str {
        "gate"
    }

    fn model(&self) -> &str {
        "gate-1"
    }

    async fn complete(&self, _prompt: &Prompt, _limits: Limits) -> Result<Completion, Fault> {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        self.arrived.add_permits(1);
        self.open.acquire().await.expect("the gate stays").forget();
        self.inside.fetch_sub(1, Ordering::SeqCst);
        Ok(Completion {
            text: r#"{"findings":[]}"#.to_owned(),
            input_tokens: 1,
            output_tokens: 1,
            stopped: Stopped::Complete,
        })
    }
}

#[tokio::test]
async fn at_most_so_many_executions_run_at_once_and_all_of_them_do() {
    let gate = Arc::new(Gate {
        inside: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        arrived: Semaphore::new(0),
        open: Semaphore::new(0),
    });
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let mut world = World::new(store.clone()).workflows(&[("many.yaml", MANY)]);
    world.edges.models = ModelChain::new([(gate.clone() as Arc<dyn Model>, Price::Free)], ChainSettings::default());
    let queue = StoreQueue::new(store.clone(), world.clock.clone());
    world.edges.queue = Arc::new(queue.clone());
    let shutdown = CancellationToken::new();
    let (progress, mut watched) = tokio::sync::mpsc::unbounded_channel();
    let engine = world.engine_until(world.edges.clone(), "worker", shutdown.clone()).watched(progress);
    for number in 0..6 {
        let event = sample::opened(&format!("d-{number}"));
        queue.publish(&Message::event(event)).await.expect("published");
    }
    let worker = Worker::new(engine, queue, world.clock.clone(), 2, shutdown.clone());
    let worker = tokio::spawn(worker.run());
    gate.arrived.acquire_many(2).await.expect("two arrive").forget();
    gate.open.add_permits(100);
    let mut ended = 0;
    while ended < 6 {
        match watched.recv().await.expect("the engine reports") {
            Progress::Finished(_, status) => {
                assert_eq!(status, ExecutionStatus::Succeeded);
                ended += 1;
            }
            _ => continue,
        }
    }
    shutdown.cancel();
    worker.await.expect("the worker ends");
    assert_eq!(gate.most.load(Ordering::SeqCst), 2);
    assert_eq!(store.backlog().await.expect("backlog"), Backlog::default());
}

#[tokio::test]
async fn a_message_that_nobody_understands_is_set_aside_with_its_reason() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let world = World::new(store.clone());
    let queue = StoreQueue::new(store.clone(), world.clock.clone());
    store.enqueue(r#"{"v":"99"}"#, None, world.clock.now()).await.expect("enqueued");
    let shutdown = CancellationToken::new();
    let engine = world.engine_until(world.edges.clone(), "worker", shutdown.clone());
    let worker = tokio::spawn(Worker::new(engine, queue, world.clock.clone(), 1, shutdown.clone()).run());
    for _ in 0..10_000 {
        if store.backlog().await.expect("backlog").dead > 0 {
            break;
        }
        world.time().advance(Duration::from_secs(60));
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    worker.await.expect("the worker ends");
    let backlog = store.backlog().await.expect("backlog");
    assert_eq!((backlog.dead, backlog.messages), (1, 0));
}
