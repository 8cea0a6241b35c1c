//! What Lambda brings and what it is answered, with events in the form of its developer guide ("Using Lambda with Amazon
//! SQS").

use autopr_core::engine::Handled::{self, Ack, Redeliver};
use autopr_queue_sqs::batch::{failed, records, response};
use aws_lambda_events::sqs::SqsEvent;
use proptest::prelude::*;
use serde_json::{Value, json};

fn message(id: &str, queue: &str, attributes: Value) -> Value {
    json!({
        "messageId": id,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": format!("body of {id}"),
        "attributes": attributes,
        "messageAttributes": { "type": { "stringValue": "event", "dataType": "String" } },
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:eu-west-1:123456789012:{queue}"),
        "awsRegion": "eu-west-1",
    })
}

fn event(messages: &[Value]) -> SqsEvent {
    serde_json::from_value(json!({ "Records": messages })).expect("an event")
}

fn answer(messages: &[Value], results: &[Handled]) -> Value {
    serde_json::to_value(response(&records(event(messages)), results)).expect("JSON")
}

fn failures(ids: &[&str]) -> Value {
    json!({ "batchItemFailures": ids.iter().map(|id| json!({ "itemIdentifier": id })).collect::<Vec<_>>() })
}

#[test]
fn a_record_knows_how_often_it_came_and_its_trace() {
    let trace = "Root=1-67891233-abcdef012345678912345678;Sampled=0";
    let attributes = json!({
        "ApproximateReceiveCount": "3",
        "SentTimestamp": "1545082649183",
        "AWSTraceHeader": trace,
        "MessageGroupId": "acme/shop",
    });
    let found = records(event(&[message("m-1", "autopr", attributes.clone()), message("m-2", "q.fifo", attributes)]));
    let facts: Vec<_> = found
        .iter()
        .map(|record| (&*record.id, &*record.body, record.receive_count, record.group.as_deref()))
        .collect();
    // A standard queue is only fair between groups: there one does not wait for another.
    assert_eq!(facts, [("m-1", "body of m-1", 3, None), ("m-2", "body of m-2", 3, Some("acme/shop"))]);
    assert_eq!(found[0].trace_header.as_ref().map(ToString::to_string).as_deref(), Some(trace));
    let bare = records(event(&[json!({ "messageId": "m-3" }), json!({ "body": "x" })]));
    assert_eq!((bare[0].receive_count, &bare[0].trace_header, &*bare[0].body), (0, &None, ""));
    // An empty identity fails the whole batch, which is all that can be said of such a message.
    assert_eq!(bare[1].id, "");
}

#[test]
fn only_what_failed_comes_again() {
    let messages = ["m-1", "m-2", "m-3"].map(|id| message(id, "autopr", json!({ "MessageGroupId": "acme/shop" })));
    assert_eq!(answer(&messages, &[Ack, Ack, Ack]), failures(&[]));
    assert_eq!(answer(&messages, &[Ack, Redeliver, Ack]), failures(&["m-2"]));
    assert_eq!(answer(&messages, &[Ack]), failures(&["m-2", "m-3"]), "what nobody got to comes again");
}

#[test]
fn in_a_fifo_queue_what_stands_behind_a_failure_waits_for_it() {
    let of = |id: &str, group: &str| message(id, "autopr.fifo", json!({ "MessageGroupId": group }));
    let messages = [of("a1", "a"), of("b1", "b"), of("a2", "a"), of("b2", "b"), of("a3", "a")];
    assert_eq!(answer(&messages, &[Ack, Ack, Redeliver, Ack, Ack]), failures(&["a2", "a3"]));
    assert_eq!(answer(&messages, &[Redeliver, Ack, Ack, Ack, Ack]), failures(&["a1", "a2", "a3"]));
}

#[test]
fn what_failed_comes_again_later_each_time() {
    let wait = |received: u32, queue: &str| {
        let attributes = json!({ "ApproximateReceiveCount": received.to_string(), "MessageGroupId": "acme/shop" });
        let records = records(event(&[message("m-1", queue, attributes)]));
        let waits = failed(&records, &[Redeliver]);
        waits.first().map(|(receipt, wait)| (receipt.clone(), wait.as_secs()))
    };
    let receipt = || "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a".to_owned();
    let waits = [1, 2, 3, 9, 10, 11, 1000].map(|received| wait(received, "autopr"));
    assert_eq!(waits, [2, 4, 8, 512, 900, 900, 900].map(|seconds| Some((receipt(), seconds))));
    // There it would overtake what came before it.
    assert_eq!(wait(1, "autopr.fifo"), None);
    let both = records(event(&["m-1", "m-2"].map(|id| message(id, "autopr", json!({})))));
    assert_eq!(failed(&both, &[Ack]).len(), 1, "only what was not dealt with");
}

proptest! {
    #[test]
    fn nothing_that_was_not_dealt_with_is_lost(
        groups in prop::collection::vec(0_u8..3, 0..12),
        acked in prop::collection::vec(any::<bool>(), 0..12),
        fifo in any::<bool>(),
    ) {
        let queue = if fifo { "autopr.fifo" } else { "autopr" };
        let messages: Vec<_> = groups.iter().enumerate().map(|(index, group)| {
            message(&index.to_string(), queue, json!({ "MessageGroupId": group.to_string() }))
        }).collect();
        let results: Vec<_> = acked.iter().map(|acked| if *acked { Ack } else { Redeliver }).collect();
        let records = records(event(&messages));
        let failed: Vec<usize> = response(&records, &results).batch_item_failures.iter()
            .map(|failure| failure.item_identifier.parse().unwrap()).collect();
        for (index, group) in groups.iter().enumerate() {
            let is_done = results.get(index) == Some(&Ack);
            let overtakes = fifo && failed.iter().any(|other| *other < index && groups[*other] == *group);
            prop_assert_eq!(failed.contains(&index), !is_done || overtakes, "message {}", index);
        }
    }
}
