//! What one process read, another need not read again; and nobody sees what only others may.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use autopr_core::ports::{Cache, Forge};
use autopr_github::{Credentials, GitHub, Settings};
use serde_json::json;

use crate::server::{Server, installed, memory, pull, pull_json, reply, settings, sha, target, with};

const RAW: (&str, &str) = ("content-type", "application/vnd.github.raw+json; charset=utf-8");

async fn files() -> Server {
    Server::start(|asked| match asked.path.as_str() {
        "/repos/octo/demo/pulls/7" if asked.header("if-none-match") == "\"v1\"" => with(304, &[("etag", "\"v1\"")], ""),
        "/repos/octo/demo/pulls/7" => with(200, &[("etag", "\"v1\"")], pull_json('a').to_string()),
        path if path.ends_with("/absent") => reply(404, json!({ "message": "Not Found" })),
        _ if asked.header("if-none-match") == "\"one\"" => with(304, &[("etag", "\"one\"")], ""),
        _ => with(200, &[RAW, ("etag", "\"one\"")], "version: 1"),
    })
    .await
}

async fn read(forge: &GitHub) {
    assert_eq!(forge.pull_request(&target()).await.unwrap(), pull('a'));
    let content = forge.file(&target(), &sha('b'), ".autopr.yml").await.unwrap();
    assert_eq!(content.as_deref(), Some(&b"version: 1"[..]));
    assert_eq!(forge.file(&target(), &sha('b'), "absent").await.unwrap(), None);
    assert_eq!(forge.file_size(&target(), &sha('b'), ".autopr.yml").await.unwrap(), Some(10));
}

#[tokio::test]
async fn replicas_share_what_they_read() {
    let (server, cache) = (files().await, memory());
    for _ in 0..3 {
        read(&server.forge_with(cache.clone())).await;
    }
    let [first, rest @ ..] = &server.asked()[..] else { panic!("nothing was asked") };
    assert_eq!((first.path.as_str(), first.header("if-none-match")), ("/repos/octo/demo/pulls/7", ""));
    let rest: Vec<_> = rest.iter().map(|asked| (asked.path.as_str(), asked.header("if-none-match"))).collect();
    let pull = ("/repos/octo/demo/pulls/7", "\"v1\"");
    let contents = "/repos/octo/demo/contents";
    let (config, absent) = (format!("{contents}/.autopr.yml"), format!("{contents}/absent"));
    assert_eq!(rest, [(config.as_str(), ""), (absent.as_str(), ""), pull, pull], "a pull request is asked after");
    let other = server.forge_with(cache).file(&target(), &sha('c'), ".autopr.yml").await.unwrap();
    assert_eq!(other.as_deref(), Some(&b"version: 1"[..]));
    assert_eq!(server.asked().last().unwrap().header("if-none-match"), "\"one\"", "what it was at another commit");
}

#[tokio::test]
async fn other_credentials_installations_and_servers_ask_for_themselves() {
    let (server, cache) = (files().await, memory());
    read(&server.forge_with(cache.clone())).await;
    let requests = server.asked().len();
    let token = |token: &str, path: &str| {
        let credentials = Credentials::Token(token.to_owned().into());
        let settings = Settings { credentials, ..settings(&format!("{}{path}", server.url)) };
        GitHub::new(settings).unwrap().with_cache(cache.clone())
    };
    let file = async |forge: &GitHub, installation: Option<u64>| {
        let target = installation.map_or_else(target, installed);
        forge.file(&target, &sha('b'), ".autopr.yml").await.unwrap();
        server.asked().len() - requests
    };
    assert_eq!(file(&token("ghp_test", ""), None).await, 0);
    assert_eq!(file(&token("ghp_test", "/"), None).await, 0, "the same place");
    assert_eq!(file(&token("ghp_other", ""), None).await, 1);
    assert_eq!(file(&token("ghp_test", "/api/v3"), None).await, 2);
    assert_eq!(file(&token("ghp_test", ""), Some(1)).await, 3);
    assert_eq!(file(&token("ghp_test", ""), Some(2)).await, 4);
    assert!(server.asked()[requests..].iter().all(|asked| asked.header("if-none-match").is_empty()));
}

/// A cache that remembers what passed through it, and answers with something else.
#[derive(Default)]
struct Wrong {
    answer: Vec<u8>,
    seen: Mutex<Vec<u8>>,
    puts: AtomicUsize,
}

#[async_trait]
impl Cache for Wrong {
    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.seen.lock().unwrap().extend(key.as_bytes());
        Some(self.answer.clone())
    }

    async fn put(&self, key: &str, value: Vec<u8>, _keep: Duration) {
        self.puts.fetch_add(1, Ordering::Relaxed);
        self.seen.lock().unwrap().extend([key.as_bytes(), &value].concat());
    }

    async fn remove(&self, _key: &str) {}
}

#[tokio::test]
async fn values_of_another_form_are_asked_for_anew() {
    for answer in [&b""[..], b"\x02", b"\x00x", b"\xff\xff", b"\x04\x00\"v1\"{}", b"\x01\x00\nx"] {
        let cache = Arc::new(Wrong { answer: answer.to_vec(), ..Wrong::default() });
        let server = files().await;
        let forge = server.forge_with(cache.clone());
        assert_eq!(forge.pull_request(&target()).await.unwrap(), pull('a'), "{answer:?}");
        if answer.first() != Some(&1) {
            let content = forge.file(&target(), &sha('b'), ".autopr.yml").await.unwrap();
            assert_eq!(content.as_deref(), Some(&b"version: 1"[..]), "{answer:?}");
            assert!(cache.puts.load(Ordering::Relaxed) >= 2, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn no_credential_reaches_the_cache() {
    let (server, cache) = (files().await, Arc::new(Wrong::default()));
    read_anything(&server.forge_with(cache.clone())).await;
    let seen = cache.seen.lock().unwrap().clone();
    assert!(!seen.is_empty() && !seen.windows(8).any(|bytes| bytes == b"ghp_test"));
}

async fn read_anything(forge: &GitHub) {
    forge.pull_request(&target()).await.unwrap();
    forge.file(&target(), &sha('b'), ".autopr.yml").await.unwrap();
}
