//! The loop that takes messages from the queue and lets the engine deal with them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_core::clock::{Clock, between};
use autopr_core::engine::{Engine, GRACE, Handled};
use autopr_core::message::{Message, V1};
use autopr_core::ports::store::AuditEntry;
use autopr_core::retry::backoff_up_to;
use autopr_core::telemetry::{MESSAGES, OLDEST_MESSAGE};
use autopr_core::trace::traced;
use jiff::Timestamp;
use metrics::{counter, gauge};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::inbox::{Inbox, MOST_AT_ONCE, Taken};
use crate::queue::AzureQueue;
use crate::resting::Resting;

/// The name of the queue in metrics.
const QUEUE: &str = "azure";

/// The wait before the queue is asked again after it had no message; it doubles. Every question costs.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// How long that wait becomes at most.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How long a message that is given back stays hidden at most.
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);

/// How often it is measured how long messages wait.
const MEASURE: Duration = Duration::from_secs(15);

/// How long after the shutdown all has ended. Executions have given up a second earlier; what the queue has not taken back
/// by then comes back by itself.
const END: Duration = GRACE.saturating_add(Duration::from_secs(1));

/// What a consumer allows itself and its messages. Times are the service's, not those of the engine's clock.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many messages are dealt with at once.
    pub at_once: usize,
    /// How long a message that was taken stays hidden unless that is renewed, which is done at a third of it. A process
    /// that dies keeps its messages from others for as long.
    pub visibility: Duration,
    /// A message that was handed out more often is set aside.
    pub most_receives: u32,
}

impl Default for Limits {
    /// Ten at once, hidden for a minute, handed out twenty times: an outage of the database has to last more than an hour
    /// before messages are set aside.
    fn default() -> Self {
        Self { at_once: 10, visibility: Duration::from_secs(60), most_receives: 20 }
    }
}

/// Takes messages and runs executions until it is told to stop.
pub struct Consumer {
    parts: Arc<Parts>,
    queue: AzureQueue,
    shutdown: CancellationToken,
}

/// What each message is dealt with by.
struct Parts {
    engine: Engine,
    inbox: Inbox,
    resting: Resting,
    clock: Clock,
    limits: Limits,
}

impl Consumer {
    /// A consumer of that queue. `shutdown` must be the engine's own.
    pub fn new(engine: Engine, queue: AzureQueue, clock: Clock, limits: Limits, shutdown: CancellationToken) -> Self {
        let parts = Parts { engine, inbox: queue.inbox(), resting: Resting::default(), clock, limits };
        Self { parts: Arc::new(parts), queue, shutdown }
    }

    /// Takes messages until the shutdown, then waits for what is under way; the engine gives back what takes too long. A
    /// queue that can't be reached is asked again. Whatever the queue does, it has ended nine seconds after the shutdown.
    /// When it is dropped, what is under way is dropped with it, and the messages are handed out again once they are no
    /// longer hidden.
    pub async fn run(self) {
        let over = async {
            self.shutdown.cancelled().await;
            tokio::time::sleep(END).await;
        };
        let all = async { tokio::join!(self.take_all(), self.measure_all()) };
        tokio::select! {
            _ = all => {}
            () = over => tracing::warn!("what is under way is given up; its messages come back by themselves"),
        }
    }

    async fn measure_all(&self) {
        tokio::select! {
            () = self.parts.measure() => {}
            () = self.shutdown.cancelled() => {}
        }
    }

    async fn take_all(&self) {
        let mut tasks = JoinSet::new();
        let mut wait = FIRST_WAIT;
        while !self.shutdown.is_cancelled() {
            while let Some(ended) = tasks.try_join_next() {
                note(ended);
            }
            let free = self.parts.limits.at_once.max(1).saturating_sub(tasks.len()).min(MOST_AT_ONCE);
            if free == 0 {
                tokio::select! {
                    Some(ended) = tasks.join_next() => note(ended),
                    () = self.shutdown.cancelled() => {}
                }
                continue;
            }
            // Not given up at the shutdown: the messages that it brings would stay hidden.
            match self.parts.inbox.receive(free, self.parts.limits.visibility).await {
                Ok(taken) if taken.is_empty() => self.wait(&mut wait).await,
                Ok(taken) => {
                    wait = FIRST_WAIT;
                    for message in taken {
                        let (parts, shutdown) = (self.parts.clone(), self.shutdown.clone());
                        let span = span(&message);
                        tasks.spawn(async move { parts.deal_with(message, &shutdown).await }.instrument(span));
                    }
                }
                Err(trouble) => {
                    let why = trouble.text();
                    tracing::warn!(queue = self.queue.name(), why, "taking messages failed");
                    self.wait(&mut wait).await;
                }
            }
        }
        while let Some(ended) = tasks.join_next().await {
            note(ended);
        }
    }

    /// Waits until it is time to ask again, or a message was published here.
    async fn wait(&self, wait: &mut Duration) {
        tokio::select! {
            () = tokio::time::sleep(*wait) => *wait = (2 * *wait).min(LONGEST_WAIT),
            () = self.queue.published() => *wait = FIRST_WAIT,
            () = self.shutdown.cancelled() => {}
        }
    }
}

impl Parts {
    async fn deal_with(&self, mut message: Taken, shutdown: &CancellationToken) {
        if shutdown.is_cancelled() {
            // Nothing was begun: another process may have it at once.
            return self.give_back(&mut message, Duration::ZERO).await;
        }
        if message.receive_count > self.limits.most_receives {
            return self.set_aside(&mut message).await;
        }
        let begun = Instant::now();
        let done = CancellationToken::new();
        let (trace, body) = (message.opened.trace.clone(), message.opened.body.clone());
        let handle = async {
            let handled = traced(trace, self.engine.handle(&body, None)).await;
            done.cancel();
            handled
        };
        let (handled, has_it) = tokio::join!(handle, self.keep_hidden(&mut message, &done));
        let outcome = match handled {
            _ if !has_it => "lost",
            Handled::Ack => "done",
            Handled::Redeliver => "again",
        };
        counter!(MESSAGES, "queue" => QUEUE, "outcome" => outcome).increment(1);
        let (duration_ms, receive_count) = (begun.elapsed().as_millis(), message.receive_count);
        tracing::info!(outcome, receive_count, duration_ms, "message");
        match handled {
            _ if !has_it => {}
            Handled::Ack => {
                if let Err(trouble) = self.inbox.delete(&message).await {
                    let why = trouble.text();
                    tracing::warn!(why, "a message could not be removed; it will be delivered again");
                }
            }
            Handled::Redeliver => self.give_back(&mut message, rest(receive_count)).await,
        }
    }

    /// Renews the time for which the message is hidden until `done`; false when somebody else has it by then. A renewal
    /// that was begun is ended, or nobody would know the message's newest receipt.
    async fn keep_hidden(&self, message: &mut Taken, done: &CancellationToken) -> bool {
        let pause = self.limits.visibility / 3;
        loop {
            tokio::select! {
                () = done.cancelled() => return true,
                () = tokio::time::sleep(pause) => {}
            }
            match self.inbox.hide(message, self.limits.visibility).await {
                Ok(()) => {}
                Err(trouble) if trouble.is_lost() => {
                    let why = trouble.text();
                    tracing::warn!(why, "a message came into other hands: it is left to them");
                    return false;
                }
                // There is time for another try or two.
                Err(trouble) => {
                    let why = trouble.text();
                    tracing::warn!(why, "a message could not be kept hidden");
                }
            }
        }
    }

    async fn give_back(&self, message: &mut Taken, rest: Duration) {
        if let Err(trouble) = self.inbox.hide(message, rest).await {
            let why = trouble.text();
            tracing::warn!(why, "a message could not be given back; it will be delivered again later");
        } else if let Some(published) = message.published {
            self.resting.note(&message.id, published, rest, Instant::now());
        }
    }

    async fn set_aside(&self, message: &mut Taken) {
        let times = self.limits.most_receives;
        if let Err(trouble) = self.inbox.copy_aside(message).await {
            let why = trouble.text();
            tracing::error!(why, "a message could not be set aside: is there a queue for it?");
            return self.give_back(message, LONGEST_REST).await;
        }
        let reason = format!("given back {times} times");
        tracing::error!(reason, "a message is set aside");
        counter!(MESSAGES, "queue" => QUEUE, "outcome" => "dead").increment(1);
        let entry = AuditEntry {
            key: format!("message.set_aside/{}", message.id),
            at: self.clock.now(),
            actor: format!("engine:{}", self.engine.worker()),
            origin: "queue".to_owned(),
            action: "message.set_aside".to_owned(),
            subject: format!("message {}", message.id),
            detail: Some(reason),
        };
        if let Err(fault) = self.engine.edges().store.audit(&entry).await {
            tracing::warn!(%fault, "what was set aside could not be noted");
        }
        if let Err(trouble) = self.inbox.delete(message).await {
            let why = trouble.text();
            tracing::warn!(why, "a message that was set aside could not be removed; it will be set aside again");
            if !trouble.is_lost() {
                // Not too soon, for it is copied each time. Should that fail too, the reason is told above.
                drop(self.inbox.hide(message, LONGEST_REST).await);
            }
        }
    }

    /// Shows again and again how long the message has waited that is to be taken next, or the oldest of those that rest here.
    async fn measure(&self) {
        loop {
            if let Ok(next) = self.inbox.next().await {
                let oldest = [next, self.resting.oldest(Instant::now())].into_iter().flatten().min();
                let waited = oldest.map_or(Duration::ZERO, |published| between(published, Timestamp::now()));
                gauge!(OLDEST_MESSAGE, "queue" => QUEUE).set(waited.as_secs_f64());
            }
            tokio::time::sleep(MEASURE).await;
        }
    }
}

/// How long a message rests before it is handed out again.
fn rest(receive_count: u32) -> Duration {
    backoff_up_to(LONGEST_REST, Duration::from_secs(1), receive_count, Uuid::now_v7().as_u64_pair().1)
}

/// A task that panicked has given its message up, which is handed out again once it is no longer hidden.
fn note(ended: Result<(), JoinError>) {
    if ended.is_err() {
        counter!(MESSAGES, "queue" => QUEUE, "outcome" => "panicked").increment(1);
        tracing::error!("a message was given up: it is handed out again");
    }
}

/// What every line that is logged for a message says besides.
fn span(taken: &Taken) -> Span {
    let (message, trace) = (&taken.id, taken.opened.trace.as_ref().map(ToString::to_string));
    let empty = tracing::field::Empty;
    let span = tracing::info_span!("message", message, trace, delivery = empty, execution = empty);
    match Message::decode(&taken.opened.body) {
        Ok(Message::V1(V1::Event { event })) => span.record("delivery", event.delivery.to_string()),
        Ok(Message::V1(V1::Advance { execution, .. })) => span.record("execution", execution.to_string()),
        // It is logged when it is dealt with.
        Err(_) => &span,
    };
    span
}
