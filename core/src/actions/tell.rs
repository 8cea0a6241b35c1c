//! `tell`: one line to whoever gave a command that was not done, which says why.

use serde::{Deserialize, Serialize};

use super::fetch::Fetched;
use crate::engine::Context;
use crate::event::EventKind;
use crate::fault::Fault;
use crate::ports::forge::{EffectKind, Remote};
use crate::workflow::ActionName;

/// What the step puts out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Told {
    comment: Option<Remote>,
}

/// Nothing is said to events that nobody waits for.
pub(super) async fn run(context: &Context) -> Result<Told, Fault> {
    let EventKind::Command { name, .. } = &context.event().kind else { return Ok(Told { comment: None }) };
    let failure = ActionName::ALL.into_iter().find_map(|action| context.failure(action));
    let unwanted = || {
        let fetched = context.outputs::<Fetched>(ActionName::Fetch).ok()?.pop()?;
        (!fetched.wanted).then(|| "The repository's `.autopr.yml` switches it off.".to_owned())
    };
    let Some(why) = failure.or_else(unwanted) else { return Ok(Told { comment: None }) };
    // The name matched a workflow's trigger, so it is one of a few words.
    let body = format!("`/autopr {name}` was not done. {why}\n");
    let target = &context.target();
    let told = context.effect(EffectKind::Comment, None, |marker| async move {
        context.forge().create_comment(target, &marker, &body).await
    });
    Ok(Told { comment: Some(told.await?) })
}
