//! What went wrong with SQS, in the words of the ports. Neither what was sent nor what came back is repeated.

use autopr_core::fault::{Fault, FaultKind, Retry};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::RequestId;

/// What went wrong. It can be told of each message of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    kind: FaultKind,
    text: String,
}

impl Trouble {
    /// What a call of the SDK failed with.
    pub(crate) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        match error {
            SdkError::ConstructionFailure(_) => {
                Self::new(FaultKind::Invalid, "no request could be made: is there a region?")
            }
            SdkError::TimeoutError(_) => Self::new(FaultKind::Timeout, "no answer in time"),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::new(FaultKind::Timeout, "no connection in time")
            }
            SdkError::DispatchFailure(failure) if failure.is_user() => {
                Self::new(FaultKind::Invalid, "the service's address can't be used")
            }
            // Credentials that can't be had come this way, which may pass: a role's are fetched over the network too.
            SdkError::DispatchFailure(failure) if failure.is_other() => {
                Self::new(FaultKind::Unavailable, "no request could be sent: are there credentials?")
            }
            SdkError::DispatchFailure(_) => Self::new(FaultKind::Unavailable, "the service can't be reached"),
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let code = answer.err().code().filter(|code| is_code(code)).unwrap_or("no error code");
                let id = answer.raw().request_id().filter(|id| is_code(id));
                let id = id.map(|id| format!(", request {id}")).unwrap_or_default();
                Self::new(kind(code, status), format!("{code} (HTTP {status}{id})"))
            }
            _ => Self::new(FaultKind::Unavailable, "an answer that is none of the service's"),
        }
    }

    /// What an entry of a batch failed with. `ours` says that it is the sender's doing.
    pub(crate) fn of_entry(code: &str, ours: bool) -> Self {
        let code = if is_code(code) { code } else { "no error code" };
        Self::new(kind(code, if ours { 400 } else { 500 }), code)
    }

    /// A request that can't be built, which is a mistake in this program.
    pub(crate) fn bug() -> Self {
        Self::new(FaultKind::Bug, "the request could not be built")
    }

    /// No word about a message in the answer.
    pub(crate) fn silence() -> Self {
        Self::new(FaultKind::Unknown, "the answer says nothing about the message")
    }

    /// Whether another try may help.
    pub(crate) fn may_pass(&self) -> bool {
        use FaultKind::{Limited, Timeout, Unavailable, Unknown};
        matches!(self.kind, Limited | Timeout | Unavailable | Unknown)
    }

    /// The fault of a message that was to go to that queue.
    pub(crate) fn fault(self, queue: &str) -> Fault {
        let retry = if self.may_pass() { Retry::Backoff } else { Retry::Never };
        Fault::new(self.kind, format!("could not publish to the queue {queue}: {}", self.text)).retry(retry)
    }

    fn new(kind: FaultKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

/// Codes and identities of requests have a form; what has another may be anything.
fn is_code(text: &str) -> bool {
    text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// What an error code means (the API's reference, "Common Errors" and those of `SendMessage`). Some come with the name of
/// the service before them.
fn kind(code: &str, status: u16) -> FaultKind {
    let word = code.rsplit('.').next().unwrap_or(code);
    match word.strip_suffix("Exception").unwrap_or(word) {
        "AccessDenied"
        | "NotAuthorized"
        | "OptInRequired"
        | "InvalidSecurity"
        | "KmsAccessDenied"
        | "ExpiredToken"
        | "UnrecognizedClient"
        | "InvalidClientTokenId"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => FaultKind::Denied,
        "QueueDoesNotExist" | "NonExistentQueue" | "QueueDeletedRecently" | "KmsNotFound" => FaultKind::NotFound,
        "Throttling" | "RequestThrottled" | "ThrottledRequest" | "TooManyRequests" | "OverLimit" | "KmsThrottled" => {
            FaultKind::Limited
        }
        _ if status == 403 => FaultKind::Denied,
        _ if status == 429 => FaultKind::Limited,
        _ if status >= 500 => FaultKind::Unavailable,
        _ => FaultKind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_what_kind_of_fault_it_is() {
        for (code, status, expect) in [
            ("AccessDenied", 403, FaultKind::Denied),
            ("AccessDeniedException", 400, FaultKind::Denied),
            ("QueueDoesNotExist", 400, FaultKind::NotFound),
            ("AWS.SimpleQueueService.NonExistentQueue", 400, FaultKind::NotFound),
            ("RequestThrottled", 403, FaultKind::Limited),
            ("ThrottlingException", 400, FaultKind::Limited),
            ("InvalidParameterValue", 400, FaultKind::Invalid),
            ("InternalFailure", 500, FaultKind::Unavailable),
            ("Whatever", 503, FaultKind::Unavailable),
            ("Whatever", 403, FaultKind::Denied),
        ] {
            assert_eq!(kind(code, status), expect, "{code}");
        }
    }

    #[test]
    fn what_is_no_code_is_not_repeated() {
        let fault = Trouble::of_entry("the text of a comment", true).fault("q");
        assert_eq!(fault.to_string(), "could not publish to the queue q: no error code");
        assert_eq!((fault.kind, fault.retry), (FaultKind::Invalid, Retry::Never));
        let fault = Trouble::of_entry("InternalError", false).fault("q");
        assert_eq!((fault.kind, fault.retry), (FaultKind::Unavailable, Retry::Backoff));
    }
}
