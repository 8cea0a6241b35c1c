//! A message as text of Storage Queue, which has no place beside the text for a trace: `{"trace":…,"message":…}` in Base64,
//! which holds any character and is what the tools of Azure expect. What comes in may also be a bare message, in Base64 or
//! not, so that an operator can put one there by hand.

use std::borrow::Cow;

use autopr_core::message::{Encoded, Message, V1};
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::value::RawValue;

use autopr_core::trace::TraceParent;

/// The most bytes of a text: 64 KiB ("Azure Queue storage scalability targets").
const MOST_TEXT: usize = 65_536;

/// The most bytes of an envelope: what four thirds of are the text.
pub const MAX_BYTES: usize = MOST_TEXT / 4 * 3;

#[derive(Deserialize)]
struct Envelope<'m> {
    #[serde(borrow)]
    trace: Option<Cow<'m, str>>,
    #[serde(borrow)]
    message: &'m RawValue,
}

/// What a text held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    /// The message as it was published, which the engine reads.
    pub(crate) body: String,
    /// Its trace.
    pub(crate) trace: Option<TraceParent>,
}

/// The text of a message that fits. What is cut of it is logged here.
pub(crate) fn close(message: &Message, trace: Option<&TraceParent>) -> String {
    let around = around(trace);
    let Encoded { body, cut } = message.encode_within(MAX_BYTES - around.0.len() - around.1.len());
    if cut {
        let Message::V1(kind) = message;
        let id = match kind {
            V1::Event { event } => event.delivery.to_string(),
            V1::Advance { execution, .. } => execution.to_string(),
        };
        let bytes = message.encode().len();
        tracing::warn!(message = id, bytes, "the message is too long for the queue: texts in it were cut");
    }
    BASE64.encode(format!("{}{body}{}", around.0, around.1).as_bytes())
}

/// What a text holds.
pub(crate) fn open(text: &str) -> Opened {
    let decoded = BASE64.decode(text.trim().as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = decoded.unwrap_or_else(|| text.to_owned());
    match serde_json::from_str::<Envelope<'_>>(&text) {
        Ok(Envelope { trace, message }) => {
            Opened { body: message.get().to_owned(), trace: trace.and_then(|trace| TraceParent::parse(&trace)) }
        }
        // A bare message, or something that the engine does not know either.
        Err(_) => Opened { body: text, trace: None },
    }
}

/// What stands before and behind a message.
fn around(trace: Option<&TraceParent>) -> (String, &'static str) {
    // A trace has nothing to escape.
    let trace = trace.map(|trace| format!(r#""trace":"{trace}","#)).unwrap_or_default();
    (format!(r#"{{{trace}"message":"#), "}")
}

#[cfg(test)]
mod tests {
    use autopr_core::ids::{ExecutionId, RepoName};
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_was_closed_is_opened_as_it_was() {
        let message = Message::advance(ExecutionId::new(), RepoName::new("acme/shop").unwrap());
        for trace in [None, TraceParent::parse(TRACE)] {
            let opened = open(&close(&message, trace.as_ref()));
            assert_eq!(opened, Opened { body: message.encode(), trace });
        }
    }

    #[test]
    fn what_was_put_there_by_hand_is_opened_too() {
        let message = r#"{"v":"1","type":"advance","execution":"0190a0d6-8f2e-7000-8000-000000000000"}"#;
        let wrapped = format!(r#"{{ "trace": "no trace", "message": {message} }}"#);
        for text in
            [message.to_owned(), BASE64.encode(message.as_bytes()), wrapped.clone(), BASE64.encode(wrapped.as_bytes())]
        {
            assert_eq!(open(&text), Opened { body: message.to_owned(), trace: None }, "{text}");
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_opened(text in "\\PC{0,200}") {
            let opened = open(&text);
            prop_assert!(opened.trace.is_none());
        }
    }
}
