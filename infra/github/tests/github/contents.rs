//! Files and their sizes.

use autopr_core::fault::FaultKind;
use autopr_core::ports::Forge;
use serde_json::json;

use crate::server::{Server, reply, sha, target, with};

const RAW: (&str, &str) = ("content-type", "application/vnd.github.raw+json; charset=utf-8");

#[tokio::test]
async fn a_file_is_read_once_for_a_commit() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/repos/octo/demo/contents/.autopr.yml" => with(200, &[RAW, ("etag", "\"one\"")], &b"version: 1\n\xff"[..]),
        _ => reply(404, json!({ "message": "Not Found" })),
    })
    .await;
    let forge = server.forge();
    for _ in 0..3 {
        let content = forge.file(&target(), &sha('b'), ".autopr.yml").await.unwrap();
        assert_eq!(content.as_deref(), Some(&b"version: 1\n\xff"[..]));
        assert_eq!(forge.file_size(&target(), &sha('b'), ".autopr.yml").await.unwrap(), Some(12));
        assert_eq!(forge.file(&target(), &sha('b'), "absent").await.unwrap(), None);
        assert_eq!(forge.file_size(&target(), &sha('b'), "absent").await.unwrap(), None);
    }
    let asked = server.asked();
    assert_eq!(server.lines(), ["GET /repos/octo/demo/contents/.autopr.yml", "GET /repos/octo/demo/contents/absent"]);
    assert_eq!(asked[0].header("accept"), "application/vnd.github.raw+json");
    assert_eq!(asked[0].query, format!("ref={}", sha('b')));
}

#[tokio::test]
async fn the_same_content_at_another_commit_is_not_sent_again() {
    let server = Server::start(|asked| match (asked.query.contains("ccc"), asked.header("if-none-match")) {
        (false, "\"one\"") => with(304, &[("etag", "\"one\"")], ""),
        (false, _) => with(200, &[RAW, ("etag", "\"one\"")], "one"),
        (true, _) => with(200, &[RAW, ("etag", "\"two\"")], "two"),
    })
    .await;
    let forge = server.forge();
    for (commit, expect) in [('a', "one"), ('b', "one"), ('c', "two")] {
        let content = forge.file(&target(), &sha(commit), "f").await.unwrap();
        assert_eq!(content.as_deref(), Some(expect.as_bytes()));
    }
    let conditions: Vec<_> = server.asked().iter().map(|asked| asked.header("if-none-match").to_owned()).collect();
    assert_eq!(conditions, ["", "\"one\"", "\"one\""]);
}

#[tokio::test]
async fn odd_paths_reach_the_file_and_nothing_else() {
    let server = Server::start(|_| with(200, &[RAW], "x")).await;
    let forge = server.forge();
    for path in ["a b/ä?#%.rs", "\"tab\\there\"", "a/../b", "/a", "a//b", ".", "", "\"\\377\""] {
        forge.file(&target(), &sha('a'), path).await.unwrap();
    }
    assert_eq!(
        server.lines(),
        ["GET /repos/octo/demo/contents/a%20b/%C3%A4%3F%23%25.rs", "GET /repos/octo/demo/contents/tab%09here"]
    );
}

#[tokio::test]
async fn a_folder_is_no_file() {
    let server = Server::start(|_| reply(200, json!([{ "type": "file", "name": "x", "size": 1 }]))).await;
    let forge = server.forge();
    assert_eq!(forge.file(&target(), &sha('a'), "src").await.unwrap(), None);
    assert_eq!(forge.file_size(&target(), &sha('b'), "src").await.unwrap(), None);
}

#[tokio::test]
async fn a_size_is_told_without_the_content() {
    let server = Server::start(|asked| match asked.path.ends_with("/big.bin") {
        true => reply(200, json!({ "type": "file", "size": 50_000_000, "encoding": "none", "content": "" })),
        false => reply(200, json!({ "type": "submodule", "size": 0 })),
    })
    .await;
    let forge = server.forge();
    for _ in 0..2 {
        assert_eq!(forge.file_size(&target(), &sha('a'), "big.bin").await.unwrap(), Some(50_000_000));
        assert_eq!(forge.file_size(&target(), &sha('a'), "vendored").await.unwrap(), None);
    }
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused() {
    let server = Server::start(|asked| match asked.path.ends_with("/just") {
        true => with(200, &[RAW], vec![b'x'; 16 * 1024 * 1024]),
        false => with(200, &[RAW], vec![b'x'; 16 * 1024 * 1024 + 1]),
    })
    .await;
    let forge = server.forge();
    assert_eq!(forge.file(&target(), &sha('a'), "just").await.unwrap().unwrap().len(), 16 * 1024 * 1024);
    let fault = forge.file(&target(), &sha('a'), "over").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert_eq!(fault.to_string(), "reading a file: it is too large (more than the 16 MiB that are read)");
}

#[tokio::test]
async fn a_file_github_finds_too_large_is_no_matter_of_permissions() {
    let server = Server::start(|_| {
        let message = "This API returns blobs up to 100 MB in size.";
        reply(
            403,
            json!({ "message": message, "errors": [{ "resource": "Blob", "field": "data", "code": "too_large" }] }),
        )
    })
    .await;
    let fault = server.forge().file(&target(), &sha('a'), "huge").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert_eq!(fault.to_string(), "reading a file: it is too large (GitHub says)");
}
