//! `review`: lets a language model read the diff. Without one there is nothing to do, and the review says so.

use serde::{Deserialize, Serialize};

use super::analyse::{blocking, parse};
use super::ask::ask;
use super::fetch::{self, Fetched};
use crate::diff::LineMap;
use crate::engine::Context;
use crate::fault::Fault;
use crate::model_chain::Answered;
use crate::review::answer;
use crate::review::prompt::{self, Asked, Task};
use crate::review::{Finding, Skipped, Source};

/// What the step puts out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Reviewed {
    pub(super) findings: Vec<Finding>,
    /// The models that read the change, as `provider/model`.
    pub(super) models: Vec<String>,
    pub(super) skipped: Vec<Skipped>,
}

pub(super) async fn run(context: &Context) -> Result<Reviewed, Fault> {
    if !context.has_models() {
        return Ok(Reviewed { findings: Vec::new(), models: Vec::new(), skipped: Vec::new() });
    }
    let fetched = fetch::fetched(context)?;
    let Asked { prompt, left_out } = asked(context, &fetched, prompt::review()).await?;
    let text = fetch::diff(context, &fetched.pull).await?;
    // What the analysers found waits with the models.
    let Answered { provider, model, answer } = ask(context, &prompt, answer::parse).await?;
    let models = vec![format!("{provider}/{model}")];
    let source = Source::Model { provider, model };
    let findings = blocking(text, move |text| Ok(answer::findings(&answer, &LineMap::new(&parse(&text)?), &source)));
    let why = format!("the change has more than {} KB, which is what a model is shown", prompt::MOST_BYTES / 1000);
    let skipped = left_out.into_iter().map(|what| Skipped { what, why: why.clone(), incomplete: true }).collect();
    Ok(Reviewed { findings: findings.await?, models, skipped })
}

/// A task together with the change, as a model is to see it.
pub(super) async fn asked(context: &Context, fetched: &Fetched, task: Task) -> Result<Asked, Fault> {
    let Fetched { pull, config, .. } = fetched.clone();
    let text = fetch::diff(context, &pull).await?;
    let asked = blocking(text, move |text| {
        let ignore = config.ignore_set();
        Ok(prompt::prompt(task, &pull, &parse(&text)?, |path| ignore.is_match(path)))
    });
    asked.await
}
