//! Ollama's own interface, spoken directly: `genai` 0.7 sends it neither the schema nor a key, and leaves the size of the
//! context at the server's default, beyond which Ollama silently drops the start of the prompt.

use autopr_core::ports::model::{Limits, Prompt, Stopped};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Answer, estimate};
use crate::client::HttpClient;
use crate::dialect::{Dialect, Shape};
use crate::failure::Failure;
use crate::schema;
use crate::vendor_model::{self, Call};

/// The most bytes an answer may have.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// Asks once.
pub(crate) async fn ask(
    client: &HttpClient,
    call: &Call,
    prompt: &Prompt,
    limits: Limits,
    dialect: Dialect,
) -> Result<Answer, Failure> {
    let url = Url::parse(&call.url).map_err(|_| Failure::Unasked)?;
    let mut request = client.post(url).json(&body(call, prompt, limits, dialect));
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    let mut response = request.send().await.map_err(Failure::Transport)?;
    let (status, headers) = (response.status(), Box::new(response.headers().clone()));
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Failure::Transport)? {
        if bytes.len() + chunk.len() > BODY_LIMIT {
            return Err(Failure::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(Failure::Status { status, headers, body: String::from_utf8_lossy(&bytes).into_owned() });
    }
    let reply: Reply = serde_json::from_slice(&bytes).map_err(|_| Failure::Garbage)?;
    let stopped = match reply.done_reason.as_deref() {
        Some("length") => Stopped::Length,
        _ => Stopped::Complete,
    };
    Ok(Answer {
        text: reply.message.content,
        input_tokens: reply.prompt_eval_count,
        output_tokens: reply.eval_count,
        stopped,
    })
}

fn body(call: &Call, prompt: &Prompt, limits: Limits, dialect: Dialect) -> Value {
    let (system, turns) = vendor_model::turns(prompt, dialect.shape);
    let mut messages = vec![json!({ "role": "system", "content": system })];
    messages.extend(turns.into_iter().map(|(role, content)| json!({ "role": role.as_str(), "content": content })));
    let sent: usize = messages.iter().map(|message| message.to_string().len()).sum();
    let mut options = json!({
        "num_predict": limits.output_tokens,
        "num_ctx": context_size(estimate(sent) + u64::from(limits.output_tokens)),
    });
    if dialect.temperature {
        options["temperature"] = json!(call.temperature);
    }
    let mut body = json!({ "model": call.model, "messages": messages, "stream": false, "options": options });
    match dialect.shape {
        Shape::Schema => body["format"] = schema::close(&prompt.schema, schema::Optional::Nullable),
        Shape::Json => body["format"] = json!("json"),
        Shape::Text => {}
    }
    body
}

/// The context to ask for: a power of two, because each new size makes Ollama load the model again.
fn context_size(tokens: u64) -> u64 {
    tokens.max(8192).next_power_of_two()
}

/// The part of Ollama's answer we read, as its API document names it.
#[derive(Deserialize)]
struct Reply {
    message: Message,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: Option<u64>,
    #[serde(default)]
    eval_count: Option<u64>,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}
