//! What a model answered, and how it becomes a [`Completion`]: fences off, parameters it had to invent off, tokens
//! counted.

use autopr_core::ports::model::{Completion, Prompt, Stopped};

use crate::schema;

/// An answer as the vendor gave it, in our words.
pub(crate) struct Answer {
    pub(crate) text: String,
    /// Tokens read, cached ones included, if the vendor counted.
    pub(crate) input_tokens: Option<u64>,
    /// Tokens written, those of its thinking included, if the vendor counted.
    pub(crate) output_tokens: Option<u64>,
    pub(crate) stopped: Stopped,
}

impl Answer {
    /// A prompt the provider's filter declined, with no count.
    pub(crate) fn refused() -> Self {
        Self { text: String::new(), input_tokens: None, output_tokens: None, stopped: Stopped::Refused }
    }

    /// The completion the port promises. `strict` says that a vendor was made to write every optional property.
    pub(crate) fn into_completion(self, prompt: &Prompt, strict: bool) -> Completion {
        let sent = prompt.repair.as_ref().map_or(0, |repair| repair.answer.len() + repair.error.len());
        let sent = sent + prompt.system.len() + prompt.user.len();
        let counted = |count: Option<u64>| count.filter(|count| *count > 0);
        let input_tokens = counted(self.input_tokens).unwrap_or_else(|| estimate(sent));
        let output_tokens = match self.output_tokens {
            // A refusal may honestly have cost nothing; an answer can't.
            Some(0) if self.text.is_empty() => 0,
            count => counted(count).unwrap_or_else(|| estimate(self.text.len())),
        };
        let text = unfenced(&self.text);
        let text = if strict { schema::without_invented_nulls(text, &prompt.schema) } else { text.to_owned() };
        Completion { text, input_tokens, output_tokens, stopped: self.stopped }
    }
}

/// Tokens in so many bytes, for a provider that does not say: 3.3 bytes each, rounded up, at least one.
pub(crate) fn estimate(bytes: usize) -> u64 {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX / 16);
    (bytes * 10).div_ceil(33).max(1)
}

/// The text without the one fence that surrounds it. Text before or after a fence, or several fences, stay as they are:
/// which of them was meant is not ours to guess.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    let Some((language, body)) = inner.and_then(|inner| inner.split_once('\n')) else { return text };
    let is_language = language.trim().chars().all(|c| c.is_ascii_alphanumeric());
    if is_language && !body.contains("\n```") { body.trim() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_surrounding_fence_is_taken_off_and_nothing_else() {
        let check = |text: &str, expect: &str| assert_eq!(unfenced(text), expect);
        check("```json\n{\"a\":1}\n```", "{\"a\":1}");
        check("\n```\n{\"a\":1}\n```\n", "{\"a\":1}");
        check("{\"a\":\"```\"}", "{\"a\":\"```\"}");
        check("Sure:\n```json\n{}\n```", "Sure:\n```json\n{}\n```");
        check("```json\n{}\n```\nor\n```json\n{}\n```", "```json\n{}\n```\nor\n```json\n{}\n```");
        check("``````", "``````");
        check("", "");
    }

    #[test]
    fn tokens_are_estimated_up_and_never_as_nothing() {
        assert_eq!(estimate(0), 1);
        assert_eq!(estimate(33), 10);
        assert_eq!(estimate(34), 11);
    }
}
