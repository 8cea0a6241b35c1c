//! `fetch`: reads the pull request, its diff, and the repository's configuration from the base commit.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::authorize;
use crate::engine::Context;
use crate::event::EventKind;
use crate::fault::{Fault, FaultKind, Retry};
use crate::ids::CommitSha;
use crate::ports::forge::{Patch, PullRequest};
use crate::repo_config::{self, RepoConfig};
use crate::workflow::ActionName;

/// How long the event of a push is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the step puts out. The diff is kept as a memo, not here: it can be large.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Fetched {
    pub(super) pull: PullRequest,
    pub(super) config: RepoConfig,
    /// Mistakes in the repository's configuration.
    pub(super) problems: Vec<String>,
    /// What the forge did not show of the change.
    #[serde(default)]
    pub(super) left_out: Vec<String>,
    /// Whether the repository wants this workflow to go on, for the conditions of the steps that follow.
    pub(super) wanted: bool,
}

pub(super) async fn run(context: &Context) -> Result<Fetched, Fault> {
    authorize::required(context)?;
    let target = context.target();
    let pull = context.forge().pull_request(&target).await?;
    if let Some(head) = &context.event().head
        && !stands(context, head, &pull.head).await?
    {
        // Had it been reviewed here, its event could still come and have it reviewed again.
        context.stand_in_for(&pull).await?;
        let moved = format!("the head {} is not the pull request's any more", head.short());
        return Err(Fault::new(FaultKind::Superseded, moved));
    }
    let file = context.forge().file(&target, &pull.base, repo_config::FILE_NAME).await?;
    let (config, problems) = match &file {
        Some(text) => RepoConfig::parse(repo_config::FILE_NAME, text),
        None => (RepoConfig::default(), Vec::new()),
    };
    let left_out = patch(context, &pull).await?.left_out;
    let wanted = wanted(context, &pull, &config);
    Ok(Fetched { pull, config, problems: problems.iter().map(ToString::to_string).collect(), left_out, wanted })
}

/// Waits when the head has moved. The push that moved it usually brings an event of its own, which supersedes this
/// execution. It may also get lost: false says that it has been waited for long enough.
pub(super) async fn stands(context: &Context, head: &CommitSha, now: &CommitSha) -> Result<bool, Fault> {
    if head == now {
        return Ok(true);
    }
    let noticed = context.memo("moved", now.as_str().as_bytes(), async { Ok(context.age()) }).await?;
    let left = PATIENCE.saturating_sub(context.age().saturating_sub(noticed));
    if left.is_zero() {
        return Ok(false);
    }
    let moved = format!("the head moved from {} to {}", head.short(), now.short());
    Err(Fault::new(FaultKind::Limited, moved).retry(Retry::After(left)))
}

/// A person's explicit request is always wanted. Otherwise the repository decides, and a draft waits until it is asked for.
fn wanted(context: &Context, pull: &PullRequest, config: &RepoConfig) -> bool {
    let asked = match context.event().kind {
        EventKind::Manual { .. } => return true,
        EventKind::Command { .. } | EventKind::CheckRerun => true,
        EventKind::PullRequest { .. } => false,
    };
    config.review.enabled && config.allows(context.workflow()) && (asked || !pull.draft || config.review.drafts)
}

/// The output of the workflow's `fetch` step.
pub(super) fn fetched(context: &Context) -> Result<Fetched, Fault> {
    context
        .outputs(ActionName::Fetch)?
        .pop()
        .ok_or_else(|| Fault::invalid("no `fetch` step has run before this one: add it to `needs`"))
}

/// The diff under review, read from the forge once for the execution.
pub(super) async fn diff(context: &Context, pull: &PullRequest) -> Result<Bytes, Fault> {
    Ok(patch(context, pull).await?.text)
}

/// The change under review. It is kept as one line of JSON, which names what was left out, and the diff.
async fn patch(context: &Context, pull: &PullRequest) -> Result<Patch, Fault> {
    let read = async {
        let Patch { text, left_out } = context.forge().diff(pull).await?;
        let mut kept = serde_json::json!(left_out).to_string().into_bytes();
        kept.push(b'\n');
        kept.extend_from_slice(&text);
        Ok(Bytes::from(kept))
    };
    let kept = context.memo_bytes("diff", &range(pull), read).await?;
    let bug = || Fault::new(FaultKind::Bug, "the kept diff is not readable");
    let end = kept.iter().position(|byte| *byte == b'\n').ok_or_else(bug)?;
    let left_out = serde_json::from_slice(&kept[..end]).map_err(|error| bug().json(&error))?;
    Ok(Patch { text: kept.slice(end + 1..), left_out })
}

fn range(pull: &PullRequest) -> Vec<u8> {
    format!("{}..{}", pull.base, pull.head).into_bytes()
}
