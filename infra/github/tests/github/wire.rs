//! What the network does: cut answers, refused and hanging connections, redirects; and what is seen of it from outside.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ports::Forge;
use autopr_github::{GitHub, Settings};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::server::{Server, marker, pull, pull_json, reply, settings, target, with};

/// A server that gives each connection the next of these bytes and closes it; the last is given again and again. The
/// counter tells how many connections there were.
async fn raw(answers: Vec<Vec<u8>>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let number = counter.fetch_add(1, Ordering::SeqCst);
            let answer = answers.get(number).or(answers.last()).unwrap().clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                // The whole request fits into one read here.
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (url, count)
}

fn whole() -> Vec<u8> {
    let body = pull_json('a').to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

fn cut() -> Vec<u8> {
    let whole = whole();
    whole[..whole.len() - 10].to_vec()
}

#[tokio::test]
async fn a_cut_answer_to_a_read_is_asked_for_again() {
    let (url, count) = raw(vec![cut(), Vec::new(), whole()]).await;
    let forge = GitHub::new(settings(&url)).unwrap();
    assert_eq!(forge.pull_request(&target()).await.unwrap(), pull('a'));
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn after_three_cut_answers_a_read_is_given_up() {
    let (url, count) = raw(vec![cut()]).await;
    let fault = GitHub::new(settings(&url)).unwrap().pull_request(&target()).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Unavailable, Retry::Backoff));
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_write_that_may_have_arrived_is_not_sent_again() {
    for answer in [cut(), Vec::new()] {
        let (url, count) = raw(vec![answer, whole()]).await;
        let fault = GitHub::new(settings(&url)).unwrap().create_comment(&target(), &marker(), "x").await.unwrap_err();
        assert_eq!((fault.kind, fault.retry), (FaultKind::Unavailable, Retry::Backoff));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_github_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let forge = GitHub::new(settings(&url)).unwrap();
    for fault in [
        forge.pull_request(&target()).await.map(drop).unwrap_err(),
        forge.create_comment(&target(), &marker(), "x").await.map(drop).unwrap_err(),
    ] {
        assert_eq!((fault.kind, fault.retry), (FaultKind::Unavailable, Retry::Backoff));
        let text = fault.to_string();
        assert!(text.contains("the connection to GitHub failed") && text.contains("refused"), "{text}");
        assert!(!text.contains("octo"), "{text}");
    }
}

#[tokio::test]
async fn a_github_that_hangs_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let forge = GitHub::new(Settings { timeout: Duration::from_millis(50), ..settings(&url) }).unwrap();
    let fault = forge.pull_request(&target()).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Timeout, Retry::Backoff));
    // Once: a second and third try would take three times as long as allowed.
    let again =
        listener.accept().await.is_ok() && tokio::time::timeout(Duration::ZERO, listener.accept()).await.is_ok();
    assert!(!again);
}

#[tokio::test]
async fn a_renamed_repository_is_followed() {
    let server = Server::start(|asked| match (asked.method.as_str(), asked.path.starts_with("/repositories/1/")) {
        (_, true) => reply(200, if asked.method == "GET" { pull_json('a') } else { json!({ "id": 3 }) }),
        ("GET", _) => with(301, &[("location", "/repositories/1/pulls/7")], "{}"),
        _ => with(307, &[("location", "/repositories/1/issues/7/comments")], "{}"),
    })
    .await;
    let forge = server.forge();
    assert_eq!(forge.pull_request(&target()).await.unwrap(), pull('a'));
    assert_eq!(forge.create_comment(&target(), &marker(), "x").await.unwrap().id, "3");
    let asked = server.asked();
    assert_eq!(server.lines()[3], "POST /repositories/1/issues/7/comments");
    assert_eq!(asked[3].body, asked[2].body);
    assert!(asked.iter().all(|asked| asked.header("authorization") == "Bearer ghp_test"));
}

#[tokio::test]
async fn a_write_is_not_led_astray_and_the_token_stays_home() {
    let elsewhere = Server::start(|_| reply(200, pull_json('a'))).await;
    let away = format!("{}/repos/octo/demo/pulls/7", elsewhere.url);
    let server = Server::start(move |asked| match asked.method.as_str() {
        "GET" => with(301, &[("location", away.as_str())], ""),
        _ => with(301, &[("location", "/repositories/1/issues/7/comments")], ""),
    })
    .await;
    let forge = server.forge();
    assert_eq!(forge.pull_request(&target()).await.unwrap_err().kind, FaultKind::NotFound);
    assert_eq!(forge.create_comment(&target(), &marker(), "x").await.unwrap_err().kind, FaultKind::NotFound);
    assert_eq!((elsewhere.asked().len(), server.asked().len()), (0, 2));
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = Server::start(|_| with(301, &[("location", "/again")], "")).await;
    let fault = server.forge().pull_request(&target()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut_off() {
    let server = Server::start(|_| {
        let chunk = bytes::Bytes::from(vec![b' '; 1024 * 1024]);
        let endless = futures_util::stream::repeat_with(move || Ok::<_, io::Error>(chunk.clone()));
        with(200, &[], axum::body::Body::from_stream(endless))
    })
    .await;
    let fault = server.forge().pull_request(&target()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert_eq!(fault.to_string(), "reading the pull request: it is too large (more than the 16 MiB that are read)");
}

#[test]
fn requests_are_counted_by_operation_and_status() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let server = Server::start(|asked| match asked.method.as_str() {
                "GET" => with(200, &[("x-ratelimit-remaining", "4321")], pull_json('a').to_string()),
                _ => with(502, &[], ""),
            })
            .await;
            let forge = server.forge();
            for _ in 0..2 {
                forge.pull_request(&target()).await.unwrap();
            }
            forge.create_comment(&target(), &marker(), "x").await.unwrap_err();
        });
    });
    let mut lines: Vec<_> =
        handle.render().lines().filter(|line| line.starts_with("autopr_github")).map(str::to_owned).collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    autopr_github_rate_limit_remaining 4321
    autopr_github_requests_total{operation="create_comment",status="502"} 1
    autopr_github_requests_total{operation="pull_request",status="200"} 2
    "#);
}
