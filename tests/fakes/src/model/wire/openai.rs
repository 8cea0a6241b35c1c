//! OpenAI's chat completions, as OpenAI, Azure, servers that copy it, and (with names of its own) Mistral have them.
//! Rules from OpenAI's API reference (Create chat completion), Azure's reference for 2024-10-21, and Mistral's OpenAPI
//! description (`ChatCompletionRequest`).

use http::HeaderMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{alternate, bearer, header, strict, within};
use crate::model::reply::{Stop, Tokens};
use crate::model::request::{Parts, Refusal, Turn};
use crate::model::vendor::Vendor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that the vendor's fields are known and others refused")]
struct Body {
    model: Option<String>,
    messages: Vec<Message>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    n: Option<u32>,
    stop: Option<IgnoredAny>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    logit_bias: Option<IgnoredAny>,
    logprobs: Option<bool>,
    top_logprobs: Option<u32>,
    user: Option<String>,
    seed: Option<i64>,
    #[serde(default)]
    stream: bool,
    stream_options: Option<IgnoredAny>,
    response_format: Option<Format>,
    tools: Option<IgnoredAny>,
    tool_choice: Option<IgnoredAny>,
    parallel_tool_calls: Option<bool>,
    service_tier: Option<String>,
    store: Option<bool>,
    metadata: Option<IgnoredAny>,
    reasoning_effort: Option<String>,
    verbosity: Option<String>,
    prompt_cache_key: Option<String>,
    safety_identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MistralBody {
    model: String,
    messages: Vec<Message>,
    temperature: Option<f64>,
    max_tokens: Option<u64>,
    #[serde(default)]
    stream: bool,
    response_format: Option<Format>,
    #[serde(rename = "top_p")]
    _top_p: Option<f64>,
    #[serde(rename = "stop")]
    _stop: Option<IgnoredAny>,
    #[serde(rename = "random_seed")]
    _random_seed: Option<u64>,
    #[serde(rename = "safe_prompt")]
    _safe_prompt: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    role: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Format {
    Text {},
    JsonObject {},
    JsonSchema { json_schema: Schema },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    name: String,
    #[serde(rename = "description")]
    _description: Option<String>,
    schema: Value,
    #[serde(default)]
    strict: bool,
}

pub(super) fn read(vendor: Vendor, query: &str, headers: &HeaderMap, body: &[u8]) -> Result<Parts, Refusal> {
    match vendor {
        Vendor::AzureOpenAi => {
            header(headers, "api-key")?;
            if !query.split('&').any(|pair| pair.starts_with("api-version=20")) {
                return Err(Refusal::violation("the query must have an api-version"));
            }
        }
        Vendor::OpenAi => bearer(headers)?,
        // One's own server may do without a key; what is sent must still be one.
        _ if headers.contains_key("authorization") => bearer(headers)?,
        _ => {}
    }
    let body: Body = super::json(body)?;
    let Some(model) = body.model.or((vendor == Vendor::AzureOpenAi).then(String::new)) else {
        return Err(Refusal::violation("you must provide a model parameter"));
    };
    if body.max_tokens.is_some() && body.max_completion_tokens.is_some() {
        return Err(Refusal::violation("max_tokens and max_completion_tokens must not be set both"));
    }
    within("temperature", body.temperature, 0.0, 2.0)?;
    if vendor != Vendor::Compatible && ["o1", "o3", "o4", "gpt-5"].iter().any(|family| model.starts_with(family)) {
        reasoning(body.max_tokens, body.temperature)?;
    }
    let output_tokens = body.max_completion_tokens.or(body.max_tokens);
    parts(model, body.messages, body.response_format, output_tokens, body.temperature, body.stream)
}

/// OpenAI's reasoning models take neither the old name of the limit nor a temperature.
fn reasoning(max_tokens: Option<u64>, temperature: Option<f64>) -> Result<(), Refusal> {
    if max_tokens.is_some() {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        return Err(Refusal::Unsupported { param: "max_tokens", message: message.to_owned() });
    }
    if temperature.is_some_and(|temperature| temperature != 1.0) {
        let message = "Unsupported value: 'temperature' does not support this value with this model. Only the default (1) value is supported.";
        return Err(Refusal::Unsupported { param: "temperature", message: message.to_owned() });
    }
    Ok(())
}

pub(super) fn read_mistral(headers: &HeaderMap, body: &[u8]) -> Result<Parts, Refusal> {
    bearer(headers)?;
    let body: MistralBody = super::json(body)?;
    within("temperature", body.temperature, 0.0, 1.5)?;
    parts(body.model, body.messages, body.response_format, body.max_tokens, body.temperature, body.stream)
}

fn parts(
    model: String,
    messages: Vec<Message>,
    format: Option<Format>,
    output_tokens: Option<u64>,
    temperature: Option<f64>,
    stream: bool,
) -> Result<Parts, Refusal> {
    if stream {
        return Err(Refusal::violation("this server does not stream"));
    }
    if output_tokens == Some(0) {
        return Err(Refusal::violation("the limit of tokens must be at least 1"));
    }
    let mut parts = Parts { model, output_tokens, temperature, ..Parts::default() };
    let mut turns = messages.into_iter().map(|Message { role, content }| Turn { role, text: content }).peekable();
    if let Some(system) = turns.next_if(|turn| turn.role == "system") {
        parts.system = system.text;
    }
    parts.turns = turns.collect();
    alternate(&parts.turns, "assistant")?;
    match format {
        Some(Format::JsonSchema { json_schema: Schema { name, schema, strict, .. } }) => {
            let named = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
            if !named || name.is_empty() || name.len() > 64 {
                return Err(Refusal::violation("the schema's name must be 1 to 64 letters, digits, _ or -"));
            }
            if strict {
                strict::check(&schema, true)?;
            }
            parts.schema = Some(schema);
        }
        Some(Format::JsonObject {}) => {
            let says_json = parts.system.contains("JSON") || parts.turns.iter().any(|turn| turn.text.contains("JSON"));
            if !says_json {
                return Err(Refusal::violation("'messages' must contain the word 'json' to use json_object"));
            }
            parts.json = true;
        }
        Some(Format::Text {}) | None => {}
    }
    Ok(parts)
}

pub(super) fn answer(vendor: Vendor, model: &str, text: &str, tokens: Option<Tokens>, stop: Stop) -> Value {
    let reason = match stop {
        Stop::Complete | Stop::Refused => "stop",
        Stop::Length => "length",
        Stop::Filtered => "content_filter",
    };
    let mut message = json!({ "role": "assistant", "content": text });
    if vendor != Vendor::Mistral {
        message["refusal"] = Value::Null;
        if stop == Stop::Refused {
            message["content"] = Value::Null;
            message["refusal"] = json!(text);
        }
    }
    let mut answer = json!({
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_767_225_600,
        "model": model,
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": reason }],
    });
    if let Some(Tokens { input, output, cached, thinking }) = tokens {
        answer["usage"] = json!({
            "prompt_tokens": input,
            "completion_tokens": output,
            "total_tokens": input + output,
            "prompt_tokens_details": { "cached_tokens": cached, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": thinking, "audio_tokens": 0 },
        });
    }
    answer
}

pub(super) fn error(code: &str, param: Option<&str>, message: &str) -> Value {
    let kind = match code {
        "insufficient_quota" => "insufficient_quota",
        "rate_limit_exceeded" => "requests",
        "server_error" => "server_error",
        _ => "invalid_request_error",
    };
    json!({ "error": { "message": message, "type": kind, "param": param, "code": code } })
}

pub(super) fn mistral_error(code: &str, message: &str) -> Value {
    json!({ "object": "error", "message": message, "type": code, "param": null, "code": null })
}
