//! OpenAI and all who speak like it, Azure, Mistral, Anthropic and Gemini, through `genai`.
//!
//! What `genai` would decide by a model's name is decided here instead: the address, the headers, the name of the token
//! limit, and the model itself (it cuts endings such as `-high` off and takes `x::` for a vendor).

use autopr_core::ports::model::{Limits, Prompt, Stopped};
use genai::adapter::AdapterKind;
use genai::chat::{
    ChatMessage, ChatOptions, ChatRequest, ChatResponse, ChatResponseFormat, JsonSpec, StopReason, Usage,
};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, Headers, ModelIden, ServiceTarget, webc};
use serde_json::{Map, Value, json};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::answer::Answer;
use crate::dialect::{Dialect, Shape};
use crate::failure::Failure;
use crate::kind::Kind;
use crate::schema::{self, Optional};
use crate::vendor_model::{self, Call, Role};

/// Asks once. `genai` writes bodies to the log at the level `trace`, so nothing inside the call may log.
pub(crate) async fn ask(
    client: &Client,
    call: &Call,
    prompt: &Prompt,
    limits: Limits,
    dialect: Dialect,
) -> Result<Answer, Failure> {
    let options = options(call, prompt, limits, dialect);
    let (system, turns) = vendor_model::turns(prompt, dialect.shape);
    let messages = turns.into_iter().map(|(role, text)| match role {
        Role::User => ChatMessage::user(text),
        Role::Assistant => ChatMessage::assistant(text),
    });
    let request = ChatRequest::new(messages.collect()).with_system(system);
    let answer = client.exec_chat(target(call), request, Some(&options)).with_subscriber(Dispatch::none()).await;
    answer.map_or_else(failed, |response| understand(call.kind, response))
}

/// Everything that says where to and as whom. The model's name is the vendor's, in the body or the address; `genai`
/// sees one that means nothing to it.
fn target(call: &Call) -> ServiceTarget {
    let adapter = match call.kind {
        Kind::OpenAi | Kind::AzureOpenAi => AdapterKind::OpenAI,
        Kind::Mistral => AdapterKind::Mistral,
        Kind::Anthropic => AdapterKind::Anthropic,
        Kind::Gemini => AdapterKind::Gemini,
        Kind::Ollama => AdapterKind::Ollama,
    };
    let headers: Headers = call.headers.clone().into();
    ServiceTarget {
        endpoint: Endpoint::from_static("https://overridden.invalid/"),
        auth: AuthData::RequestOverride { url: call.url.clone(), headers },
        model: ModelIden::from_static(adapter, "model"),
    }
}

fn options(call: &Call, prompt: &Prompt, limits: Limits, dialect: Dialect) -> ChatOptions {
    // The whole body is needed once more for what `genai` leaves out of its answer: OpenAI's refusals, Gemini's blocks.
    let mut options = ChatOptions::default().with_capture_raw_body(true);
    if dialect.temperature {
        options = options.with_temperature(call.temperature);
    }
    let optional = match call.kind {
        Kind::Anthropic | Kind::Gemini => Optional::Kept,
        Kind::OpenAi | Kind::AzureOpenAi | Kind::Mistral | Kind::Ollama => Optional::Nullable,
    };
    match dialect.shape {
        Shape::Schema => {
            let schema = schema::close(&prompt.schema, optional);
            options = options.with_response_format(JsonSpec::new("answer", schema));
        }
        Shape::Json => options = options.with_response_format(ChatResponseFormat::JsonMode),
        Shape::Text => {}
    }
    let mut body = Map::new();
    match call.kind {
        Kind::OpenAi | Kind::AzureOpenAi | Kind::Mistral => {
            body.insert(dialect.token_limit.name().to_owned(), json!(limits.output_tokens));
        }
        Kind::Anthropic | Kind::Gemini | Kind::Ollama => options = options.with_max_tokens(limits.output_tokens),
    }
    if call.kind != Kind::Gemini {
        body.insert("model".to_owned(), json!(call.model));
    }
    options.with_extra_body(Value::Object(body))
}

fn understand(kind: Kind, response: ChatResponse) -> Result<Answer, Failure> {
    let ChatResponse { content, stop_reason, usage, captured_raw_body, .. } = response;
    let raw = captured_raw_body.unwrap_or_default();
    let text = content.into_texts().concat();
    let refusal = raw.pointer("/choices/0/message/refusal").and_then(Value::as_str).is_some_and(|why| !why.is_empty());
    let stopped = match &stop_reason {
        Some(StopReason::MaxTokens(_)) => Stopped::Length,
        Some(StopReason::ContentFilter(_)) => Stopped::Refused,
        _ if refusal || blocked(&raw) => Stopped::Refused,
        _ => Stopped::Complete,
    };
    if text.is_empty() && stop_reason.is_none() && stopped == Stopped::Complete {
        return Err(Failure::Garbage);
    }
    let (input_tokens, output_tokens) = tokens(kind, &usage);
    Ok(Answer { text, input_tokens, output_tokens, stopped })
}

/// Whether Gemini did not even let the model see the prompt.
fn blocked(raw: &Value) -> bool {
    raw.pointer("/promptFeedback/blockReason").is_some()
}

/// Tokens in and out. `genai` adds up what vendors keep apart (Anthropic's cache, Gemini's thoughts), except for thoughts
/// without an answer, which only show in Gemini's total.
fn tokens(kind: Kind, usage: &Usage) -> (Option<u64>, Option<u64>) {
    let number = |count: Option<i32>| count.and_then(|count| u64::try_from(count).ok());
    let (input, output) = (number(usage.prompt_tokens), number(usage.completion_tokens));
    let rest = || number(usage.total_tokens)?.checked_sub(input?);
    (input, if kind == Kind::Gemini { output.max(rest()) } else { output })
}

/// Keeps of an error what can be judged. Its texts quote prompt and answer, so they end here.
fn failed(error: genai::Error) -> Result<Answer, Failure> {
    match error {
        genai::Error::WebModelCall { webc_error, .. } => Err(match webc_error {
            webc::Error::ResponseFailedStatus { status, body, headers } => Failure::Status { status, headers, body },
            webc::Error::Reqwest(error) => Failure::Transport(error),
            webc::Error::ResponseFailedNotJson { .. }
            | webc::Error::ResponseFailedInvalidJson { .. }
            | webc::Error::JsonValueExt(_) => Failure::Garbage,
        }),
        genai::Error::ChatResponseGeneration { response_body, .. } if blocked(&response_body) => {
            let count = |at: &str| response_body.pointer(at).and_then(Value::as_u64);
            let input_tokens = count("/usageMetadata/promptTokenCount");
            Ok(Answer { input_tokens, output_tokens: Some(0), ..Answer::refused() })
        }
        genai::Error::ChatResponseGeneration { .. } => Err(Failure::Garbage),
        _ => Err(Failure::Unasked),
    }
}
