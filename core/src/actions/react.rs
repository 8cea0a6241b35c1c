//! Reactions to the comment that holds a command: a sign for its author, on which nothing depends.

use crate::engine::Context;
use crate::event::EventKind;
use crate::fault::{Fault, FaultKind};
use crate::ports::forge::{EffectKind, Reaction};

/// Reacts to the command's comment, if there is one. That it was deleted meanwhile, or its conversation locked, is no
/// failure.
pub(super) async fn react(context: &Context, reaction: Reaction) -> Result<(), Fault> {
    let EventKind::Command { comment: Some(comment), .. } = context.event().kind else { return Ok(()) };
    let target = context.target();
    let left = context.effect(EffectKind::Reaction, None, |_| context.forge().react(&target, comment, reaction));
    match left.await {
        Err(fault) if matches!(fault.kind, FaultKind::NotFound | FaultKind::Denied | FaultKind::Invalid) => {
            tracing::info!(%fault, "the command got no reaction");
            Ok(())
        }
        done => done.map(drop),
    }
}
