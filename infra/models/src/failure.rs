//! From what went wrong with a call to a [`Fault`]: what kind, whether to try again, and a text that quotes nothing a
//! server wrote.

use std::error::Error;

use autopr_core::fault::{Fault, FaultKind, Retry};
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::hint;
use crate::provider::Provider;

/// What went wrong with a call, before it is told to anybody.
pub(crate) enum Failure {
    /// The server answered with a status that is no success.
    Status {
        /// The status.
        status: StatusCode,
        /// The headers, for hints when to come back.
        headers: Box<HeaderMap>,
        /// The body: read for codes, never shown.
        body: String,
    },
    /// The call did not get through, or the answer broke off.
    Transport(reqwest::Error),
    /// The server answered with a success that is not what the vendor documents.
    Garbage,
    /// The answer is larger than any answer may be.
    TooLarge,
    /// The call could not be put together: a mistake of ours.
    Unasked,
}

impl Failure {
    /// The fault this is for the caller.
    pub(crate) fn into_fault(self, provider: &Provider) -> Fault {
        let name = &provider.name;
        match self {
            Self::Status { status, headers, body } => of_status(provider, status, &headers, &body),
            Self::Transport(error) => of_transport(name, error),
            Self::Garbage => lost(format!("provider {name} answered with something that is no completion")),
            Self::TooLarge => lost(format!("provider {name} answered with more than 8 MiB")),
            Self::Unasked => unasked(name),
        }
    }
}

/// The fault for a call that took longer than its limit.
pub(crate) fn timed_out(provider: &Provider, seconds: f64) -> Fault {
    let context = format!("provider {} did not answer within {seconds} s", provider.name);
    Fault::new(FaultKind::Timeout, context).retry(Retry::Backoff)
}

fn of_transport(name: &str, error: reqwest::Error) -> Fault {
    if error.is_timeout() {
        let context = format!("connecting to provider {name} took too long");
        return Fault::new(FaultKind::Timeout, context).retry(Retry::Backoff);
    }
    if error.is_builder() {
        return unasked(name);
    }
    if !error.is_connect() {
        return lost(format!("the answer of provider {name} broke off"));
    }
    // The innermost cause is the system's or the TLS library's own text; the ones around it may hold the address.
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Fault::unavailable(format!("provider {name} can't be reached")).source(cause.to_string())
}

/// The fault for a call that may have been done, and paid, although its answer was lost.
fn lost(context: String) -> Fault {
    Fault::new(FaultKind::Unknown, context).retry(Retry::Backoff)
}

fn unasked(name: &str) -> Fault {
    Fault::new(FaultKind::Bug, format!("could not put together the call to provider {name}"))
}

fn of_status(provider: &Provider, status: StatusCode, headers: &HeaderMap, body: &str) -> Fault {
    let Provider { name, model, .. } = provider;
    let said = Said::read(body);
    let code = status.as_u16();
    if said.is_out_of_credit() || code == 402 {
        let context = format!("provider {name} has no credit left for this key ({code})");
        return Fault::new(FaultKind::Denied, context);
    }
    if said.is_bad_key() || matches!(code, 401 | 403) {
        let setting = provider.key_setting();
        let context = format!("provider {name} does not accept {setting} for model {model} ({code})");
        return Fault::new(FaultKind::Denied, context);
    }
    let told = || hint::when(headers, &said.json, Timestamp::now());
    match code {
        429 => {
            let retry = told().or_else(|| hint::reset(headers)).map_or(Retry::Backoff, Retry::After);
            Fault::new(FaultKind::Limited, format!("provider {name} limits the rate of calls (429)")).retry(retry)
        }
        404 => {
            let context = format!("model {model} is not known to provider {name}, or its base_url is wrong (404)");
            Fault::new(FaultKind::NotFound, context)
        }
        408 => {
            Fault::new(FaultKind::Timeout, format!("provider {name} took too long itself (408)")).retry(Retry::Backoff)
        }
        300..=399 => {
            Fault::invalid(format!("provider {name} redirects elsewhere ({code}): set its base_url to where it is now"))
        }
        409 | 425 | 500..=599 => {
            let retry = told().map_or(Retry::Backoff, Retry::After);
            Fault::unavailable(format!("provider {name} failed ({code})")).retry(retry)
        }
        413 => Fault::invalid(format!("the prompt is too long for model {model} of provider {name} (413)")),
        _ if said.is_too_long() => {
            Fault::invalid(format!("the prompt is too long for model {model} of provider {name} ({code})"))
        }
        _ => Fault::invalid(format!("provider {name} refused the call to model {model} ({code}{})", said.known_code())),
    }
}

/// Whether a refusal is the provider's content filter speaking: Azure answers a filtered prompt with status 400.
pub(crate) fn is_content_filter(body: &str) -> bool {
    let said = Said::read(body);
    said.codes()
        .any(|code| matches!(code, "content_filter" | "ResponsibleAIPolicyViolation" | "content_policy_violation"))
}

/// Error codes of the vendors' documentation that may be shown: everything else a server writes may be a quotation.
const SHOWN: [&str; 10] = [
    "invalid_request_error",
    "unsupported_parameter",
    "unsupported_value",
    "invalid_json_schema",
    "invalid_type",
    "invalid_value",
    "request_too_large",
    "string_above_max_length",
    "FAILED_PRECONDITION",
    "INVALID_ARGUMENT",
];

/// What an error body says.
struct Said {
    json: Value,
}

impl Said {
    fn read(body: &str) -> Self {
        Self { json: serde_json::from_str(body).unwrap_or(Value::Null) }
    }

    /// The codes of the error, wherever the vendors put them.
    fn codes(&self) -> impl Iterator<Item = &str> {
        let fixed = ["/error/code", "/error/type", "/error/status", "/error/innererror/code", "/code", "/type"];
        let details = self.json.pointer("/error/details").and_then(Value::as_array).into_iter().flatten();
        let reasons = details.filter_map(|detail| detail.get("reason").and_then(Value::as_str));
        fixed.into_iter().filter_map(|at| self.json.pointer(at).and_then(Value::as_str)).chain(reasons)
    }

    fn message(&self) -> String {
        let at = ["/error/message", "/message", "/error", "/detail"];
        let message = at.into_iter().find_map(|at| self.json.pointer(at).and_then(Value::as_str)).unwrap_or_default();
        message.chars().take(2000).collect::<String>().to_lowercase()
    }

    fn is_out_of_credit(&self) -> bool {
        self.codes().any(|code| matches!(code, "insufficient_quota" | "billing_error" | "billing_hard_limit_reached"))
            || self.message().starts_with("your credit balance is too low")
    }

    fn is_bad_key(&self) -> bool {
        self.codes().any(|code| matches!(code, "API_KEY_INVALID" | "invalid_api_key" | "authentication_error"))
    }

    /// OpenAI has a code for it; the others only say so. This chooses a text, nothing more.
    fn is_too_long(&self) -> bool {
        let words = ["context length", "context window", "prompt is too long", "too many tokens", "token count"];
        self.codes().any(|code| code == "context_length_exceeded")
            || words.iter().any(|words| self.message().contains(words))
    }

    fn known_code(&self) -> String {
        let known = self.codes().find(|code| SHOWN.contains(code));
        known.map(|code| format!(", {code}")).unwrap_or_default()
    }
}
