//! What publishes.

use std::time::{Duration, Instant};

use autopr_core::event::EventKind;
use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ids::ExecutionId;
use autopr_core::message::{CUT, Message, V1};
use autopr_core::ports::Queue;
use autopr_core::trace::{TraceParent, traced};
use autopr_queue_azure::MAX_BYTES;
use autopr_services::{Fault, FaultProxy};
use serde_json::Value;

use crate::messages::{QUEUE, advance, azurite, command, opened, queue};
use crate::service::{Service, TAKEN};

/// How long a publication that is given up after 1.5 seconds may take on a machine that does other things too.
const SLACK: Duration = Duration::from_secs(5);

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn what_is_published_arrives_with_its_trace() {
    let (azurite, queue) = azurite().await;
    queue.check().await.expect("it can be used");
    let execution = ExecutionId::new();
    queue.publish(&opened("d-1")).await.unwrap();
    traced(TraceParent::parse(TRACE), queue.publish(&advance(execution))).await.unwrap();

    let told = azurite.peek(QUEUE).await;
    let envelopes: Vec<Value> = told.iter().map(|peeked| serde_json::from_str(&peeked.text).unwrap()).collect();
    let messages: Vec<_> =
        envelopes.iter().map(|envelope| Message::decode(&envelope["message"].to_string()).unwrap()).collect();
    assert_eq!(messages, [opened("d-1"), advance(execution)]);
    let traces: Vec<_> = envelopes.iter().map(|envelope| envelope.get("trace").and_then(Value::as_str)).collect();
    assert_eq!(traces, [None, Some(TRACE)]);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_cut_and_taken() {
    let (azurite, queue) = azurite().await;
    for trace in [None, TraceParent::parse(TRACE)] {
        traced(trace, queue.publish(&command("d-1", "ü".repeat(MAX_BYTES)))).await.unwrap();
    }
    let told = azurite.peek(QUEUE).await;
    assert_eq!(told.len(), 2);
    for peeked in told {
        assert!((MAX_BYTES - 100..=MAX_BYTES).contains(&peeked.text.len()), "{}", peeked.text.len());
        let envelope: Value = serde_json::from_str(&peeked.text).unwrap();
        let Message::V1(V1::Event { event }) = Message::decode(&envelope["message"].to_string()).unwrap() else {
            panic!("an event")
        };
        assert_eq!(event.delivery.as_str(), "d-1");
        assert!(matches!(event.kind, EventKind::Command { arguments, .. } if arguments.ends_with(CUT)));
    }
}

#[tokio::test]
async fn a_queue_that_cannot_be_used_is_given_up_in_time() {
    let (azurite, _) = azurite().await;
    let proxy = FaultProxy::start(&azurite.address());
    let through = queue(&azurite.queue_url_at(&proxy.address(), QUEUE));
    through.publish(&opened("d-1")).await.unwrap();
    for (fault, kind) in [
        (Fault::Refuse, FaultKind::Unavailable),
        (Fault::Reset, FaultKind::Unavailable),
        (Fault::Blackhole, FaultKind::Timeout),
    ] {
        proxy.set(fault);
        let begun = Instant::now();
        let failed = through.publish(&opened("d-2")).await.unwrap_err();
        assert!(begun.elapsed() < SLACK, "{fault:?}: {:?}", begun.elapsed());
        assert_eq!((failed.kind, failed.retry), (kind, Retry::Backoff), "{fault:?}: {failed}");
        let text = format!("{failed} {failed:?}");
        assert!(text.starts_with("could not publish to the queue reviews: ") && !text.contains("sig="), "{text}");
    }
    proxy.set(Fault::Pass);
    through.publish(&opened("d-3")).await.unwrap();

    for (url, kind) in
        [(azurite.queue_url("another"), FaultKind::NotFound), (azurite.expired_queue_url(QUEUE), FaultKind::Denied)]
    {
        let unusable = queue(&url);
        let failed = unusable.publish(&opened("d-4")).await.unwrap_err();
        assert_eq!((failed.kind, failed.retry), (kind, Retry::Never), "{failed}");
        let looked = unusable.check().await.unwrap_err();
        assert_eq!(looked.kind, kind, "{looked}");
        assert!(!format!("{looked} {looked:?} {failed:?}").contains("sig="), "{looked}");
    }
}

#[tokio::test]
async fn a_queue_without_one_for_what_is_set_aside_is_noticed() {
    let (azurite, _) = azurite().await;
    // It is a queue itself, and nothing lies beside it.
    let looked = queue(&azurite.queue_url("reviews-poison")).check().await.unwrap_err();
    assert_eq!(looked.kind, FaultKind::NotFound);
    assert!(looked.to_string().starts_with("the queue reviews-poison-poison can't be used: QueueNotFound"), "{looked}");
}

#[tokio::test]
async fn a_short_failure_is_not_noticed() {
    let service = Service::start(&[(503, "ServerBusy"), TAKEN]).await;
    service.queue().publish(&opened("d-1")).await.unwrap();
    assert_eq!(service.requests(), 2);
}

#[tokio::test]
async fn what_the_service_refuses_is_told_by_its_code_and_not_tried_again() {
    for (status, code, kind) in
        [(403, "AuthorizationPermissionMismatch", FaultKind::Denied), (413, "RequestBodyTooLarge", FaultKind::Invalid)]
    {
        let service = Service::start(&[(status, code)]).await;
        let failed = service.queue().publish(&opened("d-1")).await.unwrap_err();
        assert_eq!((failed.kind, failed.retry), (kind, Retry::Never));
        let text = format!("{failed} {failed:?}");
        assert!(text.contains(&format!("{code} (HTTP {status}")), "{text}");
        assert!(!text.contains("hunter2"), "neither the signature nor the service's own words are told: {text}");
        assert_eq!(service.requests(), 1);
    }
}
