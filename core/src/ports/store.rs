//! The record of everything that must survive a crash.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::forge::{EffectKind, Marker, Remote};
use crate::event::Event;
use crate::execution::{Execution, ExecutionStatus, StepRecord};
use crate::fault::Fault;
use crate::ids::{CommitSha, DeliveryId, ExecutionId, PrNumber, RepoName};
use crate::model_chain::MicroUsd;
use crate::workflow::Definition;

/// Executions, their memos and effects, and the store-backed queue. One method is one transaction: when it returns, what
/// it did is durable; when it fails, nothing of it is there. Times come from the caller, so that there is one clock.
#[async_trait]
pub trait Store: Send + Sync {
    /// Takes over the definitions the process runs with, so that they can be listed and referred to.
    async fn register(&self, definitions: &[Arc<Definition>], now: Timestamp) -> Result<(), Fault>;

    /// Accepts an event once: records its delivery and creates the executions, all or nothing. An execution whose
    /// concurrency group lets the latest win supersedes the live older ones of its group, or is itself born superseded
    /// when the group already has one for a later event. A delivery that was accepted before changes nothing and
    /// returns the executions it made then.
    ///
    /// A stand-in ([`crate::ids::DeliveryId::is_stand_in`]) tells that its head is the pull request's. If an execution of the
    /// group for that head was superseded (by an event that only seemed to be later: the times of events are whole seconds)
    /// and had begun to publish, that one gets its place back and goes on instead of a new one, which would publish again.
    async fn accept(&self, event: &Event, executions: &[NewExecution], now: Timestamp) -> Result<Accepted, Fault>;

    /// Lets a held execution that was accepted without a group enter one in which the latest wins: it supersedes the live
    /// ones of the group, unless one of them is for a later event; then it is superseded itself. Doing it twice changes
    /// nothing more.
    ///
    /// # Errors
    /// [`crate::fault::FaultKind::LeaseLost`] when another worker has claimed the execution.
    async fn join(&self, lease: &Lease, group: &str, now: Timestamp) -> Result<Standing, Fault>;

    /// Takes an execution for a worker until `until`, if it is free and due. Every claim raises the fence.
    async fn claim(&self, id: ExecutionId, worker: &str, now: Timestamp, until: Timestamp) -> Result<Claim, Fault>;

    /// Keeps the lease until `until`. Returns whether the execution has been superseded meanwhile.
    ///
    /// # Errors
    /// [`crate::fault::FaultKind::LeaseLost`] when another worker has claimed the execution.
    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Standing, Fault>;

    /// Records step changes and the execution's new state under the lease. Any state but [`State::Running`] ends the
    /// lease. Returns whether the execution has been superseded meanwhile; one that was is queued instead of parked. What
    /// is recorded with [`State::Running`] may be lost when the store crashes; the record that ends the lease has it once more.
    ///
    /// # Errors
    /// [`crate::fault::FaultKind::LeaseLost`] when another worker has claimed the execution.
    async fn record(&self, lease: &Lease, update: &Update) -> Result<Standing, Fault>;

    /// A value kept by [`Store::put_memo`].
    async fn memo(&self, execution: ExecutionId, key: &str) -> Result<Option<Vec<u8>>, Fault>;

    /// Keeps a value under the execution. The first value of a key stays.
    ///
    /// # Errors
    /// [`crate::fault::FaultKind::LeaseLost`] when another worker has claimed the execution.
    async fn put_memo(&self, lease: &Lease, key: &str, value: &[u8]) -> Result<(), Fault>;

    /// Records the intent to write to the forge, unless it is there already, and keeps the lease until `until`, so that
    /// nobody else begins while the write is under way.
    ///
    /// # Errors
    /// [`crate::fault::FaultKind::LeaseLost`] when another worker has claimed the execution;
    /// [`crate::fault::FaultKind::Superseded`] when a newer event took its place: it must not publish any more.
    async fn begin_effect(
        &self,
        lease: &Lease,
        kind: EffectKind,
        marker: &Marker,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Intent, Fault>;

    /// Records that the write is done and what it left.
    ///
    /// # Errors
    /// [`crate::fault::FaultKind::LeaseLost`] when another worker has claimed the execution.
    async fn finish_effect(&self, lease: &Lease, marker: &Marker, remote: &Remote, now: Timestamp)
    -> Result<(), Fault>;

    /// Sets money aside for one model call, if every budget it names has that much left, and opens the call.
    ///
    /// # Errors
    /// [`crate::fault::FaultKind::LeaseLost`] when another worker has claimed the execution;
    /// [`crate::fault::FaultKind::Superseded`] when a newer event took its place: it must not spend any more.
    async fn reserve(&self, lease: &Lease, call: &NewCall, now: Timestamp) -> Result<Reservation, Fault>;

    /// Closes a call: books what it cost in place of what was set aside, and keeps its answer as a memo.
    ///
    /// # Errors
    /// [`crate::fault::FaultKind::LeaseLost`] when another worker has claimed the execution: the call is then closed as
    /// lost by [`Store::requeue_due`].
    async fn settle_call(
        &self,
        lease: &Lease,
        call: CallId,
        settled: &SettledCall,
        now: Timestamp,
    ) -> Result<(), Fault>;

    /// The model calls of an execution, in the order they were made.
    async fn calls(&self, execution: ExecutionId) -> Result<Vec<Call>, Fault>;

    /// What stands against a budget.
    async fn spending(&self, scope: &str) -> Result<Spending, Fault>;

    /// Queues executions that nobody is at: parked ones whose time has come, ones whose lease ran out, and queued ones
    /// untouched for `patience`, whose message must have been lost. At most `limit`, oldest first; each with its
    /// repository. Closes the calls that nobody waits for any more as lost, at what was set aside for them: they may have
    /// been paid.
    async fn requeue_due(
        &self,
        now: Timestamp,
        patience: Duration,
        limit: u32,
    ) -> Result<Vec<(ExecutionId, RepoName)>, Fault>;

    /// The next queued execution of a concurrency group, if no other of the group is running.
    async fn next_in_group(&self, group: &str) -> Result<Option<ExecutionId>, Fault>;

    /// An execution as it stands.
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, Fault>;

    /// Those of the traces of which the store holds nothing, in the order given: the delivery was never accepted, and no
    /// execution of any workflow was made for the head, if one is named; [`Head::superseded`] says which count. That one was
    /// made is known as long as its delivery is, also when the execution itself was removed. Changes nothing.
    async fn unheard(&self, traces: &[Trace]) -> Result<Vec<Trace>, Fault>;

    /// The repositories that have an execution, in the order of their names' bytes, from the first one behind `after` on;
    /// at most `limit`.
    async fn repositories(&self, after: Option<&RepoName>, limit: u32) -> Result<Vec<RepoName>, Fault>;

    /// Puts a message on the store-backed queue. The lanes take turns, so that one with many messages does not hold up the
    /// others; a message without a lane goes before those that had to wait for their turn.
    async fn enqueue(&self, body: &str, lane: Option<&str>, now: Timestamp) -> Result<(), Fault>;

    /// Returns after another process put a message on the queue. A store that can't tell never returns.
    async fn enqueued_elsewhere(&self) {
        std::future::pending().await
    }

    /// Takes up to `limit` messages that are available, by turn and age, and hides them until `until`.
    async fn receive(&self, limit: u32, now: Timestamp, until: Timestamp) -> Result<Vec<Received>, Fault>;

    /// Ends the taking of a message in one of the ways of [`Settle`].
    async fn settle(&self, message: i64, how: &Settle) -> Result<(), Fault>;

    /// How much is open.
    async fn backlog(&self) -> Result<Backlog, Fault>;

    /// Writes an entry into the audit log, unless it has one with that key.
    async fn audit(&self, entry: &AuditEntry) -> Result<(), Fault>;

    /// Takes or keeps a task that one process does for all: true when it is the caller's until `until`.
    async fn lead(&self, task: &str, worker: &str, now: Timestamp, until: Timestamp) -> Result<bool, Fault>;

    /// Removes what is older than the retention allows: at most `limit` finished executions, with all that belongs to
    /// them, and at most `limit` deliveries and budgets that nobody needs any more.
    async fn purge(&self, retention: &Retention, now: Timestamp, limit: u32) -> Result<Purged, Fault>;
}

/// How long an execution rests that a process can't read, because a newer version made it.
pub const UNREADABLE: Duration = Duration::from_secs(60);

/// How long after its creation such an execution is given up.
pub const UNREADABLE_FOR: Duration = Duration::from_secs(24 * 3600);

/// An execution to create.
#[derive(Debug, Clone)]
pub struct NewExecution {
    /// Its identity.
    pub id: ExecutionId,
    /// What it runs.
    pub definition: Arc<Definition>,
    /// Its concurrency group, with the template filled in.
    pub group: Option<String>,
}

impl NewExecution {
    /// Whether a newer execution of the group takes the place of older ones.
    pub fn latest_wins(&self) -> bool {
        self.definition.latest_wins()
    }
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// False when the delivery had been accepted before.
    pub fresh: bool,
    /// The executions the delivery made that have not come to their end.
    pub live: Vec<ExecutionId>,
}

/// By what an event can be found again in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The delivery that brought it, or would have.
    pub delivery: DeliveryId,
    /// The head it was about: another delivery may have brought it.
    pub head: Option<Head>,
}

/// A state of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Where the pull request is.
    pub repository: RepoName,
    /// Which one it is.
    pub number: PrNumber,
    /// Its last commit.
    pub commit: CommitSha,
    /// Whether executions count whose place another one has taken. One that came to its own end before it was told does
    /// anyway.
    pub superseded: bool,
}

/// What became of a try to claim an execution.
#[derive(Debug)]
pub enum Claim {
    /// It is the caller's.
    Acquired(Box<Execution>, Lease),
    /// Another worker holds it.
    Held,
    /// It waits until then.
    Parked(Timestamp),
    /// An earlier execution of its concurrency group goes first.
    Blocked,
    /// It has come to its end.
    Finished(ExecutionStatus),
    /// There is no such execution.
    Unknown,
}

/// Proof that an execution was claimed; every write under it names the fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The execution.
    pub execution: ExecutionId,
    /// The number of the claim: a later claim has a higher one and ends the earlier.
    pub fence: i64,
}

/// Whether an execution may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Current,
    /// A newer event has taken its place.
    Superseded,
}

/// A change to record under a lease.
#[derive(Debug, Clone)]
pub struct Update {
    /// The steps that changed.
    pub steps: Vec<StepRecord>,
    /// Where the execution stands now.
    pub state: State,
    /// Its running time so far.
    pub active: Duration,
    /// The time of the change.
    pub now: Timestamp,
}

/// Where a recorded execution stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The worker goes on with it.
    Running,
    /// It waits until then.
    Parked(Timestamp),
    /// It was given back; any worker may go on.
    Queued,
    /// It came to its end with this status, and why if it did not succeed.
    Finished(ExecutionStatus, Option<String>),
}

/// What is known of a write to the forge before it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// It was never tried.
    Fresh,
    /// It was tried, with unknown success: it must be looked up by its marker first.
    Uncertain,
    /// It was done and left this.
    Done(Remote),
}

/// The number of a model call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub i64);

/// A model call to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// The provider's name.
    pub provider: String,
    /// The model's name.
    pub model: String,
    /// The most it may cost.
    pub amount: MicroUsd,
    /// The budgets it counts against.
    pub budgets: Vec<BudgetLine>,
}

/// A budget and its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetLine {
    /// The budget's name, such as `day/2026-11-22`.
    pub scope: String,
    /// The most that may be reserved and spent in it.
    pub limit: MicroUsd,
}

/// Whether money could be set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reservation {
    /// It was; the call is to be settled under this number.
    Granted(CallId),
    /// A budget does not have that much left.
    Exhausted {
        /// Which.
        scope: String,
        /// What it has.
        left: MicroUsd,
    },
}

/// How a model call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledCall {
    /// In which way.
    pub outcome: CallOutcome,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// What it cost.
    pub cost: MicroUsd,
    /// How long it took.
    pub latency: Duration,
    /// A memo to keep with it: its key and value.
    pub memo: Option<(String, Vec<u8>)>,
}

/// In which way a model call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// With an answer.
    Answered,
    /// Without one, and without a cost.
    Failed,
    /// Nobody knows: it is booked at the most it may have cost.
    Lost,
}

impl CallOutcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Answered, Self::Failed, Self::Lost];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// A model call as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub id: CallId,
    /// The provider's name.
    pub provider: String,
    /// The model's name.
    pub model: String,
    /// How it ended; none while it is open.
    pub outcome: Option<CallOutcome>,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// What it cost, or while it is open what is set aside for it.
    pub cost: MicroUsd,
}

/// What stands against a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spending {
    /// Set aside for calls under way.
    pub reserved: MicroUsd,
    /// Spent.
    pub spent: MicroUsd,
}

/// What is kept of the past: something goes when either limit says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The newest executions of each workflow that are kept.
    pub executions: u32,
    /// How long anything is kept.
    pub age: Duration,
}

/// How much a purge removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Executions.
    pub executions: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Budgets.
    pub budgets: u64,
}

/// A change of state, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// What makes it unique: the same entry written again, after a crash, is the same entry.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// Who or what did it, such as `github:octocat` or `cli:root`.
    pub actor: String,
    /// From where, such as a host or a pull request.
    pub origin: String,
    /// What was done, such as `message.redrive`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What else there is to know.
    pub detail: Option<String>,
}

/// A message taken from the store-backed queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its number, to settle it by.
    pub id: i64,
    /// Its bytes.
    pub body: String,
    /// How often it has been taken, this time included.
    pub receive_count: u32,
}

/// How the taking of a message ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    /// It is dealt with.
    Done,
    /// It is to be delivered again at that time.
    Again(Timestamp),
    /// It can't be dealt with: kept aside with the reason, for a person.
    Dead(String),
}

/// How much is open in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Executions that a worker may take.
    pub queued: u64,
    /// Executions that a worker holds.
    pub running: u64,
    /// Executions that wait for a time.
    pub parked: u64,
    /// Messages on the queue, taken or not.
    pub messages: u64,
    /// Messages set aside.
    pub dead: u64,
    /// Effects of executions that were tried and not known to be done.
    pub open_effects: u64,
    /// Model calls that were begun and are not settled.
    pub open_calls: u64,
    /// When the next message or parked execution is due, if any waits for a time.
    pub next_due: Option<Timestamp>,
}
