//! The diff of a pull request: in one piece, or from the listing of its files when GitHub finds it too large.

use autopr_core::fault::{Fault, FaultKind, Retry};
use autopr_core::ports::forge::{Patch, PullRequest};

use crate::api::{Api, read};
use crate::http::JSON;
use crate::operation::Operation;
use crate::page;
use crate::pull;
use crate::rebuild::{self, ChangedFile};
use crate::remembered::Remembered;

/// The most bytes of a diff that are read.
pub(crate) const LIMIT: usize = 64 * 1024 * 1024;

/// The most files GitHub lists of a pull request ("List pull requests files").
const MOST_FILES: usize = 3000;

/// The change from where the head branched off the base to exactly this head.
pub(crate) async fn get(api: &Api, remembered: &Remembered, pull: &PullRequest) -> Result<Patch, Fault> {
    let range = format!("{}...{}", pull.base, pull.head);
    let request = read(Operation::Diff, &pull.target, &["compare", &range]);
    let answer = api.send(&pull.target, &request.accept("application/vnd.github.diff", LIMIT)).await?;
    let refused = match answer.status.as_u16() {
        200 => answer.cut,
        406 | 422 => true,
        500.. => answer.says_too_large(),
        _ => false,
    };
    if refused && (answer.cut || answer.fault().kind != FaultKind::Limited) {
        tracing::info!(status = answer.status.as_u16(), "GitHub shows no diff in one piece; listing its files instead");
        return listed(api, remembered, pull).await;
    }
    Ok(Patch { text: answer.bytes()?, left_out: Vec::new() })
}

/// The diff put together from the files of the pull request. The listing can't be asked for a certain head, so that the
/// head is looked at afterwards.
async fn listed(api: &Api, remembered: &Remembered, pull: &PullRequest) -> Result<Patch, Fault> {
    let mut files: Vec<ChangedFile> = Vec::new();
    let mut number = Some(1);
    let pr = pull.target.number.to_string();
    while let Some(page) = number.filter(|_| files.len() < MOST_FILES) {
        let request = read(Operation::Files, &pull.target, &["pulls", &pr, "files"]);
        let request = request.accept(JSON, LIMIT).query("per_page", 100).query("page", page);
        let answer = api.send(&pull.target, &request).await?;
        number = page::next(&answer.headers).filter(|next| *next > page);
        files.extend(answer.json::<Vec<ChangedFile>>()?);
    }
    let now = pull::get(api, remembered, &pull.target).await?;
    if now.head.sha != pull.head {
        let (from, to) = (pull.head.short(), now.head.sha.short());
        let moved = format!("listing the changed files: the head moved from {from} to {to} meanwhile");
        return Err(Fault::new(FaultKind::Limited, moved).retry(Retry::Backoff));
    }
    let mut patch = rebuild::patch(&files, LIMIT);
    let unlisted = now.changed_files.unwrap_or(files.len()).saturating_sub(files.len());
    if unlisted > 0 {
        patch.left_out.push(format!("{unlisted} more files: GitHub lists {} of a pull request", files.len()));
    } else if number.is_some() {
        patch.left_out.push(format!("more files: GitHub lists {MOST_FILES} of a pull request"));
    }
    Ok(patch)
}
