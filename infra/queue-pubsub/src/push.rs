//! The requests by which a subscription pushes messages
//! (<https://docs.cloud.google.com/pubsub/docs/push#receive_push>). Pure: no client, no clock.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use autopr_core::trace::TraceParent;

use crate::outgoing::TRACE_ATTRIBUTE;

/// The most bytes of a request: a message of 10 MB in base64, and what is around it.
pub const MAX_BYTES: usize = 14 * 1024 * 1024;

/// A message that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its identity in Pub/Sub, the same at each delivery.
    pub id: String,
    /// What was published.
    pub body: String,
    /// How often it was delivered, this time included; none when the subscription has no dead-letter topic.
    pub attempt: Option<u32>,
    /// The full name of the subscription.
    pub subscription: String,
    /// The trace it belongs to.
    pub trace: Option<TraceParent>,
}

/// Why a request is no message. It does not quote the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMessage {
    /// It has another form.
    #[error("the request is no message of Pub/Sub: wrong at line {line} column {column}")]
    Form {
        /// Where, from one.
        line: usize,
        /// Where, from one.
        column: usize,
    },
    /// The message holds no text.
    #[error("the message's data is no text in base64")]
    Data,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    message: Wrapped,
    subscription: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery_attempt: Option<u32>,
}

/// Each name comes twice, in two ways of writing; one is enough.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wrapped {
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    data: String,
    message_id: String,
}

/// Reads a request's body.
///
/// # Errors
/// When it is no message.
pub fn read(body: &[u8]) -> Result<Pushed, NoMessage> {
    let wrong = |error: serde_json::Error| NoMessage::Form { line: error.line(), column: error.column() };
    let Envelope { message, subscription, delivery_attempt } = serde_json::from_slice(body).map_err(wrong)?;
    let data = BASE64.decode(message.data.as_bytes()).map_err(|_| NoMessage::Data)?;
    Ok(Pushed {
        id: message.message_id,
        body: String::from_utf8(data).map_err(|_| NoMessage::Data)?,
        attempt: delivery_attempt,
        subscription,
        trace: message.attributes.get(TRACE_ATTRIBUTE).and_then(|text| TraceParent::parse(text)),
    })
}

/// The body of the request that pushes a message: what [`read`] reads.
pub fn write(pushed: &Pushed) -> String {
    let Pushed { id, body, attempt, subscription, trace } = pushed;
    let attributes = trace.iter().map(|trace| (TRACE_ATTRIBUTE.to_owned(), trace.to_string())).collect();
    let message = Wrapped { attributes, data: BASE64.encode(body.as_bytes()), message_id: id.clone() };
    let envelope = Envelope { message, subscription: subscription.clone(), delivery_attempt: *attempt };
    serde_json::to_string(&envelope).unwrap_or_default()
}
