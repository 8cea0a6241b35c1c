//! The manifest of the GitHub App asks for what the engine needs, and for nothing else.

use std::collections::{BTreeMap, BTreeSet};

use autopr_core::ids::DeliveryId;
use autopr_core::intake::{Headers, Secrets, parse};
use autopr_e2e::server::{SECRET, Server, Setup, block_on};
use autopr_e2e::workspace;
use autopr_fakes::github::{FakeGitHub, NewPull, NewRepository, Permission};
use secrecy::SecretString;
use serde_json::Value;

fn manifest() -> Value {
    let text = std::fs::read_to_string(workspace().join("deploy/github-app/manifest.json")).expect("the manifest");
    serde_json::from_str(&text).expect("JSON")
}

fn permissions() -> BTreeMap<String, String> {
    serde_json::from_value(manifest()["default_permissions"].clone()).expect("permissions")
}

/// One of the client's operations: our word for it, whether a GitHub App does it, and the permission it needs by GitHub's
/// "Permissions required for GitHub Apps". Where that page gives a choice, the one we hold anyway.
const NEEDED: [(&str, &str, &str); 27] = [
    ("identity", "GET /app", ""),
    ("installation", "GET /repos/{owner}/{repo}/installation", ""),
    ("installation_token", "POST /app/installations/{installation_id}/access_tokens", ""),
    ("pull_request", "GET /repos/{owner}/{repo}/pulls/{pull_number}", "pull_requests: read"),
    ("diff", "GET /repos/{owner}/{repo}/compare/{basehead}", "contents: read"),
    ("files", "GET /repos/{owner}/{repo}/pulls/{pull_number}/files", "pull_requests: read"),
    ("file", "GET /repos/{owner}/{repo}/contents/{path}", "contents: read"),
    ("file_size", "GET /repos/{owner}/{repo}/contents/{path}", "contents: read"),
    ("permission", "GET /repos/{owner}/{repo}/collaborators/{username}/permission", "metadata: read"),
    ("reviews", "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews", "pull_requests: read"),
    ("create_review", "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews", "pull_requests: write"),
    ("checks", "GET /repos/{owner}/{repo}/commits/{ref}/check-runs", "checks: read"),
    ("create_check", "POST /repos/{owner}/{repo}/check-runs", "checks: write"),
    // Only where a token stands for an App, which has checks instead.
    ("statuses", "GET /repos/{owner}/{repo}/commits/{ref}/statuses", ""),
    ("create_status", "POST /repos/{owner}/{repo}/statuses/{sha}", ""),
    ("comments", "GET /repos/{owner}/{repo}/issues/{issue_number}/comments", "pull_requests: read"),
    ("create_comment", "POST /repos/{owner}/{repo}/issues/{issue_number}/comments", "pull_requests: write"),
    ("describe", "PATCH /repos/{owner}/{repo}/pulls/{pull_number}", "pull_requests: write"),
    ("add_labels", "POST /repos/{owner}/{repo}/issues/{issue_number}/labels", "pull_requests: write"),
    // The one write for which GitHub asks for "Issues", whatever the comment is on. The event `issue_comment` needs it too.
    ("react", "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", "issues: write"),
    ("deliveries", "GET /app/hook/deliveries", ""),
    ("redeliver", "POST /app/hook/deliveries/{delivery_id}/attempts", ""),
    ("installations", "GET /app/installations", ""),
    ("repositories", "GET /installation/repositories", "metadata: read"),
    ("open_pull_requests", "GET /repos/{owner}/{repo}/pulls", "pull_requests: read"),
    ("hook_config", "GET /app/hook/config", ""),
    ("rate_limit", "GET /rate_limit", ""),
];

#[test]
fn its_permissions_are_those_that_the_calls_need() {
    let mut needed: BTreeMap<String, String> = BTreeMap::new();
    for (_, _, permission) in NEEDED {
        let Some((name, level)) = permission.split_once(": ") else { continue };
        let known = needed.entry(name.to_owned()).or_default();
        // "write" is the greater word, and the greater right.
        *known = known.as_str().max(level).to_owned();
    }
    assert_eq!(permissions(), needed);
}

#[test]
fn the_table_has_every_call_of_the_client() {
    let path = workspace().join("infra/github/src/operation.rs");
    let source = std::fs::read_to_string(path).expect("the client's operations");
    let words = source.split("fn as_str").nth(1).and_then(|rest| rest.split("fn doing").next()).expect("the words");
    let known: BTreeSet<_> = words.split('"').skip(1).step_by(2).collect();
    let table: BTreeSet<_> = NEEDED.iter().map(|(word, _, _)| *word).collect();
    assert_eq!(known, table);
}

#[test]
fn its_events_are_those_that_are_acted_on() {
    let secrets = Secrets::new(vec![SecretString::from(SECRET)]).expect("one secret");
    let acted_on = |event: &str| {
        let signature = secrets.sign(b"{}").expect("a signature");
        let signature = secrets.signature(std::iter::once(signature.as_bytes())).expect("it is a signature");
        let verified = secrets.verify(b"{}", &signature).expect("it is signed");
        let delivery = DeliveryId::new("d").expect("an id");
        let headers = Headers {
            delivery,
            event,
            content_type: None,
            received_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
        };
        // What is read is found wanting; what is not acted on is not even read.
        parse(verified, &headers).is_err()
    };
    let wanted = manifest()["default_events"].as_array().expect("events").clone();
    let wanted: BTreeSet<_> = wanted.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let found: BTreeSet<_> = all_events().into_iter().filter(|event| acted_on(event)).collect();
    assert_eq!(wanted, found);
}

/// The names of GitHub's examples of webhooks.
fn all_events() -> BTreeSet<String> {
    let folder = std::env::var_os("AUTOPR_TEST_NODE_MODULES").map_or_else(
        || {
            let home = std::path::PathBuf::from(std::env::var_os("HOME").expect("a home"));
            std::env::var_os("XDG_CACHE_HOME").map_or(home.join(".cache"), Into::into).join("autopr/node/node_modules")
        },
        Into::into,
    );
    let file = folder.join("@octokit/webhooks-examples/api.github.com/index.json");
    let text = std::fs::read(&file).unwrap_or_else(|why| panic!("{}: {why}; run scripts/test", file.display()));
    let examples: Vec<Value> = serde_json::from_slice(&text).expect("JSON");
    examples.iter().filter_map(|example| Some(example["name"].as_str()?.to_owned())).collect()
}

/// Everything a pull request can ask for, through an App with these permissions. The fake refuses what GitHub refuses.
fn everything_works(granted: &BTreeMap<String, String>) -> bool {
    let github = FakeGitHub::start();
    github.add_repository(NewRepository::new("acme", "shop").collaborator("dev", Permission::Write));
    let granted: Vec<_> = granted.iter().map(|(name, level)| (name.as_str(), level.as_str())).collect();
    let app = github.install_app_with("acme", &granted);
    let diff = "diff --git a/a.rs b/a.rs\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n+++ b/a.rs\n\
                @@ -0,0 +1 @@\n+fn a() {}\n";
    let number = github.open_pull("acme", "shop", NewPull::new("Add a", diff).author("dev"));
    let server = Server::start(Setup::app(&github, &app));
    github.send_webhooks_to(&server.webhook(), SECRET);
    block_on(github.deliver_pull_request("acme", "shop", number, "opened"));
    for (index, command) in ["/autopr label", "/autopr help"].into_iter().enumerate() {
        let comment = github.write_comment("acme", "shop", number, "dev", command);
        block_on(github.deliver_comment("acme", "shop", number, comment));
        server.finished(index + 2);
    }
    // The repository has no settings, which is no refusal.
    let absent = |path: &str, status| status == 404 && path.ends_with("/.autopr.yml");
    let refused = |path: &str, status: u16| matches!(status, 403 | 404 | 422) && !absent(path, status);
    !github.requests().iter().any(|request| request.status.is_some_and(|status| refused(&request.path, status)))
}

#[test]
fn with_them_everything_works_and_with_less_it_does_not() {
    let all = permissions();
    assert!(everything_works(&all));
    // Without "Issues" the fake lets the reactions pass, as GitHub may: its documentation says otherwise.
    for name in ["checks", "contents", "pull_requests"] {
        let mut less = all.clone();
        less.remove(name);
        assert!(!everything_works(&less), "{name} is not needed");
    }
}
