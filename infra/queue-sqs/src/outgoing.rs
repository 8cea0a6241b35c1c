//! A message as it goes to SQS: its body, its attributes, and what a FIFO queue sorts it by.

use autopr_core::message::{Encoded, Message, V1};
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::trace::TraceHeader;

/// The most bytes of a message, and of all messages of a batch together, attributes included: 1 MiB (the developer guide
/// of SQS, "Amazon SQS message quotas").
pub const MAX_BYTES: usize = 1_048_576;

/// The most characters of the identities by which a FIFO queue sorts and knows messages again (the same page).
const LONGEST_ID: usize = 128;

/// The type of all our attributes.
const TEXT: &str = "String";

/// A message as it goes to SQS.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) body: String,
    pub(crate) attributes: Vec<(&'static str, String)>,
    /// What takes turns with others. A FIFO queue keeps the order within it; another is fair between them.
    pub(crate) group: Option<String>,
    /// What a FIFO queue takes once within five minutes.
    pub(crate) deduplication: Option<String>,
    pub(crate) trace: Option<TraceHeader>,
}

impl Outgoing {
    /// Makes a message fit. What is cut of it is logged here.
    pub(crate) fn new(message: &Message, fifo: bool, trace: Option<TraceHeader>) -> Self {
        let Message::V1(kind) = message;
        let (name, id, attribute) = match kind {
            V1::Event { event } => ("event", event.delivery.to_string(), "delivery"),
            V1::Advance { execution, .. } => ("advance", execution.to_string(), "execution"),
        };
        let attributes = vec![("type", name.to_owned()), (attribute, id.clone())];
        let taken: usize = attributes.iter().map(|(name, value)| name.len() + TEXT.len() + value.len()).sum();
        let Encoded { body, cut } = message.encode_within(MAX_BYTES - taken);
        if cut {
            let bytes = message.encode().len();
            tracing::warn!(message = id, bytes, "the message is too long for the queue: texts in it were cut");
        }
        let group = match kind {
            // Otherwise what an event leads to would wait until that event is dealt with, one execution after another.
            V1::Advance { .. } if fifo => Some(identity(&id)),
            V1::Event { .. } | V1::Advance { .. } => message.lane().map(identity),
        };
        let deduplication = fifo.then(|| match kind {
            V1::Event { .. } => identity(&id),
            // An execution goes on many times, and every time counts.
            V1::Advance { .. } => Uuid::now_v7().to_string(),
        });
        Self { body, attributes, group, deduplication, trace }
    }

    /// How many bytes SQS counts. A trace is not among them.
    pub(crate) fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + TEXT.len() + value.len());
        self.body.len() + attributes.sum::<usize>()
    }

    /// The attributes as the SDK takes them.
    pub(crate) fn sdk_attributes(&self) -> Result<Vec<(String, MessageAttributeValue)>, BuildError> {
        let build = |(name, value): &(&'static str, String)| {
            let value = MessageAttributeValue::builder().data_type(TEXT).string_value(value).build()?;
            Ok(((*name).to_owned(), value))
        };
        self.attributes.iter().map(build).collect()
    }

    /// The trace as the SDK takes it.
    pub(crate) fn sdk_trace(
        &self,
    ) -> Result<Option<(MessageSystemAttributeNameForSends, MessageSystemAttributeValue)>, BuildError> {
        let Some(trace) = &self.trace else { return Ok(None) };
        let value = MessageSystemAttributeValue::builder().data_type(TEXT).string_value(trace.as_str()).build()?;
        Ok(Some((MessageSystemAttributeNameForSends::AwsTraceHeader, value)))
    }

    /// The entry of a batch.
    pub(crate) fn entry(&self, id: usize) -> Result<SendMessageBatchRequestEntry, BuildError> {
        let mut entry = SendMessageBatchRequestEntry::builder()
            .id(id.to_string())
            .message_body(&self.body)
            .set_message_group_id(self.group.clone())
            .set_message_deduplication_id(self.deduplication.clone());
        for (name, value) in self.sdk_attributes()? {
            entry = entry.message_attributes(name, value);
        }
        if let Some((name, value)) = self.sdk_trace()? {
            entry = entry.message_system_attributes(name, value);
        }
        entry.build()
    }
}

/// A text as an identity that SQS takes: itself, or its digest when it is too long or has other characters.
fn identity(text: &str) -> String {
    match text.len() <= LONGEST_ID && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => text.to_owned(),
        false => hex::encode(Sha256::digest(text)),
    }
}

/// How many of these messages, from the first on, go into one batch.
pub(crate) fn batch(messages: &[&Outgoing]) -> usize {
    let mut bytes = 0;
    let fits = |message: &&&Outgoing| {
        bytes += message.bytes();
        bytes <= MAX_BYTES
    };
    // One that is too long by itself is sent all the same: SQS says what is wrong with it.
    messages.iter().take(10).take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: usize) -> Outgoing {
        Outgoing { body: "x".repeat(bytes), attributes: Vec::new(), group: None, deduplication: None, trace: None }
    }

    #[test]
    fn a_batch_has_ten_messages_or_one_mebibyte() {
        let check = |sizes: &[usize], expect: usize| {
            let messages: Vec<_> = sizes.iter().map(|bytes| of(*bytes)).collect();
            assert_eq!(batch(&messages.iter().collect::<Vec<_>>()), expect, "{sizes:?}");
        };
        check(&[1; 25], 10);
        check(&[1; 3], 3);
        check(&[MAX_BYTES / 2, MAX_BYTES / 2, 1], 2);
        check(&[MAX_BYTES, 1], 1);
        check(&[MAX_BYTES + 1, 1], 1);
    }

    #[test]
    fn an_identity_is_one_that_sqs_takes() {
        assert_eq!(identity("acme/shop"), "acme/shop");
        assert_eq!(identity(&"x".repeat(129)).len(), 64);
        assert_eq!(identity("acme/läden").len(), 64);
        assert_ne!(identity("acme/läden"), identity("acme/laden"));
    }
}
