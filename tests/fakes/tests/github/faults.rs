//! What can be made to go wrong.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use autopr_fakes::github::{Fault, Moment, Until};
use serde_json::json;

use super::{PULL, Scene};

const COMMENTS: &str = "/repos/acme/shop/issues/1/comments";

#[tokio::test]
async fn a_write_that_is_answered_502_may_have_been_done_or_not() {
    let scene = Scene::new();
    let body = json!({ "body": "hello" });
    scene.github.fail_next("POST", "/comments", Fault::Status(502));
    assert_eq!(scene.post(COMMENTS, body.clone()).await.0, 502);
    assert_eq!(scene.github.comments("acme", "shop", 1).len(), 0);
    scene.github.fail_next("POST", "/comments", Fault::StatusAfter(502));
    assert_eq!(scene.post(COMMENTS, body.clone()).await.0, 502);
    assert_eq!(scene.github.comments("acme", "shop", 1).len(), 1);
    assert_eq!(scene.post(COMMENTS, body).await.0, 201);
    let answered: Vec<Option<u16>> = scene.github.requests().iter().map(|request| request.status).collect();
    assert_eq!(answered, [Some(502), Some(502), Some(201)]);
    scene.github.assert_clean();
}

#[tokio::test]
async fn a_connection_breaks_before_after_or_within_the_answer() {
    let scene = Scene::new();
    let write = || scene.ask("POST", COMMENTS).json(&json!({ "body": "hello" })).send();
    scene.github.fail_next("POST", "/comments", Fault::DropBefore);
    assert!(write().await.is_err());
    assert_eq!(scene.github.comments("acme", "shop", 1).len(), 0);
    scene.github.fail_next("POST", "/comments", Fault::DropAfter);
    assert!(write().await.is_err());
    assert_eq!(scene.github.comments("acme", "shop", 1).len(), 1);
    scene.github.fail_next("POST", "/comments", Fault::Truncate);
    let answer = write().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert!(answer.text().await.is_err());
    assert_eq!(scene.github.comments("acme", "shop", 1).len(), 2);
}

#[tokio::test]
async fn a_request_is_held_before_its_effect_or_after() {
    let scene = Arc::new(Scene::new());
    let written = |scene: &Scene| scene.github.comments("acme", "shop", 1).len();
    for (expected, stalled) in [(0, false), (2, true)] {
        let gate = if stalled { scene.github.stall("POST", COMMENTS) } else { scene.github.hold("POST", COMMENTS) };
        let mut gate = gate;
        let asking = Arc::clone(&scene);
        let task = tokio::spawn(async move { asking.post(COMMENTS, json!({ "body": "hello" })).await.0 });
        gate.arrived().await;
        assert_eq!(written(&scene), expected, "the effect waits unless only the answer is held");
        assert!(!task.is_finished());
        gate.release();
        assert_eq!(task.await.unwrap(), 201);
        assert_eq!(written(&scene), expected.max(1));
    }
}

#[tokio::test]
async fn notices_come_before_and_after_the_effect() {
    let scene = Arc::new(Scene::new());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (notes, looking) = (Arc::clone(&seen), Arc::downgrade(&scene));
    scene.github.on_request(move |moment, request| {
        let written = looking.upgrade().map_or(0, |scene| scene.github.comments("acme", "shop", 1).len());
        notes.lock().unwrap().push((moment, request.method.clone(), request.caller, request.status, written));
    });
    scene.post(COMMENTS, json!({ "body": "hello" })).await;
    let post = || "POST".to_owned();
    let expected = [(Moment::Before, post(), "user", None, 0), (Moment::After, post(), "user", Some(201), 1)];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn the_primary_limit_is_told_and_kept() {
    let scene = Scene::new();
    scene.github.limit_primary(1, Duration::from_secs(60));
    let answer = scene.ask("GET", PULL).send().await.unwrap();
    let told = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (told("x-ratelimit-limit"), told("x-ratelimit-remaining"), told("x-ratelimit-used")),
        ("5000".to_owned(), "0".to_owned(), "5000".to_owned())
    );
    let (status, body) = scene.get(PULL).await;
    assert_eq!(status, 403);
    assert!(body["message"].as_str().unwrap().contains("API rate limit exceeded"));
    let (_, limits) = scene.get("/rate_limit").await;
    assert_eq!(limits["resources"]["core"]["remaining"], 0);
    scene.github.advance(Duration::from_secs(61));
    assert_eq!(scene.get(PULL).await.0, 200);
    scene.github.assert_clean();
}

#[tokio::test]
async fn a_secondary_limit_holds_for_some_requests_or_some_time() {
    let scene = Scene::new();
    scene.github.limit_secondary(403, Some(60), Until::Requests(2));
    let answer = scene.ask("GET", PULL).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (403, "60"));
    assert!(answer.text().await.unwrap().contains("secondary rate limit"));
    assert_eq!(scene.get(PULL).await.0, 403);
    assert_eq!(scene.get(PULL).await.0, 200);
    scene.github.limit_secondary(429, None, Until::Passed(Duration::from_secs(30)));
    assert_eq!(scene.post(COMMENTS, json!({ "body": "hello" })).await.0, 429);
    assert_eq!(scene.github.comments("acme", "shop", 1).len(), 0);
    scene.github.advance(Duration::from_secs(31));
    assert_eq!(scene.get(PULL).await.0, 200);
}

#[tokio::test]
async fn a_fault_that_no_request_met_is_a_problem() {
    let scene = Scene::new();
    scene.github.fail_next("POST", "/reviews", Fault::Status(500));
    assert_eq!(scene.github.problems(), ["no request met what was planned for POST /reviews"]);
}

#[tokio::test]
async fn what_has_arrived_is_carried_out_though_its_caller_is_gone() {
    let scene = Arc::new(Scene::new());
    let mut gate = scene.github.hold("POST", COMMENTS);
    let asking = Arc::clone(&scene);
    let task = tokio::spawn(async move { asking.post(COMMENTS, json!({ "body": "hello" })).await });
    gate.arrived().await;
    task.abort();
    assert!(task.await.is_err());
    let (done, told) = tokio::sync::oneshot::channel();
    let done = Mutex::new(Some(done));
    scene.github.on_request(move |moment, _| {
        if moment == Moment::After {
            done.lock().unwrap().take().map(|done| done.send(()));
        }
    });
    gate.release();
    told.await.unwrap();
    assert_eq!(scene.github.comments("acme", "shop", 1).len(), 1);
}
