//! What an operator sees and does in a store, beside what the engine does there.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::store::{AuditEntry, Store};
use crate::execution::ExecutionStatus;
use crate::fault::Fault;
use crate::ids::{CommitSha, ExecutionId, PrNumber, RepoName};

/// The store in an operator's hands.
#[async_trait]
pub trait Operations: Store {
    /// The newest executions first, those before `before`: one page of at most `limit`.
    async fn executions(&self, filter: &Filter, before: Option<ExecutionId>, limit: u32)
    -> Result<Vec<Summary>, Fault>;

    /// The messages set aside with a number above `after`, in the order of their numbers.
    async fn dead_messages(&self, after: i64, limit: u32) -> Result<Vec<DeadMessage>, Fault>;

    /// Puts a message that was set aside on the queue again, as if it were new, and notes who did it. False when there is
    /// no such message.
    async fn redrive(&self, message: i64, note: &AuditEntry) -> Result<bool, Fault>;

    /// Removes a message that was set aside, and notes who did it. False when there is no such message.
    async fn discard(&self, message: i64, note: &AuditEntry) -> Result<bool, Fault>;

    /// The newest entries of the audit log first, those before `before`: one page of at most `limit`, with their numbers.
    async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditEntry)>, Fault>;
}

/// What lies on the store-backed queue, and whether it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueState {
    /// Messages that are to be dealt with, those that somebody has taken included.
    pub waiting: u64,
    /// Messages that were set aside.
    pub dead: u64,
    /// For how long the oldest message has been due that nobody has taken.
    pub oldest: Option<Duration>,
    /// How long it took to put a message there and to take it off again.
    pub round_trip: Duration,
}

/// Which executions are wanted; nothing set means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this workflow.
    pub workflow: Option<String>,
    /// Those in this state.
    pub status: Option<ExecutionStatus>,
    /// Those of this repository.
    pub repository: Option<RepoName>,
}

/// An execution as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its identity.
    pub id: ExecutionId,
    /// The workflow's name.
    pub workflow: String,
    /// Where.
    pub repository: RepoName,
    /// Which pull request.
    pub number: PrNumber,
    /// The head commit at that time, when the delivery told.
    pub head: Option<CommitSha>,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it came to its end.
    pub completed_at: Option<Timestamp>,
    /// Why it did not succeed.
    pub error: Option<String>,
}

/// A message that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadMessage {
    /// Its number.
    pub id: i64,
    /// Its bytes.
    pub body: String,
    /// How often it was taken.
    pub receive_count: u32,
    /// Why it was set aside.
    pub reason: String,
}
