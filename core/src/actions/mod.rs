//! What a step does: one file per action.

mod analyse;
mod ask;
mod authorize;
mod describe;
mod fetch;
mod help;
mod label;
mod publish_review;
mod react;
mod review;
mod tell;

use serde::Serialize;
use serde_json::Value;

use crate::engine::Context;
use crate::fault::{Fault, FaultKind};
use crate::workflow::ActionName;

/// Runs an action; what it returns is the step's output.
///
/// # Errors
/// Those of the action. They say whether another attempt makes sense.
pub async fn run(action: ActionName, context: &Context) -> Result<Value, Fault> {
    match action {
        ActionName::Authorize => output(authorize::run(context).await?),
        ActionName::Fetch => output(fetch::run(context).await?),
        ActionName::Analyse => output(analyse::run(context).await?),
        ActionName::Review => output(review::run(context).await?),
        ActionName::PublishReview => output(publish_review::run(context).await?),
        ActionName::Describe => output(describe::run(context).await?),
        ActionName::Label => output(label::run(context).await?),
        ActionName::Tell => output(tell::run(context).await?),
        ActionName::Help => output(help::run(context).await?),
    }
}

fn output(value: impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(value)
        .map_err(|error| Fault::new(FaultKind::Bug, "the action's output is not JSON").json(&error))
}
