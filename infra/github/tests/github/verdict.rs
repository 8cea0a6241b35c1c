//! The verdict on a commit.

use autopr_core::fault::FaultKind;
use autopr_core::ports::Forge;
use autopr_core::ports::forge::{EffectKind, Marker};
use autopr_core::review::{Check, Verdict};
use serde_json::json;

use crate::server::{Asked, Server, marker, pull_json, reply, sha, target, with};

fn check(verdict: Verdict) -> Check {
    Check { head: sha('a'), verdict, title: "1 finding".to_owned(), summary: "### One\n".to_owned() }
}

fn runs(head: char) -> String {
    format!("/repos/octo/demo/commits/{}/check-runs", sha(head))
}

fn statuses(head: char) -> String {
    format!("/repos/octo/demo/commits/{}/statuses", sha(head))
}

#[tokio::test]
async fn a_check_run_is_complete_at_once() {
    let server = Server::start(|_| reply(201, json!({ "id": 4, "html_url": "https://github.example/c/4" }))).await;
    let forge = server.forge();
    let words = [(Verdict::Success, "success"), (Verdict::Failure, "failure"), (Verdict::Neutral, "neutral")];
    for (verdict, _) in words {
        let remote = forge.create_check(&target(), &marker(), &check(verdict)).await.unwrap();
        assert_eq!((remote.id.as_str(), remote.url.as_deref()), ("4", Some("https://github.example/c/4")));
    }
    for (asked, (_, word)) in server.asked().iter().zip(words) {
        assert!(asked.is("POST", "/repos/octo/demo/check-runs"));
        let expect = json!({
            "name": "autopr/review",
            "head_sha": sha('a'),
            "status": "completed",
            "conclusion": word,
            "external_id": marker(),
            "output": { "title": "1 finding", "summary": "### One\n" },
        });
        assert_eq!(asked.body, expect);
    }
}

#[tokio::test]
async fn long_texts_are_cut_to_what_github_takes() {
    let server = Server::start(|_| reply(201, json!({ "id": 4, "html_url": null }))).await;
    let long = Check { title: "t".repeat(300), summary: "ä".repeat(70_000), ..check(Verdict::Success) };
    server.forge().create_check(&target(), &marker(), &long).await.unwrap();
    let output = server.asked().remove(0).body["output"].take();
    let (title, summary) = (output["title"].as_str().unwrap(), output["summary"].as_str().unwrap());
    assert_eq!((title.chars().count(), summary.chars().count()), (255, 65_535));
    assert!(title.ends_with('…') && summary.ends_with("… (cut)"));
}

/// A GitHub that lets only Apps write check runs.
fn without_checks(asked: &Asked) -> axum::response::Response {
    if asked.is("POST", "/repos/octo/demo/check-runs") {
        return reply(403, json!({ "message": "You must authenticate via a GitHub App." }));
    }
    reply(201, json!({ "id": 9, "context": "autopr/review", "url": "https://api.github.example/statuses/9" }))
}

#[tokio::test]
async fn a_token_leaves_a_status_instead() {
    let server = Server::start(without_checks).await;
    let forge = server.forge();
    let link = format!("{}/octo/demo/pull/7#autopr:review:0192f0c4-7a10:publish", server.url);
    let words = [(Verdict::Success, "success"), (Verdict::Failure, "failure"), (Verdict::Neutral, "error")];
    for (verdict, _) in words {
        let long = Check { title: "t".repeat(200), ..check(verdict) };
        let remote = forge.create_check(&target(), &marker(), &long).await.unwrap();
        assert_eq!((remote.id.as_str(), remote.url.as_deref()), ("9", Some(link.as_str())));
    }
    // Asked for a check run once only.
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    for (asked, (_, word)) in asked[1..].iter().zip(words) {
        assert!(asked.is("POST", &format!("/repos/octo/demo/statuses/{}", sha('a'))), "{}", asked.path);
        let description = format!("{}…", "t".repeat(139));
        let expect =
            json!({ "state": word, "context": "autopr/review", "description": description, "target_url": link });
        assert_eq!(asked.body, expect);
    }
}

#[tokio::test]
async fn a_limit_is_not_taken_for_a_missing_right() {
    let server = Server::start(|_| with(403, &[("retry-after", "5")], "")).await;
    let fault = server.forge().create_check(&target(), &marker(), &check(Verdict::Success)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Limited);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_check_run_is_found_on_its_commit() {
    let server = Server::start(|asked| {
        let ours = json!({ "id": 4, "html_url": "u", "external_id": marker() });
        let other = json!({ "id": 3, "html_url": "u", "external_id": "other" });
        match asked.path == runs('a') {
            true => reply(200, json!({ "total_count": 2, "check_runs": [other, ours] })),
            false if asked.path.ends_with("/check-runs") => reply(200, json!({ "total_count": 0, "check_runs": [] })),
            false if asked.path.ends_with("/statuses") => reply(200, json!([])),
            false => reply(200, pull_json('a')),
        }
    })
    .await;
    let forge = server.forge();
    let find = async |head: Option<char>, marker: &Marker| {
        let head = head.map(sha);
        let found = forge.find(&target(), head.as_ref(), EffectKind::Check, marker).await.unwrap();
        found.map(|remote| remote.id)
    };
    assert_eq!(find(Some('a'), &marker()).await.as_deref(), Some("4"));
    assert_eq!(server.asked().len(), 1);
    assert_eq!(server.asked()[0].query, "check_name=autopr%2Freview&filter=all&per_page=100&page=1");
    assert_eq!(find(Some('c'), &marker()).await, None);
    assert_eq!(find(Some('a'), &Marker("absent".to_owned())).await, None);
    // Without a commit, the head of the pull request is taken.
    assert_eq!(find(None, &marker()).await.as_deref(), Some("4"));
}

#[tokio::test]
async fn a_status_is_found_whether_or_not_check_runs_can_be_read() {
    for readable in [true, false] {
        let server = Server::start(move |asked| {
            let link = |end: &str| format!("https://github.example/octo/demo/pull/7#{end}");
            if asked.path == statuses('a') {
                return reply(
                    200,
                    json!([
                        { "id": 1, "context": "ci", "target_url": link("autopr:review:0192f0c4-7a10:publish") },
                        { "id": 2, "context": "autopr/review", "target_url": null },
                        { "id": 3, "context": "autopr/review", "target_url": link("autopr:review:0192f0c4-7a10:publish") },
                    ]),
                );
            }
            match readable {
                true => reply(200, json!({ "check_runs": [] })),
                false => reply(403, json!({ "message": "Resource not accessible by personal access token" })),
            }
        })
        .await;
        let found = server.forge().find(&target(), Some(&sha('a')), EffectKind::Check, &marker()).await.unwrap();
        assert_eq!(found.map(|remote| remote.id).as_deref(), Some("3"), "readable: {readable}");
    }
}
