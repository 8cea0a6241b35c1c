//! Comments, reactions, labels and check runs.

use serde_json::{Value, json};

use super::{Urls, app, merge, minimal_pull, node_id, number_of, user};
use crate::github::clock::written;
use crate::github::state::{App, Pull, Repository};
use crate::github::written::{CheckRun, Comment, Status};

/// A label of a repository.
pub(crate) fn label(of: &Repository, name: &str, urls: Urls<'_>) -> Value {
    let id = of.labels.get(name).copied().unwrap_or_else(|| number_of(name));
    json!({
        "id": id, "node_id": node_id("LA", id),
        "url": format!("{}/repos/{}/{}/labels/{}", urls.api, of.owner, of.name, crate::github::diff::escaped(name)),
        "name": name, "color": "ededed", "default": false, "description": "",
    })
}

/// A comment in the conversation.
pub(crate) fn comment(of: &Repository, number: u64, comment: &Comment, urls: Urls<'_>) -> Value {
    let home = format!("{}/repos/{}/{}", urls.api, of.owner, of.name);
    json!({
        "id": comment.id, "node_id": node_id("IC", comment.id), "user": user(&comment.author, urls),
        "url": format!("{home}/issues/comments/{}", comment.id),
        "html_url": format!("{}/{}/{}/pull/{number}#issuecomment-{}", urls.web, of.owner, of.name, comment.id),
        "issue_url": format!("{home}/issues/{number}"), "body": comment.body,
        "created_at": written(comment.created), "updated_at": written(comment.updated),
        "author_association": "NONE", "reactions": reactions(&comment.reactions, &home, comment.id),
    })
}

/// How many reactions of each kind there are.
fn reactions(given: &[(String, String)], home: &str, id: u64) -> Value {
    let mut shown = json!({
        "url": format!("{home}/issues/comments/{id}/reactions"), "total_count": given.len(),
    });
    for kind in ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"] {
        shown[kind] = json!(given.iter().filter(|(_, given)| given == kind).count());
    }
    shown
}

/// One reaction.
pub(crate) fn reaction(id: u64, login: &str, content: &str, now: &str, urls: Urls<'_>) -> Value {
    json!({
        "id": id, "node_id": node_id("REA", id), "user": user(login, urls), "content": content, "created_at": now,
    })
}

/// A check run.
pub(crate) fn check_run(of: &Repository, check: &CheckRun, by: Option<&App>, urls: Urls<'_>) -> Value {
    let home = format!("{}/repos/{}/{}", urls.api, of.owner, of.name);
    let url = format!("{home}/check-runs/{}", check.id);
    let html = format!("{}/{}/{}/runs/{}", urls.web, of.owner, of.name, check.id);
    let pulls = of.pulls.iter().filter(|pull| pull.open && pull.head() == check.head_sha);
    json!({
        "id": check.id, "node_id": node_id("CR", check.id), "head_sha": check.head_sha,
        "external_id": check.external_id, "url": url, "html_url": html,
        "details_url": check.details_url.as_ref().unwrap_or(&html), "status": check.status,
        "conclusion": check.conclusion, "started_at": check.started, "completed_at": check.completed,
        "output": {
            "title": check.title, "summary": check.summary, "text": check.text,
            "annotations_count": check.annotations.len(), "annotations_url": format!("{url}/annotations"),
        },
        "name": check.name, "check_suite": { "id": check.app + 7 }, "app": by.map(|by| app(by, urls)),
        "pull_requests": pulls.map(|pull| minimal_pull(of, pull, urls)).collect::<Value>(),
    })
}

/// A commit's status.
pub(crate) fn status(of: &Repository, status: &Status, urls: Urls<'_>) -> Value {
    let creator = user(&status.author, urls);
    json!({
        "url": format!("{}/repos/{}/{}/statuses/{}", urls.api, of.owner, of.name, status.sha), "id": status.id,
        "node_id": node_id("SC", status.id), "avatar_url": creator["avatar_url"], "state": status.state,
        "description": status.description, "target_url": status.target_url, "context": status.context,
        "created_at": written(status.created), "updated_at": written(status.created), "creator": creator,
    })
}

/// The issue a pull request also is, as webhooks show it.
pub(crate) fn issue(of: &Repository, pull: &Pull, urls: Urls<'_>) -> Value {
    let home = format!("{}/repos/{}/{}", urls.api, of.owner, of.name);
    let url = format!("{home}/issues/{}", pull.number);
    let api = format!("{home}/pulls/{}", pull.number);
    let web = format!("{}/{}/{}/pull/{}", urls.web, of.owner, of.name, pull.number);
    let mut reacted = reactions(&[], &home, pull.id);
    merge(&mut reacted, json!({ "url": format!("{url}/reactions") }));
    json!({
        "url": url, "repository_url": home, "labels_url": format!("{url}/labels{{/name}}"),
        "comments_url": format!("{url}/comments"), "events_url": format!("{url}/events"), "html_url": web,
        "id": pull.id, "node_id": node_id("PR", pull.id), "number": pull.number, "title": pull.title,
        "user": user(&pull.author, urls), "state": if pull.open { "open" } else { "closed" }, "locked": false,
        "labels": pull.labels.iter().map(|name| label(of, name, urls)).collect::<Value>(), "assignee": null,
        "assignees": [], "milestone": null, "comments": pull.comments.len(), "created_at": written(pull.created),
        "updated_at": written(pull.updated), "closed_at": null, "author_association": "NONE",
        "active_lock_reason": null, "body": pull.body, "reactions": reacted, "draft": pull.draft,
        "timeline_url": format!("{url}/timeline"), "performed_via_github_app": null, "state_reason": null,
        "pull_request": {
            "url": api, "html_url": web, "diff_url": format!("{web}.diff"), "patch_url": format!("{web}.patch"),
            "merged_at": null,
        },
    })
}
