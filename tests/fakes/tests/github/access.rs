//! Who may do what.

use std::time::Duration;

use autopr_fakes::github::{FakeGitHub, NewRepository, Permission};
use serde_json::json;

use super::{PULL, Scene, jwt, read};

#[tokio::test]
async fn only_live_tokens_are_let_in() {
    let mut scene = Scene::new();
    let url = format!("{}{PULL}", scene.github.url());
    assert_eq!(read(scene.client.get(&url).send().await.unwrap()).await.0, 401);
    assert_eq!(read(scene.client.get(&url).basic_auth("bot", Some(&scene.token)).send().await.unwrap()).await.0, 401);
    let old = scene.client.get(&url).header("authorization", format!("token {}", scene.token));
    assert_eq!(read(old.send().await.unwrap()).await.0, 200);
    scene.token = "ghp_guessed".to_owned();
    assert_eq!(scene.get(PULL).await.1["message"], "Bad credentials");
}

#[tokio::test]
async fn an_app_token_must_be_signed_by_the_app_and_run_at_most_ten_minutes() {
    let mut scene = Scene::new();
    let app = scene.github.install_app("acme");
    let id = app.app_id.to_string();
    for (issuer, issued, ends, status) in [
        (id.as_str(), -30, 300, 200),
        (&id, -30, 600, 200),
        (&id, -30, -1, 401),
        (&id, 60, 300, 401),
        (&id, -30, 700, 401),
        ("4711", -30, 300, 401),
    ] {
        scene.token = jwt(&app.private_key, issuer, issued, ends);
        let (got, body) = scene.get("/app").await;
        assert_eq!(got, status, "{issuer} {issued} {ends}: {body}");
    }
    let good = jwt(&app.private_key, &id, -30, 300);
    let (rest, signature) = good.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    scene.token = format!("{rest}.{turned}");
    assert_eq!(scene.get("/app").await.0, 401);
    scene.token = good;
    assert_eq!(scene.get(PULL).await.0, 401, "an App as itself reads no repository");
}

#[tokio::test]
async fn an_installation_token_ends_after_an_hour() {
    let mut scene = Scene::new();
    scene.become_app().await;
    assert_eq!(scene.get(PULL).await.0, 200);
    assert_eq!(scene.get("/user").await.0, 403, "an installation is nobody");
    scene.github.advance(Duration::from_secs(3599));
    assert_eq!(scene.get(PULL).await.0, 200);
    scene.github.advance(Duration::from_secs(2));
    assert_eq!(scene.get(PULL).await.0, 401);
    assert_eq!((scene.github.token_requests(), scene.github.calls()), (1, 4));
}

#[tokio::test]
async fn only_apps_write_check_runs() {
    let mut scene = Scene::new();
    let check = json!({ "name": "c", "head_sha": scene.github.head("acme", "shop", 1), "conclusion": "success" });
    let (status, body) = scene.post("/repos/acme/shop/check-runs", check.clone()).await;
    assert_eq!((status, body["message"].as_str()), (403, Some("You must authenticate via a GitHub App.")));
    scene.become_app().await;
    let (status, made) = scene.post("/repos/acme/shop/check-runs", check).await;
    assert_eq!(status, 201);
    scene.become_app().await;
    let own = format!("/repos/acme/shop/check-runs/{}", made["id"]);
    let (status, body) = scene.send("PATCH", &own, Some(json!({ "conclusion": "failure" }))).await;
    assert_eq!(status, 403, "{body}");
    assert_eq!(scene.github.check_runs("acme", "shop")[0].conclusion.as_deref(), Some("success"));
}

#[tokio::test]
async fn an_app_does_what_it_was_granted_where_it_is_installed() {
    let mut scene = Scene::new();
    scene.github.add_repository(NewRepository::new("other", "place"));
    let app = scene.github.install_app_with("acme", &[("metadata", "read"), ("pull_requests", "read")]);
    let jwt = jwt(&app.private_key, &app.app_id.to_string(), -30, 300);
    let tokens = format!("/app/installations/{}/access_tokens", app.installation_id);
    scene.token = jwt;
    assert_eq!(scene.post(&tokens, json!({ "permissions": { "checks": "write" } })).await.0, 422);
    assert_eq!(scene.post(&tokens, json!({ "repositories": ["absent"] })).await.0, 422);
    scene.github.take_violations();
    let (_, given) = scene.post(&tokens, json!({ "repositories": ["shop"] })).await;
    scene.token = given["token"].as_str().unwrap().to_owned();
    assert_eq!(scene.get(PULL).await.0, 200);
    assert_eq!(scene.get("/repos/acme/shop/contents/README.md").await.0, 403);
    assert_eq!(scene.post("/repos/acme/shop/issues/1/comments", json!({ "body": "b" })).await.0, 403);
    assert_eq!(scene.get("/repos/other/place").await.0, 404);
    let refused =
        scene.ask("POST", &format!("{PULL}/reviews")).json(&json!({ "event": "APPROVE" })).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.headers()["x-accepted-github-permissions"], "pull_requests=write");
    scene.github.suspend(app.installation_id);
    assert_eq!(scene.get(PULL).await.0, 403);
}

#[tokio::test]
async fn people_do_what_their_role_allows() {
    let mut scene = Scene::new();
    scene
        .github
        .add_repository(NewRepository::new("acme", "secret").private().collaborator("reader", Permission::Triage));
    let asked = |login: &'static str| format!("/repos/acme/shop/collaborators/{login}/permission");
    assert_eq!(scene.get(&asked("bot")).await.1["permission"], "write");
    assert_eq!(scene.get(&asked("acme")).await.1["permission"], "admin");
    assert_eq!(scene.get(&asked("stranger")).await.1["permission"], "read");
    assert_eq!(scene.get("/repos/acme/secret").await.0, 404, "what one may not see does not exist");
    scene.token = scene.github.token("reader");
    let (_, secret) = scene.get("/repos/acme/secret/collaborators/reader/permission").await;
    assert_eq!((&secret["permission"], &secret["role_name"]), (&json!("read"), &json!("triage")));
    assert_eq!(scene.post("/repos/acme/shop/issues/1/labels", json!({ "labels": ["x"] })).await.0, 403);
    assert_eq!(scene.send("PATCH", PULL, Some(json!({ "body": "mine" }))).await.0, 403);
    scene.github.assert_clean();
}

#[tokio::test]
async fn requests_without_a_name_or_of_an_unknown_version_are_refused() {
    let scene = Scene::new();
    let nameless = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{PULL}", scene.github.url());
    assert_eq!(read(nameless.get(&url).bearer_auth(&scene.token).send().await.unwrap()).await.0, 403);
    let versioned = |version: &str| scene.ask("GET", PULL).header("x-github-api-version", version).send();
    assert_eq!(versioned("2022-11-28").await.unwrap().status(), 200);
    assert_eq!(versioned("2099-01-01").await.unwrap().status(), 400);
    assert_eq!(scene.github.take_violations().len(), 2);
}

#[tokio::test]
async fn a_dropped_fake_no_longer_answers() {
    let github = FakeGitHub::unchecked();
    let url = github.url().to_owned();
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 403);
    drop(github);
    assert!(reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.is_err());
}
