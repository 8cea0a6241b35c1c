//! The batches that Lambda takes from a queue, and the answer that says which messages it is to give back. Pure: no
//! client, no clock.
//!
//! The answer counts only when the event source mapping has `ReportBatchItemFailures` (the developer guide of Lambda,
//! "Implementing partial batch responses").

use std::collections::HashSet;
use std::time::Duration;

use autopr_core::engine::Handled;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};

use crate::trace::TraceHeader;

/// A message of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its identity in the queue. Empty when Lambda told none: to fail such a one fails the whole batch.
    pub id: String,
    /// What was published.
    pub body: String,
    /// How often it was delivered, this time included; 0 when that was not told.
    pub receive_count: u32,
    /// What this delivery of it is called by; empty when that was not told.
    pub receipt: String,
    /// The trace it belongs to.
    pub trace_header: Option<TraceHeader>,
    /// In a FIFO queue, those with which it keeps the order.
    pub group: Option<String>,
}

/// When the first of those that failed come again.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// When the last do: after a quarter of an hour.
const LAST_WAIT: Duration = Duration::from_secs(900);

/// The messages of a batch in their order.
pub fn records(event: SqsEvent) -> Vec<Record> {
    event.records.into_iter().map(record).collect()
}

/// The answer to a batch: which messages come again. A message without a result was not dealt with and comes again, and in
/// a FIFO queue so do those behind one that does, or they would overtake it.
pub fn response(records: &[Record], results: &[Handled]) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    let mut held: HashSet<&str> = HashSet::new();
    for (index, record) in records.iter().enumerate() {
        let is_behind = record.group.as_deref().is_some_and(|group| held.contains(group));
        if is_behind || results.get(index) != Some(&Handled::Ack) {
            held.extend(record.group.as_deref());
            response.add_failure(record.id.as_str());
        }
    }
    response
}

/// The deliveries that failed, each with the time after which it should come again: longer each time, so that what is broken
/// for a moment costs a moment. Left alone, each would be hidden for as long as a function may take at most, six times over.
/// A FIFO queue is left alone: there a message that came again before those it follows would overtake them.
pub fn failed(records: &[Record], results: &[Handled]) -> Vec<(String, Duration)> {
    let failed = records.iter().enumerate().filter(|(index, record)| {
        results.get(*index) != Some(&Handled::Ack) && record.group.is_none() && !record.receipt.is_empty()
    });
    failed
        .map(|(_, record)| {
            let doublings = record.receive_count.saturating_sub(1).min(16);
            (record.receipt.clone(), (FIRST_WAIT * (1 << doublings)).min(LAST_WAIT))
        })
        .collect()
}

fn record(mut message: SqsMessage) -> Record {
    let fifo = message.event_source_arn.as_deref().is_some_and(|arn| arn.ends_with(".fifo"));
    let mut attribute = |name: &str| message.attributes.remove(name);
    Record {
        receive_count: attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(0),
        trace_header: attribute("AWSTraceHeader").as_deref().and_then(TraceHeader::parse),
        // A standard queue is only fair between groups.
        group: attribute("MessageGroupId").filter(|_| fifo),
        id: message.message_id.unwrap_or_default(),
        receipt: message.receipt_handle.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
    }
}
