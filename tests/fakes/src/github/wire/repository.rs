//! Repositories, commits, files and Apps.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::{Urls, merge, node_id, user};
use crate::github::clock::written;
use crate::github::diff::escaped;
use crate::github::digest;
use crate::github::state::{App, Installation, Repository};

/// Addresses below a repository that are plain, and those that have a part to fill in.
const PLAIN: [&str; 15] = [
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "hooks",
    "languages",
    "merges",
    "stargazers",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "collaborators",
    "keys",
];
const FILLED: [(&str, &str, &str); 20] = [
    ("archive_url", "", "/{archive_format}{/ref}"),
    ("assignees_url", "assignees", "{/user}"),
    ("blobs_url", "git/blobs", "{/sha}"),
    ("branches_url", "branches", "{/branch}"),
    ("collaborators_url", "collaborators", "{/collaborator}"),
    ("comments_url", "comments", "{/number}"),
    ("commits_url", "commits", "{/sha}"),
    ("compare_url", "compare", "/{base}...{head}"),
    ("contents_url", "contents", "/{+path}"),
    ("git_commits_url", "git/commits", "{/sha}"),
    ("git_refs_url", "git/refs", "{/sha}"),
    ("git_tags_url", "git/tags", "{/sha}"),
    ("issue_comment_url", "issues/comments", "{/number}"),
    ("issue_events_url", "issues/events", "{/number}"),
    ("issues_url", "issues", "{/number}"),
    ("keys_url", "keys", "{/key_id}"),
    ("labels_url", "labels", "{/name}"),
    ("pulls_url", "pulls", "{/number}"),
    ("releases_url", "releases", "{/id}"),
    ("statuses_url", "statuses", "/{sha}"),
];
/// Addresses whose schema wants them plain, though they could be filled.
const ADDRESSES: [(&str, &str); 3] =
    [("milestones_url", "milestones"), ("notifications_url", "notifications"), ("trees_url", "git/trees")];

/// A repository with all its fields.
pub(crate) fn repository(repository: &Repository, urls: Urls<'_>) -> Value {
    let full = format!("{}/{}", repository.owner, repository.name);
    let (api, web) = (format!("{}/repos/{full}", urls.api), format!("{}/{full}", urls.web));
    let mut links = Map::new();
    for name in PLAIN {
        links.insert(format!("{name}_url"), json!(format!("{api}/{name}")));
    }
    for (name, path, rest) in FILLED {
        links.insert(name.to_owned(), json!(format!("{api}/{path}{rest}")));
    }
    for (name, path) in ADDRESSES {
        links.insert(name.to_owned(), json!(format!("{api}/{path}")));
    }
    let open = repository.pulls.iter().filter(|pull| pull.open).count();
    let since =
        repository.pulls.first().map_or_else(|| "2026-01-01T00:00:00Z".to_owned(), |pull| written(pull.created));
    let mut shown = json!({
        "id": repository.id, "node_id": node_id("R", repository.id), "name": repository.name, "full_name": full,
        "private": repository.private, "visibility": if repository.private { "private" } else { "public" },
        "owner": user(&repository.owner, urls), "html_url": web, "description": null, "fork": false, "url": api,
        "created_at": since, "updated_at": since, "pushed_at": since,
        "git_url": format!("git://{}", web.trim_start_matches("http://")),
        "ssh_url": format!("git@127.0.0.1:{full}.git"),
        "clone_url": format!("{web}.git"), "svn_url": web, "homepage": null, "size": 1, "stargazers_count": 0,
        "watchers_count": 0, "language": null, "has_issues": true, "has_projects": false, "has_downloads": false,
        "has_wiki": false, "has_pages": false, "has_discussions": false, "forks_count": 0, "mirror_url": null,
    });
    let more = json!({
        "archived": false, "disabled": false, "open_issues_count": open, "license": null, "allow_forking": true,
        "is_template": false, "web_commit_signoff_required": false, "topics": [], "forks": 0, "open_issues": open,
        "watchers": 0, "default_branch": repository.default_branch,
    });
    merge(&mut shown, more);
    merge(&mut shown, Value::Object(links));
    shown
}

/// A commit, as comparisons show it.
pub(crate) fn commit(repository: &Repository, sha: &str, parent: Option<&str>, urls: Urls<'_>) -> Value {
    let full = format!("{}/{}", repository.owner, repository.name);
    let (api, web) = (format!("{}/repos/{full}", urls.api), format!("{}/{full}", urls.web));
    let person = json!({ "name": repository.owner, "email": "dev@example.com", "date": "2026-01-01T00:00:00Z" });
    let parents: Vec<Value> =
        parent.iter().map(|sha| json!({ "sha": sha, "url": format!("{api}/commits/{sha}") })).collect();
    json!({
        "sha": sha, "node_id": format!("C_{sha}"), "url": format!("{api}/commits/{sha}"),
        "html_url": format!("{web}/commit/{sha}"), "comments_url": format!("{api}/commits/{sha}/comments"),
        "author": user(&repository.owner, urls), "committer": user(&repository.owner, urls), "parents": parents,
        "commit": {
            "author": person, "committer": person, "message": "a commit", "comment_count": 0,
            "tree": { "sha": sha, "url": format!("{api}/git/trees/{sha}") }, "url": format!("{api}/git/commits/{sha}"),
        },
    })
}

/// A file or, without content, an entry of a folder.
pub(crate) fn file(
    repository: &Repository,
    path: &str,
    reference: &str,
    content: Option<&[u8]>,
    kind: &str,
    urls: Urls<'_>,
) -> Value {
    let full = format!("{}/{}", repository.owner, repository.name);
    let bytes = content.unwrap_or_default();
    let blob = &digest(bytes)[..40];
    let (api, web) = (format!("{}/repos/{full}", urls.api), format!("{}/{full}", urls.web));
    let own = format!("{api}/contents/{}?ref={}", escaped(path), escaped(reference));
    let git = format!("{api}/git/{}/{blob}", if kind == "dir" { "trees" } else { "blobs" });
    let html = format!("{web}/blob/{}/{}", escaped(reference), escaped(path));
    let mut shown = json!({
        "type": kind, "size": bytes.len(), "name": path.rsplit('/').next(), "path": path, "sha": blob, "url": own,
        "git_url": git, "html_url": html,
        "download_url": if kind == "dir" { Value::Null } else { json!(html.replace("/blob/", "/raw/")) },
        "_links": { "git": git, "self": own, "html": html },
    });
    // GitHub breaks the text at sixty characters and leaves it out above a megabyte.
    if let Some(bytes) = content.filter(|_| kind == "file") {
        let large = bytes.len() > 1024 * 1024;
        let text = if large { String::new() } else { broken(&BASE64.encode(bytes)) };
        shown["encoding"] = json!(if large { "none" } else { "base64" });
        shown["content"] = json!(text);
    }
    shown
}

fn broken(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() + text.len() / 60 + 1);
    for (index, letter) in text.chars().enumerate() {
        if index > 0 && index % 60 == 0 {
            lines.push('\n');
        }
        lines.push(letter);
    }
    lines.push('\n');
    lines
}

/// A GitHub App.
pub(crate) fn app(app: &App, urls: Urls<'_>) -> Value {
    json!({
        "id": app.id, "slug": app.slug, "node_id": node_id("A", app.id), "owner": user("autopr-owner", urls),
        "name": app.slug, "description": "", "external_url": urls.web,
        "html_url": format!("{}/apps/{}", urls.web, app.slug), "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "permissions": app.permissions, "events": app.events,
    })
}

/// An App's installation.
pub(crate) fn installation(installation: &Installation, slug: &str, urls: Urls<'_>) -> Value {
    let target = user(&installation.account, urls);
    json!({
        "id": installation.id, "account": target, "repository_selection": "all",
        "access_tokens_url": format!("{}/app/installations/{}/access_tokens", urls.api, installation.id),
        "repositories_url": format!("{}/installation/repositories", urls.api),
        "html_url": format!("{}/settings/installations/{}", urls.web, installation.id), "app_id": installation.app,
        "app_slug": slug, "target_id": target["id"], "target_type": "User", "permissions": installation.permissions,
        "events": ["pull_request", "issue_comment", "check_run"], "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z", "single_file_name": null, "suspended_by": null,
        "suspended_at": if installation.suspended { json!("2026-01-02T00:00:00Z") } else { Value::Null },
    })
}
