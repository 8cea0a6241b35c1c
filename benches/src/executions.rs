//! Executions brought to their end a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_core::clock::Clock;
use autopr_core::engine::{Edges, Engine, Progress};
use autopr_core::event::Event;
use autopr_core::execution::ExecutionStatus;
use autopr_core::ids::PrNumber;
use autopr_core::machine::Policy;
use autopr_core::message::Message;
use autopr_core::model_chain::{Budgets, ChainSettings, MicroUsd, ModelChain, Price};
use autopr_core::ports::queue::StoreQueue;
use autopr_core::ports::{Model, Queue};
use autopr_core::testkit::sample;
use autopr_core::workflow::Catalog;
use autopr_runtime::Worker;
use autopr_store_postgres::PostgresStore;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::edges::{InstantForge, InstantModel};

/// Queues the events of that many pull requests, then lets one worker bring them to their end.
pub(crate) async fn run(store: Arc<PostgresStore>, count: u64, at_once: usize) {
    let queue = StoreQueue::new(store.clone(), Clock::System);
    let price = Price::PerMillion { input: MicroUsd(2_000_000), output: MicroUsd(8_000_000) };
    let dollars = MicroUsd(1_000_000_000_000);
    let budgets = Budgets { per_execution: dollars, per_repository_daily: dollars, daily: dollars };
    let models = ModelChain::new(
        [(Arc::new(InstantModel) as Arc<dyn Model>, price)],
        ChainSettings { budgets, ..ChainSettings::default() },
    );
    let edges = Edges { store, queue: Arc::new(queue.clone()), forge: Arc::new(InstantForge), models };
    let catalog = Catalog::load(std::iter::empty::<(&str, &str)>()).expect("the built-in workflows");
    let (shutdown, (watcher, mut progress)) = (CancellationToken::new(), mpsc::unbounded_channel());
    let engine = Engine::new(edges, Arc::new(catalog), Policy::default(), Clock::System, "bench", shutdown.clone());
    let engine = engine.watched(watcher);
    engine.register().await.expect("the workflows");
    let puts = (1..=count).map(|number| {
        let queue = queue.clone();
        let event = Event { number: PrNumber(number), ..sample::opened(&format!("d-{number}")) };
        tokio::spawn(async move { queue.publish(&Message::event(event)).await.expect("it is queued") })
    });
    for put in puts.collect::<Vec<_>>() {
        put.await.expect("it is queued");
    }
    let (begun, cpu) = (Instant::now(), cpu());
    let worker = tokio::spawn(Worker::new(engine, queue, Clock::System, at_once, shutdown.clone()).run());
    let mut finished = 0;
    while finished < count {
        if let Progress::Finished(id, status) = progress.recv().await.expect("the engine lives") {
            assert_eq!(status, ExecutionStatus::Succeeded, "{id}");
            finished += 1;
        }
    }
    let (took, cpu) = (begun.elapsed(), self::cpu() - cpu);
    shutdown.cancel();
    worker.await.expect("the worker ends");
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53")]
    let count = count as f64;
    println!("executions a second, {at_once} at once: {:.0}", count / took.as_secs_f64());
    println!("CPU time of the engine's process: {:.2} ms an execution", cpu.as_secs_f64() * 1000.0 / count);
}

/// The CPU time of this process so far, from its status in the kernel (proc(5)).
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    // The name of the program may hold blanks; what follows its bracket does not.
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [11, 12].into_iter().filter_map(|place| fields.get(place)?.parse::<u64>().ok()).sum();
    // A hundred ticks a second on every Linux that Rust runs on.
    Duration::from_millis(ticks * 10)
}
