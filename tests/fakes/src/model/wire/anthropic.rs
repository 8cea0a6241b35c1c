//! Anthropic's messages. Rules from its API reference (Create a Message; Structured outputs; Errors).

use http::HeaderMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{alternate, header, strict, within};
use crate::model::reply::{Stop, Tokens};
use crate::model::request::{Parts, Refusal, Turn};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that the vendor's fields are known and others refused")]
struct Body {
    model: String,
    messages: Vec<Message>,
    max_tokens: u64,
    system: Option<Content>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
    stop_sequences: Option<Vec<String>>,
    #[serde(default)]
    stream: bool,
    metadata: Option<IgnoredAny>,
    service_tier: Option<String>,
    thinking: Option<IgnoredAny>,
    tools: Option<IgnoredAny>,
    tool_choice: Option<IgnoredAny>,
    output_config: Option<OutputConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputConfig {
    format: Option<Format>,
    #[serde(rename = "effort")]
    _effort: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Format {
    JsonSchema { schema: Value },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    role: String,
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Blocks(Vec<Block>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Block {
    Text { text: String },
}

impl Content {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Blocks(blocks) => blocks.into_iter().map(|Block::Text { text }| text).collect(),
        }
    }
}

pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Parts, Refusal> {
    header(headers, "x-api-key")?;
    if header(headers, "anthropic-version")? != "2023-06-01" {
        return Err(Refusal::violation("anthropic-version: is not a valid version"));
    }
    let body: Body = super::json(body)?;
    within("temperature", body.temperature, 0.0, 1.0)?;
    if body.max_tokens == 0 {
        return Err(Refusal::violation("max_tokens: must be greater than or equal to 1"));
    }
    if body.stream {
        return Err(Refusal::violation("this server does not stream"));
    }
    let turns: Vec<Turn> =
        body.messages.into_iter().map(|Message { role, content }| Turn { role, text: content.text() }).collect();
    alternate(&turns, "assistant")?;
    let schema = match body.output_config.and_then(|config| config.format) {
        Some(Format::JsonSchema { schema }) => {
            strict::check(&schema, false)?;
            Some(schema)
        }
        None => None,
    };
    Ok(Parts {
        model: body.model,
        system: body.system.map(Content::text).unwrap_or_default(),
        turns,
        schema,
        json: false,
        output_tokens: Some(body.max_tokens),
        temperature: body.temperature,
    })
}

pub(super) fn answer(model: &str, text: &str, tokens: Option<Tokens>, stop: Stop) -> Value {
    let reason = match stop {
        Stop::Complete => "end_turn",
        Stop::Length => "max_tokens",
        Stop::Refused | Stop::Filtered => "refusal",
    };
    let mut answer = json!({
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{ "type": "text", "text": text }],
        "stop_reason": reason,
        "stop_sequence": null,
    });
    if let Some(Tokens { input, output, cached, .. }) = tokens {
        // Its input tokens are those that came neither from the cache nor went there.
        answer["usage"] = json!({
            "input_tokens": input - cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": cached,
            "output_tokens": output,
            "service_tier": "standard",
        });
    }
    answer
}

pub(super) fn error(code: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": code, "message": message }, "request_id": "req_scripted" })
}
