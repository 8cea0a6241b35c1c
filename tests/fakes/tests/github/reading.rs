//! Diffs, files, lists and tags.

use autopr_fakes::github::NewPull;
use serde_json::{Value, json};

use super::{DIFF, PULL, Scene};

#[tokio::test]
async fn a_diff_is_given_as_text_or_refused_as_too_large() {
    let scene = Scene::new();
    let (base, head) = (scene.github.base("acme", "shop", 1), scene.github.head("acme", "shop", 1));
    let compare = format!("/repos/acme/shop/compare/{base}...{head}");
    for path in [PULL, &compare, "/repos/acme/shop/compare/main...feature"] {
        for media in ["application/vnd.github.diff", "application/vnd.github.v3.diff"] {
            let answer = scene.ask("GET", path).header("accept", media).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (200, DIFF.to_owned()), "{path}");
        }
    }
    scene.github.refuse_diff("acme", "shop", 1);
    for path in [PULL, &compare] {
        let answer = scene.ask("GET", path).header("accept", "application/vnd.github.diff").send().await.unwrap();
        let (status, body) = super::read(answer).await;
        assert_eq!((status, &body["errors"][0]["code"]), (406, &json!("too_large")), "{path}");
    }
    assert_eq!(scene.get(&format!("{PULL}/files")).await.0, 200);
    scene.github.assert_clean();
}

#[tokio::test]
async fn a_diff_of_many_lines_is_too_large_by_itself() {
    let scene = Scene::new();
    let lines: String = (0..20_001).map(|line| format!("+line {line}\n")).collect();
    let diff =
        format!("diff --git a/l b/l\nnew file mode 100644\n--- /dev/null\n+++ b/l\n@@ -0,0 +1,20001 @@\n{lines}");
    scene.github.open_pull("acme", "shop", NewPull::new("Large", diff));
    let path = "/repos/acme/shop/pulls/2";
    let answer = scene.ask("GET", path).header("accept", "application/vnd.github.diff").send().await.unwrap();
    assert_eq!(answer.status(), 406);
    let (_, files) = scene.get(&format!("{path}/files")).await;
    assert_eq!((&files[0]["additions"], &files[0]["patch"]), (&json!(20_001), &Value::Null));
}

#[tokio::test]
async fn the_listing_of_files_follows_from_the_diff() {
    let scene = Scene::new();
    let (_, files) = scene.get(&format!("{PULL}/files")).await;
    let shown: Vec<String> = files
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let text = |field: &str| file[field].as_str().unwrap_or("-").to_owned();
            let lines = file["patch"].as_str().map_or(0, |patch| patch.lines().count());
            let (plus, minus) = (&file["additions"], &file["deletions"]);
            format!("{} {} {} +{plus} -{minus} {lines}", text("status"), text("filename"), text("previous_filename"))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "modified src/cart.rs - +3 -2 12",
            "added docs/new.md - +1 -0 2",
            "renamed new name.txt old name.txt +0 -0 0",
            "modified logo.png - +0 -0 0",
        ]
    );
    scene.github.leave_out_patch("acme", "shop", 1, "src/cart.rs");
    let (_, files) = scene.get(&format!("{PULL}/files")).await;
    assert_eq!(files[0].get("patch"), None);
}

#[tokio::test]
async fn lists_come_in_pages_with_links() {
    let scene = Scene::new();
    let link = |answer: &reqwest::Response| {
        answer.headers().get("link").map(|link| link.to_str().unwrap().replace(scene.github.url(), ""))
    };
    let first = scene.ask("GET", &format!("{PULL}/files?per_page=3")).send().await.unwrap();
    let expected = "</repos/acme/shop/pulls/1/files?per_page=3&page=2>; rel=\"next\", \
                    </repos/acme/shop/pulls/1/files?per_page=3&page=2>; rel=\"last\"";
    assert_eq!(link(&first).as_deref(), Some(expected));
    assert_eq!(super::read(first).await.1.as_array().map(Vec::len), Some(3));
    let second = scene.ask("GET", &format!("{PULL}/files?per_page=3&page=2")).send().await.unwrap();
    assert!(link(&second).unwrap().contains("page=1>; rel=\"prev\""));
    assert_eq!(super::read(second).await.1.as_array().map(Vec::len), Some(1));
    let all = scene.ask("GET", &format!("{PULL}/files")).send().await.unwrap();
    assert_eq!(link(&all), None);
}

#[tokio::test]
async fn a_file_is_given_as_json_or_raw_and_not_again_when_unchanged() {
    let scene = Scene::new();
    let path = "/repos/acme/shop/contents/README.md?ref=main";
    let (_, file) = scene.get(path).await;
    assert_eq!((&file["content"], &file["size"]), (&json!("QSBzaG9wLgo=\n"), &json!(8)));
    let raw = || scene.ask("GET", path).header("accept", "application/vnd.github.raw+json");
    let answer = raw().send().await.unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let left = |answer: &reqwest::Response| answer.headers()["x-ratelimit-remaining"].to_str().unwrap().to_owned();
    let before = left(&answer);
    assert_eq!(answer.text().await.unwrap(), "A shop.\n");
    for known in [tag.clone(), format!("W/{tag}")] {
        let again = raw().header("if-none-match", known).send().await.unwrap();
        assert_eq!((again.status().as_u16(), left(&again)), (304, before.clone()), "and costs nothing");
        assert_eq!(again.text().await.unwrap(), "");
    }
    scene.github.put_file("acme", "shop", "main", "README.md", "A bigger shop.\n");
    let changed = raw().header("if-none-match", tag).send().await.unwrap();
    assert_eq!(changed.text().await.unwrap(), "A bigger shop.\n");
    assert_eq!(scene.get("/repos/acme/shop/contents/absent.md").await.0, 404);
    assert_eq!(scene.get("/repos/acme/shop/contents/README.md?ref=absent").await.0, 404);
    scene.github.assert_clean();
}

#[tokio::test]
async fn a_large_file_is_told_of_and_given_raw_only() {
    let scene = Scene::new();
    scene.github.put_file("acme", "shop", "main", "big.bin", vec![b'x'; 1024 * 1024 + 1]);
    let path = "/repos/acme/shop/contents/big.bin";
    let (status, told) = scene.get(path).await;
    let told = (status, &told["size"], &told["content"], &told["encoding"]);
    assert_eq!(told, (200, &json!(1024 * 1024 + 1), &json!(""), &json!("none")));
    let raw = scene.ask("GET", path).header("accept", "application/vnd.github.raw+json").send().await.unwrap();
    assert_eq!(raw.bytes().await.unwrap().len(), 1024 * 1024 + 1);
}

#[tokio::test]
async fn enterprise_has_the_same_below_a_prefix() {
    let scene = Scene::new();
    let (status, pull) = scene.get(&format!("/api/v3{PULL}")).await;
    assert_eq!(status, 200);
    assert_eq!(pull["url"], format!("{}{PULL}", scene.github.enterprise_url()));
    assert_eq!(scene.github.requests()[0].path, PULL);
    scene.github.assert_clean();
}

#[tokio::test]
async fn unusual_paths_are_read_as_git_writes_them() {
    let scene = Scene::new();
    let diff = "diff --git \"a/\\303\\244 \\\"x\\\".txt\" \"b/\\303\\244 \\\"x\\\".txt\"\nindex 1..2 100644\n\
                --- \"a/\\303\\244 \\\"x\\\".txt\"\n+++ \"b/\\303\\244 \\\"x\\\".txt\"\n@@ -1 +1 @@\n-a\n+b\n\
                \\ No newline at end of file\ndiff --git a/run b/run\nold mode 100644\nnew mode 100755\n\
                diff --git a/gone b/gone\ndeleted file mode 100644\nindex 1..0\n--- a/gone\n+++ /dev/null\n\
                @@ -1 +0,0 @@\n--- a line that looks like a header\n";
    scene.github.open_pull("acme", "shop", NewPull::new("Odd", diff));
    let (_, files) = scene.get("/repos/acme/shop/pulls/2/files").await;
    let shown: Vec<(&str, &str)> = files
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["filename"].as_str().unwrap(), file["status"].as_str().unwrap()))
        .collect();
    assert_eq!(shown, [("ä \"x\".txt", "modified"), ("run", "changed"), ("gone", "removed")]);
    assert_eq!(files[0]["patch"], "@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file");
    assert_eq!(files[2]["deletions"], 1);
}

#[tokio::test]
async fn a_renamed_repository_is_found_by_its_old_name() {
    let scene = Scene::new();
    scene.github.rename_repository("acme", "shop", "store");
    let (status, pull) = scene.get(PULL).await;
    assert_eq!((status, &pull["base"]["repo"]["full_name"]), (200, &json!("acme/store")));
    let (status, _) = scene.post("/repos/acme/shop/issues/1/comments", json!({ "body": "hello" })).await;
    assert_eq!(status, 201);
    assert_eq!(scene.github.comments("acme", "store", 1).len(), 1);
    let answered: Vec<Option<u16>> = scene.github.requests().iter().map(|request| request.status).collect();
    assert_eq!(answered, [Some(301), Some(200), Some(307), Some(201)]);
    scene.github.assert_clean();
}
