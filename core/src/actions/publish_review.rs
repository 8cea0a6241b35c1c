//! `publish-review`: merges what was found and writes one review and one check to the forge.

use serde::{Deserialize, Serialize};

use super::analyse::Analysed;
use super::fetch::{self, Fetched};
use super::review::Reviewed;
use crate::analysis::redact;
use crate::engine::Context;
use crate::fault::{Fault, FaultKind, Retry};
use crate::ports::forge::{EffectKind, Remote};
use crate::review::{Check, Coverage, Parts, Skipped, Verdict, assemble};
use crate::telemetry;
use crate::workflow::ActionName;

/// What the step puts out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Published {
    /// None when there was nothing to review.
    review: Option<Remote>,
    /// None when it is not known on which commit to put it.
    check: Option<Remote>,
    verdict: Verdict,
    findings: usize,
}

pub(super) async fn run(context: &Context) -> Result<Published, Fault> {
    if let Some(why) = context.failure(ActionName::Fetch) {
        return not_reviewed(context, &why).await;
    }
    let Fetched { pull, config, problems, left_out, .. } = fetch::fetched(context)?;
    let mut parts = gather(context)?;
    let why = "GitHub does not show its change";
    let unseen = left_out.into_iter().map(|what| Skipped { what, why: why.to_owned(), incomplete: true });
    parts.coverage.skipped.extend(unseen);
    for skipped in &mut parts.coverage.skipped {
        skipped.what = redact(&skipped.what).into_owned();
    }
    let review = assemble(&pull.head, parts, problems, &config.review);
    let check = review.check();
    let target = context.target();
    let now = context.forge().pull_request(&target).await?;
    if !fetch::stands(context, &pull.head, &now.head).await? {
        let moved = format!("the head {} is not the pull request's any more", pull.head.short());
        return Err(Fault::new(FaultKind::Superseded, moved));
    }
    let posted = context.effect(EffectKind::Review, Some(&pull.head), |marker| {
        let (target, review) = (&target, &review);
        async move { context.forge().create_review(target, &marker, review).await }
    });
    let posted = match posted.await {
        Ok(posted) => posted,
        Err(fault) if is_refused(&fault) => {
            // The verdict still gets to the commit, and it is not green.
            let verdict = if check.verdict == Verdict::Success { Verdict::Neutral } else { check.verdict };
            let title = format!("{}; the review could not be posted", check.title);
            post_check(context, &Check { verdict, title, ..check }).await?;
            return Err(fault);
        }
        Err(fault) => return Err(fault),
    };
    let checked = post_check(context, &check).await?;
    telemetry::published(&review);
    Ok(Published {
        review: Some(posted),
        check: Some(checked),
        verdict: check.verdict,
        findings: review.findings.len(),
    })
}

/// Says that the change could not be read: on its head commit, or in the conversation when a command asked for it.
async fn not_reviewed(context: &Context, why: &str) -> Result<Published, Fault> {
    let target = &context.target();
    let title = "not reviewed: the change could not be read".to_owned();
    let (verdict, findings) = (Verdict::Neutral, 0);
    let Some(head) = context.event().head.clone() else {
        let body = format!("This pull request was not reviewed. {why}\n");
        let told = context.effect(EffectKind::Comment, None, |marker| async move {
            context.forge().create_comment(target, &marker, &body).await
        });
        told.await?;
        return Ok(Published { review: None, check: None, verdict, findings });
    };
    let check = Check { head, verdict, title, summary: format!("{why}\n") };
    Ok(Published { review: None, check: Some(post_check(context, &check).await?), verdict, findings })
}

async fn post_check(context: &Context, check: &Check) -> Result<Remote, Fault> {
    let target = &context.target();
    let posted = context.effect(EffectKind::Check, Some(&check.head), |marker| async move {
        context.forge().create_check(target, &marker, check).await
    });
    posted.await
}

/// Whether the forge refused a write for good.
fn is_refused(fault: &Fault) -> bool {
    fault.retry == Retry::Never && matches!(fault.kind, FaultKind::Invalid | FaultKind::NotFound | FaultKind::Denied)
}

/// Brings together what the steps before put out. A part that failed is listed as not covered.
fn gather(context: &Context) -> Result<Parts, Fault> {
    let mut parts = Parts { findings: Vec::new(), coverage: Coverage::default(), effort: None };
    let coverage = &mut parts.coverage;
    for analysed in context.outputs::<Analysed>(ActionName::Analyse)? {
        parts.findings.extend(analysed.findings);
        coverage.skipped.extend(analysed.skipped);
        (coverage.files, coverage.added, coverage.removed) = (analysed.files, analysed.added, analysed.removed);
        parts.effort = Some(analysed.effort);
    }
    for reviewed in context.outputs::<Reviewed>(ActionName::Review)? {
        parts.findings.extend(reviewed.findings);
        coverage.skipped.extend(reviewed.skipped);
        coverage.models.extend(reviewed.models);
    }
    if coverage.files == 0 && context.outputs::<Analysed>(ActionName::Analyse)?.is_empty() {
        let why = "the workflow ran no analysers".to_owned();
        coverage.skipped.push(Skipped { what: "analysers".to_owned(), why, incomplete: true });
    }
    for (action, what) in [(ActionName::Analyse, "analysers"), (ActionName::Review, "language model")] {
        if let Some(why) = context.failure(action) {
            coverage.skipped.push(Skipped { what: what.to_owned(), why, incomplete: true });
        }
    }
    Ok(parts)
}
