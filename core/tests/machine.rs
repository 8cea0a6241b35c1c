//! What an execution does next, as tables: no engine, no store, no waiting.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::after;
use autopr_core::execution::{Execution, ExecutionStatus, StepRecord, StepStatus};
use autopr_core::fault::{Fault, FaultKind, Retry};
use autopr_core::ids::ExecutionId;
use autopr_core::machine::{self, Decision, LONGEST_WAIT, MOST_INTERRUPTIONS, Policy};
use autopr_core::testkit::sample::{opened, start};
use autopr_core::workflow::Definition;
use jiff::Timestamp;
use serde_json::json;

const STEPS: &str = "\
name: w
on: { manual: true }
timeout: 100
steps:
  - { id: a, uses: fetch, retry: { attempts: 2, delay: 10 } }
  - { id: b, uses: analyse, needs: [a] }
  - { id: c, uses: review, needs: [a] }
  - { id: last, uses: publish-review, needs: [b, c], if: \"always()\" }
";

fn execution(steps: &[(&str, StepStatus)]) -> Execution {
    let definition = Arc::new(Definition::parse("w.yaml", STEPS).expect("the workflow"));
    let record = |id: &str| {
        let status = steps.iter().find(|(step, _)| *step == id).map_or(StepStatus::Pending, |(_, status)| *status);
        let attempt = u32::from(status != StepStatus::Pending);
        StepRecord { status, attempt, ..StepRecord::pending(id) }
    };
    Execution {
        id: ExecutionId::new(),
        steps: definition.steps.iter().map(|step| record(&step.id)).collect(),
        definition,
        event: opened("d-1"),
        status: ExecutionStatus::Running,
        created_at: start(),
        active: Duration::ZERO,
        resumed_at: Some(start()),
        not_before: None,
        concurrency_group: None,
        superseded: false,
        error: None,
    }
}

/// What the machine decides, in words.
fn next(execution: &Execution, now: Timestamp) -> String {
    match machine::next(execution, &Policy::default(), now) {
        Decision::Change(records) => {
            let changes: Vec<_> =
                records.iter().map(|record| format!("{} {}", record.id, record.status.as_str())).collect();
            changes.join(", ")
        }
        Decision::Wait(_) => "wait".to_owned(),
        Decision::Park(until) => format!("park {}", until.duration_since(start()).as_secs()),
        Decision::Finish(status, error) => format!("{} {}", status.as_str(), error.unwrap_or_default()),
    }
}

#[test]
fn steps_start_when_what_they_need_is_done_and_are_skipped_when_it_failed() {
    use StepStatus::{Failed, Running, Skipped, Succeeded};
    let check = |steps: &[(&str, StepStatus)], expect: &str| {
        assert_eq!(next(&execution(steps), start()).trim(), expect, "{steps:?}");
    };
    check(&[], "a running");
    check(&[("a", Running)], "wait");
    check(&[("a", Succeeded)], "b running, c running");
    check(&[("a", Succeeded), ("b", Running)], "c running");
    check(&[("a", Succeeded), ("b", Running), ("c", Succeeded)], "wait");
    check(&[("a", Failed)], "b skipped, c skipped");
    check(&[("a", Failed), ("b", Skipped), ("c", Skipped)], "last running");
    check(&[("a", Succeeded), ("b", Failed), ("c", Succeeded)], "last running");
    check(
        &[("a", Succeeded), ("b", Failed), ("c", Succeeded), ("last", Succeeded)],
        "failed step b failed: no reason was recorded",
    );
    check(&[("a", Succeeded), ("b", Succeeded), ("c", Succeeded), ("last", Succeeded)], "succeeded");
}

#[test]
fn without_parallel_execution_one_step_starts_at_a_time() {
    let policy = Policy { parallel: false, ..Policy::default() };
    let started = |steps: &[(&str, StepStatus)]| match machine::next(&execution(steps), &policy, start()) {
        Decision::Change(records) => records.len(),
        _ => 0,
    };
    assert_eq!(started(&[("a", StepStatus::Succeeded)]), 1);
    assert_eq!(started(&[("a", StepStatus::Succeeded), ("b", StepStatus::Running)]), 0);
}

#[test]
fn a_superseded_execution_starts_nothing_and_lets_what_runs_end() {
    let mut running = execution(&[("a", StepStatus::Running)]);
    running.superseded = true;
    assert_eq!(next(&running, start()), "wait");
    let mut idle = execution(&[("a", StepStatus::Succeeded)]);
    idle.superseded = true;
    assert_eq!(next(&idle, start()).trim(), "superseded");
}

#[test]
fn after_its_running_time_only_steps_that_look_at_others_still_run() {
    let late = after(start(), Duration::from_secs(100));
    assert_eq!(next(&execution(&[("a", StepStatus::Succeeded)]), late), "b failed, c failed");
    let rest = [("a", StepStatus::Succeeded), ("b", StepStatus::Failed), ("c", StepStatus::Failed)];
    assert_eq!(next(&execution(&rest), late), "last running");
    let done = [rest[0], rest[1], rest[2], ("last", StepStatus::Succeeded)];
    assert_eq!(next(&execution(&done), late), "timed_out the execution used up its running time of 100 s");
}

/// The record of step `a` after an attempt failed so.
fn failed(execution: &Execution, kind: FaultKind, retry: Retry, now: Timestamp) -> StepRecord {
    let fault = Fault::new(kind, "no").retry(retry);
    machine::finished(execution, &Policy::default(), "a", Err(&fault), now).expect("the step")
}

#[test]
fn a_step_has_its_attempts_and_no_more() {
    let mut execution = execution(&[("a", StepStatus::Running)]);
    let first = failed(&execution, FaultKind::Unavailable, Retry::Backoff, start());
    assert_eq!((first.status, first.attempt), (StepStatus::Pending, 1));
    assert!(first.not_before.expect("a time") >= after(start(), Duration::from_millis(7500)));
    execution.steps[0].attempt = 2;
    assert_eq!(failed(&execution, FaultKind::Unavailable, Retry::Backoff, start()).status, StepStatus::Failed);
    execution.steps[0].attempt = 1;
    assert_eq!(failed(&execution, FaultKind::Invalid, Retry::Never, start()).status, StepStatus::Failed);
    let hinted = failed(&execution, FaultKind::Unavailable, Retry::After(Duration::from_secs(77)), start());
    assert_eq!(hinted.not_before, Some(after(start(), Duration::from_secs(77))), "the other side's hint wins");
}

#[test]
fn waiting_on_a_limit_is_no_attempt_grows_and_has_an_end() {
    let mut execution = execution(&[("a", StepStatus::Running)]);
    let mut waits = Vec::new();
    for _ in 0..12 {
        let record = failed(&execution, FaultKind::Limited, Retry::Backoff, start());
        assert_eq!((record.status, record.attempt), (StepStatus::Pending, 0));
        waits.push(record.not_before.expect("a time").duration_since(start()).as_secs());
        execution.steps[0] = StepRecord { status: StepStatus::Running, attempt: 1, ..record };
    }
    assert!(waits[0] < 15 && (225..=375).contains(&waits[11]), "some minutes at most: {waits:?}");
    let hinted = |seconds| {
        let retry = Retry::After(Duration::from_secs(seconds));
        let record = failed(&execution, FaultKind::Limited, retry, start());
        record.not_before.expect("a time").duration_since(start()).as_secs()
    };
    assert!((600..=660).contains(&hinted(600)), "no earlier than the other side said");
    assert!(hinted(1) >= 225, "a short hint that was wrong twelve times is not trusted");
    let spinning = failed(&execution, FaultKind::Limited, Retry::After(Duration::ZERO), start());
    assert!(spinning.not_before.expect("a time") > start());
    let month = Retry::After(Duration::from_secs(30 * 86_400));
    assert_eq!(failed(&execution, FaultKind::Limited, month, start()).status, StepStatus::Failed);
    let late = after(start(), LONGEST_WAIT);
    execution.resumed_at = Some(late);
    let soon = Retry::After(Duration::from_secs(60));
    assert_eq!(failed(&execution, FaultKind::Limited, soon, late).status, StepStatus::Failed);
}

#[test]
fn a_waiting_step_parks_the_execution_until_its_time() {
    let mut execution = execution(&[]);
    execution.steps[0].not_before = Some(after(start(), Duration::from_secs(50)));
    assert_eq!(next(&execution, start()), "park 50");
    execution.resumed_at = None;
    assert_eq!(next(&execution, after(start(), Duration::from_secs(50))), "a running");
}

#[test]
fn a_step_that_takes_its_worker_down_is_given_up_in_the_end() {
    let mut execution = execution(&[("a", StepStatus::Running)]);
    for died in 1..=MOST_INTERRUPTIONS {
        let [record] = &machine::interrupted(&execution, start())[..] else { panic!("one step ran") };
        let expect = if died < MOST_INTERRUPTIONS { StepStatus::Pending } else { StepStatus::Failed };
        assert_eq!((record.status, record.interruptions, record.attempt), (expect, died, 0));
        execution.steps[0] = StepRecord { status: StepStatus::Running, attempt: 1, ..record.clone() };
    }
}

#[test]
fn success_keeps_the_output() {
    let execution = execution(&[("a", StepStatus::Running)]);
    let record = machine::finished(&execution, &Policy::default(), "a", Ok(json!({ "x": 1 })), start());
    let record = record.expect("the step");
    assert_eq!((record.status, record.output), (StepStatus::Succeeded, Some(json!({ "x": 1 }))));
}
