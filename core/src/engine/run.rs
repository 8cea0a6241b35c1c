//! The only loop: claim, decide, run steps, record, until the execution is done, parked, given back, or lost.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use serde_json::Value;

use super::context::Memos;
use super::{Context, Engine, GRACE, LEASE, Progress};
use crate::actions;
use crate::clock::{after, between};
use crate::execution::{Execution, ExecutionStatus, StepRecord, StepStatus};
use crate::fault::{Fault, FaultKind, Retry};
use crate::ids::ExecutionId;
use crate::machine::{self, CLEAN_UP, Decision};
use crate::ports::store::{Claim, Lease, Standing, State, Update};
use crate::telemetry;
use crate::workflow::Step;

/// A wait up to this long is slept through; a longer one parks the execution and frees the worker.
const IN_PLACE: Duration = Duration::from_secs(10);

impl Engine {
    /// Takes the execution and runs it as far as it goes. Nothing to do is not an error.
    pub(super) async fn run(&self, id: ExecutionId, deadline: Option<Timestamp>) -> Result<(), Fault> {
        let now = self.clock.now();
        let claim = self.edges.store.claim(id, &self.worker, now, after(now, LEASE)).await?;
        let (execution, lease) = match claim {
            Claim::Acquired(execution, lease) => (*execution, lease),
            other => {
                tracing::debug!(execution = %id, claim = ?other, "nothing to do");
                return Ok(());
            }
        };
        let _running = telemetry::Running::begin();
        let steps = FuturesUnordered::new();
        let mut run = Run {
            engine: self,
            execution,
            lease,
            leased_at: now,
            renew_at: after(now, LEASE / 3),
            deadline,
            stopping: false,
            changed: Vec::new(),
            recorded: BTreeSet::new(),
            steps,
            over: Vec::new(),
            memos: Memos::default(),
        };
        match run.go_on().await {
            Err(fault) if fault.kind == FaultKind::LeaseLost => {
                tracing::info!(execution = %id, %fault, "another worker goes on");
                Ok(())
            }
            other => other,
        }
    }
}

/// An execution in this worker's hands.
struct Run<'e> {
    engine: &'e Engine,
    execution: Execution,
    lease: Lease,
    /// When the lease was last renewed.
    leased_at: Timestamp,
    /// When to renew it next.
    renew_at: Timestamp,
    deadline: Option<Timestamp>,
    /// True once the shutdown has put a limit on what runs.
    stopping: bool,
    /// Records that differ from what the store holds.
    changed: Vec<StepRecord>,
    /// Steps that were recorded since the claim, in a way that the store may lose when it crashes.
    recorded: BTreeSet<String>,
    steps: FuturesUnordered<BoxFuture<'e, Ended>>,
    /// Attempts that came to their end while the store was waited for.
    over: Vec<Ended>,
    /// Memos that its steps have written or read.
    memos: Memos,
}

/// A step's attempt that came to its end.
struct Ended {
    step: String,
    outcome: Result<Value, Fault>,
}

/// Why the loop woke up.
enum Woken {
    Ended(Ended),
    Renew,
    /// A time came that changes what may happen: a retry's, the deadline, the end of the running time.
    Time,
}

impl Run<'_> {
    async fn go_on(&mut self) -> Result<(), Fault> {
        let interrupted = machine::interrupted(&self.execution, self.engine.clock.now());
        self.change(interrupted);
        loop {
            for ended in std::mem::take(&mut self.over) {
                self.ended(ended);
            }
            let now = self.engine.clock.now();
            self.notice_shutdown(now);
            if self.steps.is_empty() && self.is_stopping(now) && !self.execution.superseded {
                return self.give_back().await;
            }
            if self.deadline.is_some_and(|deadline| now >= deadline) {
                return self.give_back().await;
            }
            let decision = self.decide(now).await?;
            if !self.over.is_empty() {
                // Attempts ended while the decision was recorded: it may be another one now.
                continue;
            }
            let wake_at = match decision {
                Decision::Finish(status, error) => return self.finish(status, error).await,
                Decision::Park(until) if !self.can_wait(now, until) => return self.park(until).await,
                Decision::Park(until) => {
                    self.wait(now, until).await?;
                    continue;
                }
                Decision::Wait(until) => until,
                Decision::Change(_) => continue,
            };
            match self.wake(now, wake_at).await {
                Woken::Ended(ended) => self.ended(ended),
                Woken::Renew => self.renew().await?,
                Woken::Time => {}
            }
        }
    }

    /// Follows the machine until it has nothing more to change, then records all of it at once and starts the steps that
    /// are to run. While stopping, nothing new starts.
    async fn decide(&mut self, now: Timestamp) -> Result<Decision, Fault> {
        let mut starting = Vec::new();
        let decision = loop {
            if self.is_stopping(now) && !self.steps.is_empty() {
                break Decision::Wait(None);
            }
            match machine::next(&self.execution, &self.engine.policy, now) {
                Decision::Change(records) => {
                    starting.extend(records.iter().filter(|r| r.status == StepStatus::Running).map(|r| r.id.clone()));
                    self.change(records);
                }
                decision => break decision,
            }
        };
        let saved_later = matches!(decision, Decision::Finish(..)) || self.parks(now, &decision);
        if !self.changed.is_empty() && !saved_later {
            self.record(State::Running).await?;
        }
        if (self.execution.superseded || self.is_stopping(now)) && !starting.is_empty() {
            // The news came with the record: what it lists as running is not started after all.
            let back = starting.iter().filter_map(|step| self.execution.step(step)).map(machine::given_back).collect();
            self.change(back);
            return Ok(if self.execution.superseded {
                machine::next(&self.execution, &self.engine.policy, now)
            } else {
                Decision::Wait(Some(now))
            });
        }
        for step in starting {
            self.start(step);
        }
        Ok(decision)
    }

    fn parks(&self, now: Timestamp, decision: &Decision) -> bool {
        matches!(decision, Decision::Park(until) if !self.can_wait(now, *until))
    }

    fn start(&self, step: String) {
        let Some(definition) = self.execution.definition.step(&step) else { return };
        let limit = self.time_limit(definition);
        let engine = self.engine.clone();
        let clock = engine.clock.clone();
        engine.report(Progress::StepStarted(self.execution.id, step.clone()));
        let action = definition.uses;
        let execution = Arc::new(self.execution.clone());
        let context = Context::new(engine, execution, self.lease.clone(), step.clone(), self.memos.clone());
        let begun = clock.now();
        self.steps.push(Box::pin(async move {
            let outcome = match clock.timeout(limit, actions::run(action, &context)).await {
                Some(outcome) => outcome,
                None => {
                    let context = format!("{action} took longer than {} s", limit.as_secs());
                    Err(Fault::new(FaultKind::Timeout, context).retry(Retry::Backoff))
                }
            };
            let fault = outcome.as_ref().err().map(|fault| fault.kind);
            telemetry::step_ended(action, fault, between(begun, clock.now()));
            Ended { step, outcome }
        }));
    }

    /// How long a step may run: its own limit within what is left to the execution. A step with a condition may be one
    /// that runs after the others have used up the time; it gets a little in any case.
    fn time_limit(&self, step: &Step) -> Duration {
        let total = self.engine.policy.timeout_of(&self.execution);
        let left = total.saturating_sub(self.execution.active_at(self.engine.clock.now()));
        let left = if step.r#if.is_some() { left.max(CLEAN_UP) } else { left };
        step.timeout.map_or(left, |own| left.min(Duration::from_secs(own)))
    }

    async fn wake(&mut self, now: Timestamp, wake_at: Option<Timestamp>) -> Woken {
        let (clock, shutdown, stopping) = (&self.engine.clock, &self.engine.shutdown, self.stopping);
        let (renew_at, steps) = (self.renew_at, &mut self.steps);
        let until = [wake_at, self.deadline].into_iter().flatten().min();
        let sleep = async {
            match until {
                Some(until) => clock.elapsed(between(now, until)).await,
                None => std::future::pending().await,
            }
        };
        // The lease comes first, by the clock and not only by a timer: a worker that was stopped for long learns that it
        // lost it before its steps do more.
        let ended = poll_fn(|context| match clock.now() >= renew_at {
            true => Poll::Ready(Woken::Renew),
            false if steps.is_empty() => Poll::Pending,
            false => steps.poll_next_unpin(context).map(|ended| ended.map_or(Woken::Time, Woken::Ended)),
        });
        tokio::select! {
            biased;
            woken = ended => woken,
            () = clock.elapsed(between(now, renew_at)) => Woken::Renew,
            () = shutdown.cancelled(), if !stopping => Woken::Time,
            () = sleep => Woken::Time,
        }
    }

    /// Once a shutdown has begun, what runs gets a little time.
    fn notice_shutdown(&mut self, now: Timestamp) {
        if self.engine.shutdown.is_cancelled() && !self.stopping {
            self.stopping = true;
            let end = after(now, GRACE);
            self.deadline = Some(self.deadline.map_or(end, |deadline| deadline.min(end)));
        }
    }

    fn ended(&mut self, ended: Ended) {
        let Ended { step, outcome } = ended;
        let id = self.execution.id;
        match &outcome {
            Err(fault) if fault.kind == FaultKind::Superseded => self.execution.superseded = true,
            Err(fault) => tracing::warn!(execution = %id, %step, kind = fault.kind.as_str(), %fault, "a step failed"),
            Ok(_) => {}
        }
        self.engine.report(Progress::StepEnded(id, step.clone(), outcome.is_ok()));
        if outcome.as_ref().is_err_and(|fault| fault.kind == FaultKind::Limited) {
            self.was_waiting(&step);
        }
        let now = self.engine.clock.now();
        let policy = &self.engine.policy;
        let record = match outcome {
            Ok(output) => machine::finished(&self.execution, policy, &step, Ok(output), now),
            Err(fault) => machine::finished(&self.execution, policy, &step, Err(&fault), now),
        };
        self.change(record.into_iter().collect());
    }

    /// An attempt that found out that it has to wait was part of the wait: it does not count as running time, or a long
    /// outage would use that up a call at a time.
    fn was_waiting(&mut self, step: &str) {
        let now = self.engine.clock.now();
        let begun = self.execution.step(step).and_then(|record| record.started_at).unwrap_or(now);
        self.execution.active = self.execution.active_at(now).saturating_sub(between(begun, now));
        self.execution.resumed_at = Some(now);
    }

    fn change(&mut self, records: Vec<StepRecord>) {
        self.execution.update(&records);
        for record in records {
            match self.changed.iter_mut().find(|changed| changed.id == record.id) {
                Some(changed) => *changed = record,
                None => self.changed.push(record),
            }
        }
    }

    async fn record(&mut self, state: State) -> Result<(), Fault> {
        let now = self.engine.clock.now();
        self.execution.active = self.execution.active_at(now);
        self.execution.resumed_at = Some(now);
        if state == State::Running {
            self.recorded.extend(self.changed.iter().map(|record| record.id.clone()));
        } else {
            // The last word holds all that was said before.
            let again = self.execution.steps.iter().filter(|step| self.recorded.contains(&step.id)).cloned().collect();
            self.change(again);
        }
        let update = Update { steps: std::mem::take(&mut self.changed), state, active: self.execution.active, now };
        let (store, lease) = (&self.engine.edges.store, self.lease.clone());
        let standing = self.meanwhile(store.record(&lease, &update)).await?;
        self.stand(standing);
        Ok(())
    }

    /// Waits for an answer of the store while the steps go on: one of them may hold what the store waits for. Once the
    /// lease may be another's, by the clock, they don't, until the store has said that it is not.
    async fn meanwhile<T>(&mut self, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        let Self { engine, leased_at, steps, over, .. } = self;
        poll_fn(|context| {
            loop {
                if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                    return Poll::Ready(answer);
                }
                if between(*leased_at, engine.clock.now()) >= LEASE {
                    return Poll::Pending;
                }
                match steps.poll_next_unpin(context) {
                    Poll::Ready(Some(ended)) => over.push(ended),
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    fn stand(&mut self, standing: Standing) {
        if standing == Standing::Superseded {
            self.execution.superseded = true;
        }
    }

    fn is_stopping(&self, now: Timestamp) -> bool {
        self.engine.shutdown.is_cancelled() || self.deadline.is_some_and(|deadline| now >= deadline)
    }

    fn can_wait(&self, now: Timestamp, until: Timestamp) -> bool {
        between(now, until) <= IN_PLACE && self.deadline.is_none_or(|deadline| until < deadline)
    }

    /// Sleeps through a short wait, which does not count as running time.
    async fn wait(&mut self, now: Timestamp, until: Timestamp) -> Result<(), Fault> {
        let engine = self.engine;
        self.execution.active = self.execution.active_at(now);
        self.execution.resumed_at = None;
        tokio::select! {
            () = engine.clock.sleep(between(now, until)) => {}
            () = engine.shutdown.cancelled() => {}
        }
        let now = engine.clock.now();
        self.execution.resumed_at = Some(now);
        self.renew().await
    }

    /// Keeps the lease. A store that can't be reached for a moment is asked again while the lease still lasts.
    async fn renew(&mut self) -> Result<(), Fault> {
        let now = self.engine.clock.now();
        let (store, lease) = (&self.engine.edges.store, self.lease.clone());
        match self.meanwhile(store.renew(&lease, after(now, LEASE))).await {
            Ok(standing) => {
                (self.leased_at, self.renew_at) = (now, after(now, LEASE / 3));
                self.stand(standing);
                Ok(())
            }
            Err(fault) if fault.kind == FaultKind::Unavailable && between(self.leased_at, now) < LEASE * 2 / 3 => {
                tracing::warn!(execution = %self.execution.id, %fault, "the lease could not be renewed yet");
                self.renew_at = after(now, LEASE / 12);
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    async fn park(&mut self, until: Timestamp) -> Result<(), Fault> {
        self.record(State::Parked(until)).await?;
        if self.execution.superseded {
            // The news came with the record, which queued it: it is to end now, not when its time comes.
            return self.publish().await;
        }
        tracing::info!(execution = %self.execution.id, %until, "parked");
        self.engine.report(Progress::Parked(self.execution.id, until));
        Ok(())
    }

    /// Gives the execution back for any worker to go on. Steps that had begun are dropped; it was no attempt.
    async fn give_back(&mut self) -> Result<(), Fault> {
        self.drop_running();
        self.record(State::Queued).await?;
        self.publish().await
    }

    /// Lets any worker go on.
    async fn publish(&mut self) -> Result<(), Fault> {
        self.engine.publish(self.execution.id, &self.execution.event.repository).await
    }

    fn drop_running(&mut self) {
        self.steps.clear();
        let running = self.execution.steps.iter().filter(|step| step.status == StepStatus::Running);
        let given_back = running.map(machine::given_back).collect();
        self.change(given_back);
    }

    async fn finish(&mut self, status: ExecutionStatus, error: Option<String>) -> Result<(), Fault> {
        self.drop_running();
        self.record(State::Finished(status, error)).await?;
        let id = self.execution.id;
        self.engine.report(Progress::Finished(id, status));
        let Execution { definition, created_at, event, .. } = &self.execution;
        let age = between(*created_at, self.engine.clock.now());
        telemetry::execution_ended(&definition.name, status, age);
        let (workflow, repository, number) = (&definition.name, &event.repository, event.number.0);
        let duration_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(execution = %id, workflow, %repository, number, status = status.as_str(), duration_ms, "finished");
        // Where the latest wins nobody waits for a turn.
        let waiting = self.execution.concurrency_group.as_ref().filter(|_| !self.execution.definition.latest_wins());
        let Some(group) = waiting else { return Ok(()) };
        match self.engine.edges.store.next_in_group(group).await? {
            Some(next) => self.engine.publish(next, &self.execution.event.repository).await,
            None => Ok(()),
        }
    }
}
