//! [`model`]: the [`Model`] port over one provider.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use autopr_core::fault::Fault;
use autopr_core::ports::Model;
use autopr_core::ports::model::{Completion, Limits, Prompt};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::client::HttpClient;
use crate::dialect::{Dialect, Shape};
use crate::failure::{self, Failure};
use crate::kind::Kind;
use crate::provider::Provider;
use crate::{address, ollama, through_genai};

/// The model of one provider.
///
/// # Errors
///
/// `Denied` when its key is missing, `Invalid` when its address or key can't be used.
pub fn model(provider: Provider, client: &HttpClient) -> Result<Arc<dyn Model>, Fault> {
    let call = Call {
        kind: provider.kind,
        url: address::of(&provider)?.into(),
        headers: provider.headers()?,
        model: provider.model.clone(),
        temperature: provider.temperature.clamp(0.0, provider.kind.highest_temperature()),
    };
    let genai = genai::Client::builder().with_reqwest(client.clone()).build();
    let genai = genai.map_err(|_| Failure::Unasked.into_fault(&provider))?;
    let dialect = Mutex::new(Dialect::of(provider.kind, provider.base_url.is_some()));
    Ok(Arc::new(VendorModel { provider, call, client: client.clone(), genai, dialect }))
}

/// What every call of one model has in common. It holds the key, so it has no `Debug` form.
pub(crate) struct Call {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) model: String,
    pub(crate) temperature: f64,
}

struct VendorModel {
    provider: Provider,
    call: Call,
    client: HttpClient,
    genai: genai::Client,
    /// What the server has turned out to understand.
    dialect: Mutex<Dialect>,
}

#[async_trait]
impl Model for VendorModel {
    fn provider(&self) -> &str {
        &self.provider.name
    }

    fn model(&self) -> &str {
        &self.provider.model
    }

    async fn complete(&self, prompt: &Prompt, limits: Limits) -> Result<Completion, Fault> {
        match timeout(limits.timeout, self.negotiate(prompt, limits)).await {
            Ok(Ok(completion)) => Ok(completion),
            Ok(Err(failure)) => Err(failure.into_fault(&self.provider)),
            Err(_) => Err(failure::timed_out(&self.provider, limits.timeout.as_secs_f64())),
        }
    }
}

impl VendorModel {
    /// Asks, and asks again only with less of what this server has just said it does not know.
    async fn negotiate(&self, prompt: &Prompt, limits: Limits) -> Result<Completion, Failure> {
        let mut dialect = *self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let result = match self.call.kind {
                Kind::Ollama => ollama::ask(&self.client, &self.call, prompt, limits, dialect).await,
                _ => through_genai::ask(&self.genai, &self.call, prompt, limits, dialect).await,
            };
            let answer = match result {
                Ok(answer) => {
                    *self.dialect.lock().unwrap_or_else(PoisonError::into_inner) = dialect;
                    answer
                }
                Err(Failure::Status { status, headers, body }) if matches!(status.as_u16(), 400 | 422) => {
                    if failure::is_content_filter(&body) {
                        Answer::refused()
                    } else if let Some(less) = dialect.after_refusal(self.call.kind, &body) {
                        dialect = less;
                        continue;
                    } else {
                        return Err(Failure::Status { status, headers, body });
                    }
                }
                Err(failure) => return Err(failure),
            };
            let strict = dialect.shape == Shape::Schema;
            return Ok(answer.into_completion(prompt, strict));
        }
    }
}

/// Who said something in the conversation.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    User,
    Assistant,
}

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// The instructions and the turns of the conversation. Where the server does not hold the model to the schema, the
/// instructions do. A repair shows the model its answer and what is wrong with it.
pub(crate) fn turns(prompt: &Prompt, shape: Shape) -> (String, Vec<(Role, String)>) {
    let mut system = prompt.system.clone();
    if shape != Shape::Schema {
        let schema = &prompt.schema;
        // Writing to a string can't fail.
        let _ = write!(
            system,
            "\n\nAnswer with one JSON document that satisfies this JSON Schema, and with nothing else:\n{schema}"
        );
    }
    let mut turns = vec![(Role::User, prompt.user.clone())];
    if let Some(repair) = &prompt.repair {
        // Vendors refuse empty turns.
        let answer = if repair.answer.trim().is_empty() { "(nothing)" } else { &repair.answer };
        turns.push((Role::Assistant, answer.to_owned()));
        turns.push((
            Role::User,
            format!(
                "Your answer can't be used: {}\n\nWrite the whole answer again, as one JSON document that satisfies the \
                 schema, and nothing else.",
                repair.error
            ),
        ));
    }
    (system, turns)
}
