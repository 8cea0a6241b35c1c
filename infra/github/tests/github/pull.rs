//! The pull request and its description.

use std::sync::Mutex;

use autopr_core::fault::FaultKind;
use autopr_core::ports::Forge;
use autopr_github::GitHub;
use serde_json::json;

use crate::server::{Server, pull, pull_json, reply, settings, target, with};

#[tokio::test]
async fn a_pull_request_is_read_in_one_request() {
    let server = Server::start(|_| reply(200, pull_json('a'))).await;
    let read = server.forge().pull_request(&target()).await.unwrap();
    assert_eq!(read, pull('a'));
    let asked = server.asked();
    assert_eq!(server.lines(), ["GET /repos/octo/demo/pulls/7"]);
    assert_eq!(asked[0].header("authorization"), "Bearer ghp_test");
    assert_eq!(asked[0].header("accept"), "application/vnd.github+json");
    assert_eq!(asked[0].header("x-github-api-version"), "2022-11-28");
    assert!(asked[0].header("user-agent").starts_with("autopr-engine/"));
}

#[tokio::test]
async fn nulls_are_empty_and_a_deleted_author_is_a_ghost() {
    let server = Server::start(|_| {
        let mut json = pull_json('a');
        (json["title"], json["body"], json["user"]) = (json!(null), json!(null), json!(null));
        reply(200, json)
    })
    .await;
    let read = server.forge().pull_request(&target()).await.unwrap();
    assert_eq!((read.title.as_str(), read.body.as_str(), read.author.as_str()), ("", "", "ghost"));
}

#[tokio::test]
async fn a_pull_request_that_did_not_change_is_not_sent_again() {
    let server = Server::start(|asked| match asked.header("if-none-match") {
        "\"v1\"" => with(304, &[("etag", "\"v1\"")], ""),
        _ => with(200, &[("etag", "\"v1\"")], pull_json('a').to_string()),
    })
    .await;
    let forge = server.forge();
    for _ in 0..3 {
        assert_eq!(forge.pull_request(&target()).await.unwrap(), pull('a'));
    }
    let conditions: Vec<_> = server.asked().iter().map(|asked| asked.header("if-none-match").to_owned()).collect();
    assert_eq!(conditions, ["", "\"v1\"", "\"v1\""]);
}

#[tokio::test]
async fn enterprise_addresses_work_with_and_without_a_slash() {
    let server = Server::start(|_| reply(200, pull_json('a'))).await;
    for base in ["/api/v3", "/api/v3/"] {
        let forge = GitHub::new(settings(&format!("{}{base}", server.url))).unwrap();
        forge.pull_request(&target()).await.unwrap();
    }
    assert_eq!(server.lines(), ["GET /api/v3/repos/octo/demo/pulls/7"; 2]);
}

#[tokio::test]
async fn the_description_gets_a_section_that_replaces_itself() {
    let body = Mutex::new("Mine.".to_owned());
    let server = Server::start(move |asked| {
        let mut body = body.lock().unwrap();
        if asked.is("PATCH", "/repos/octo/demo/pulls/7") {
            *body = asked.body["body"].as_str().unwrap().to_owned();
        }
        let mut json = pull_json('a');
        json["body"] = json!(*body);
        reply(200, json)
    })
    .await;
    let forge = server.forge();
    let remote = forge.describe(&target(), "one").await.unwrap();
    assert_eq!(remote.url.as_deref(), Some("https://github.example/octo/demo/pull/7"));
    forge.describe(&target(), "one").await.unwrap();
    forge.describe(&target(), "two").await.unwrap();
    let written: Vec<_> = server.asked().into_iter().filter(|asked| asked.method == "PATCH").collect();
    let texts: Vec<_> = written.iter().map(|asked| asked.body.to_string()).collect();
    assert_eq!(
        texts,
        ["one", "two"].map(|word| json!({
            "body": format!("Mine.\n\n<!-- autopr:description -->\n{word}\n<!-- /autopr:description -->")
        })
        .to_string())
    );
}

#[tokio::test]
async fn a_description_without_room_is_left_alone() {
    let server = Server::start(|_| {
        let mut json = pull_json('a');
        json["body"] = json!("x".repeat(65_530));
        reply(200, json)
    })
    .await;
    let fault = server.forge().describe(&target(), "one").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert_eq!(fault.user.unwrap().to_string(), "The description is so long that nothing fits below it.");
    assert_eq!(server.lines(), ["GET /repos/octo/demo/pulls/7"]);
}
