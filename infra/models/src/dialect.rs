//! What a server has turned out to understand. The interfaces are copied by many makers, none of whom copy all of it,
//! and vendors take parameters away from newer models; so the first call asks for everything, a refusal (400 or 422,
//! which costs nothing) that names the parameter takes it away, and the next call already knows.

use serde_json::Value;

use crate::kind::Kind;

/// How the answer is held to the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The server itself holds the model to the schema.
    Schema,
    /// The server promises JSON; the schema stands in the instructions.
    Json,
    /// The schema stands in the instructions, and that is all.
    Text,
}

/// What OpenAI-like servers call the limit of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenLimit {
    /// `max_tokens`: everybody but OpenAI's newer models.
    MaxTokens,
    /// `max_completion_tokens`: OpenAI and Azure.
    MaxCompletionTokens,
}

impl TokenLimit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

/// What is asked of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) shape: Shape,
    pub(crate) temperature: bool,
    pub(crate) token_limit: TokenLimit,
    /// The other name of the limit was tried too: it must not go to and fro.
    swapped: bool,
}

impl Dialect {
    /// What is asked at first. Only OpenAI itself and Azure are known to want the newer name of the token limit.
    pub(crate) fn of(kind: Kind, own_address: bool) -> Self {
        let newer = kind == Kind::AzureOpenAi || kind == Kind::OpenAi && !own_address;
        let token_limit = if newer { TokenLimit::MaxCompletionTokens } else { TokenLimit::MaxTokens };
        Self { shape: Shape::Schema, temperature: true, token_limit, swapped: false }
    }

    /// What to ask instead after the server refused `self` with this body; `None` when the refusal is about something
    /// else. Each step takes something away, so it ends after a few.
    pub(crate) fn after_refusal(self, kind: Kind, body: &str) -> Option<Self> {
        let refusal = Refusal::read(body);
        let openai_like = matches!(kind, Kind::OpenAi | Kind::AzureOpenAi | Kind::Mistral);
        if openai_like && !self.swapped && refusal.names(&["max_tokens", "max_completion_tokens"]) {
            let token_limit = match self.token_limit {
                TokenLimit::MaxTokens => TokenLimit::MaxCompletionTokens,
                TokenLimit::MaxCompletionTokens => TokenLimit::MaxTokens,
            };
            return Some(Self { token_limit, swapped: true, ..self });
        }
        if self.temperature && refusal.names(&["temperature"]) {
            return Some(Self { temperature: false, ..self });
        }
        let structured = [
            "response_format",
            "json_schema",
            "json_object",
            "output_config",
            "output_format",
            "structured output",
            "responsejsonschema",
            "responsemimetype",
            "response_json_schema",
            "response_schema",
        ];
        if refusal.names(&structured) || kind == Kind::Ollama && refusal.names(&["format"]) {
            let shape = match (self.shape, kind) {
                (Shape::Text, _) => return None,
                (Shape::Schema, Kind::OpenAi | Kind::AzureOpenAi | Kind::Mistral | Kind::Ollama) => Shape::Json,
                (Shape::Schema | Shape::Json, _) => Shape::Text,
            };
            return Some(Self { shape, ..self });
        }
        None
    }
}

/// What a server's refusal is about.
struct Refusal {
    param: Option<String>,
    text: String,
}

impl Refusal {
    fn read(body: &str) -> Self {
        let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let param = json.pointer("/error/param").and_then(Value::as_str).map(str::to_lowercase);
        // The first lines say what is wrong; what follows may quote the request.
        let text = body.chars().take(2000).collect::<String>().to_lowercase();
        Self { param, text }
    }

    /// Whether it is about one of these parameters: by the field OpenAI has for it, else by a whole word of the text.
    fn names(&self, names: &[&str]) -> bool {
        names.iter().any(|name| match &self.param {
            Some(param) => param.split(['.', '[']).any(|part| part == *name),
            None => mentions(&self.text, name),
        })
    }
}

fn mentions(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> Dialect {
        Dialect::of(Kind::OpenAi, true)
    }

    #[test]
    fn a_parameter_the_server_names_is_taken_away() {
        let vllm = r#"{"object":"error","message":"response_format type json_schema is not supported","code":400}"#;
        let next = first().after_refusal(Kind::OpenAi, vllm).expect("another way");
        assert_eq!(next.shape, Shape::Json);
        let next = next.after_refusal(Kind::OpenAi, vllm).expect("a third way");
        assert_eq!(next.shape, Shape::Text);
        assert_eq!(next.after_refusal(Kind::OpenAi, vllm), None, "there is no fourth");

        let o3 = r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0.7","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}"#;
        let next = first().after_refusal(Kind::OpenAi, o3).expect("another way");
        assert!(!next.temperature && next.shape == Shape::Schema);
    }

    #[test]
    fn the_token_limit_is_renamed_once_and_not_back() {
        let body = r#"{"error":{"message":"Use 'max_completion_tokens'","param":"max_tokens","code":"unsupported_parameter"}}"#;
        let next = first().after_refusal(Kind::OpenAi, body).expect("another way");
        assert_eq!(next.token_limit, TokenLimit::MaxCompletionTokens);
        assert_eq!(next.after_refusal(Kind::OpenAi, body), None);
    }

    #[test]
    fn a_refusal_about_something_else_is_final() {
        let long = r#"{"error":{"message":"This model's maximum context length is 8192 tokens","param":"messages","code":"context_length_exceeded"}}"#;
        assert_eq!(first().after_refusal(Kind::OpenAi, long), None);
        let unnamed = r#"{"error":{"message":"the information was reformatted"}}"#;
        assert_eq!(first().after_refusal(Kind::OpenAi, unnamed), None, "a part of a word is no parameter");
    }
}
