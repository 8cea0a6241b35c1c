//! What went wrong with Pub/Sub, in the words of the ports. Neither what was sent nor what came back is repeated.

use autopr_core::fault::{Fault, FaultKind, Retry};
use google_cloud_gax::error::rpc::Code;
use google_cloud_pubsub::Error;
use google_cloud_pubsub::error::PublishError;

use crate::topic::Topic;

/// The fault of a message that was to go to that topic.
pub(crate) fn unpublished(topic: &Topic, error: &PublishError) -> Fault {
    match error {
        PublishError::Rpc(error) => of_call(topic, error),
        PublishError::Shutdown => fault(topic, FaultKind::Unavailable, "the client has been shut down"),
        _ => fault(topic, FaultKind::Bug, "the client refuses it"),
    }
}

/// The fault of a message about which nothing was heard in time.
pub(crate) fn late(topic: &Topic) -> Fault {
    fault(topic, FaultKind::Timeout, "no answer in time")
}

fn of_call(topic: &Topic, error: &Error) -> Fault {
    match error.status() {
        Some(status) => fault(topic, kind(&status.code), status.code.name()),
        // Those of a service account are fetched over the network, so that it may pass.
        None if error.is_authentication() => {
            fault(topic, FaultKind::Unavailable, "no request could be sent: are there credentials?")
        }
        None if error.is_timeout() => late(topic),
        None => match error.http_status_code() {
            Some(status @ (401 | 403)) => fault(topic, FaultKind::Denied, &format!("HTTP {status}")),
            Some(status) => fault(topic, FaultKind::Unavailable, &format!("HTTP {status}")),
            None => fault(topic, FaultKind::Unavailable, "the service can't be reached"),
        },
    }
}

/// What a code means (<https://docs.cloud.google.com/pubsub/docs/reference/error-codes>).
fn kind(code: &Code) -> FaultKind {
    match code {
        Code::PermissionDenied | Code::Unauthenticated => FaultKind::Denied,
        Code::NotFound => FaultKind::NotFound,
        Code::ResourceExhausted => FaultKind::Limited,
        Code::DeadlineExceeded => FaultKind::Timeout,
        Code::Aborted | Code::Internal | Code::Unavailable => FaultKind::Unavailable,
        Code::Cancelled | Code::Unknown => FaultKind::Unknown,
        _ => FaultKind::Invalid,
    }
}

fn fault(topic: &Topic, kind: FaultKind, text: &str) -> Fault {
    use FaultKind::{Limited, Timeout, Unavailable, Unknown};
    let retry = match kind {
        Limited | Timeout | Unavailable | Unknown => Retry::Backoff,
        _ => Retry::Never,
    };
    Fault::new(kind, format!("could not publish to the topic {topic}: {text}")).retry(retry)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use google_cloud_gax::error::rpc::Status;

    use super::*;

    #[test]
    fn a_code_says_what_kind_of_fault_it_is_and_nothing_else_is_repeated() {
        let topic = Topic::parse("projects/acme/topics/autopr").unwrap();
        for (code, expect, retry) in [
            (Code::PermissionDenied, FaultKind::Denied, Retry::Never),
            (Code::Unauthenticated, FaultKind::Denied, Retry::Never),
            (Code::NotFound, FaultKind::NotFound, Retry::Never),
            (Code::InvalidArgument, FaultKind::Invalid, Retry::Never),
            (Code::ResourceExhausted, FaultKind::Limited, Retry::Backoff),
            (Code::DeadlineExceeded, FaultKind::Timeout, Retry::Backoff),
            (Code::Unavailable, FaultKind::Unavailable, Retry::Backoff),
            (Code::Unknown, FaultKind::Unknown, Retry::Backoff),
        ] {
            let name = code.name();
            let error = Error::service(Status::default().set_code(code).set_message("hunter2"));
            let fault = unpublished(&topic, &PublishError::Rpc(Arc::new(error)));
            assert_eq!((fault.kind, fault.retry), (expect, retry), "{name}");
            assert_eq!(
                fault.to_string(),
                format!("could not publish to the topic projects/acme/topics/autopr: {name}")
            );
        }
    }
}
