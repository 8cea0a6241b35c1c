//! Asks the language models, and waits for them with patience when none can be asked: the execution is parked, and the
//! pull request is told once that it takes longer.

use std::time::Duration;

use crate::engine::Context;
use crate::fault::{Fault, FaultKind, Retry};
use crate::model_chain::Answered;
use crate::ports::forge::EffectKind;
use crate::ports::model::Prompt;

/// After so long the pull request is told. A comment, because a check that is not there yet keeps a required check open,
/// while a neutral one would count as passed, and one in progress would stay so if the engine never came back.
const NEWS: Duration = Duration::from_mins(10);

/// [`Context::ask`] with patience.
///
/// # Errors
/// [`FaultKind::Limited`] when no model can be asked now: to be tried again, until the patience of the settings is over.
/// The others of [`Context::ask`].
pub(super) async fn ask<T>(
    context: &Context,
    prompt: &Prompt,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Answered<T>, Fault> {
    match context.ask(prompt, read).await {
        Err(fault) if fault.kind == FaultKind::Limited && fault.retry != Retry::Never => {
            Err(wait(context, fault).await?)
        }
        asked => asked,
    }
}

/// The fault to be waited for, or the one that ends the waiting.
async fn wait(context: &Context, fault: Fault) -> Result<Fault, Fault> {
    let begun = context.memo("waiting", b"", async { Ok(context.age()) }).await?;
    let waited = context.age().saturating_sub(begun);
    let hint = if let Retry::After(hint) = fault.retry { hint } else { Duration::ZERO };
    let patience = context.patience();
    if waited.saturating_add(hint) >= patience {
        let told = format!(
            "No language model could be asked within {} (`llm.patience`): they were out of reach or at their limits.",
            words(patience)
        );
        return Ok(fault.retry(Retry::Never).user(told));
    }
    if waited >= NEWS {
        tell(context, patience).await?;
    }
    Ok(fault)
}

/// Tells the pull request. That it can't be told is no reason to wait no longer.
async fn tell(context: &Context, patience: Duration) -> Result<(), Fault> {
    let body = format!(
        "This takes longer: the language models are out of reach or at their limits. AutoPR goes on by itself when one \
         answers, and gives up after {}. There is nothing to do.\n",
        words(patience)
    );
    let target = &context.target();
    let told = context.effect(EffectKind::Comment, None, |marker| async move {
        context.forge().create_comment(target, &marker, &body).await
    });
    match told.await {
        Ok(_) => Ok(()),
        Err(fault) if matches!(fault.kind, FaultKind::Superseded | FaultKind::LeaseLost) => Err(fault),
        Err(fault) => {
            tracing::warn!(%fault, "the pull request could not be told of the wait");
            Ok(())
        }
    }
}

/// A time in the largest unit of which it is a whole number.
fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        0 => (0, "second"),
        _ if seconds.is_multiple_of(3600) => (seconds / 3600, "hour"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        let words = [0, 1, 90, 60, 1800, 3600, 21_600, 86_400].map(|seconds| words(Duration::from_secs(seconds)));
        let expected =
            ["0 seconds", "1 second", "90 seconds", "1 minute", "30 minutes", "1 hour", "6 hours", "24 hours"];
        assert_eq!(words, expected);
    }
}
