//! Gemini's `generateContent`. Rules from Google's API reference (models.generateContent, GenerationConfig) and its
//! error model (google.rpc.Status).

use http::HeaderMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{alternate, header, strict, within};
use crate::model::reply::{Stop, Tokens};
use crate::model::request::{Parts, Refusal, Turn};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "named so that the vendor's fields are known and others refused")]
struct Body {
    contents: Vec<Content>,
    system_instruction: Option<Content>,
    #[serde(default)]
    generation_config: GenerationConfig,
    safety_settings: Option<IgnoredAny>,
    tools: Option<IgnoredAny>,
    tool_config: Option<IgnoredAny>,
    cached_content: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default)]
    role: String,
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    text: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "named so that the vendor's fields are known and others refused")]
struct GenerationConfig {
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
    seed: Option<i32>,
    candidate_count: Option<u32>,
    max_output_tokens: Option<u64>,
    stop_sequences: Option<Vec<String>>,
    response_mime_type: Option<String>,
    response_schema: Option<Value>,
    response_json_schema: Option<Value>,
    thinking_config: Option<IgnoredAny>,
}

fn joined(parts: Vec<Part>) -> String {
    parts.into_iter().map(|part| part.text).collect()
}

pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Parts, Refusal> {
    header(headers, "x-goog-api-key")?;
    let body: Body = super::json(body)?;
    let config = body.generation_config;
    within("temperature", config.temperature, 0.0, 2.0)?;
    let turns: Vec<Turn> =
        body.contents.into_iter().map(|Content { role, parts }| Turn { role, text: joined(parts) }).collect();
    alternate(&turns, "model")?;
    let is_json = config.response_mime_type.as_deref() == Some("application/json");
    let schema = config.response_json_schema.or(config.response_schema);
    if let Some(schema) = &schema {
        if !is_json {
            return Err(Refusal::violation("a response schema needs the MIME type application/json"));
        }
        strict::check(schema, false)?;
    }
    let turns = turns.into_iter().map(|Turn { role, text }| {
        let role = if role == "model" { "assistant".to_owned() } else { role };
        Turn { role, text }
    });
    Ok(Parts {
        model: String::new(),
        system: body.system_instruction.map(|content| joined(content.parts)).unwrap_or_default(),
        turns: turns.collect(),
        json: is_json && schema.is_none(),
        schema,
        output_tokens: config.max_output_tokens,
        temperature: config.temperature,
    })
}

pub(super) fn answer(model: &str, text: &str, tokens: Option<Tokens>, stop: Stop) -> Value {
    let mut answer = match stop {
        // The prompt itself was blocked: there is no candidate.
        Stop::Filtered => json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" } }),
        Stop::Complete | Stop::Length | Stop::Refused => {
            let reason = match stop {
                Stop::Length => "MAX_TOKENS",
                Stop::Refused => "SAFETY",
                Stop::Complete | Stop::Filtered => "STOP",
            };
            let content = json!({ "role": "model", "parts": [{ "text": text }] });
            json!({ "candidates": [{ "content": content, "finishReason": reason, "index": 0 }] })
        }
    };
    answer["modelVersion"] = json!(model);
    answer["responseId"] = json!("scripted");
    if let Some(Tokens { input, output, cached, thinking }) = tokens {
        // Its candidates' tokens are those that are not thinking.
        let mut usage = json!({ "promptTokenCount": input, "totalTokenCount": input });
        if stop != Stop::Filtered {
            usage["totalTokenCount"] = json!(input + output);
            usage["candidatesTokenCount"] = json!(output - thinking);
        }
        if cached > 0 {
            usage["cachedContentTokenCount"] = json!(cached);
        }
        if thinking > 0 {
            usage["thoughtsTokenCount"] = json!(thinking);
        }
        answer["usageMetadata"] = usage;
    }
    answer
}

/// `code` is the status word, such as `RESOURCE_EXHAUSTED`.
pub(super) fn error(status: u16, code: &str, message: &str) -> Value {
    json!({ "error": { "code": status, "message": message, "status": code } })
}
