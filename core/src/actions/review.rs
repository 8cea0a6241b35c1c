//! `review`: lets a language model read the diff. Without one there is nothing to do, and the review says so.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::analyse::{blocking, parse};
use super::fetch::{self, Fetched};
use crate::diff::LineMap;
use crate::engine::Context;
use crate::fault::Fault;
use crate::ports::Model;
use crate::ports::model::{Limits, Prompt};
use crate::review::answer::{self, Answer};
use crate::review::prompt::{self, Asked};
use crate::review::{Finding, Skipped, Source};

/// What one answer may take.
const LIMITS: Limits = Limits { output_tokens: 4000, timeout: Duration::from_secs(60) };

/// What the step puts out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Reviewed {
    pub(super) findings: Vec<Finding>,
    /// The models that read the change, as `provider/model`.
    pub(super) models: Vec<String>,
    pub(super) skipped: Vec<Skipped>,
}

/// An answer and who gave it.
#[derive(Serialize, Deserialize)]
struct Paid {
    provider: String,
    model: String,
    answer: Answer,
}

pub(super) async fn run(context: &Context) -> Result<Reviewed, Fault> {
    if context.models().is_empty() {
        return Ok(Reviewed { findings: Vec::new(), models: Vec::new(), skipped: Vec::new() });
    }
    let Fetched { pull, config, .. } = fetch::fetched(context)?;
    let text = fetch::diff(context, &pull).await?;
    let asked = blocking(text.clone(), move |text| {
        let ignore = config.ignore_set();
        Ok(prompt::prompt(&pull, &parse(&text)?, |path| ignore.is_match(path)))
    });
    let Asked { prompt, left_out } = asked.await?;
    let paid = context.memo("answer", prompt.user.as_bytes(), ask(context.models(), &prompt)).await?;
    let Paid { provider, model, answer } = paid;
    let models = vec![format!("{provider}/{model}")];
    let source = Source::Model { provider, model };
    let findings = blocking(text, move |text| Ok(answer::findings(&answer, &LineMap::new(&parse(&text)?), &source)));
    let why = format!("the change has more than {} KB, which is what a model is shown", prompt::MOST_BYTES / 1000);
    let skipped = left_out.into_iter().map(|what| Skipped { what, why: why.clone(), incomplete: true }).collect();
    Ok(Reviewed { findings: findings.await?, models, skipped })
}

/// Asks one model after the other until an answer can be used.
async fn ask(models: &[Arc<dyn Model>], prompt: &Prompt) -> Result<Paid, Fault> {
    let mut last = Fault::invalid("no language model is configured");
    for model in models {
        let answer = match model.complete(prompt, LIMITS).await {
            Ok(completion) => answer::parse(&completion.text),
            Err(fault) => Err(fault),
        };
        match answer {
            Ok(answer) => {
                let (provider, model) = (model.provider().to_owned(), model.model().to_owned());
                return Ok(Paid { provider, model, answer });
            }
            Err(fault) => {
                tracing::warn!(
                    provider = model.provider(),
                    kind = fault.kind.as_str(),
                    "the model gave no usable answer"
                );
                last = fault;
            }
        }
    }
    Err(last)
}
