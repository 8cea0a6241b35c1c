//! A language model that completes one prompt.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// One provider's model. It never retries by itself: the step that asked decides.
#[async_trait]
pub trait Model: Send + Sync {
    /// The provider's name in the settings.
    fn provider(&self) -> &str;

    /// The model's name at the provider.
    fn model(&self) -> &str;

    /// Completes the prompt within the limits.
    async fn complete(&self, prompt: &Prompt, limits: Limits) -> Result<Completion, Fault>;
}

/// What is sent to a model. Its `Debug` form shows sizes only: prompts are never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The instructions: ours alone.
    pub system: String,
    /// The material: untrusted, fenced, with secrets replaced.
    pub user: String,
    /// The JSON Schema the answer must satisfy.
    pub schema: serde_json::Value,
    /// An answer to this prompt that could not be used; it is asked for again, with the reason.
    #[serde(default)]
    pub repair: Option<Repair>,
}

/// An answer that could not be used.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// What the model wrote.
    pub answer: String,
    /// What is wrong with it, for the model to read.
    pub error: String,
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt {{ system: {} bytes, user: {} bytes }}", self.system.len(), self.user.len())
    }
}

/// What one completion may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most tokens the answer may have.
    pub output_tokens: u32,
    /// How long to wait for it.
    pub timeout: Duration,
}

/// A model's answer and what it took.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The answer's text: untrusted until it has passed the schema.
    pub text: String,
    /// Tokens read, by the provider's count.
    pub input_tokens: u64,
    /// Tokens written, by the provider's count.
    pub output_tokens: u64,
    /// Why the model stopped writing.
    #[serde(default)]
    pub stopped: Stopped,
}

/// Why a model stopped writing. Whatever the reason, the tokens were paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// It had said everything.
    #[default]
    Complete,
    /// The answer reached the limit of tokens and is cut off.
    Length,
    /// The model or its provider's content filter declined to answer.
    Refused,
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, input_tokens, output_tokens, stopped } = self;
        let bytes = text.len();
        write!(f, "Completion {{ text: {bytes} bytes, tokens: {input_tokens} in, {output_tokens} out, {stopped:?} }}")
    }
}
