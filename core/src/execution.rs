//! One run of a workflow as plain data. What may happen next is decided by [`crate::machine`].

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock;
use crate::event::Event;
use crate::ids::ExecutionId;
use crate::workflow::Definition;

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Its identity.
    pub id: ExecutionId,
    /// The definition as it was when the event was accepted; a later change of the workflow does not touch it.
    pub definition: Arc<Definition>,
    /// What it runs for.
    pub event: Event,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// How long workers have been at it, waiting not counted, up to `resumed_at`.
    pub active: Duration,
    /// When the worker that holds it now took it, or last ended a wait.
    pub resumed_at: Option<Timestamp>,
    /// Parked until then.
    pub not_before: Option<Timestamp>,
    /// Executions of the same group do not run side by side.
    pub concurrency_group: Option<String>,
    /// True once a newer event has taken its place.
    pub superseded: bool,
    /// One record for each step of the definition, in its order.
    pub steps: Vec<StepRecord>,
    /// Why it did not succeed, in one line.
    pub error: Option<String>,
}

impl Execution {
    /// How long workers have been at it at that time.
    pub fn active_at(&self, now: Timestamp) -> Duration {
        self.active + self.resumed_at.map_or(Duration::ZERO, |since| clock::between(since, now))
    }

    /// The record of a step.
    pub fn step(&self, id: &str) -> Option<&StepRecord> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Takes over changed records.
    pub fn update(&mut self, changed: &[StepRecord]) {
        for record in changed {
            if let Some(step) = self.steps.iter_mut().find(|step| step.id == record.id) {
                step.clone_from(record);
            }
        }
    }
}

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionStatus {
    /// A worker may take it.
    Queued,
    /// A worker holds it.
    Running,
    /// It waits for a time.
    Parked,
    /// Every step that was to run did.
    Succeeded,
    /// A step failed for good.
    Failed,
    /// It used up its running time.
    TimedOut,
    /// A newer event took its place.
    Superseded,
}

impl ExecutionStatus {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Running, Self::Parked, Self::Succeeded, Self::Failed, Self::TimedOut, Self::Superseded];

    /// The word stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Parked => "parked",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Superseded => "superseded",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// True when nothing more will happen.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Parked)
    }
}

/// What is known of one step of an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The step's id in the definition.
    pub id: String,
    /// Where it stands.
    pub status: StepStatus,
    /// The attempt it is at or ended with, from 1; 0 before the first. Waiting on a limit and shutting down are no attempts.
    pub attempt: u32,
    /// How often the worker died while the step ran.
    pub interruptions: u32,
    /// How often the other side asked it to wait.
    pub waits: u32,
    /// Not to be tried before then.
    pub not_before: Option<Timestamp>,
    /// What it produced.
    pub output: Option<Value>,
    /// Why the last attempt failed, or why the step was skipped, in one line.
    pub error: Option<String>,
    /// What of that may be told to whoever reads the pull request.
    pub told: Option<String>,
    /// When the last attempt began.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}

impl StepRecord {
    /// A step that has not begun.
    pub fn pending(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            status: StepStatus::Pending,
            attempt: 0,
            interruptions: 0,
            waits: 0,
            not_before: None,
            output: None,
            error: None,
            told: None,
            started_at: None,
            finished_at: None,
        }
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not begun, or to be tried again from `not_before` on.
    Pending,
    /// A worker is at it.
    Running,
    /// Done.
    Succeeded,
    /// Failed for good.
    Failed,
    /// Its condition said no.
    Skipped,
}

impl StepStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Running, Self::Succeeded, Self::Failed, Self::Skipped];

    /// The word stored, shown, and seen by conditions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// True when the step has come to its end.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped)
    }
}
