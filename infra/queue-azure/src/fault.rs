//! What went wrong with Storage Queue, in the words of the ports. Neither what was sent nor what came back is repeated, nor an
//! address, which may hold a signature.

use std::error::Error as _;

use autopr_core::fault::{Fault, FaultKind, Retry};
use azure_core::error::{Error, ErrorKind};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    kind: FaultKind,
    text: String,
    /// Somebody else has the message by now, or nobody any more.
    lost: bool,
}

impl Trouble {
    /// What a call of the client failed with.
    pub(crate) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::HttpResponse { status, error_code, raw_response } => {
                let status = u16::from(*status);
                let code = error_code.as_deref().filter(|code| is_code(code)).unwrap_or("no error code");
                let id = raw_response.as_ref().and_then(|raw| {
                    raw.headers().iter().find(|(name, _)| name.as_str() == "x-ms-request-id").map(|(_, id)| id.as_str())
                });
                let id = id.filter(|id| is_code(id)).map(|id| format!(", request {id}")).unwrap_or_default();
                let lost = matches!(code, "MessageNotFound" | "PopReceiptMismatch");
                Self { lost, ..Self::new(kind(code, status), format!("{code} (HTTP {status}{id})")) }
            }
            ErrorKind::Credential => {
                Self::new(FaultKind::Unavailable, "no token: has the app a managed identity that may use the queue?")
            }
            _ if is_timeout(error) => Self::timeout(),
            ErrorKind::Connection | ErrorKind::Io => Self::new(FaultKind::Unavailable, "the service can't be reached"),
            ErrorKind::DataConversion => Self::new(FaultKind::Unavailable, "an answer that is none of the service's"),
            _ => Self::new(FaultKind::Invalid, "no request could be made"),
        }
    }

    /// No answer in time.
    pub(crate) fn timeout() -> Self {
        Self::new(FaultKind::Timeout, "no answer in time")
    }

    /// An answer without what it must have.
    pub(crate) fn incomplete() -> Self {
        Self::new(FaultKind::Unknown, "the answer lacks what it must have")
    }

    /// Whether the message is not this process's any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether another try may help.
    pub(crate) fn may_pass(&self) -> bool {
        use FaultKind::{Limited, Timeout, Unavailable, Unknown};
        matches!(self.kind, Limited | Timeout | Unavailable | Unknown)
    }

    /// The fault of what was tried.
    pub(crate) fn fault(self, what: impl Into<String>) -> Fault {
        let retry = if self.may_pass() { Retry::Backoff } else { Retry::Never };
        Fault::new(self.kind, format!("{}: {}", what.into(), self.text)).retry(retry)
    }

    /// What to tell people.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn new(kind: FaultKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), lost: false }
    }
}

fn is_timeout(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Codes and identities of requests have a form; what has another may be anything.
fn is_code(text: &str) -> bool {
    text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// What an error code means ("Common REST API error codes" and "Queue service error codes" of the REST API's reference).
fn kind(code: &str, status: u16) -> FaultKind {
    match code {
        "ServerBusy" | "AccountBeingThrottled" => FaultKind::Limited,
        "OperationTimedOut" => FaultKind::Timeout,
        "QueueNotFound" | "ResourceNotFound" | "MessageNotFound" => FaultKind::NotFound,
        _ => match status {
            401 | 403 => FaultKind::Denied,
            404 => FaultKind::NotFound,
            408 => FaultKind::Timeout,
            429 => FaultKind::Limited,
            500.. => FaultKind::Unavailable,
            _ => FaultKind::Invalid,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_what_kind_of_fault_it_is() {
        for (code, status, expect) in [
            ("AuthenticationFailed", 403, FaultKind::Denied),
            ("AuthorizationPermissionMismatch", 403, FaultKind::Denied),
            ("InvalidAuthenticationInfo", 401, FaultKind::Denied),
            ("QueueNotFound", 404, FaultKind::NotFound),
            ("ServerBusy", 503, FaultKind::Limited),
            ("OperationTimedOut", 500, FaultKind::Timeout),
            ("InternalError", 500, FaultKind::Unavailable),
            ("RequestBodyTooLarge", 413, FaultKind::Invalid),
            ("no error code", 429, FaultKind::Limited),
            ("no error code", 404, FaultKind::NotFound),
        ] {
            assert_eq!(kind(code, status), expect, "{code}");
        }
    }

    #[test]
    fn what_is_no_code_is_not_repeated() {
        assert!(is_code("AuthenticationFailed") && is_code("2c1f4e2a-0003-0057-4a3d-5dbd1f000000"));
        assert!(!is_code("the text of a comment") && !is_code(&"x".repeat(101)));
    }
}
