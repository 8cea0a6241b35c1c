//! Language models of several vendors behind one port: [`model`] makes an
//! [`autopr_core::ports::Model`] of a [`Provider`].
//!
//! OpenAI (and every server that speaks its interface), Azure, Mistral, Anthropic and Gemini are spoken to through
//! `genai`, with addresses, headers and limits of our own; Ollama directly, because `genai` drops the schema there.
//! A model never tries a failed call again. It asks twice only when a server does not know a *parameter* (structured
//! output, the temperature, the name of the token limit): such a refusal costs nothing, and what was learned is kept
//! for as long as the model lives.
//!
//! Nothing here logs, and no fault quotes a prompt, an answer, a key or what a server wrote.

mod address;
mod answer;
mod client;
mod dialect;
mod failure;
mod hint;
mod kind;
mod ollama;
mod provider;
mod schema;
mod through_genai;
mod vendor_model;

pub use client::{HttpClient, client};
pub use kind::Kind;
pub use provider::Provider;
pub use vendor_model::model;
