//! What arrived, in words that hold for every vendor.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::vendor::Vendor;

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// `user` or `assistant`.
    pub role: String,
    /// What was said.
    pub text: String,
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whose interface it used.
    pub vendor: Vendor,
    /// The model or deployment asked for.
    pub model: String,
    /// The instructions.
    pub system: String,
    /// The conversation.
    pub turns: Vec<Turn>,
    /// The schema the answer is to be held to by the vendor.
    pub schema: Option<Value>,
    /// Whether JSON was asked for without a schema.
    pub json: bool,
    /// The most tokens the answer may have.
    pub output_tokens: Option<u64>,
    /// The temperature.
    pub temperature: Option<f64>,
    /// Path and query.
    pub target: String,
    /// The headers, keys included.
    pub headers: HeaderMap,
    /// The body as it came; empty when the server was told not to keep bodies.
    pub body: Bytes,
    /// The rule it broke, if it did.
    pub violation: Option<String>,
}

impl Request {
    /// What the user said first: the material.
    pub fn user(&self) -> &str {
        self.turns.first().map_or("", |turn| &turn.text)
    }

    /// Whether the text stands anywhere in the body or the target. Escapes of JSON are undone first.
    pub fn contains(&self, text: &str) -> bool {
        let raw = String::from_utf8_lossy(&self.body);
        raw.contains(text)
            || self.target.contains(text)
            || self.system.contains(text)
            || self.turns.iter().any(|turn| turn.text.contains(text))
    }
}

/// The part of a request the vendor's rules yield.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) model: String,
    pub(crate) system: String,
    pub(crate) turns: Vec<Turn>,
    pub(crate) schema: Option<Value>,
    pub(crate) json: bool,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) temperature: Option<f64>,
}

/// Why a request is not answered as the script says.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It broke a rule the vendor documents for every model.
    Violation(String),
    /// This model does not know the parameter: what a client can only learn by asking.
    Unsupported { param: &'static str, message: String },
}

impl Refusal {
    pub(crate) fn violation(rule: impl Into<String>) -> Self {
        Self::Violation(rule.into())
    }
}
