//! Two commits compared.

use serde_json::{Value, json};

use super::pulls::{oversize, with_or_without_patch};
use crate::github::call::{Answer, Context};
use crate::github::{diff, wire};

pub(super) fn get(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let repository = context.repository()?;
    let named = context.param("basehead");
    let (base, head) = named.split_once("...").ok_or_else(Answer::not_found)?;
    let base = repository.commit(base).ok_or_else(Answer::not_found)?;
    let head = repository.commit(head).ok_or_else(Answer::not_found)?;
    let text = repository.compared(&base, &head).ok_or_else(Answer::not_found)?;
    let files = diff::parse(&text);
    if context.call.accepts("diff") {
        let knob = repository.pulls.iter().any(|pull| pull.diff_too_large && pull.head() == head);
        return match oversize(knob, &text, &files) {
            Some(what) => Err(Answer::too_large("Comparison", &what)),
            None => Ok(Answer::raw("application/vnd.github.diff; charset=utf-8", text)),
        };
    }
    let urls = context.call.urls();
    let full = format!("{}/{}", repository.owner, repository.name);
    let (api, web) = (format!("{}/repos/{full}", urls.api), format!("{}/{full}", urls.web));
    // GitHub lists at most 300 files here, on the first page only.
    let first = context.call.query("page").is_none_or(|page| page == "1");
    let listed =
        files.iter().take(if first { 300 } else { 0 }).map(|file| with_or_without_patch(file, &api, &web, &head));
    let commit = |sha: &str, parent: Option<&str>| wire::commit(repository, sha, parent, urls);
    let same = base == head;
    let commits: Vec<Value> = if same { Vec::new() } else { vec![commit(&head, Some(&base))] };
    Ok(Answer::json(
        200,
        json!({
            "url": format!("{api}/compare/{base}...{head}"), "html_url": format!("{web}/compare/{base}...{head}"),
            "permalink_url": format!("{web}/compare/{base}...{head}"),
            "diff_url": format!("{web}/compare/{base}...{head}.diff"),
            "patch_url": format!("{web}/compare/{base}...{head}.patch"), "base_commit": commit(&base, None),
            "merge_base_commit": commit(&base, None), "status": if same { "identical" } else { "ahead" },
            "ahead_by": commits.len(), "behind_by": 0, "total_commits": commits.len(), "commits": commits,
            "files": listed.collect::<Value>(),
        }),
    ))
}
