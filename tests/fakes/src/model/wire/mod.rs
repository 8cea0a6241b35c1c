//! The vendors' forms: what a request must look like, what answers and errors look like.

mod anthropic;
mod gemini;
mod ollama;
mod openai;
mod strict;

use http::HeaderMap;
use serde_json::Value;

use super::reply::{Stop, Tokens};
use super::request::{Parts, Refusal};
use super::vendor::Vendor;

/// Holds a request to the vendor's rules.
pub(crate) fn read(
    vendor: Vendor,
    model_in_path: Option<String>,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Parts, Refusal> {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(Refusal::violation("the content type must be application/json"));
    }
    let mut parts = match vendor {
        Vendor::OpenAi | Vendor::Compatible | Vendor::AzureOpenAi => openai::read(vendor, query, headers, body),
        Vendor::Mistral => openai::read_mistral(headers, body),
        Vendor::Anthropic => anthropic::read(headers, body),
        Vendor::Gemini => gemini::read(headers, body),
        Vendor::Ollama => ollama::read(body),
    }?;
    if let Some(model) = model_in_path {
        parts.model = model;
    }
    Ok(parts)
}

/// An answer in the vendor's form.
pub(crate) fn answer(vendor: Vendor, model: &str, text: &str, tokens: Option<Tokens>, stop: Stop) -> Value {
    match vendor {
        Vendor::OpenAi | Vendor::Compatible | Vendor::AzureOpenAi | Vendor::Mistral => {
            openai::answer(vendor, model, text, tokens, stop)
        }
        Vendor::Anthropic => anthropic::answer(model, text, tokens, stop),
        Vendor::Gemini => gemini::answer(model, text, tokens, stop),
        Vendor::Ollama => ollama::answer(model, text, tokens, stop),
    }
}

/// An error in the vendor's form.
pub(crate) fn error(vendor: Vendor, status: u16, code: &str, param: Option<&str>, message: &str) -> Value {
    match vendor {
        Vendor::OpenAi | Vendor::Compatible | Vendor::AzureOpenAi => openai::error(code, param, message),
        Vendor::Mistral => openai::mistral_error(code, message),
        Vendor::Anthropic => anthropic::error(code, message),
        Vendor::Gemini => gemini::error(status, code, message),
        Vendor::Ollama => ollama::error(message),
    }
}

/// Requires `name: value` with something in it.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if value.is_empty() { Err(Refusal::violation(format!("the header {name} is missing"))) } else { Ok(value) }
}

fn bearer(headers: &HeaderMap) -> Result<(), Refusal> {
    match header(headers, "authorization")?.strip_prefix("Bearer ") {
        Some(key) if !key.is_empty() => Ok(()),
        _ => Err(Refusal::violation("the header authorization must be `Bearer <key>`")),
    }
}

fn json<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::violation(format!("the body is not as documented: {error}")))
}

/// Requires a number within bounds, if there is one.
fn within(name: &str, value: Option<f64>, lowest: f64, highest: f64) -> Result<(), Refusal> {
    match value {
        Some(value) if !(lowest..=highest).contains(&value) => {
            Err(Refusal::violation(format!("{name} must be between {lowest} and {highest}")))
        }
        _ => Ok(()),
    }
}

/// Requires a first turn of the user, turns that alternate and none that is empty.
fn alternate(turns: &[super::request::Turn], model_role: &str) -> Result<(), Refusal> {
    for (at, turn) in turns.iter().enumerate() {
        let expect = if at % 2 == 0 { "user" } else { model_role };
        if turn.role != expect {
            return Err(Refusal::violation(format!("turn {at} must be of role {expect}, not {}", turn.role)));
        }
        if turn.text.trim().is_empty() {
            return Err(Refusal::violation(format!("turn {at} is empty")));
        }
    }
    match turns.last() {
        Some(turn) if turn.role == "user" => Ok(()),
        _ => Err(Refusal::violation("the last turn must be the user's")),
    }
}
