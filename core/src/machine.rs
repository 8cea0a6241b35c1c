//! What an execution does next: a pure function of its record and the time. No I/O happens here, so every rule can be
//! tested as a table, and a worker that takes over decides as the one before it would have.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::clock::{after, between};
use crate::execution::{Execution, ExecutionStatus, StepRecord, StepStatus};
use crate::fault::{Fault, FaultKind, Retry};
use crate::retry::{backoff, backoff_up_to, spread};
use crate::workflow::{Graph, Step, StepOutcome, StepResult, StepResults};

/// How often a step may take its worker down with it before it is given up.
pub const MOST_INTERRUPTIONS: u32 = 10;

/// The shortest wait when the other side asked for one.
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// The longest that waiting grows to by itself when the other side asks for less without saying for how long.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long after its acceptance an execution may still begin another attempt.
pub const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// The running time that steps with a condition such as `always()` get after the execution's own is used up.
pub const CLEAN_UP: Duration = Duration::from_secs(120);

/// What holds where a definition is silent: the settings `workflow.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Running time of an execution.
    pub timeout: Duration,
    /// Attempts of a step.
    pub attempts: u32,
    /// The wait after a first failed attempt.
    pub delay: Duration,
    /// Whether independent steps run side by side.
    pub parallel: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(300), attempts: 3, delay: Duration::from_secs(5), parallel: true }
    }
}

impl Policy {
    /// The running time of that execution.
    pub fn timeout_of(&self, execution: &Execution) -> Duration {
        execution.definition.timeout.map_or(self.timeout, Duration::from_secs)
    }

    /// True when the execution has used up its running time.
    pub fn expired(&self, execution: &Execution, now: Timestamp) -> bool {
        execution.active_at(now) >= self.timeout_of(execution)
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Take over these changed records; the steps among them that are running now are to be started. Then ask again.
    Change(Vec<StepRecord>),
    /// Nothing can start while those that run do; a step that waits can start at the time given.
    Wait(Option<Timestamp>),
    /// Nothing runs and nothing can before that time.
    Park(Timestamp),
    /// It is at its end, with this status and why if it did not succeed.
    Finish(ExecutionStatus, Option<String>),
}

/// Decides what the execution does next at that time.
pub fn next(execution: &Execution, policy: &Policy, now: Timestamp) -> Decision {
    let expired = policy.expired(execution, now);
    let running = execution.steps.iter().filter(|step| is_running(step)).count();
    if execution.superseded {
        // Steps that run come to their end, so that no write is left half done; effects that begin now are refused.
        let superseded = Decision::Finish(ExecutionStatus::Superseded, None);
        return if running > 0 { Decision::Wait(None) } else { superseded };
    }
    let mut changed = Vec::new();
    let mut earliest: Option<Timestamp> = None;
    for (step, record) in execution.definition.steps.iter().zip(&execution.steps) {
        if record.status != StepStatus::Pending || !needs_are_final(execution, step) {
            continue;
        }
        if let Some(time) = record.not_before.filter(|time| *time > now && !(expired && is_over(execution, step))) {
            earliest = Some(earliest.map_or(time, |earliest| earliest.min(time)));
            continue;
        }
        let change = begin(execution, step, record, expired, now);
        let starts = change.status == StepStatus::Running;
        if starts && !policy.parallel && (running > 0 || changed.iter().any(is_running)) {
            continue;
        }
        changed.push(change);
    }
    if !changed.is_empty() {
        return Decision::Change(changed);
    }
    match (running, earliest) {
        (0, None) => finish(execution, expired, policy),
        (0, Some(time)) => Decision::Park(time),
        (_, earliest) => Decision::Wait(earliest),
    }
}

fn is_running(record: &StepRecord) -> bool {
    record.status == StepStatus::Running
}

fn needs_are_final(execution: &Execution, step: &Step) -> bool {
    step.needs.iter().all(|need| execution.step(need).is_some_and(|record| record.status.is_final()))
}

/// The record of a step whose turn it is: running if its condition holds, else skipped or failed.
fn begin(execution: &Execution, step: &Step, record: &StepRecord, expired: bool, now: Timestamp) -> StepRecord {
    let mut record = StepRecord { not_before: None, ..record.clone() };
    match starts(execution, step, expired) {
        Ok(true) => {
            record.status = StepStatus::Running;
            record.attempt += 1;
            record.started_at = Some(now);
            record.finished_at = None;
            return record;
        }
        Ok(false) if expired => {
            record.status = StepStatus::Failed;
            let why = || "the execution's running time was used up before this step".to_owned();
            record.error = Some(record.error.unwrap_or_else(why));
        }
        Ok(false) => {
            record.status = StepStatus::Skipped;
            record.error = Some("its condition did not hold".to_owned());
        }
        Err(error) => {
            record.status = StepStatus::Failed;
            record.error = Some(format!("its condition can't be evaluated: {error}"));
        }
    }
    record.finished_at = Some(now);
    record
}

/// Whether there is no more time for the step once the execution's is used up: it is not one that runs after that.
fn is_over(execution: &Execution, step: &Step) -> bool {
    step.r#if.is_none() || starts(execution, step, true) != Ok(true)
}

/// Whether the step's condition holds.
fn starts(execution: &Execution, step: &Step, expired: bool) -> Result<bool, String> {
    let definition = &execution.definition;
    let graph: Graph = definition.graph().map_err(|error| error.to_string())?;
    let results: StepResults<'_> =
        execution.steps.iter().filter_map(|record| Some((&*record.id, result(record)?))).collect();
    let Some(index) = definition.index(&step.id) else { return Ok(false) };
    definition.starts(index, &graph, &execution.event, &results, expired).map_err(|error| error.to_string())
}

fn result(record: &StepRecord) -> Option<StepResult<'_>> {
    let outcome = match record.status {
        StepStatus::Succeeded => StepOutcome::Succeeded,
        StepStatus::Failed => StepOutcome::Failed,
        StepStatus::Skipped => StepOutcome::Skipped,
        StepStatus::Pending | StepStatus::Running => return None,
    };
    Some(StepResult { outcome, output: record.output.as_ref() })
}

fn finish(execution: &Execution, expired: bool, policy: &Policy) -> Decision {
    let failed: Vec<_> = execution.steps.iter().filter(|step| step.status == StepStatus::Failed).collect();
    let Some(first) = failed.first() else { return Decision::Finish(ExecutionStatus::Succeeded, None) };
    if expired {
        let seconds = policy.timeout_of(execution).as_secs();
        let error = format!("the execution used up its running time of {seconds} s");
        return Decision::Finish(ExecutionStatus::TimedOut, Some(error));
    }
    let reason = first.error.as_deref().unwrap_or("no reason was recorded");
    Decision::Finish(ExecutionStatus::Failed, Some(format!("step {} failed: {reason}", first.id)))
}

/// The record of a running step after its attempt came to an end.
pub fn finished(
    execution: &Execution,
    policy: &Policy,
    step: &str,
    outcome: Result<Value, &Fault>,
    now: Timestamp,
) -> Option<StepRecord> {
    let definition = execution.definition.step(step)?;
    let mut record = execution.step(step)?.clone();
    record.finished_at = Some(now);
    let fault = match outcome {
        Ok(output) => {
            record.status = StepStatus::Succeeded;
            record.output = Some(output);
            (record.error, record.told) = (None, None);
            return Some(record);
        }
        Err(fault) => fault,
    };
    record.error = Some(fault.to_string());
    record.told = fault.user.as_ref().map(ToString::to_string);
    if fault.kind == FaultKind::Superseded {
        // The step did not fail: its execution ends before it. If that gets its place back, the step goes on.
        return Some(given_back(&record));
    }
    if fault.kind == FaultKind::Limited {
        // The other side asked to wait: this was no attempt.
        record.attempt = record.attempt.saturating_sub(1);
        record.waits += 1;
    }
    match wait(execution, policy, definition, &record, fault, now) {
        Some(wait) if !(policy.expired(execution, now) && is_over(execution, definition)) => {
            record.status = StepStatus::Pending;
            record.not_before = Some(after(now, wait));
        }
        _ => record.status = StepStatus::Failed,
    }
    Some(record)
}

/// How long to wait before the next attempt; none when there is none, or when it would come too late.
fn wait(
    execution: &Execution,
    policy: &Policy,
    step: &Step,
    record: &StepRecord,
    fault: &Fault,
    now: Timestamp,
) -> Option<Duration> {
    let (attempts, delay) = match &step.retry {
        Some(retry) => (retry.attempts, Duration::from_secs(retry.delay)),
        None => (policy.attempts, policy.delay),
    };
    if record.attempt >= attempts {
        return None;
    }
    let seed = seed(execution, &step.id);
    let wait = match (fault.kind, fault.retry) {
        (_, Retry::Never) => return None,
        (FaultKind::Limited, Retry::Backoff) => backoff_up_to(LONGEST_PAUSE, delay, record.waits, seed),
        (FaultKind::Limited, Retry::After(hint)) => {
            // No earlier than the hint. One that is short and wrong time after time is not trusted: waiting is not
            // counted, so it must not be a way to spin.
            let grown = match record.waits {
                0 | 1 => LEAST_WAIT,
                waits => backoff_up_to(LONGEST_PAUSE, delay, waits - 1, seed),
            };
            spread(hint, record.waits, seed).max(grown)
        }
        (_, Retry::Backoff) => backoff(delay, record.attempt.max(1), seed),
        (_, Retry::After(hint)) => hint,
    };
    (between(execution.created_at, now).saturating_add(wait) <= LONGEST_WAIT).then_some(wait)
}

/// A number of the execution and step alone, so that the spread of waits is the same on every worker.
fn seed(execution: &Execution, step: &str) -> u64 {
    execution.id.to_string().bytes().chain(step.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        // FNV-1a
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The records of steps that were running when their worker died: to be tried again, or given up after too often.
pub fn interrupted(execution: &Execution, now: Timestamp) -> Vec<StepRecord> {
    let running = execution.steps.iter().filter(|step| step.status == StepStatus::Running);
    running
        .map(|step| {
            let mut record = given_back(step);
            record.interruptions += 1;
            if record.interruptions >= MOST_INTERRUPTIONS {
                record.status = StepStatus::Failed;
                record.error = Some(format!("the worker died {MOST_INTERRUPTIONS} times during this step"));
                record.finished_at = Some(now);
            }
            record
        })
        .collect()
}

/// The record of a running step that its worker gives back before its end: it was no attempt.
pub fn given_back(step: &StepRecord) -> StepRecord {
    StepRecord {
        status: StepStatus::Pending,
        attempt: step.attempt.saturating_sub(1),
        not_before: None,
        ..step.clone()
    }
}
