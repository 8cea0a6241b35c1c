//! `label`: labels for the kind of change and the effort to review it.

use serde::{Deserialize, Serialize};

use super::analyse::Analysed;
use super::fetch;
use super::review::asked;
use crate::engine::Context;
use crate::fault::{Fault, FaultKind, Retry};
use crate::ports::forge::EffectKind;
use crate::review::labels;
use crate::workflow::ActionName;

/// What the step puts out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Labelled {
    labels: Vec<String>,
}

/// The effort is counted; the kind of change is a language model's word, left out when there is none.
pub(super) async fn run(context: &Context) -> Result<Labelled, Fault> {
    let fetched = fetch::fetched(context)?;
    let mut labels: Vec<_> = context
        .outputs::<Analysed>(ActionName::Analyse)?
        .iter()
        .map(|analysed| labels::of_effort(&analysed.effort))
        .collect();
    let mut refused = None;
    if context.has_models() {
        let asked = asked(context, &fetched, labels::task()).await?;
        match context.ask(&asked.prompt, labels::parse).await {
            Ok(answered) => labels.extend(answered.answer),
            // What was counted needs no model.
            Err(fault) if fault.retry == Retry::Never && fault.kind == FaultKind::Invalid => refused = Some(fault),
            Err(fault) => return Err(fault),
        }
    }
    let (target, labels) = (&context.target(), labels);
    if !labels.is_empty() {
        context.effect(EffectKind::Labels, None, |_| context.forge().add_labels(target, &labels)).await?;
    }
    refused.map_or(Ok(Labelled { labels }), Err)
}
