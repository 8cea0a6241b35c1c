//! Reviews, comments, labels, reactions, and finding again what was written.

use std::sync::atomic::{AtomicUsize, Ordering};

use autopr_core::diff::Side;
use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ids::CommentId;
use autopr_core::ports::Forge;
use autopr_core::ports::forge::{EffectKind, Marker, Permission, Reaction};
use autopr_core::review::{Coverage, Finding, Location, Review, Severity, Source};
use serde_json::{Value, json};

use crate::server::{Asked, Server, marker, reply, sha, target, with};

const REVIEWS: &str = "/repos/octo/demo/pulls/7/reviews";
const HIDDEN: &str = "<!-- autopr:review:0192f0c4-7a10:publish -->";

fn finding(title: &str, location: Option<Location>) -> Finding {
    Finding {
        rule: "debug/leftover".to_owned(),
        severity: Severity::Medium,
        title: title.to_owned(),
        reason: "It prints.".to_owned(),
        fix: "Remove it.".to_owned(),
        location,
        evidence: "dbg!(x)".to_owned(),
        replacement: None,
        source: Source::Analyser,
    }
}

fn at(path: &str, side: Side, start: u32, end: u32) -> Option<Location> {
    Some(Location { path: path.to_owned(), side, start, end, columns: None })
}

fn review() -> Review {
    Review {
        head: sha('a'),
        findings: vec![
            finding("one line", at("src/a b.rs", Side::Right, 7, 7)),
            finding("several lines", at("\"tab\\there\"", Side::Left, 3, 5)),
            finding("nowhere", None),
            finding("no text", at("\"\\377\"", Side::Right, 1, 1)),
        ],
        omitted: 0,
        block_on: Severity::High,
        coverage: Coverage { files: 1, added: 2, removed: 3, models: Vec::new(), skipped: Vec::new() },
        effort: None,
        problems: Vec::new(),
    }
}

fn created(body: &Value) -> Value {
    json!({ "id": 80, "html_url": "https://github.example/r/80", "body": body, "user": null })
}

#[tokio::test]
async fn a_review_is_one_request_with_its_comments() {
    let server = Server::start(|asked| reply(200, created(&asked.body["body"]))).await;
    let remote = server.forge().create_review(&target(), &marker(), &review()).await.unwrap();
    assert_eq!((remote.id.as_str(), remote.url.as_deref()), ("80", Some("https://github.example/r/80")));
    assert_eq!(server.lines(), [format!("POST {REVIEWS}")]);
    let mut posted = server.asked().remove(0).body;
    let body = posted["body"].take();
    let body = body.as_str().unwrap();
    assert!(body.starts_with("### AutoPR review: 4 findings") && body.ends_with(HIDDEN), "{body}");
    assert!(body.contains("nowhere") && body.contains(":1` no text") && !body.contains("one line"), "{body}");
    for comment in posted["comments"].as_array_mut().unwrap() {
        let text = comment["body"].take();
        assert!(text.as_str().unwrap().starts_with("**Medium:** "), "{text}");
    }
    assert_eq!(
        posted,
        json!({
            "commit_id": sha('a'),
            "event": "COMMENT",
            "body": null,
            "comments": [
                { "path": "src/a b.rs", "line": 7, "side": "RIGHT", "body": null },
                { "path": "tab\there", "line": 5, "side": "LEFT", "start_line": 3, "start_side": "LEFT", "body": null },
            ],
        })
    );
}

#[tokio::test]
async fn a_review_whose_lines_github_refuses_arrives_without_comments() {
    let server = Server::start(|asked| match asked.body["comments"].as_array().unwrap().is_empty() {
        false => reply(422, json!({ "message": "Unprocessable Entity", "errors": ["Line could not be resolved"] })),
        true => reply(200, created(&asked.body["body"])),
    })
    .await;
    let remote = server.forge().create_review(&target(), &marker(), &review()).await.unwrap();
    assert_eq!(remote.id, "80");
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    let body = asked[1].body["body"].as_str().unwrap();
    for part in ["no comments on lines", "`src/a b.rs:7` one line", ":3-5` several lines", "nowhere", "no text", HIDDEN]
    {
        assert!(body.contains(part), "{part} in {body}");
    }
}

#[tokio::test]
async fn a_review_that_is_refused_for_good_is_tried_twice_and_no_more() {
    let server = Server::start(|_| reply(422, json!({ "message": "commit_id is not part of the pull request" }))).await;
    let fault = server.forge().create_review(&target(), &marker(), &review()).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Invalid, Retry::Never));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_review_that_arrived_behind_a_502_is_found_again() {
    let posted = std::sync::Mutex::new(Vec::new());
    let server = Server::start(move |asked| {
        let mut posted = posted.lock().unwrap();
        if asked.is("POST", REVIEWS) {
            posted.push(created(&asked.body["body"]));
            return with(502, &[], "<html>");
        }
        reply(200, json!(*posted))
    })
    .await;
    let forge = server.forge();
    let fault = forge.create_review(&target(), &marker(), &review()).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Unavailable, Retry::Backoff));
    let found = forge.find(&target(), Some(&sha('a')), EffectKind::Review, &marker()).await.unwrap().unwrap();
    assert_eq!(found.id, "80");
    let other = Marker("autopr:review:0192f0c4-7a10:publish2".to_owned());
    assert_eq!(forge.find(&target(), None, EffectKind::Review, &other).await.unwrap(), None);
    assert_eq!(server.lines(), [format!("POST {REVIEWS}"), format!("GET {REVIEWS}"), format!("GET {REVIEWS}")]);
}

/// A listing of so many entries, oldest first, of which some carry the marker.
fn pages(total: usize, marked: &'static [usize]) -> impl Fn(&Asked) -> axum::response::Response {
    move |asked| {
        let page: usize = asked.query.strip_prefix("per_page=100&page=").unwrap().parse().unwrap();
        let entry = |n: usize| {
            let body = if marked.contains(&n) { format!("text {HIDDEN}") } else { "text".to_owned() };
            json!({ "id": n, "html_url": null, "body": body })
        };
        let entries: Vec<_> = (0..total).skip((page - 1) * 100).take(100).map(entry).collect();
        let last = total.div_ceil(100);
        let link = format!(
            "<http://x.example/l?page={}>; rel=\"next\", <http://x.example/l?page={last}>; rel=\"last\"",
            page + 1
        );
        let headers: &[_] = if page < last { &[("link", link.as_str())] } else { &[] };
        with(200, headers, json!(entries).to_string())
    }
}

#[tokio::test]
async fn long_listings_are_searched_from_their_end() {
    let check = async |total, marked, expect: Option<&str>, requests| {
        let server = Server::start(pages(total, marked)).await;
        let found = server.forge().find(&target(), None, EffectKind::Comment, &marker()).await.unwrap();
        assert_eq!(found.as_ref().map(|remote| remote.id.as_str()), expect);
        let queries: Vec<_> = server.asked().iter().map(|asked| asked.query.clone()).collect();
        assert_eq!(queries, Vec::<String>::from_iter(requests), "{total} {marked:?}");
    };
    let pages = |numbers: &'static [u32]| numbers.iter().map(|number| format!("per_page=100&page={number}"));
    check(0, &[], None, pages(&[1])).await;
    check(100, &[99], Some("99"), pages(&[1])).await;
    check(1234, &[1230], Some("1230"), pages(&[1, 13])).await;
    check(450, &[210], Some("210"), pages(&[1, 5, 4, 3])).await;
    check(250, &[], None, pages(&[1, 3, 2])).await;
}

#[tokio::test]
async fn a_comment_carries_its_marker_and_fits() {
    let server = Server::start(|asked| reply(201, created(&asked.body["body"]))).await;
    let forge = server.forge();
    let sly = Marker("autopr:comment:--> @everyone".to_owned());
    forge.create_comment(&target(), &sly, "Hello.\n").await.unwrap();
    forge.create_comment(&target(), &marker(), &"ä".repeat(70_000)).await.unwrap();
    let asked = server.asked();
    assert!(asked.iter().all(|asked| asked.is("POST", "/repos/octo/demo/issues/7/comments")));
    assert_eq!(asked[0].body["body"], "Hello.\n\n<!-- autopr:comment:-%2D%3E%20%40everyone -->");
    let long = asked[1].body["body"].as_str().unwrap();
    assert_eq!(long.chars().count(), 65_536);
    assert!(long.ends_with(&format!("\n\n… (cut)\n\n{HIDDEN}")));
}

#[tokio::test]
async fn labels_and_reactions() {
    let server = Server::start(|asked| match asked.path.ends_with("/labels") {
        true => reply(200, json!([{ "name": "small" }])),
        false => reply(201, json!({ "id": 5, "content": "eyes" })),
    })
    .await;
    let forge = server.forge();
    forge.add_labels(&target(), &["small".to_owned(), "needs tests".to_owned()]).await.unwrap();
    forge.add_labels(&target(), &[]).await.unwrap();
    let words = [Reaction::Eyes, Reaction::ThumbsUp, Reaction::ThumbsDown, Reaction::Confused];
    for reaction in words {
        assert_eq!(forge.react(&target(), CommentId(31), reaction).await.unwrap().id, "5");
    }
    let asked: Vec<_> = server.asked().iter().map(|asked| format!("{} {}", asked.path, asked.body)).collect();
    let mut expect = vec![r#"/repos/octo/demo/issues/7/labels {"labels":["small","needs tests"]}"#.to_owned()];
    expect.extend(
        ["eyes", "+1", "-1", "confused"]
            .map(|word| format!(r#"/repos/octo/demo/issues/comments/31/reactions {{"content":"{word}"}}"#)),
    );
    assert_eq!(asked, expect);
    for kind in [EffectKind::Description, EffectKind::Labels, EffectKind::Reaction] {
        assert_eq!(forge.find(&target(), None, kind, &marker()).await.unwrap(), None);
    }
    assert_eq!(server.asked().len(), 5);
}

#[tokio::test]
async fn permissions() {
    let cases = [
        (200, "admin", "admin", Permission::Write),
        (200, "write", "maintain", Permission::Write),
        (200, "write", "our-own-role", Permission::Write),
        (200, "read", "triage", Permission::Read),
        (200, "read", "read", Permission::Read),
        (200, "none", "none", Permission::None),
        (200, "", "maintain", Permission::Write),
        (200, "", "our-own-role", Permission::None),
        (404, "", "", Permission::None),
    ];
    let next = AtomicUsize::new(0);
    let server = Server::start(move |_| {
        let (status, permission, role, _) = cases[next.fetch_add(1, Ordering::SeqCst)];
        reply(status, json!({ "permission": permission, "role_name": role }))
    })
    .await;
    let forge = server.forge();
    for (_, permission, role, expect) in cases {
        let granted = forge.permission(&target(), "some/bot[bot]").await.unwrap();
        assert_eq!(granted, expect, "{permission} {role}");
    }
    assert_eq!(forge.permission(&target(), "..").await.unwrap(), Permission::None);
    assert_eq!(server.lines()[0], "GET /repos/octo/demo/collaborators/some%2Fbot%5Bbot%5D/permission");
    assert_eq!(server.lines().len(), cases.len());
}
