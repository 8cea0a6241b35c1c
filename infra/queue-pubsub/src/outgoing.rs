//! A message as it goes to Pub/Sub: its data and its attributes. It has no ordering key: order would make one repository's
//! executions wait for each other, and the store knows which of them counts.

use autopr_core::message::{Encoded, Message, V1};
use google_cloud_pubsub::model;

use autopr_core::trace::TraceParent;

/// The most bytes of a request that publishes: 10 MB ("Pub/Sub quotas and limits", resource limits).
pub const MAX_BYTES: usize = 10_000_000;

/// The attribute of a message that holds its trace. It is called as the header is.
pub const TRACE_ATTRIBUTE: &str = "traceparent";

/// What a request holds besides the message: the topic's full name, and the lengths of all its parts.
const AROUND: usize = 1024;

/// Makes a message fit. What is cut of it is logged here.
pub(crate) fn outgoing(message: &Message, trace: Option<TraceParent>) -> model::Message {
    let Message::V1(kind) = message;
    let (name, id, attribute) = match kind {
        V1::Event { event } => ("event", event.delivery.to_string(), "delivery"),
        V1::Advance { execution, .. } => ("advance", execution.to_string(), "execution"),
    };
    let mut attributes = vec![("type", name.to_owned()), (attribute, id.clone())];
    attributes.extend(trace.map(|trace| (TRACE_ATTRIBUTE, trace.to_string())));
    let taken: usize = attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
    let Encoded { body, cut } = message.encode_within(MAX_BYTES - AROUND - taken);
    if cut {
        let bytes = message.encode().len();
        tracing::warn!(message = id, bytes, "the message is too long for the queue: texts in it were cut");
    }
    model::Message::new().set_data(body).set_attributes(attributes)
}
