//! Language models that follow a script: [`ScriptedModel`] is an HTTP server that speaks the interfaces of OpenAI (and
//! of a server that copies it), Azure, Mistral, Anthropic, Gemini and Ollama.
//!
//! A test queues [`Reply`]s for a [`Vendor`], or gives a function from [`Request`] to [`Reply`]; when neither has one, the
//! default reply is sent. Every request is held to what the vendor documents (unknown fields, missing fields, a strict
//! schema that is not strict, no key): one that breaks a rule is answered 400 in the vendor's own words and counted as a
//! violation, which a test reads at its end. Every request is kept, so that a test can search it for what must never
//! leave.

mod reply;
mod request;
mod server;
mod vendor;
mod wire;

pub use reply::{Gate, Reply, Stop, Tokens};
pub use request::{Request, Turn};
pub use server::{Held, Moment, ScriptedModel};
pub use vendor::Vendor;
