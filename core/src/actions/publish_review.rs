//! `publish-review`: merges what was found and writes one review and one check to the forge.

use serde::{Deserialize, Serialize};

use super::analyse::Analysed;
use super::fetch::{self, Fetched};
use super::review::Reviewed;
use crate::engine::Context;
use crate::fault::Fault;
use crate::ports::forge::{EffectKind, Remote};
use crate::review::{Coverage, Parts, Skipped, Verdict, assemble};
use crate::workflow::ActionName;

/// What the step puts out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Published {
    review: Remote,
    check: Remote,
    verdict: Verdict,
    findings: usize,
}

pub(super) async fn run(context: &Context) -> Result<Published, Fault> {
    let Fetched { pull, config, problems, left_out, .. } = fetch::fetched(context)?;
    let mut parts = gather(context)?;
    let why = "GitHub does not show its change";
    let unseen = left_out.into_iter().map(|what| Skipped { what, why: why.to_owned(), incomplete: true });
    parts.coverage.skipped.extend(unseen);
    let review = assemble(&pull.head, parts, problems, &config.review);
    let check = review.check();
    let target = context.target();
    let posted = context.effect(EffectKind::Review, Some(&pull.head), |marker| {
        let (target, review) = (&target, &review);
        async move { context.forge().create_review(target, &marker, review).await }
    });
    let posted = posted.await?;
    let checked = context.effect(EffectKind::Check, Some(&pull.head), |marker| {
        let (target, check) = (&target, &check);
        async move { context.forge().create_check(target, &marker, check).await }
    });
    let checked = checked.await?;
    Ok(Published { review: posted, check: checked, verdict: check.verdict, findings: review.findings.len() })
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
    for (action, what) in [(ActionName::Analyse, "analysers"), (ActionName::Review, "language model")] {
        if context.failed(action) {
            let why = "it failed; the log has the reason".to_owned();
            coverage.skipped.push(Skipped { what: what.to_owned(), why, incomplete: true });
        }
    }
    Ok(parts)
}
