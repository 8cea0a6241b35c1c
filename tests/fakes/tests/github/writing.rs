//! Comments, labels, reactions, descriptions and check runs.

use serde_json::{Value, json};

use super::{PULL, Scene};

const COMMENTS: &str = "/repos/acme/shop/issues/1/comments";
const CHECKS: &str = "/repos/acme/shop/check-runs";

#[tokio::test]
async fn a_comment_is_written_and_changed_by_its_author() {
    let mut scene = Scene::new();
    let (status, comment) = scene.post(COMMENTS, json!({ "body": "first" })).await;
    assert_eq!((status, &comment["user"]["login"]), (201, &json!("bot")));
    let own = format!("/repos/acme/shop/issues/comments/{}", comment["id"]);
    assert_eq!(scene.send("PATCH", &own, Some(json!({ "body": "second" }))).await.0, 200);
    assert_eq!(scene.github.comments("acme", "shop", 1)[0].body, "second");
    scene.become_app().await;
    assert_eq!(scene.send("PATCH", &own, Some(json!({ "body": "third" }))).await.0, 403);
    for body in ["", " ", &"x".repeat(65_537)] {
        assert_eq!(scene.post(COMMENTS, json!({ "body": body })).await.0, 422);
    }
    assert_eq!(scene.post(COMMENTS, json!({ "body": "x".repeat(65_536) })).await.0, 201);
}

#[tokio::test]
async fn a_reaction_is_given_once() {
    let scene = Scene::new();
    let comment = scene.github.write_comment("acme", "shop", 1, "reader", "/autopr review");
    let reactions = format!("/repos/acme/shop/issues/comments/{comment}/reactions");
    let (first, given) = scene.post(&reactions, json!({ "content": "eyes" })).await;
    let (second, again) = scene.post(&reactions, json!({ "content": "eyes" })).await;
    assert_eq!((first, second, &given["id"]), (201, 200, &again["id"]));
    assert_eq!(scene.post(&reactions, json!({ "content": "wink" })).await.0, 422);
    let given = scene.github.comments("acme", "shop", 1)[0].reactions.clone();
    assert_eq!(given, [("bot".to_owned(), "eyes".to_owned())]);
}

#[tokio::test]
async fn labels_are_added_to_those_that_are_there() {
    let scene = Scene::new();
    let (_, labels) = scene.post("/repos/acme/shop/issues/1/labels", json!({ "labels": ["CART", "bug"] })).await;
    let names: Vec<&str> = labels.as_array().unwrap().iter().map(|label| label["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["cart", "bug"]);
    assert_eq!(scene.github.labels("acme", "shop", 1), ["cart", "bug"]);
    assert_eq!(scene.post("/repos/acme/shop/issues/1/labels", json!({ "labels": [] })).await.0, 422);
    assert_eq!(scene.post("/repos/acme/shop/issues/1/labels", json!({ "labels": ["x".repeat(51)] })).await.0, 422);
}

#[tokio::test]
async fn a_description_is_changed_and_nothing_else() {
    let scene = Scene::new();
    let (status, pull) = scene.send("PATCH", PULL, Some(json!({ "body": "Because." }))).await;
    assert_eq!((status, &pull["title"], &pull["body"]), (200, &json!("Count less"), &json!("Because.")));
    assert_eq!(scene.github.description("acme", "shop", 1), "Because.");
    assert_eq!(scene.send("PATCH", PULL, Some(json!({ "body": "x".repeat(65_537) }))).await.0, 422);
    assert_eq!(scene.send("PATCH", PULL, Some(json!({ "title": " " }))).await.0, 422);
}

#[tokio::test]
async fn a_check_run_that_is_wrong_is_refused() {
    let mut scene = Scene::new();
    scene.become_app().await;
    let head = scene.github.head("acme", "shop", 1);
    let annotation = json!({
        "path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m",
    });
    let with = |output: Value| json!({ "name": "c", "head_sha": head, "output": output });
    for check in [
        json!({ "head_sha": head }),
        json!({ "name": " ", "head_sha": head }),
        json!({ "name": "c", "head_sha": "0".repeat(40) }),
        json!({ "name": "c", "head_sha": head, "status": "completed" }),
        json!({ "name": "c", "head_sha": head, "conclusion": "great" }),
        with(json!({ "summary": "no title" })),
        with(json!({ "title": "t", "summary": "x".repeat(65_536) })),
        with(json!({ "title": "t", "summary": "s", "annotations": vec![annotation.clone(); 51] })),
    ] {
        let (status, body) = scene.post(CHECKS, check.clone()).await;
        assert_eq!(status, 422, "{check}: {body}");
    }
    assert!(scene.github.check_runs("acme", "shop").is_empty());
    let full = with(json!({ "title": "t", "summary": "s", "annotations": vec![annotation; 50] }));
    assert_eq!(scene.post(CHECKS, full).await.0, 201);
}

#[tokio::test]
async fn a_check_run_left_open_is_a_problem_until_it_is_completed() {
    let mut scene = Scene::new();
    let (app, _) = scene.become_app().await;
    let head = scene.github.head("acme", "shop", 1);
    let check = json!({ "name": "autopr/review", "head_sha": head, "status": "in_progress", "external_id": "7" });
    let (_, first) = scene.post(CHECKS, check.clone()).await;
    assert_eq!(scene.github.problems(), ["acme/shop: check run autopr/review is still in_progress"]);
    let own = format!("{CHECKS}/{}", first["id"]);
    assert_eq!(scene.send("PATCH", &own, Some(json!({ "status": "completed" }))).await.0, 422, "needs a conclusion");
    scene.github.take_violations();
    let (_, done) = scene.send("PATCH", &own, Some(json!({ "conclusion": "success" }))).await;
    assert_eq!(done["status"], "completed");
    scene.github.assert_clean();
    let (_, second) = scene.post(CHECKS, check).await;
    let list = |filter: &str| format!("/repos/acme/shop/commits/{head}/check-runs?app_id={app}{filter}");
    let (_, latest) = scene.get(&list("")).await;
    assert_eq!((&latest["total_count"], &latest["check_runs"][0]["id"]), (&json!(1), &second["id"]));
    assert_eq!(scene.get(&list("&filter=all")).await.1["total_count"], 2);
    assert_eq!(scene.get(&list("&check_name=other")).await.1["total_count"], 0);
    assert!(scene.github.problems().iter().any(|problem| problem.contains("made twice")), "same external id");
}

#[tokio::test]
async fn a_status_is_written_by_people_who_may_push() {
    let mut scene = Scene::new();
    let head = scene.github.head("acme", "shop", 1);
    let path = format!("/repos/acme/shop/statuses/{head}");
    let status = |state: &str, description: &str| {
        let url = "https://example.com/#marker";
        json!({ "state": state, "context": "autopr/review", "description": description, "target_url": url })
    };
    assert_eq!(scene.post(&path, status("pending", "Reviewing")).await.0, 201);
    assert_eq!(scene.github.problems(), ["acme/shop: status autopr/review is still pending"]);
    assert_eq!(scene.post(&path, status("success", "Reviewed")).await.0, 201);
    scene.github.assert_clean();
    let (_, all) = scene.get(&format!("/repos/acme/shop/commits/{head}/statuses")).await;
    assert_eq!((&all[0]["state"], &all[1]["state"]), (&json!("success"), &json!("pending")), "newest first");
    assert!(scene.github.render("acme", "shop", 1).contains("Status autopr/review: success\n\nReviewed"));
    assert_eq!(scene.post(&path, status("success", &"x".repeat(141))).await.0, 422);
    assert_eq!(scene.post(&path, status("neutral", "x")).await.0, 422);
    assert_eq!(
        scene.post(&format!("/repos/acme/shop/statuses/{}", "0".repeat(40)), status("success", "x")).await.0,
        422
    );
    scene.token = scene.github.token("reader");
    assert_eq!(scene.post(&path, status("success", "x")).await.0, 403);
    assert_eq!(scene.github.statuses("acme", "shop").len(), 2);
}
