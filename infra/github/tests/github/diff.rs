//! The diff: in one piece, and from the listing of files.

use autopr_core::diff::Diff;
use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ports::Forge;
use axum::response::Response;
use serde_json::{Value, json};

use crate::server::{Asked, Server, pull, pull_json, reply, sha, with};

const TEXT: &str = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";

#[tokio::test]
async fn the_diff_is_of_exactly_this_head() {
    let server = Server::start(|_| with(200, &[("content-type", "application/vnd.github.diff")], TEXT)).await;
    let patch = server.forge().diff(&pull('a')).await.unwrap();
    assert_eq!((&patch.text[..], patch.left_out.len()), (TEXT.as_bytes(), 0));
    assert_eq!(server.lines(), [format!("GET /repos/octo/demo/compare/{}...{}", sha('b'), sha('a'))]);
    assert_eq!(server.asked()[0].header("accept"), "application/vnd.github.diff");
}

/// A GitHub that refuses the whole diff in some way and lists these files.
fn listing(refusal: impl Fn() -> Response, files: Vec<Value>, head: char) -> impl Fn(&Asked) -> Response {
    move |asked| {
        let path = asked.path.as_str();
        if path.contains("/compare/") {
            return refusal();
        }
        if path != "/repos/octo/demo/pulls/7/files" {
            let mut json = pull_json(head);
            json["changed_files"] = json!(files.len());
            return reply(200, json);
        }
        let page: usize = asked.query.strip_prefix("per_page=100&page=").unwrap().parse().unwrap();
        let shown: Vec<_> = files.iter().take(3000).skip((page - 1) * 100).take(100).collect();
        let more = page * 100 < files.len().min(3000);
        let link = format!("<http://elsewhere.example/files?page={}>; rel=\"next\"", page + 1);
        let headers: &[_] = if more { &[("link", link.as_str())] } else { &[] };
        with(200, headers, json!(shown).to_string())
    }
}

fn file(name: &str, rest: Value) -> Value {
    let mut file = json!({ "filename": name, "status": "modified", "sha": sha('f'), "changes": 0 });
    for (key, value) in rest.as_object().unwrap() {
        file[key] = value.clone();
    }
    file
}

#[tokio::test]
async fn a_diff_github_does_not_show_is_put_together_from_its_files() {
    let too_long = || {
        let message = "Server Error: Sorry, this diff is taking too long to generate.";
        reply(500, json!({ "message": message, "errors": [{ "resource": "Comparison", "code": "not_available" }] }))
    };
    let refusals: [fn() -> Response; 4] = [
        || reply(406, json!({ "message": "Sorry, the diff exceeded the maximum number of lines (20000)" })),
        || reply(422, json!({ "message": "Validation Failed" })),
        too_long,
        || with(200, &[], vec![b'x'; 64 * 1024 * 1024 + 1]),
    ];
    for refusal in refusals {
        let files = vec![file("x", json!({ "patch": "@@ -1 +1 @@\n-a\n+b" }))];
        let server = Server::start(listing(refusal, files, 'a')).await;
        let patch = server.forge().diff(&pull('a')).await.unwrap();
        assert_eq!((&patch.text[..], patch.left_out.len()), (TEXT.as_bytes(), 0));
        assert_eq!(server.lines()[1..], ["GET /repos/octo/demo/pulls/7/files", "GET /repos/octo/demo/pulls/7"]);
    }
}

#[tokio::test]
async fn a_failing_github_is_not_asked_for_a_listing() {
    let server = Server::start(listing(|| reply(502, json!({})), Vec::new(), 'a')).await;
    let fault = server.forge().diff(&pull('a')).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Unavailable, Retry::Backoff));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_head_that_moved_meanwhile_is_waited_for() {
    let server = Server::start(listing(|| reply(406, json!({})), Vec::new(), 'c')).await;
    let fault = server.forge().diff(&pull('a')).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Limited, Retry::Backoff));
}

#[tokio::test]
async fn what_the_listing_does_not_show_is_left_out_by_name() {
    let empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
    let files = vec![
        file("image.png", json!({ "status": "added" })),
        file("huge.rs", json!({ "changes": 90_000 })),
        file("cut.rs", json!({ "patch": "@@ -1,3 +1,3 @@\n-a\n+b" })),
        file("two.rs", json!({ "patch": "@@ -1 +1 @@\n-a\n+b\ndiff --git a/q b/q\nold mode 100644\nnew mode 100755" })),
        file("same.rs", json!({ "status": "unchanged" })),
        file("empty.rs", json!({ "status": "added", "sha": empty })),
        file("gone.rs", json!({ "status": "removed", "sha": empty })),
        file("new name", json!({ "status": "renamed", "previous_filename": "old name" })),
        file("moved.rs", json!({ "status": "renamed", "previous_filename": "was.rs", "patch": "@@ -1 +1 @@\n-a\n+b" })),
        file("copy.rs", json!({ "status": "copied", "previous_filename": "x", "patch": "@@ -1 +1 @@\n-a\n+b" })),
        file("say \"hi\"\t", json!({ "status": "added", "patch": "@@ -0,0 +1 @@\n+b\n\\ No newline at end of file" })),
    ];
    let server = Server::start(listing(|| reply(406, json!({})), files, 'a')).await;
    let patch = server.forge().diff(&pull('a')).await.unwrap();
    assert_eq!(patch.left_out, ["image.png", "huge.rs", "cut.rs", "two.rs", "new name"]);
    insta::assert_snapshot!(std::str::from_utf8(&patch.text).unwrap(), @r#"
    diff --git a/image.png b/image.png
    new file mode 100644
    Binary files /dev/null and b/image.png differ
    diff --git a/huge.rs b/huge.rs
    diff --git a/empty.rs b/empty.rs
    new file mode 100644
    diff --git a/gone.rs b/gone.rs
    deleted file mode 100644
    diff --git a/old name b/new name
    similarity index 100%
    rename from old name
    rename to new name
    diff --git a/was.rs b/moved.rs
    rename from was.rs
    rename to moved.rs
    --- a/was.rs
    +++ b/moved.rs
    @@ -1 +1 @@
    -a
    +b
    diff --git a/x b/copy.rs
    copy from x
    copy to copy.rs
    --- a/x
    +++ b/copy.rs
    @@ -1 +1 @@
    -a
    +b
    diff --git "a/say \"hi\"\t" "b/say \"hi\"\t"
    new file mode 100644
    --- /dev/null
    +++ "b/say \"hi\"\t"
    @@ -0,0 +1 @@
    +b
    \ No newline at end of file
    "#);
    let diff = Diff::parse(&patch.text).unwrap();
    assert_eq!(diff.files.last().unwrap().new_path.as_deref(), Some(&b"say \"hi\"\t"[..]));
}

#[tokio::test]
async fn files_beyond_the_listing_are_counted() {
    let files = (0..3010).map(|n| file(&format!("f{n}"), json!({ "patch": "@@ -1 +1 @@\n-a\n+b" }))).collect();
    let server = Server::start(listing(|| reply(406, json!({})), files, 'a')).await;
    let patch = server.forge().diff(&pull('a')).await.unwrap();
    assert_eq!(Diff::parse(&patch.text).unwrap().files.len(), 3000);
    assert_eq!(patch.left_out, ["10 more files: GitHub lists 3000 of a pull request"]);
    assert_eq!(server.asked().len(), 1 + 30 + 1);
}
