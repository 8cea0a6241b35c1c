//! What Pub/Sub pushes.

use autopr_core::ids::{ExecutionId, RepoName};
use autopr_core::message::Message;
use autopr_core::trace::TraceParent;
use autopr_queue_pubsub::push::{NoMessage, Pushed, read, write};
use proptest::prelude::*;

/// As the emulator of Pub/Sub sent it.
const EMULATED: &str = include_str!("payloads/emulator.json");

/// As the service sends it to a subscription with a dead-letter topic, by its documentation.
const SERVICE: &str = include_str!("payloads/service.json");

#[test]
fn recorded_requests_are_read() {
    let pushed = read(SERVICE.as_bytes()).unwrap();
    assert_eq!((&*pushed.id, pushed.attempt), ("2070443601311540", Some(5)));
    assert_eq!(pushed.subscription, "projects/acme-prod/subscriptions/autopr");
    assert_eq!(pushed.trace.unwrap().to_string(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    assert!(matches!(Message::decode(&pushed.body), Ok(message) if message.lane() == Some("acme/shop")));

    let pushed = read(EMULATED.as_bytes()).unwrap();
    assert_eq!((&*pushed.id, pushed.attempt, pushed.trace), ("1", None, None));
    assert!(matches!(Message::decode(&pushed.body), Ok(message) if message.lane() == Some("acme/shop")));
}

#[test]
fn what_is_no_message_is_refused_without_being_quoted() {
    let check = |body: &str, expect: NoMessage| {
        let error = read(body.as_bytes()).unwrap_err();
        assert_eq!(error, expect, "{body}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    };
    check("", NoMessage::Form { line: 1, column: 0 });
    check(r#"{"hunter2":1}"#, NoMessage::Form { line: 1, column: 13 });
    check(
        r#"{"message":{"data":7,"messageId":"hunter2"},"subscription":"s"}"#,
        NoMessage::Form { line: 1, column: 20 },
    );
    check(r#"{"message":{"data":"hunter2","messageId":"1"},"subscription":"s"}"#, NoMessage::Data);
    // Bytes that are no text.
    check(r#"{"message":{"data":"/w==","messageId":"1"},"subscription":"s"}"#, NoMessage::Data);
}

#[test]
fn a_message_without_data_is_an_empty_one() {
    let pushed = read(br#"{"message":{"attributes":{"a":"b"},"messageId":"1"},"subscription":"s"}"#).unwrap();
    assert_eq!((&*pushed.body, pushed.attempt, pushed.trace), ("", None, None));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        id in "[0-9]{1,20}",
        body in "\\PC{0,200}|[\\x00-\\x7f]{0,200}",
        attempt in proptest::option::of(0_u32..100),
        trace in proptest::option::of("[1-9a-f][0-9a-f]{31}"),
    ) {
        let trace = trace.map(|trace| TraceParent::parse(&format!("00-{trace}-b7ad6b7169203331-01")).unwrap());
        let subscription = "projects/acme-prod/subscriptions/autopr".to_owned();
        let pushed = Pushed { id, body, attempt, subscription, trace };
        prop_assert_eq!(read(write(&pushed).as_bytes()), Ok(pushed));
    }

    #[test]
    fn nothing_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(read(&body));
    }

    #[test]
    fn a_message_goes_through(repository in "[a-z]{1,20}/[a-z]{1,20}") {
        let message = Message::advance(ExecutionId::new(), RepoName::new(&*repository).unwrap());
        let subscription = "projects/acme-prod/subscriptions/autopr".to_owned();
        let pushed = Pushed { id: "1".to_owned(), body: message.encode(), attempt: None, subscription, trace: None };
        let read = read(write(&pushed).as_bytes()).unwrap();
        prop_assert_eq!(Message::decode(&read.body).unwrap(), message);
    }
}
