//! What a refusal means, by status, header and body.

use std::time::Duration;

use autopr_core::fault::{Fault, FaultKind, Retry};
use autopr_core::ports::Forge;
use serde_json::json;

use crate::server::{Server, marker, target, with};

/// What the forge makes of an answer to a write.
async fn refused(status: u16, headers: &'static [(&'static str, &'static str)], body: &'static str) -> Fault {
    let server = Server::start(move |_| with(status, headers, body)).await;
    let fault = server.forge().create_comment(&target(), &marker(), "hello").await.unwrap_err();
    assert_eq!(server.asked().len(), 1, "a refused write is not repeated");
    fault
}

async fn check(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    expect: (FaultKind, Retry),
) -> String {
    let fault = refused(status, headers, body).await;
    assert_eq!((fault.kind, fault.retry), expect, "{status} {headers:?} {body}: {fault}");
    fault.to_string()
}

fn after(seconds: u64) -> (FaultKind, Retry) {
    (FaultKind::Limited, Retry::After(Duration::from_secs(seconds)))
}

#[tokio::test]
async fn limits_say_when_to_come_back() {
    check(403, &[("retry-after", "37")], "", after(37)).await;
    check(429, &[("retry-after", "0")], "", after(1)).await;
    let hour = &[
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1767225720"),
        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ];
    // 2026-01-01 00:02:00, by GitHub's clock and not by ours.
    check(403, hour, "", after(121)).await;
    check(429, hour, "", after(121)).await;
    let past = &[
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1767225000"),
        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ];
    check(403, past, "", after(1)).await;
}

#[tokio::test]
async fn a_limit_without_a_time_is_a_minute() {
    let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}"#;
    check(403, &[("x-ratelimit-remaining", "4000")], secondary, after(60)).await;
    check(429, &[], "", after(60)).await;
    let quick = r#"{"message":"Validation Failed","errors":[{"code":"custom","message":"was submitted too quickly"}]}"#;
    check(422, &[], quick, after(60)).await;
}

#[tokio::test]
async fn what_is_denied_says_what_to_do() {
    let denied = (FaultKind::Denied, Retry::Never);
    let text = check(401, &[], r#"{"message":"Bad credentials"}"#, denied).await;
    assert!(text.contains("GITHUB_TOKEN") && text.contains("expired"), "{text}");
    let fault = refused(403, &[("x-accepted-github-permissions", "issues=write; pull_requests=write")], "{}").await;
    assert_eq!((fault.kind, fault.retry), denied);
    assert!(fault.to_string().ends_with("needs the permission issues=write; pull_requests=write"), "{fault}");
    assert!(fault.user.unwrap().to_string().contains("issues=write"));
    let text = check(403, &[("x-github-sso", "required; url=https://x")], "{}", denied).await;
    assert!(text.contains("single sign-on"), "{text}");
    let text = check(403, &[("x-accepted-github-permissions", "<script>")], "{}", denied).await;
    assert!(!text.contains("script"), "{text}");
    check(451, &[], "", denied).await;
}

#[tokio::test]
async fn what_is_not_there_and_what_fails() {
    check(404, &[], "", (FaultKind::NotFound, Retry::Never)).await;
    check(410, &[], "", (FaultKind::NotFound, Retry::Never)).await;
    check(409, &[], "", (FaultKind::Unavailable, Retry::Backoff)).await;
    check(500, &[], "<html>unicorn</html>", (FaultKind::Unavailable, Retry::Backoff)).await;
    check(502, &[], "", (FaultKind::Unavailable, Retry::Backoff)).await;
    check(503, &[], "", (FaultKind::Unavailable, Retry::Backoff)).await;
    check(201, &[], "not json", (FaultKind::Unavailable, Retry::Backoff)).await;
}

#[tokio::test]
async fn a_refused_request_names_the_fields_and_quotes_nothing() {
    let body = r#"{"message":"Validation Failed: canary","errors":[
        {"resource":"IssueComment","field":"body","code":"missing_field","message":"canary"},
        {"resource":"<b>canary</b>","field":"x y","code":"custom"}]}"#;
    let text = check(422, &[], body, (FaultKind::Invalid, Retry::Never)).await;
    assert!(text.ends_with("(422): IssueComment.body missing_field, ?.? custom"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn a_read_that_is_limited_is_told_like_a_write() {
    let server = Server::start(|_| with(429, &[("retry-after", "9")], "")).await;
    // Each asks for itself: what one was told is not known to the next.
    let forge = || server.forge();
    let pull = crate::server::pull('a');
    let waits = (FaultKind::Limited, Retry::After(Duration::from_secs(9)));
    let kind = |fault: Fault| (fault.kind, fault.retry);
    assert_eq!(kind(forge().pull_request(&target()).await.unwrap_err()), waits);
    assert_eq!(kind(forge().diff(&pull).await.unwrap_err()), waits);
    assert_eq!(kind(forge().file(&target(), &pull.head, "x").await.unwrap_err()), waits);
    assert_eq!(kind(forge().permission(&target(), "x").await.unwrap_err()), waits);
    assert_eq!(server.asked().len(), 4, "a limited read is not repeated");
}

#[tokio::test]
async fn who_we_are() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/user" => with(200, &[], json!({ "login": "octocat", "id": 1 }).to_string()),
        _ => with(404, &[], ""),
    })
    .await;
    let identity = server.forge().check().await.unwrap();
    assert_eq!((identity.login.as_str(), identity.permissions.len()), ("octocat", 0));
}
