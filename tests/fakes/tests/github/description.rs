//! Every route's answer is as GitHub describes it, and what is not described is noticed.

use autopr_fakes::github::{FakeGitHub, NewPull, NewRepository};
use serde_json::json;

use super::{DIFF, PULL, Scene};

#[tokio::test]
async fn every_route_answers_as_github_describes_it() {
    let mut scene = Scene::new();
    let comment = scene.github.write_comment("acme", "shop", 1, "reader", "/autopr review");
    for path in ["/user", "/rate_limit"] {
        assert_eq!(scene.get(path).await.0, 200, "{path}");
    }
    let (_, jwt) = scene.become_app().await;
    let head = scene.github.head("acme", "shop", 1);
    let review = json!({
        "commit_id": head, "event": "COMMENT", "body": "Looked at.",
        "comments": [{ "path": "src/cart.rs", "start_line": 2, "line": 3, "side": "RIGHT", "body": "Off by one?" }],
    });
    let (status, review) = scene.post(&format!("{PULL}/reviews"), review).await;
    assert_eq!(status, 200, "{review}");
    let (status, check) = scene.post("/repos/acme/shop/check-runs", json!({ "name": "c", "head_sha": head })).await;
    assert_eq!(status, 201, "{check}");
    let own = format!("/repos/acme/shop/check-runs/{}", check["id"]);
    let done = json!({ "conclusion": "success", "output": { "title": "t", "summary": "s" } });
    assert_eq!(scene.send("PATCH", &own, Some(done)).await.0, 200);
    let reactions = format!("/repos/acme/shop/issues/comments/{comment}/reactions");
    assert_eq!(scene.post(&reactions, json!({ "content": "eyes" })).await.0, 201);
    assert_eq!(scene.post(&reactions, json!({ "content": "eyes" })).await.0, 200);
    assert_eq!(scene.post("/repos/acme/shop/issues/1/labels", json!({ "labels": ["bug"] })).await.0, 200);
    assert_eq!(scene.post("/repos/acme/shop/issues/1/comments", json!({ "body": "done" })).await.0, 201);
    assert_eq!(scene.send("PATCH", PULL, Some(json!({ "body": "Better." }))).await.0, 200);
    let base = scene.github.base("acme", "shop", 1);
    for path in [
        "/repos/acme/shop".to_owned(),
        "/repos/acme/shop/collaborators/reader/permission".to_owned(),
        "/repos/acme/shop/contents/README.md".to_owned(),
        "/repos/acme/shop/contents/src?ref=main".to_owned(),
        format!("/repos/acme/shop/compare/{base}...{head}"),
        "/repos/acme/shop/pulls?state=all".to_owned(),
        PULL.to_owned(),
        format!("{PULL}/files?per_page=2"),
        format!("{PULL}/comments"),
        format!("{PULL}/reviews"),
        format!("{PULL}/reviews/{}", review["id"]),
        format!("{PULL}/reviews/{}/comments", review["id"]),
        "/repos/acme/shop/issues/1/comments".to_owned(),
        format!("/repos/acme/shop/issues/comments/{comment}"),
        reactions,
        "/repos/acme/shop/issues/1/labels".to_owned(),
        own,
        format!("/repos/acme/shop/commits/{head}/check-runs?check_name=c&filter=all"),
        "/repos/acme/shop/commits/refs/heads/feature/check-runs".to_owned(),
    ] {
        let (status, body) = scene.get(&path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    scene.token = jwt;
    for path in ["/app", "/app/installations", "/app/hook/deliveries", "/repos/acme/shop/installation"] {
        let (status, body) = scene.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    scene.github.assert_clean();
}

#[tokio::test]
async fn unknown_fields_and_parameters_are_noticed_though_github_ignores_them() {
    let scene = Scene::new();
    let (status, _) = scene.post("/repos/acme/shop/issues/1/comments", json!({ "body": "hi", "bdoy": "hi" })).await;
    assert_eq!(status, 201);
    scene.get("/repos/acme/shop/pulls?perpage=3").await;
    let noticed = scene.github.take_violations();
    assert_eq!(noticed.len(), 2, "{noticed:?}");
    assert!(noticed[0].contains("'bdoy' was unexpected"), "{noticed:?}");
    assert!(noticed[1].contains("query parameter perpage is not known"), "{noticed:?}");
}

#[tokio::test]
async fn wrong_types_and_unknown_routes_are_refused_and_noticed() {
    let scene = Scene::new();
    assert_eq!(scene.post("/repos/acme/shop/issues/1/comments", json!({ "body": 7 })).await.0, 422);
    assert_eq!(scene.get("/repos/acme/shop/pulls?per_page=many").await.0, 422);
    let (status, body) = scene.get("/repos/acme/shop/stars").await;
    assert_eq!((status, body["message"].as_str()), (404, Some("Not Found")));
    let noticed = scene.github.take_violations();
    assert!(noticed.iter().any(|text| text.contains("no such route")), "{noticed:?}");
    assert!(noticed.iter().any(|text| text.contains("answered 422")), "{noticed:?}");
    scene.github.assert_clean();
}

#[tokio::test]
async fn without_the_description_the_prose_rules_still_hold() {
    let github = FakeGitHub::unchecked();
    github.add_repository(NewRepository::new("acme", "shop"));
    github.open_pull("acme", "shop", NewPull::new("Count less", DIFF));
    let review = json!({
        "event": "COMMENT", "body": "b", "unknown": 1, "comments": [{ "path": "src/cart.rs", "line": 10, "body": "b" }],
    });
    let client = reqwest::Client::builder().user_agent("test").no_proxy().build().unwrap();
    let post = client.post(format!("{}{PULL}/reviews", github.url())).bearer_auth(github.token("acme"));
    assert_eq!(post.json(&review).send().await.unwrap().status(), 422);
    assert!(github.violations()[0].contains("line must be part of the diff"), "{:?}", github.violations());
}
