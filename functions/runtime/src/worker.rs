//! The loop that takes messages from the store-backed queue and lets the engine deal with them.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::{Clock, after, between};
use autopr_core::engine::{Edges, Engine, Handled};
use autopr_core::fault::Fault;
use autopr_core::model_chain::day_scope;
use autopr_core::ports::Store;
use autopr_core::ports::queue::StoreQueue;
use autopr_core::ports::store::{AuditEntry, Received, Settle};
use autopr_core::retry::backoff;
use autopr_core::telemetry::{self, MESSAGES, OLDEST_MESSAGE};
use metrics::{counter, gauge};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a taken message stays hidden from other workers unless that is renewed.
const VISIBILITY: Duration = Duration::from_secs(60);

/// How long the worker waits before it looks again, when nobody told it of a message.
const POLL: Duration = Duration::from_secs(1);

/// How often it measures how long messages wait.
const MEASURE: Duration = Duration::from_secs(5);

/// A message that was given back this often is set aside.
const MOST_RECEIVES: u32 = 20;

/// The name of the store-backed queue in metrics.
const QUEUE: &str = "store";

/// Runs executions until it is told to stop.
pub struct Worker {
    engine: Engine,
    queue: StoreQueue,
    clock: Clock,
    permits: Arc<Semaphore>,
    most_receives: u32,
    shutdown: CancellationToken,
}

impl Worker {
    /// A worker that runs at most `max_concurrent` executions at once. `shutdown` must be the engine's own.
    pub fn new(
        engine: Engine,
        queue: StoreQueue,
        clock: Clock,
        max_concurrent: usize,
        shutdown: CancellationToken,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(max_concurrent));
        Self { engine, queue, clock, permits, most_receives: MOST_RECEIVES, shutdown }
    }

    /// Sets a message aside that was given back so often, instead of 20 times.
    #[must_use]
    pub fn most_receives(mut self, receives: u32) -> Self {
        self.most_receives = receives;
        self
    }

    /// Takes messages until the shutdown, then waits for what is under way. A store that can't be reached is asked again.
    pub async fn run(self) {
        let tasks = TaskTracker::new();
        tasks.spawn(measure(self.engine.clone(), self.clock.clone(), self.shutdown.clone()));
        while !self.shutdown.is_cancelled() {
            match self.take(&tasks).await {
                Ok(true) => {}
                Ok(false) => self.wait().await,
                Err(fault) => {
                    tracing::warn!(%fault, "taking messages failed");
                    self.wait().await;
                }
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// Takes as many messages as there are free places; false when there were none.
    async fn take(&self, tasks: &TaskTracker) -> Result<bool, Fault> {
        let first = tokio::select! {
            permit = self.permits.clone().acquire_owned() => permit,
            () = self.shutdown.cancelled() => return Ok(false),
        };
        let Ok(first) = first else { return Ok(false) };
        let mut permits = vec![first];
        while let Ok(permit) = self.permits.clone().try_acquire_owned() {
            permits.push(permit);
        }
        let limit = u32::try_from(permits.len()).unwrap_or(u32::MAX);
        let now = self.clock.now();
        let taken = self.store().receive(limit, now, after(now, VISIBILITY)).await?;
        let any = !taken.is_empty();
        for (message, permit) in taken.into_iter().zip(permits) {
            let (engine, clock, most_receives) = (self.engine.clone(), self.clock.clone(), self.most_receives);
            tasks.spawn(async move {
                deal_with(&engine, &clock, message, most_receives).await;
                drop(permit);
            });
        }
        Ok(any)
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.engine.edges().store
    }

    async fn wait(&self) {
        tokio::select! {
            () = self.queue.published() => {}
            () = self.clock.elapsed(POLL) => {}
            () = self.shutdown.cancelled() => {}
        }
    }
}

async fn deal_with(engine: &Engine, clock: &Clock, message: Received, most_receives: u32) {
    let store = &engine.edges().store;
    if message.receive_count > most_receives {
        let reason = format!("given back {most_receives} times");
        tracing::error!(message = message.id, %reason, "a message is set aside");
        counter!(MESSAGES, "queue" => QUEUE, "outcome" => "dead").increment(1);
        let entry = AuditEntry {
            key: format!("message.set_aside/{}", message.id),
            at: clock.now(),
            actor: format!("engine:{}", engine.worker()),
            origin: "queue".to_owned(),
            action: "message.set_aside".to_owned(),
            subject: format!("message {}", message.id),
            detail: Some(reason.clone()),
        };
        if let Err(fault) = store.audit(&entry).await {
            tracing::warn!(message = message.id, %fault, "what was set aside could not be noted");
        }
        return settle(store.as_ref(), message.id, Settle::Dead(reason)).await;
    }
    let handled = tokio::select! {
        handled = engine.handle(&message.body, None) => handled,
        () = keep_hidden(store.as_ref(), clock, message.id) => Handled::Redeliver,
    };
    let outcome = if handled == Handled::Ack { "done" } else { "again" };
    counter!(MESSAGES, "queue" => QUEUE, "outcome" => outcome).increment(1);
    let how = match handled {
        Handled::Ack => Settle::Done,
        Handled::Redeliver => {
            let wait = backoff(Duration::from_secs(1), message.receive_count, message.id.unsigned_abs());
            Settle::Again(after(clock.now(), wait))
        }
    };
    settle(store.as_ref(), message.id, how).await;
}

async fn settle(store: &dyn Store, message: i64, how: Settle) {
    if let Err(fault) = store.settle(message, &how).await {
        tracing::warn!(message, %fault, "a message could not be settled; it will be delivered again");
    }
}

/// Renews the time for which the message is hidden. Never comes to an end.
async fn keep_hidden(store: &dyn Store, clock: &Clock, message: i64) {
    loop {
        clock.elapsed(VISIBILITY / 3).await;
        settle(store, message, Settle::Again(after(clock.now(), VISIBILITY))).await;
    }
}

/// Shows how long the message that is to be taken next has waited, how much is open, and what is left of the day's budget.
async fn measure(engine: Engine, clock: Clock, shutdown: CancellationToken) {
    let Edges { store, models, .. } = engine.edges();
    while !shutdown.is_cancelled() {
        if let Ok(backlog) = store.backlog().await {
            let waited = backlog.next_due.map_or(Duration::ZERO, |due| between(due, clock.now()));
            gauge!(OLDEST_MESSAGE, "queue" => QUEUE).set(waited.as_secs_f64());
            telemetry::open(QUEUE, &backlog);
        }
        if let Ok(spending) = store.spending(&day_scope(clock.now())).await {
            telemetry::daily_budget(models.budgets().daily, &spending);
        }
        tokio::select! {
            () = clock.elapsed(MEASURE) => {}
            () = shutdown.cancelled() => {}
        }
    }
}
