//! The names of metrics, and the few places that record them. The text beside a name is its help text.
//!
//! Labels come from closed sets: names in the settings, words of ours. Never a repository, a number or a person.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::execution::ExecutionStatus;
use crate::fault::{Fault, FaultKind};
use crate::model_chain::MicroUsd;
use crate::ports::Model;
use crate::ports::model::Completion;
use crate::ports::store::{Backlog, Spending};
use crate::review::{Review, Source};
use crate::workflow::ActionName;

/// Declares the metrics: constant, kind, unit, name, help.
macro_rules! declare {
    ($($kind:ident $unit:ident $constant:ident $name:literal $help:literal),+ $(,)?) => {
        $(#[doc = $help] pub const $constant: &str = $name;)+

        /// The names of all metrics.
        pub const NAMES: &[&str] = &[$($name),+];

        /// Tells the recorder in use the unit and help text of every metric. To be called once it is installed.
        pub fn describe() {
            $($kind!($name, Unit::$unit, $help);)+
        }
    };
}

declare! {
    describe_counter Count HTTP_REQUESTS "autopr_http_requests_total" "HTTP requests answered, by route, method and status.",
    describe_histogram Seconds HTTP_DURATION "autopr_http_request_duration_seconds" "How long HTTP requests took, by route.",
    describe_counter Count DELIVERIES "autopr_webhook_deliveries_total" "Webhook deliveries, by event and what became of them.",
    describe_counter Count MESSAGES "autopr_queue_messages_total" "Messages of the queue, by queue and what became of them.",
    describe_gauge Seconds OLDEST_MESSAGE "autopr_queue_oldest_message_age_seconds" "How long the oldest available message has waited.",
    describe_gauge Count QUEUE_DEPTH "autopr_queue_depth" "Messages on the queue, taken or not, and those set aside, by state. Every process tells the same.",
    describe_counter Count EXECUTIONS "autopr_executions_total" "Executions that came to their end, by workflow and status.",
    describe_gauge Count EXECUTIONS_RUNNING "autopr_executions_running" "Executions that this process runs now.",
    describe_gauge Count EXECUTIONS_OPEN "autopr_executions_open" "Executions in the database that have not come to their end, by state. Every process tells the same.",
    describe_histogram Seconds EXECUTION_DURATION "autopr_execution_duration_seconds" "From an execution's acceptance to its end, by workflow and status.",
    describe_histogram Seconds STEP_DURATION "autopr_step_duration_seconds" "How long attempts at steps took, by action and outcome.",
    describe_counter Count LLM_REQUESTS "autopr_llm_requests_total" "Calls of language models, by provider, model and outcome.",
    describe_histogram Seconds LLM_DURATION "autopr_llm_request_duration_seconds" "How long calls of language models took.",
    describe_counter Count LLM_TOKENS "autopr_llm_tokens_total" "Tokens by the providers' count, by direction.",
    describe_gauge Count LLM_COST "autopr_llm_cost_usd_total" "What the calls of language models cost, in US dollars.",
    describe_gauge Count LLM_DAILY_BUDGET "autopr_llm_daily_budget_usd" "The budget of the day (UTC) for language models in US dollars: its limit, what is spent and what is reserved. Every process tells the same.",
    describe_gauge Count LLM_BREAKER "autopr_llm_breaker_open" "1 while a provider is left alone because it keeps failing.",
    describe_gauge Count DB_CONNECTIONS "autopr_db_pool_connections" "Connections to the database, by state.",
    describe_gauge Count DB_LIMIT "autopr_db_pool_limit" "The most connections to the database that this process may have.",
    describe_histogram Seconds DB_QUERY_DURATION "autopr_db_query_duration_seconds" "How long queries of the database took, by query.",
    describe_counter Count GITHUB_REQUESTS "autopr_github_requests_total" "Requests to GitHub, by operation and status.",
    describe_gauge Count GITHUB_REMAINING "autopr_github_rate_limit_remaining" "Requests that GitHub's primary rate limit leaves.",
    describe_counter Count CACHE_REQUESTS "autopr_cache_requests_total" "Look-ups in the cache, by what was looked for and what became of it.",
    describe_counter Count RECONCILED "autopr_github_reconciled_total" "What reconciliation with GitHub found missing, by what was done about it.",
    describe_counter Count FINDINGS "autopr_review_findings_total" "Findings that were published, by severity and source.",
}

/// What became of a look-up in the cache: the value was there.
pub const CACHE_HIT: &str = "hit";

/// It was not there.
pub const CACHE_MISS: &str = "miss";

/// The cache could not be asked, or held what was never put there; or a value could not be put.
pub const CACHE_ERROR: &str = "error";

/// Counts a look-up in the cache. `cache` is the word of ours that the key begins with, `result` one of the three.
pub fn cache_asked(cache: &str, result: &'static str) {
    counter!(CACHE_REQUESTS, "cache" => cache.to_owned(), "result" => result).increment(1);
}

/// Records one call of a language model and the cost booked for it.
pub(crate) fn model_call(model: &dyn Model, answer: &Result<Completion, Fault>, cost: MicroUsd, latency: Duration) {
    let labels = [("provider", model.provider().to_owned()), ("model", model.model().to_owned())];
    let outcome = match answer {
        Ok(_) => "answered",
        Err(fault) => fault.kind.as_str(),
    };
    let [provider, name] = labels.clone();
    counter!(LLM_REQUESTS, &[provider, name, ("outcome", outcome.to_owned())]).increment(1);
    histogram!(LLM_DURATION, &labels).record(latency.as_secs_f64());
    // A gauge can be added to in fractions; by what it counts it only rises.
    gauge!(LLM_COST, &labels).increment(dollars(cost));
    let Ok(Completion { input_tokens, output_tokens, .. }) = answer else { return };
    for (direction, tokens) in [("input", *input_tokens), ("output", *output_tokens)] {
        let [provider, name] = labels.clone();
        counter!(LLM_TOKENS, &[provider, name, ("direction", direction.to_owned())]).increment(tokens);
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 millionths of a dollar are out of sight")]
fn dollars(amount: MicroUsd) -> f64 {
    amount.0 as f64 / 1e6
}

/// Records how much is open in the store. `queue` is the name of its queue.
#[expect(clippy::cast_precision_loss, reason = "2^53 of anything are out of sight")]
pub fn open(queue: &'static str, backlog: &Backlog) {
    for (state, count) in [("queued", backlog.queued), ("running", backlog.running), ("parked", backlog.parked)] {
        gauge!(EXECUTIONS_OPEN, "state" => state).set(count as f64);
    }
    for (state, count) in [("waiting", backlog.messages), ("dead", backlog.dead)] {
        gauge!(QUEUE_DEPTH, "queue" => queue, "state" => state).set(count as f64);
    }
}

/// Records what stands against the budget of the day.
pub fn daily_budget(limit: MicroUsd, spending: &Spending) {
    for (state, amount) in [("limit", limit), ("spent", spending.spent), ("reserved", spending.reserved)] {
        gauge!(LLM_DAILY_BUDGET, "state" => state).set(dollars(amount));
    }
}

/// Records whether a provider's breaker is open.
pub(crate) fn breaker(provider: &str, open: bool) {
    gauge!(LLM_BREAKER, "provider" => provider.to_owned()).set(if open { 1.0 } else { 0.0 });
}

/// Counts an execution as running in this process for as long as it lives.
pub(crate) struct Running(());

impl Running {
    pub(crate) fn begin() -> Self {
        gauge!(EXECUTIONS_RUNNING).increment(1.0);
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        gauge!(EXECUTIONS_RUNNING).decrement(1.0);
    }
}

/// Records the end of an execution that was accepted so long ago.
pub(crate) fn execution_ended(workflow: &str, status: ExecutionStatus, age: Duration) {
    let labels = [("workflow", workflow.to_owned()), ("status", status.as_str().to_owned())];
    counter!(EXECUTIONS, &labels).increment(1);
    histogram!(EXECUTION_DURATION, &labels).record(age.as_secs_f64());
}

/// Records the end of an attempt at a step.
pub(crate) fn step_ended(action: ActionName, fault: Option<FaultKind>, elapsed: Duration) {
    let outcome = fault.map_or("succeeded", FaultKind::as_str);
    histogram!(STEP_DURATION, "action" => action.as_str(), "outcome" => outcome).record(elapsed.as_secs_f64());
}

/// Records that reconciliation did this about something missing.
pub(crate) fn reconciled(action: &'static str) {
    counter!(RECONCILED, "action" => action).increment(1);
}

/// Records the findings of a published review.
pub(crate) fn published(review: &Review) {
    for finding in &review.findings {
        let source = match finding.source {
            Source::Analyser => "analyser",
            Source::Model { .. } => "model",
        };
        counter!(FINDINGS, "severity" => finding.severity.as_str(), "source" => source).increment(1);
    }
}
