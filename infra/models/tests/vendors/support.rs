//! What the tests of this crate share: a prompt, and the production model of every vendor against the scripted server.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::fault::Fault;
use autopr_core::ports::Model;
use autopr_core::ports::model::{Completion, Limits, Prompt};
use autopr_fakes::model::{ScriptedModel, Vendor};
use autopr_models::{HttpClient, Kind, Provider, client, model};
use secrecy::SecretString;
use serde_json::json;

/// The key every provider is given. It must not appear in any error or `Debug` form.
pub(crate) const KEY: &str = "sk-canary-0123456789";

/// A word in every prompt, and one in every answer, that must not appear there either.
pub(crate) const SECRET: &str = "canary-of-the-prompt";

pub(crate) fn kind_of(vendor: Vendor) -> Kind {
    match vendor {
        Vendor::OpenAi | Vendor::Compatible => Kind::OpenAi,
        Vendor::AzureOpenAi => Kind::AzureOpenAi,
        Vendor::Mistral => Kind::Mistral,
        Vendor::Anthropic => Kind::Anthropic,
        Vendor::Gemini => Kind::Gemini,
        Vendor::Ollama => Kind::Ollama,
    }
}

pub(crate) fn provider(vendor: Vendor, base_url: &str) -> Provider {
    Provider {
        name: "mine".to_owned(),
        kind: kind_of(vendor),
        api_key: Some(SecretString::from(KEY)),
        base_url: Some(base_url.parse().expect("a URL")),
        model: "model-1".to_owned(),
        temperature: 0.2,
    }
}

pub(crate) fn model_at(vendor: Vendor, base_url: &str) -> Arc<dyn Model> {
    model_as(provider(vendor, base_url))
}

/// The model of a provider, over one client for each test: a test has its thread to itself.
pub(crate) fn model_as(provider: Provider) -> Arc<dyn Model> {
    thread_local! {
        static CLIENT: HttpClient = client().expect("a client");
    }
    CLIENT.with(|client| model(provider, client)).expect("a model")
}

pub(crate) fn model_of(server: &ScriptedModel, vendor: Vendor) -> Arc<dyn Model> {
    model_at(vendor, &server.base_url(vendor))
}

pub(crate) fn prompt() -> Prompt {
    Prompt {
        system: "You review code.".to_owned(),
        user: format!("diff --git {SECRET}"),
        schema: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Review",
            "type": "object",
            "properties": {
                "summary": { "type": "string", "maxLength": 500 },
                "findings": { "type": "array", "maxItems": 20, "items": { "$ref": "#/$defs/Finding" } },
            },
            "required": ["summary", "findings"],
            "additionalProperties": false,
            "$defs": {
                "Finding": {
                    "type": "object",
                    "properties": {
                        "line": { "type": "integer", "format": "uint32", "minimum": 1 },
                        "severity": { "oneOf": [{ "const": "error" }, { "const": "hint" }] },
                        "replacement": { "description": "what to write instead", "type": "string" },
                        "reason": { "type": ["string", "null"] },
                    },
                    "required": ["line", "severity"],
                },
            },
        }),
        repair: None,
    }
}

pub(crate) fn limits() -> Limits {
    Limits { output_tokens: 700, timeout: Duration::from_secs(20) }
}

pub(crate) async fn ask(model: &Arc<dyn Model>) -> Result<Completion, Fault> {
    model.complete(&prompt(), limits()).await
}

/// Everything of a fault that could be shown or logged.
pub(crate) fn shown(fault: &Fault) -> String {
    format!("{fault} {fault:?} {:?}", std::error::Error::source(fault).map(ToString::to_string))
}
