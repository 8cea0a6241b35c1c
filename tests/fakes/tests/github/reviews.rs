//! What GitHub takes and refuses in a review.

use serde_json::{Value, json};

use super::{PULL, Scene};

/// Posts a review with one comment and gives the status and the errors.
async fn with_comment(comment: Value) -> (u16, String) {
    let scene = Scene::new();
    let review = json!({ "event": "COMMENT", "body": "Looked at.", "comments": [comment] });
    let (status, body) = scene.post(&format!("{PULL}/reviews"), review).await;
    let noticed = scene.github.take_violations();
    assert_eq!(status == 422, !noticed.is_empty(), "{noticed:?}");
    assert_eq!(scene.github.reviews("acme", "shop", 1).len(), usize::from(status == 200));
    (status, body["errors"].to_string())
}

#[tokio::test]
async fn comments_on_lines_of_the_diff_are_taken() {
    for comment in [
        json!({ "path": "src/cart.rs", "line": 2, "side": "RIGHT", "body": "added" }),
        json!({ "path": "src/cart.rs", "line": 2, "side": "LEFT", "body": "removed" }),
        json!({ "path": "src/cart.rs", "line": 1, "body": "context" }),
        json!({ "path": "src/cart.rs", "start_line": 21, "line": 22, "side": "RIGHT", "body": "two lines" }),
        json!({ "path": "src/cart.rs", "start_line": 2, "start_side": "LEFT", "line": 3, "body": "both sides" }),
        json!({ "path": "src/cart.rs", "position": 9, "body": "in the second hunk" }),
        json!({ "path": "docs/new.md", "line": 1, "body": "new file" }),
    ] {
        let (status, errors) = with_comment(comment.clone()).await;
        assert_eq!(status, 200, "{comment}: {errors}");
    }
}

#[tokio::test]
async fn comments_elsewhere_are_refused() {
    for (comment, reason) in [
        (json!({ "path": "src/cart.rs", "line": 10, "body": "between" }), "line must be part of the diff"),
        (
            json!({ "path": "src/cart.rs", "line": 25, "side": "LEFT", "body": "below" }),
            "line must be part of the diff",
        ),
        (json!({ "path": "src/other.rs", "line": 1, "body": "untouched" }), "Path could not be resolved"),
        (json!({ "path": "logo.png", "line": 1, "body": "picture" }), "line must be part of the diff"),
        (json!({ "path": "src/cart.rs", "body": "nowhere" }), "Line could not be resolved"),
        (json!({ "path": "src/cart.rs", "start_line": 3, "line": 22, "body": "across" }), "same hunk as the line"),
        (json!({ "path": "src/cart.rs", "start_line": 3, "line": 3, "body": "same" }), "must precede the end line"),
        (json!({ "path": "src/cart.rs", "start_line": 3, "line": 2, "body": "back" }), "must precede the end line"),
        (json!({ "path": "src/cart.rs", "line": 2, "side": "MIDDLE", "body": "x" }), "neither LEFT nor RIGHT"),
        (json!({ "path": "src/cart.rs", "line": 2, "body": " " }), "body can't be blank"),
        (json!({ "path": "src/cart.rs", "line": 2, "body": "é".repeat(65_537) }), "too long"),
    ] {
        let (status, errors) = with_comment(comment.clone()).await;
        assert_eq!(status, 422, "{comment}");
        assert!(errors.contains(reason), "{comment}: {errors}");
    }
}

#[tokio::test]
async fn a_review_needs_a_body_and_a_commit_of_the_pull_request() {
    let scene = Scene::new();
    let reviews = format!("{PULL}/reviews");
    let comment = json!([{ "path": "src/cart.rs", "line": 2, "body": "b" }]);
    for (review, reason) in [
        (json!({ "event": "COMMENT", "comments": comment }), "Body can't be blank"),
        (json!({ "event": "REQUEST_CHANGES", "body": "" }), "Body can't be blank"),
        (json!({ "event": "COMMENT", "body": "b", "commit_id": "f".repeat(40) }), "not part of the pull request"),
        (json!({ "event": "COMMENT", "body": "b".repeat(65_537) }), "too long"),
        (json!({ "event": "SHRUG", "body": "b" }), ""),
    ] {
        let (status, body) = scene.post(&reviews, review).await;
        assert_eq!(status, 422, "{body}");
        assert!(body.to_string().contains(reason), "{body}");
    }
    assert!(scene.github.reviews("acme", "shop", 1).is_empty());
    assert_eq!(scene.post(&reviews, json!({ "event": "APPROVE" })).await.0, 200);
}

#[tokio::test]
async fn nobody_requests_changes_of_themselves() {
    let mut scene = Scene::new();
    scene.token = scene.github.token("contributor");
    let review = json!({ "event": "REQUEST_CHANGES", "body": "No." });
    let (status, body) = scene.post(&format!("{PULL}/reviews"), review).await;
    assert_eq!(status, 422);
    assert!(body.to_string().contains("your own pull request"), "{body}");
}

#[tokio::test]
async fn after_a_push_an_older_head_can_still_be_reviewed_on_its_own_diff() {
    let scene = Scene::new();
    let before = scene.github.head("acme", "shop", 1);
    let diff = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n";
    scene.github.push("acme", "shop", 1, &"b".repeat(40), diff, &[("a", "y\n")]);
    let review = |commit: &str, path: &str| {
        let comments = json!([{ "path": path, "line": 1, "body": "b" }]);
        json!({ "event": "COMMENT", "body": "b", "commit_id": commit, "comments": comments })
    };
    let reviews = format!("{PULL}/reviews");
    assert_eq!(scene.post(&reviews, review(&before, "src/cart.rs")).await.0, 200);
    assert_eq!(scene.post(&reviews, review(&"b".repeat(40), "a")).await.0, 200);
    assert_eq!(scene.post(&reviews, review(&"b".repeat(40), "src/cart.rs")).await.0, 422);
    let (_, comments) = scene.get(&format!("{PULL}/comments")).await;
    assert_eq!((&comments[0]["line"], &comments[0]["original_line"]), (&Value::Null, &json!(1)), "outdated");
    assert_eq!(comments[1]["line"], 1);
    let reviewed: Vec<String> = scene.github.reviews("acme", "shop", 1).into_iter().map(|r| r.commit_id).collect();
    assert_eq!(reviewed, [before, "b".repeat(40)]);
}

#[tokio::test]
async fn a_review_written_twice_is_a_problem() {
    let scene = Scene::new();
    for _ in 0..2 {
        let review = json!({ "event": "COMMENT", "body": "Looked at.\n<!-- marker 7 -->" });
        assert_eq!(scene.post(&format!("{PULL}/reviews"), review).await.0, 200);
    }
    assert_eq!(scene.github.problems(), ["acme/shop#1: review written twice: bot marker 7"]);
}

#[tokio::test]
async fn a_person_sees_the_review_under_its_lines() {
    let mut scene = Scene::new();
    scene.become_app().await;
    let head = scene.github.head("acme", "shop", 1);
    let suggestion = "The total is one too small.\n\n```suggestion\n    sum\n```\n<!-- hidden -->";
    let review = json!({
        "commit_id": head, "event": "COMMENT", "body": "One finding.\n<!-- marker -->",
        "comments": [
            { "path": "src/cart.rs", "line": 3, "side": "RIGHT", "body": suggestion },
            { "path": "src/cart.rs", "start_line": 21, "line": 21, "side": "LEFT", "body": "gone" },
        ],
    });
    assert_eq!(scene.post(&format!("{PULL}/reviews"), review.clone()).await.0, 422, "starts where it ends");
    scene.github.take_violations();
    let mut review = review;
    review["comments"][1]["start_line"] = json!(20);
    assert_eq!(scene.post(&format!("{PULL}/reviews"), review).await.0, 200);
    let check = json!({
        "name": "autopr/review", "head_sha": head, "conclusion": "failure",
        "output": { "title": "1 finding", "summary": "All of it was reviewed." },
    });
    assert_eq!(scene.post("/repos/acme/shop/check-runs", check).await.0, 201);
    let comment = scene.github.write_comment("acme", "shop", 1, "reader", "/autopr help");
    let reactions = format!("/repos/acme/shop/issues/comments/{comment}/reactions");
    assert_eq!(scene.post(&reactions, json!({ "content": "eyes" })).await.0, 201);
    let page = scene.github.render("acme", "shop", 1);
    let author = scene.github.reviews("acme", "shop", 1)[0].author.clone();
    insta::assert_snapshot!(page.replace(&author, "autopr[bot]"));
    scene.github.assert_clean();
}
