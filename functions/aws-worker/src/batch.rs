//! The messages of a batch, at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_core::engine::{Engine, Handled};
use autopr_core::message::{Message, V1};
use autopr_core::telemetry::MESSAGES;
use autopr_queue_sqs::batch::Record;
use autopr_queue_sqs::traced;
use jiff::Timestamp;
use metrics::counter;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

/// The name of the queue in metrics.
const QUEUE: &str = "sqs";

/// The times of an invocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// When what is under way is to be given back.
    pub(crate) deadline: Timestamp,
    /// How long until whoever is not done then is left behind: Lambda would kill the process, and what the others have
    /// done would come again with it.
    pub(crate) left: Duration,
}

/// Deals with all messages of a batch, at most `at_once` at a time. One that panics (where that does not end the process, as
/// it does in what is shipped: docs/adr/0001-lambda-binaries.md), or is not even given back when the time
/// is over, is handed out again and leaves the others alone.
pub(crate) async fn run(
    engine: &Engine,
    records: &[Record],
    request_id: &str,
    times: Times,
    at_once: usize,
) -> Vec<Handled> {
    let Times { deadline, left } = times;
    let places = Arc::new(Semaphore::new(at_once));
    let mut tasks = JoinSet::new();
    for (index, record) in records.iter().enumerate() {
        let (engine, record, places) = (engine.clone(), record.clone(), places.clone());
        let span = span(&record, request_id);
        let task = async move {
            // It is never closed.
            let _place = places.acquire().await;
            (index, deal_with(&engine, &record, deadline).await)
        };
        tasks.spawn(task.instrument(span));
    }
    let mut results = vec![Handled::Redeliver; records.len()];
    let end = Instant::now() + left;
    loop {
        let Ok(ended) = tokio::time::timeout_at(end.into(), tasks.join_next()).await else {
            tracing::error!(request_id, messages = tasks.len(), "messages were left behind: they are handed out again");
            break;
        };
        let Some(ended) = ended else { break };
        match ended {
            Ok((index, handled)) => {
                if let Some(result) = results.get_mut(index) {
                    *result = handled;
                }
            }
            Err(_) => {
                counter!(MESSAGES, "queue" => QUEUE, "outcome" => "panicked").increment(1);
                tracing::error!(request_id, "a message was given up: it is handed out again");
            }
        }
    }
    results
}

async fn deal_with(engine: &Engine, record: &Record, deadline: Timestamp) -> Handled {
    let begun = Instant::now();
    let handled = traced(record.trace_header.clone(), engine.handle(&record.body, Some(deadline))).await;
    let outcome = match handled {
        Handled::Ack => "done",
        Handled::Redeliver => "again",
    };
    counter!(MESSAGES, "queue" => QUEUE, "outcome" => outcome).increment(1);
    let (duration_ms, receive_count) = (begun.elapsed().as_millis(), record.receive_count);
    tracing::info!(outcome, receive_count, duration_ms, "message");
    handled
}

/// What every line that is logged for a message says besides.
fn span(record: &Record, request_id: &str) -> Span {
    let (message, trace) = (&record.id, record.trace_header.as_ref().map(ToString::to_string));
    let empty = tracing::field::Empty;
    let span = tracing::info_span!("message", request_id, message, trace, delivery = empty, execution = empty);
    match Message::decode(&record.body) {
        Ok(Message::V1(V1::Event { event })) => span.record("delivery", event.delivery.to_string()),
        Ok(Message::V1(V1::Advance { execution, .. })) => span.record("execution", execution.to_string()),
        // It is logged when it is dealt with.
        Err(_) => &span,
    };
    span
}
