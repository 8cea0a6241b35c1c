//! The payloads of webhooks.

use serde_json::{Value, json};

use super::look::repository;
use super::state::{Pull, Repository, State};
use super::wire::{self, Urls};
use super::written::Comment;

/// What every payload about a repository has.
fn about(state: &State, of: &Repository, sender: &str, urls: Urls<'_>) -> Value {
    let mut payload = json!({ "repository": wire::repository(of, urls), "sender": wire::user(sender, urls) });
    let installed = state.installations.iter().find(|known| known.account.eq_ignore_ascii_case(&of.owner));
    if let Some(installed) = installed {
        payload["installation"] = json!({ "id": installed.id, "node_id": format!("IN_{}", installed.id) });
    }
    payload
}

fn pull_of(of: &Repository, number: u64) -> &Pull {
    of.pull(number).unwrap_or_else(|| panic!("there is no pull request {}/{}#{number}", of.owner, of.name))
}

/// Something happened to a pull request.
pub(super) fn pull_request(state: &State, owner: &str, repo: &str, number: u64, action: &str, urls: Urls<'_>) -> Value {
    let of = repository(state, owner, repo);
    let pull = pull_of(of, number);
    let mut payload = about(state, of, &pull.author, urls);
    let shown = wire::pull(of, pull, true, urls);
    wire::merge(&mut payload, json!({ "action": action, "number": number, "pull_request": shown }));
    if action == "synchronize" {
        let before = pull.revisions.len().checked_sub(2).and_then(|place| pull.revisions.get(place));
        payload["before"] = json!(before.unwrap_or(pull.current()).head);
        payload["after"] = json!(pull.head());
    } else if action == "labeled" {
        payload["label"] = pull.labels.last().map_or(Value::Null, |name| wire::label(of, name, urls));
    } else if action == "edited" {
        payload["changes"] = json!({});
    }
    payload
}

/// Somebody wrote into the conversation.
pub(super) fn comment(state: &State, owner: &str, repo: &str, number: u64, comment: &Comment, urls: Urls<'_>) -> Value {
    let of = repository(state, owner, repo);
    let mut payload = about(state, of, &comment.author, urls);
    let mut shown = wire::comment(of, number, comment, urls);
    shown["performed_via_github_app"] = Value::Null;
    let issue = wire::issue(of, pull_of(of, number), urls);
    wire::merge(&mut payload, json!({ "action": "created", "issue": issue, "comment": shown }));
    payload
}

/// Somebody asked for a check run again.
pub(super) fn check_rerequested(
    state: &State,
    owner: &str,
    repo: &str,
    check: u64,
    sender: &str,
    urls: Urls<'_>,
) -> Value {
    let of = repository(state, owner, repo);
    let check =
        of.checks.iter().find(|known| known.id == check).unwrap_or_else(|| panic!("there is no check run {check}"));
    let app = state.apps.iter().find(|app| app.id == check.app);
    let mut shown = wire::check_run(of, check, app, urls);
    let suite = json!({
        "head_sha": check.head_sha, "head_branch": null, "status": check.status, "conclusion": check.conclusion,
        "pull_requests": shown["pull_requests"],
    });
    wire::merge(&mut shown["check_suite"], suite);
    let mut payload = about(state, of, sender, urls);
    wire::merge(&mut payload, json!({ "action": "rerequested", "check_run": shown }));
    payload
}

/// The webhook was made.
pub(super) fn ping(url: &str) -> Value {
    json!({
        "zen": "Keep it logically awesome.",
        "hook_id": 1,
        "hook": {
            "type": "App", "id": 1, "name": "web", "active": true, "app_id": 1,
            "events": ["pull_request", "issue_comment", "check_run"], "updated_at": "2026-01-01T00:00:00Z",
            "created_at": "2026-01-01T00:00:00Z", "deliveries_url": format!("{url}/app/hook/deliveries"),
            "config": { "content_type": "json", "insecure_ssl": "0", "url": url, "secret": "********" },
        },
    })
}
