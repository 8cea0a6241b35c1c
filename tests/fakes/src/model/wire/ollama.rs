//! Ollama's `/api/chat`. Rules from its API document (docs/api.md, Generate a chat completion).

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::alternate;
use crate::model::reply::{Stop, Tokens};
use crate::model::request::{Parts, Refusal, Turn};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    model: String,
    messages: Vec<Message>,
    #[serde(default = "streams")]
    stream: bool,
    format: Option<Value>,
    #[serde(default)]
    options: Options,
    #[serde(rename = "keep_alive")]
    _keep_alive: Option<IgnoredAny>,
    #[serde(rename = "think")]
    _think: Option<IgnoredAny>,
}

/// Ollama streams unless told otherwise.
fn streams() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    role: String,
    content: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Options {
    temperature: Option<f64>,
    num_predict: Option<u64>,
    num_ctx: Option<u64>,
    #[serde(rename = "seed")]
    _seed: Option<i64>,
}

pub(super) fn read(body: &[u8]) -> Result<Parts, Refusal> {
    let bytes = body.len();
    let body: Body = super::json(body)?;
    if body.stream {
        return Err(Refusal::violation("this server does not stream"));
    }
    // The real server would silently drop the start of the prompt.
    if body.options.num_ctx.is_none_or(|size| size < u64::try_from(bytes / 5).unwrap_or(u64::MAX)) {
        return Err(Refusal::violation("options.num_ctx is too small for the prompt"));
    }
    let (json, schema) = match body.format {
        None => (false, None),
        Some(Value::String(word)) if word == "json" => (true, None),
        Some(schema @ Value::Object(_)) => (false, Some(schema)),
        Some(_) => return Err(Refusal::violation("format must be \"json\" or a schema")),
    };
    let mut parts = Parts {
        model: body.model,
        schema,
        json,
        output_tokens: body.options.num_predict,
        temperature: body.options.temperature,
        ..Parts::default()
    };
    let mut turns = body.messages.into_iter().map(|Message { role, content }| Turn { role, text: content }).peekable();
    if let Some(system) = turns.next_if(|turn| turn.role == "system") {
        parts.system = system.text;
    }
    parts.turns = turns.collect();
    alternate(&parts.turns, "assistant")?;
    Ok(parts)
}

pub(super) fn answer(model: &str, text: &str, tokens: Option<Tokens>, stop: Stop) -> Value {
    let reason = if stop == Stop::Length { "length" } else { "stop" };
    let mut answer = json!({
        "model": model,
        "created_at": "2026-01-01T00:00:00Z",
        "message": { "role": "assistant", "content": text },
        "done": true,
        "done_reason": reason,
        "total_duration": 1_000_000,
    });
    if let Some(Tokens { input, output, .. }) = tokens {
        answer["prompt_eval_count"] = json!(input);
        answer["eval_count"] = json!(output);
    }
    answer
}

pub(super) fn error(message: &str) -> Value {
    json!({ "error": message })
}
