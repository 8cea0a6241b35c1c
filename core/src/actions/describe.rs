//! `describe`: a description of the change, below what its author wrote.

use serde::{Deserialize, Serialize};

use super::ask::ask;
use super::fetch::{self, Fetched};
use super::review::asked;
use crate::engine::Context;
use crate::fault::{Fault, FaultKind};
use crate::model_chain::Answered;
use crate::ports::forge::{EffectKind, Remote};
use crate::review::description;

/// What the step puts out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Described {
    description: Remote,
}

pub(super) async fn run(context: &Context) -> Result<Described, Fault> {
    if !context.has_models() {
        let told = "A description needs a language model, and none is configured.";
        return Err(Fault::new(FaultKind::Invalid, "no language model is configured").user(told));
    }
    let fetched = fetch::fetched(context)?;
    let asked = asked(context, &fetched, description::task()).await?;
    let Answered { provider, model, answer } = ask(context, &asked.prompt, description::parse).await?;
    let Fetched { pull, .. } = fetched;
    let section = description::markdown(&answer, &pull.head, &format!("{provider}/{model}"), &asked.left_out);
    let target = &context.target();
    let written = context.effect(EffectKind::Description, None, |_| context.forge().describe(target, &section));
    Ok(Described { description: written.await? })
}
