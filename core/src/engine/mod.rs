//! The engine: takes messages, accepts events, and runs executions until they are done, parked or given back.
//!
//! Who retries what: connection errors are the HTTP clients' own business; a failed step is recorded in the store and
//! tried again by [`crate::machine`]; a message goes back to its queue only when the store could not be reached or the
//! message is of a version this program does not know; whatever is lost beyond that is found by [`Engine::sweep`].

mod context;
mod run;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::event::{Event, EventKind};
use crate::execution::ExecutionStatus;
use crate::fault::Fault;
use crate::ids::{ExecutionId, RepoName};
use crate::machine::Policy;
use crate::message::{Message, V1};
use crate::model_chain::ModelChain;
use crate::ports::store::NewExecution;
use crate::ports::{Forge, Queue, Store};
use crate::reconcile;
use crate::workflow::{Catalog, Definition};

pub use context::Context;

/// How long a claim lasts without being renewed.
pub const LEASE: Duration = Duration::from_secs(60);

/// How long a queued execution may lie untouched before its message is taken for lost, where messages wait in the store.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The same where messages wait in a queue of their own, in which they are never lost but may wait for long: more of them
/// would make it longer.
pub const LONG_PATIENCE: Duration = Duration::from_secs(900);

/// How long running steps may go on once a shutdown has begun. Docker and Cloud Run kill a process 10 s after they told it
/// to stop; what is left of that is for giving back.
pub const GRACE: Duration = Duration::from_secs(8);

/// The most executions one sweep queues again.
const SWEEP: u32 = 200;

/// The edges the engine works through.
#[derive(Clone)]
pub struct Edges {
    /// The record of everything.
    pub store: Arc<dyn Store>,
    /// Where messages go.
    pub queue: Arc<dyn Queue>,
    /// Where pull requests live.
    pub forge: Arc<dyn Forge>,
    /// The language models; an empty chain when none is configured.
    pub models: ModelChain,
}

/// Runs workflows. Cloning shares everything.
#[derive(Clone)]
pub struct Engine {
    edges: Edges,
    catalog: Arc<Catalog>,
    policy: Policy,
    clock: Clock,
    worker: Arc<str>,
    shutdown: CancellationToken,
    progress: Option<tokio::sync::mpsc::UnboundedSender<Progress>>,
}

/// What the engine is doing, for whoever watches. Watching changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A step of an execution began an attempt.
    StepStarted(ExecutionId, String),
    /// A step of an execution ended an attempt; false when it failed.
    StepEnded(ExecutionId, String, bool),
    /// An execution was parked until then.
    Parked(ExecutionId, Timestamp),
    /// An execution came to its end.
    Finished(ExecutionId, ExecutionStatus),
}

/// What the queue is to do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// It is dealt with: drop it.
    Ack,
    /// It is not: deliver it again.
    Redeliver,
}

impl Engine {
    /// An engine over these edges. `worker` names this process in leases; `shutdown` asks it to give back what it runs.
    pub fn new(
        edges: Edges,
        catalog: Arc<Catalog>,
        policy: Policy,
        clock: Clock,
        worker: &str,
        shutdown: CancellationToken,
    ) -> Self {
        Self { edges, catalog, policy, clock, worker: worker.into(), shutdown, progress: None }
    }

    /// The edges it works through.
    pub fn edges(&self) -> &Edges {
        &self.edges
    }

    /// The time by the engine's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The name of this process in leases.
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// Reports what the engine does to `progress`.
    #[must_use]
    pub fn watched(mut self, progress: tokio::sync::mpsc::UnboundedSender<Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Makes the workflows known to the store. To be called once at start.
    ///
    /// # Errors
    /// When the store can't be reached.
    pub async fn register(&self) -> Result<(), Fault> {
        let definitions: Vec<_> = self.catalog.iter().map(|entry| entry.definition.clone()).collect();
        self.edges.store.register(&definitions, self.clock.now()).await
    }

    /// Deals with one message from a queue, running what it asks for. At `deadline` it gives back what is not done, which
    /// takes a moment: the caller subtracts a margin.
    pub async fn handle(&self, body: &str, deadline: Option<Timestamp>) -> Handled {
        let message = match Message::decode(body) {
            Ok(message) => message,
            Err(error) => {
                let place = error.column();
                tracing::warn!(place, bytes = body.len(), "the message is of a version this worker does not know");
                return Handled::Redeliver;
            }
        };
        let done = match message {
            Message::V1(V1::Event { event }) => self.event(&event, deadline).await,
            Message::V1(V1::Advance { execution, .. }) => self.run(execution, deadline).await,
        };
        match done {
            Ok(()) => Handled::Ack,
            Err(fault) => {
                tracing::warn!(%fault, "the message goes back to the queue");
                Handled::Redeliver
            }
        }
    }

    /// Queues what nobody is at and publishes a message for each, `patience` after one was last published for it. Returns
    /// how many.
    ///
    /// # Errors
    /// When the store or the queue can't be reached; what was not published is found by a later sweep.
    pub async fn sweep(&self, patience: Duration) -> Result<usize, Fault> {
        let due = self.edges.store.requeue_due(self.clock.now(), patience, SWEEP).await?;
        let count = due.len();
        let messages = due.into_iter().map(|(execution, repository)| Message::advance(execution, repository));
        self.edges.queue.publish_all(&messages.collect::<Vec<_>>()).await?;
        Ok(count)
    }

    /// Accepts an event and runs its execution; several are fanned out through the queue.
    async fn event(&self, event: &Event, deadline: Option<Timestamp>) -> Result<(), Fault> {
        if reconcile::is_stood_in_for(self.edges.store.as_ref(), event, self.clock.now()).await? {
            tracing::info!(delivery = %event.delivery, "the event is known by another delivery");
            return Ok(());
        }
        let (event, executions) = self.executions(event);
        let accepted = self.edges.store.accept(&event, &executions, self.clock.now()).await?;
        if !accepted.fresh {
            tracing::debug!(delivery = %event.delivery, "the delivery was accepted before");
        }
        match accepted.live.as_slice() {
            [] => Ok(()),
            [execution] => {
                // For the lines that are logged about the message.
                tracing::Span::current().record("execution", execution.to_string());
                self.run(*execution, deadline).await
            }
            several => {
                let message = |execution: &ExecutionId| Message::advance(*execution, event.repository.clone());
                self.edges.queue.publish_all(&several.iter().map(message).collect::<Vec<_>>()).await
            }
        }
    }

    /// The executions an event asks for, and the event itself: a command that no workflow knows becomes the command
    /// `unknown`, with its name as argument.
    fn executions<'e>(&self, event: &'e Event) -> (Cow<'e, Event>, Vec<NewExecution>) {
        let executions = self.matching(event);
        match &event.kind {
            EventKind::Command { name, comment, .. } if !self.catalog.knows_command(name) => {
                let (arguments, comment) = (name.clone(), *comment);
                let kind = EventKind::Command { name: "unknown".to_owned(), arguments, comment };
                let unknown = Event { kind, ..event.clone() };
                let executions = self.matching(&unknown);
                (Cow::Owned(unknown), executions)
            }
            _ => (Cow::Borrowed(event), executions),
        }
    }

    /// The executions an event asks for as it is. A workflow whose condition can't be evaluated is left out and logged.
    fn matching(&self, event: &Event) -> Vec<NewExecution> {
        let delivery = &event.delivery;
        let mut executions = Vec::new();
        for matched in self.catalog.matching(event) {
            let definition = match matched {
                Ok(definition) => definition,
                Err(error) => {
                    tracing::error!(%delivery, %error, "a workflow was left out");
                    continue;
                }
            };
            match definition.group(event) {
                // A command takes the place of others only once it was allowed: see `Context::join`.
                Ok(_) if must_join(event, &definition) => {
                    executions.push(NewExecution { id: ExecutionId::new(), definition, group: None });
                }
                Ok(group) => executions.push(NewExecution { id: ExecutionId::new(), definition, group }),
                Err(error) => {
                    tracing::error!(%delivery, workflow = %definition.name, %error, "a workflow was left out")
                }
            }
        }
        executions
    }

    async fn publish(&self, execution: ExecutionId, repository: &RepoName) -> Result<(), Fault> {
        self.edges.queue.publish(&Message::advance(execution, repository.clone())).await
    }

    fn report(&self, progress: Progress) {
        if let Some(watcher) = &self.progress {
            // The watcher may have gone: then nobody wants to know.
            drop(watcher.send(progress));
        }
    }
}

/// Whether an execution enters its concurrency group only while it runs: anybody can write a command, so it must not
/// end the execution of somebody else before it was allowed.
fn must_join(event: &Event, definition: &Definition) -> bool {
    definition.latest_wins() && matches!(event.kind, EventKind::Command { .. })
}
