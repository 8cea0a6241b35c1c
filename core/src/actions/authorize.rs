//! `authorize`: whether whoever gave a command may give it.

use serde::{Deserialize, Serialize};

use super::react::react;
use crate::engine::Context;
use crate::event::EventKind;
use crate::fault::{Fault, FaultKind};
use crate::ports::forge::{EffectKind, Permission, Reaction};
use crate::workflow::ActionName;

/// What the step puts out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Authorized {
    allowed: bool,
}

/// Events that are not commands come from GitHub itself or from the operator, and are allowed without asking.
pub(super) async fn run(context: &Context) -> Result<Authorized, Fault> {
    let EventKind::Command { name, .. } = &context.event().kind else {
        return Ok(Authorized { allowed: true });
    };
    let target = context.target();
    let permission = context.forge().permission(&target, &context.event().sender.login).await?;
    let allowed = permission >= Permission::Write;
    let verdict = if allowed { "command.allowed" } else { "command.refused" };
    context.audit(verdict, format!("/autopr {name}")).await?;
    let reaction = if allowed { Reaction::Eyes } else { Reaction::ThumbsDown };
    react(context, reaction).await?;
    if allowed {
        context.join().await?;
        return Ok(Authorized { allowed });
    }
    // The name matched a workflow's trigger, so it is one of a few words.
    let body = format!("`/autopr {name}` needs write access to this repository.\n");
    let target = &target;
    let answer = context.effect(EffectKind::Comment, None, |marker| async move {
        context.forge().create_comment(target, &marker, &body).await
    });
    answer.await?;
    Ok(Authorized { allowed })
}

/// Refuses to go on with a command that was not authorized: a workflow that forgot to ask can't spend anything.
///
/// # Errors
/// When the execution runs for a command and no `authorize` step before this one allowed it.
pub(super) fn required(context: &Context) -> Result<(), Fault> {
    if !matches!(context.event().kind, EventKind::Command { .. }) {
        return Ok(());
    }
    match context.outputs::<Authorized>(ActionName::Authorize)?.iter().any(|authorized| authorized.allowed) {
        true => Ok(()),
        false => Err(Fault::new(
            FaultKind::Denied,
            "a command must be allowed first: give the workflow a step with `uses: authorize` and name it in `needs`",
        )),
    }
}
