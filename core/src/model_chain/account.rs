//! Whose call it is and what may be spent on it.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

use super::Failure;
use super::price::{MicroUsd, Price};
use crate::clock::Clock;
use crate::fault::{Fault, FaultKind};
use crate::ids::RepoName;
use crate::ports::model::Completion;
use crate::ports::store::{BudgetLine, CallId, CallOutcome, Lease, NewCall, Reservation, SettledCall};
use crate::ports::{Model, Store};
use crate::retry::backoff;

/// How often an answer is tried to be kept, and the wait after the first time.
const ATTEMPTS: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The most that may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// For one execution.
    pub per_execution: MicroUsd,
    /// For one repository on one day (UTC).
    pub per_repository_daily: MicroUsd,
    /// For everything on one day (UTC).
    pub daily: MicroUsd,
}

impl Default for Budgets {
    fn default() -> Self {
        let dollars = |amount: u64| MicroUsd(amount * 1_000_000);
        Self { per_execution: dollars(1), per_repository_daily: dollars(20), daily: dollars(100) }
    }
}

/// The name under which the store keeps the budget of the day.
pub fn day_scope(now: Timestamp) -> String {
    format!("day/{}", day(now))
}

fn day(now: Timestamp) -> impl std::fmt::Display {
    now.strftime("%Y-%m-%d")
}

/// The execution that pays.
pub struct Account<'a> {
    /// Where money and answers are kept.
    pub store: &'a dyn Store,
    /// The execution, held.
    pub lease: &'a Lease,
    /// Its repository.
    pub repository: &'a RepoName,
    /// The time.
    pub clock: &'a Clock,
    /// Whether the answer that another execution was given to the same prompt will do.
    pub reuse: bool,
}

impl Account<'_> {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) async fn sleep(&self, wait: Duration) {
        self.clock.sleep(wait).await;
    }

    pub(super) async fn timeout<F: Future>(&self, limit: Duration, work: F) -> Option<F::Output> {
        self.clock.timeout(limit, work).await
    }

    /// Spreads the waits of executions that failed together.
    pub(super) fn seed(&self) -> u64 {
        self.lease.execution.spread()
    }

    /// A completion that was paid for before.
    pub(super) async fn kept(&self, key: &str) -> Result<Option<Completion>, Fault> {
        let Some(bytes) = self.store.memo(self.lease.execution, key).await? else { return Ok(None) };
        let bug = |error| Fault::new(FaultKind::Bug, "a kept completion is not readable").json(&error);
        serde_json::from_slice(&bytes).map(Some).map_err(bug)
    }

    /// Keeps a completion that cost nothing.
    pub(super) async fn keep(&self, key: &str, completion: &[u8]) -> Result<(), Fault> {
        self.store.put_memo(self.lease, key, completion).await
    }

    /// Sets the highest cost of a call aside.
    pub(super) async fn reserve(
        &self,
        model: &dyn Model,
        amount: MicroUsd,
        budgets: &Budgets,
    ) -> Result<CallId, Failure> {
        let now = self.now();
        let day = day(now);
        let line = |scope: String, limit| BudgetLine { scope, limit };
        let call = NewCall {
            provider: model.provider().to_owned(),
            model: model.model().to_owned(),
            amount,
            // What costs nothing is never refused.
            budgets: if amount == MicroUsd::default() {
                Vec::new()
            } else {
                vec![
                    line(format!("execution/{}", self.lease.execution), budgets.per_execution),
                    line(format!("repository/{}/{day}", self.repository), budgets.per_repository_daily),
                    line(day_scope(now), budgets.daily),
                ]
            },
        };
        match self.store.reserve(self.lease, &call, now).await.map_err(Failure::Store)? {
            Reservation::Granted(id) => Ok(id),
            Reservation::Exhausted { scope, left } => {
                let whose = match scope.split('/').next() {
                    Some("execution") => "of one review (`llm.budget.per_execution_usd`)",
                    Some("repository") => "of this repository for the day (`llm.budget.per_repository_daily_usd`)",
                    _ => "of the day (`llm.budget.daily_usd`)",
                };
                let told = format!("The budget {whose} does not allow another model call.");
                let context = format!("the budget {scope} has {left} left, a call may cost {amount}");
                Err(Failure::Model(Fault::invalid(context).user(told)))
            }
        }
    }

    /// Books a call and keeps its answer, together. A paid answer is not lost to a moment in which the store can't be
    /// reached.
    pub(super) async fn settle(&self, call: CallId, settled: &SettledCall) -> Result<(), Fault> {
        let mut attempt = 1;
        loop {
            match self.store.settle_call(self.lease, call, settled, self.now()).await {
                Err(fault) if fault.kind == FaultKind::Unavailable && attempt < ATTEMPTS => {
                    self.sleep(backoff(FIRST_WAIT, attempt, self.seed())).await;
                    attempt += 1;
                }
                settled => return settled,
            }
        }
    }
}

/// What is to be booked for a call, with its answer to be kept under that key. A call whose success is unknown is booked
/// at what was set aside, because it may have been paid.
pub(super) fn settled(
    key: &str,
    answer: &Result<Completion, Fault>,
    price: Price,
    most: MicroUsd,
    latency: Duration,
) -> Result<SettledCall, Fault> {
    let (outcome, cost) = match answer {
        Ok(completion) => {
            let Completion { input_tokens, output_tokens, .. } = *completion;
            let bug = |error| Fault::new(FaultKind::Bug, "a completion is not JSON").json(&error);
            return Ok(SettledCall {
                outcome: CallOutcome::Answered,
                input_tokens,
                output_tokens,
                cost: price.cost(input_tokens, output_tokens),
                latency,
                memo: Some((key.to_owned(), serde_json::to_vec(completion).map_err(bug)?)),
            });
        }
        Err(fault) if matches!(fault.kind, FaultKind::Timeout | FaultKind::Unknown) => (CallOutcome::Lost, most),
        Err(_) => (CallOutcome::Failed, MicroUsd::default()),
    };
    Ok(SettledCall { outcome, input_tokens: 0, output_tokens: 0, cost, latency, memo: None })
}
