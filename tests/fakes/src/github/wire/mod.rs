//! What the fake knows, in the JSON shapes of GitHub's API.

mod pull;
mod repository;
mod talk;

use serde_json::{Value, json};

pub(crate) use pull::{minimal_pull, pull, review, review_comment};
pub(crate) use repository::{app, commit, file, installation, repository};
pub(crate) use talk::{check_run, comment, issue, label, reaction, status};

use super::digest;

/// Where the API and GitHub's pages are, without a slash at the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Urls<'a> {
    pub(crate) api: &'a str,
    pub(crate) web: &'a str,
}

/// A number that always stands for the same text.
fn number_of(text: &str) -> u64 {
    u64::from_str_radix(&digest(text.as_bytes())[..7], 16).unwrap_or(1)
}

fn node_id(kind: &str, id: u64) -> String {
    format!("{kind}_{id:012x}")
}

/// An account.
pub(crate) fn user(login: &str, urls: Urls<'_>) -> Value {
    let id = number_of(&login.to_lowercase());
    let path = login.replace('[', "%5B").replace(']', "%5D");
    let api = format!("{}/users/{path}", urls.api);
    json!({
        "login": login,
        "id": id,
        "node_id": node_id("U", id),
        "avatar_url": format!("{}/avatars/{id}", urls.web),
        "gravatar_id": "",
        "url": api,
        "html_url": format!("{}/{path}", urls.web),
        "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following{{/other_user}}"),
        "gists_url": format!("{api}/gists{{/gist_id}}"),
        "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"),
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events{{/privacy}}"),
        "received_events_url": format!("{api}/received_events"),
        "type": if login.ends_with("[bot]") { "Bot" } else { "User" },
        "site_admin": false,
    })
}

/// An account as it sees itself.
pub(crate) fn own_user(login: &str, now: &str, urls: Urls<'_>) -> Value {
    let mut shown = user(login, urls);
    let more = json!({
        "bio": null, "blog": "", "company": null, "email": null, "followers": 0, "following": 0, "hireable": null,
        "location": null, "name": null, "public_gists": 0, "public_repos": 1, "created_at": now, "updated_at": now,
        "collaborators": 0, "disk_usage": 0, "owned_private_repos": 0, "private_gists": 0, "total_private_repos": 0,
        "two_factor_authentication": true,
    });
    merge(&mut shown, more);
    shown
}

/// Adds fields to an object.
pub(crate) fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
