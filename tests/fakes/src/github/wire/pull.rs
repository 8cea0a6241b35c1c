//! Pull requests, reviews and their comments.

use serde_json::{Value, json};

use super::{Urls, label, merge, node_id, repository, user};
use crate::github::clock::written;
use crate::github::state::{Pull, Repository};
use crate::github::written::{Review, ReviewComment};

struct Links {
    api: String,
    web: String,
    issue: String,
    repository: String,
}

fn links(of: &Repository, number: u64, urls: Urls<'_>) -> Links {
    let full = format!("{}/{}", of.owner, of.name);
    let repository = format!("{}/repos/{full}", urls.api);
    Links {
        api: format!("{repository}/pulls/{number}"),
        web: format!("{}/{full}/pull/{number}", urls.web),
        issue: format!("{repository}/issues/{number}"),
        repository,
    }
}

/// A pull request; in lists GitHub leaves the counts out.
pub(crate) fn pull(of: &Repository, pull: &Pull, full: bool, urls: Urls<'_>) -> Value {
    let Links { api, web, issue, repository: home } = links(of, pull.number, urls);
    let whole = repository(of, urls);
    let owner = pull.fork.as_ref().unwrap_or(&of.owner);
    let mut head_repository = whole.clone();
    if let Some(fork) = &pull.fork {
        head_repository["owner"] = user(fork, urls);
        head_repository["full_name"] = json!(format!("{fork}/{}", of.name));
        head_repository["fork"] = json!(true);
        head_repository["id"] = json!(of.id + 1_000_000);
    }
    let end = |reference: &str, sha: &str, owner: &str, home: Value| {
        let label = format!("{owner}:{reference}");
        json!({ "label": label, "ref": reference, "sha": sha, "user": user(owner, urls), "repo": home })
    };
    let closed = if pull.open { Value::Null } else { json!(written(pull.updated)) };
    let link = |href: String| json!({ "href": href });
    let statuses = format!("{home}/statuses/{}", pull.head());
    let mut shown = json!({
        "url": api, "id": pull.id, "node_id": node_id("PR", pull.id), "html_url": web,
        "diff_url": format!("{web}.diff"), "patch_url": format!("{web}.patch"), "issue_url": issue,
        "number": pull.number, "state": if pull.open { "open" } else { "closed" }, "locked": false,
        "title": pull.title, "user": user(&pull.author, urls), "body": pull.body,
        "created_at": written(pull.created), "updated_at": written(pull.updated), "closed_at": closed,
        "merged_at": null, "merge_commit_sha": null, "assignee": null, "assignees": [], "requested_reviewers": [],
        "requested_teams": [], "labels": pull.labels.iter().map(|name| label(of, name, urls)).collect::<Value>(),
        "milestone": null, "draft": pull.draft, "commits_url": format!("{api}/commits"),
        "review_comments_url": format!("{api}/comments"),
        "review_comment_url": format!("{home}/pulls/comments{{/number}}"),
        "comments_url": format!("{issue}/comments"), "statuses_url": statuses,
        "head": end(&pull.head_ref, pull.head(), owner, head_repository),
        "base": end(&pull.base_ref, pull.base(), &of.owner, whole),
        "_links": {
            "self": link(api.clone()), "html": link(web.clone()), "issue": link(issue.clone()),
            "comments": link(format!("{issue}/comments")), "review_comments": link(format!("{api}/comments")),
            "review_comment": link(format!("{home}/pulls/comments{{/number}}")),
            "commits": link(format!("{api}/commits")), "statuses": link(statuses.clone()),
        },
        "author_association": association(of, &pull.author), "auto_merge": null, "active_lock_reason": null,
    });
    if full {
        let files = pull.current().files();
        let (additions, deletions) =
            files.iter().map(|file| file.counts()).fold((0, 0), |(a, d), (more, fewer)| (a + more, d + fewer));
        let review_comments: usize = pull.reviews.iter().map(|review| review.comments.len()).sum();
        let counts = json!({
            "merged": false, "mergeable": true, "rebaseable": true, "mergeable_state": "clean", "merged_by": null,
            "comments": pull.comments.len(), "review_comments": review_comments, "maintainer_can_modify": false,
            "commits": pull.revisions.len(), "additions": additions, "deletions": deletions,
            "changed_files": files.len(),
        });
        merge(&mut shown, counts);
    }
    shown
}

fn association(of: &Repository, login: &str) -> &'static str {
    if of.owner.eq_ignore_ascii_case(login) {
        "OWNER"
    } else if of.collaborators.contains_key(login) {
        "COLLABORATOR"
    } else {
        "NONE"
    }
}

/// A pull request as check runs name it.
pub(crate) fn minimal_pull(of: &Repository, pull: &Pull, urls: Urls<'_>) -> Value {
    let links = links(of, pull.number, urls);
    let end = |reference: &str, sha: &str| {
        json!({
            "ref": reference, "sha": sha,
            "repo": { "id": of.id, "url": links.repository, "name": of.name },
        })
    };
    json!({
        "id": pull.id, "number": pull.number, "url": links.api, "head": end(&pull.head_ref, pull.head()),
        "base": end(&pull.base_ref, pull.base()),
    })
}

/// A review.
pub(crate) fn review(of: &Repository, number: u64, review: &Review, urls: Urls<'_>) -> Value {
    let Links { api, web, .. } = links(of, number, urls);
    let html = format!("{web}#pullrequestreview-{}", review.id);
    let mut shown = json!({
        "id": review.id, "node_id": node_id("PRR", review.id), "user": user(&review.author, urls),
        "body": review.body, "state": review.state, "html_url": html, "pull_request_url": api,
        "author_association": association(of, &review.author), "commit_id": review.commit_id,
        "_links": { "html": { "href": html }, "pull_request": { "href": api } },
    });
    if review.state != "PENDING" {
        shown["submitted_at"] = json!(written(review.submitted));
    }
    shown
}

/// A comment of a review. Comments on a commit that is no longer the head are outdated: they have no line any more.
pub(crate) fn review_comment(
    of: &Repository,
    pull: &Pull,
    review: &Review,
    comment: &ReviewComment,
    urls: Urls<'_>,
) -> Value {
    let Links { api, web, repository, .. } = links(of, pull.number, urls);
    let own = format!("{repository}/pulls/comments/{}", comment.id);
    let html = format!("{web}#discussion_r{}", comment.id);
    let current = review.commit_id == pull.head();
    let (hunk, position) = place(pull, review, comment);
    let if_current = |value: Value| if current { value } else { Value::Null };
    let at = written(review.submitted);
    json!({
        "url": own, "pull_request_review_id": review.id, "id": comment.id, "node_id": node_id("PRRC", comment.id),
        "diff_hunk": hunk, "path": comment.path, "commit_id": review.commit_id,
        "original_commit_id": review.commit_id, "user": user(&review.author, urls), "body": comment.body,
        "created_at": at, "updated_at": at, "html_url": html, "pull_request_url": api,
        "author_association": association(of, &review.author),
        "_links": { "self": { "href": own }, "html": { "href": html }, "pull_request": { "href": api } },
        "start_line": if_current(json!(comment.start_line)), "original_start_line": comment.start_line,
        "start_side": comment.start_side.map(|side| side.to_string()), "line": if_current(json!(comment.line)),
        "original_line": comment.line, "side": comment.side.to_string(), "position": if_current(json!(position)),
        "original_position": position, "subject_type": "line",
    })
}

/// The lines of the diff down to the commented one, and its position.
fn place(pull: &Pull, review: &Review, comment: &ReviewComment) -> (String, usize) {
    let files = pull.revision(&review.commit_id).map(|revision| revision.files()).unwrap_or_default();
    let Some(file) = files.iter().find(|file| file.path == comment.path) else { return (String::new(), 1) };
    let Some((hunk, line)) = file.find(comment.line, comment.side) else { return (String::new(), 1) };
    let before: usize = file.hunks[..hunk].iter().map(|hunk| hunk.lines.len() + 1).sum();
    let shown = file.hunks[hunk].lines[..=line].iter().map(|line| format!("\n{}", line.text));
    (format!("{}{}", file.hunks[hunk].header, shown.collect::<String>()), before + line + 1)
}
