//! The language models: whether each takes its key, found out with the smallest question there is.

use std::time::Duration;

use autopr_core::fault::{Fault, FaultKind};
use autopr_core::model_chain::Price;
use autopr_core::ports::model::{Limits, Prompt};
use autopr_core::yaml::Diagnostic;
use autopr_models::HttpClient;
use autopr_runtime::settings::{Llm, Provider};
use futures_util::future::join_all;
use serde_json::json;

use super::report::{Check, milliseconds};
use super::{told, unclear};

/// How long a model may take: one of one's own may have to be loaded first.
const LONGEST: Duration = Duration::from_secs(30);

/// The most tokens of an answer. Some models that think refuse fewer.
const TOKENS: u32 = 16;

pub(super) async fn checks(llm: &Llm, mistakes: &[Diagnostic], wanted: bool) -> Vec<Check> {
    const NAME: &str = "models";
    if !wanted {
        return vec![Check::skipped(NAME, "left out as asked (--no-models)")];
    }
    let usable = llm.usable();
    let known = |check: &Check| check.clone();
    if usable.is_empty() {
        let unclear = unclear(NAME, mistakes, &["llm"]);
        let none = "no provider can be asked: only the deterministic analysers review, and each review says so";
        return vec![unclear.as_ref().map_or_else(|| Check::skipped(NAME, none), known)];
    }
    let client = match autopr_models::client() {
        Ok(client) => client,
        Err(fault) => return vec![Check::failed(NAME, told(&fault), "see the system's TLS certificates")],
    };
    join_all(usable.into_iter().map(|(name, provider)| ask(llm, name, provider, &client))).await
}

async fn ask(llm: &Llm, name: &str, provider: &Provider, client: &HttpClient) -> Check {
    let check = format!("model.{name}");
    let (model, price) = match autopr_wiring::model(llm, name, provider, client) {
        Ok(model) => model,
        Err(fault) => return failed(check, name, &fault),
    };
    let timeout = llm.timeout.duration().min(LONGEST);
    let prompt = Prompt {
        system: "You answer with one small JSON document.".to_owned(),
        user: "Answer {\"ok\": true}.".to_owned(),
        schema: json!({
            "type": "object", "properties": { "ok": { "type": "boolean" } }, "required": ["ok"],
            "additionalProperties": false,
        }),
        repair: None,
    };
    let begun = std::time::Instant::now();
    match model.complete(&prompt, Limits { output_tokens: TOKENS, timeout }).await {
        Ok(completion) => {
            let (taken, cost) =
                (milliseconds(begun.elapsed()), price.cost(completion.input_tokens, completion.output_tokens));
            let cost_text = match price {
                Price::Free => "free".to_owned(),
                Price::PerMillion { .. } => format!("it cost {cost}"),
            };
            let found = format!("{} answered within {taken} ms; {cost_text}", model.model());
            Check::ok(check, found).value("latency_ms", taken).value("cost_microusd", cost.0)
        }
        Err(fault) => failed(check, name, &fault),
    }
}

fn failed(check: String, name: &str, fault: &Fault) -> Check {
    let found = told(fault);
    let key = match name {
        "openai" => "OPENAI_API_KEY",
        "anthropic" => "ANTHROPIC_API_KEY",
        "mistral" => "MISTRAL_API_KEY",
        "azure_openai" => "AZURE_OPENAI_API_KEY",
        "gemini" => "GEMINI_API_KEY",
        _ => "api_key",
    };
    let setting = format!("llm.providers.{name}");
    match fault.kind {
        FaultKind::Denied => {
            Check::failed(check, found, format!("set {setting}.api_key ({key}) to a key that is valid and has credit"))
        }
        FaultKind::NotFound => {
            Check::failed(check, found, format!("correct {setting}.model, or {setting}.base_url where there is one"))
        }
        FaultKind::Limited => {
            Check::warning(check, found, "wait, or have the limit of this key raised at the provider")
        }
        FaultKind::Invalid => {
            Check::warning(check, found, format!("see whether {setting}.model is one for conversations"))
        }
        _ => {
            Check::failed(check, found, format!("correct {setting}.base_url, and let this machine reach the provider"))
        }
    }
}
