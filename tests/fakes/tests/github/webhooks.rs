//! Webhooks as they arrive at a server.

use std::net::SocketAddr;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Scene;

/// A request as it arrived: its head in small letters, and its body.
type Arrived = (String, Vec<u8>);

/// Takes one request and answers this status.
async fn receiver(status: u16) -> (SocketAddr, JoinHandle<Arrived>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        let (head, length) = loop {
            stream.read_buf(&mut read).await.unwrap();
            let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            break (head.clone(), end + 4 + length.parse::<usize>().unwrap());
        };
        while read.len() < length {
            stream.read_buf(&mut read).await.unwrap();
        }
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        let body = read.split_off(head.len() + 4);
        (head, body)
    });
    (address, task)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")));
    line.unwrap_or_else(|| panic!("no {name} in {head}"))
}

/// Panics unless the body is signed with the secret.
fn verify(head: &str, body: &[u8], secret: &str) {
    let signature = hex::decode(header(head, "x-hub-signature-256").strip_prefix("sha256=").unwrap()).unwrap();
    let mut code = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    code.update(body);
    code.verify_slice(&signature).unwrap();
}

#[tokio::test]
async fn a_delivery_is_signed_and_as_github_describes_it() {
    let mut scene = Scene::new();
    scene.become_app().await;
    let head_sha = scene.github.head("acme", "shop", 1);
    scene.github.push("acme", "shop", 1, &"c".repeat(40), super::DIFF, &[]);
    for action in ["opened", "synchronize", "reopened", "ready_for_review", "closed", "edited", "labeled"] {
        let (address, arrived) = receiver(202).await;
        scene.github.send_webhooks_to(&format!("http://{address}/webhooks/github"), "secret");
        let delivery = scene.github.deliver_pull_request("acme", "shop", 1, action).await;
        let (head, body) = arrived.await.unwrap();
        verify(&head, &body, "secret");
        assert_eq!(header(&head, "x-github-event"), "pull_request");
        assert_eq!(header(&head, "x-github-delivery"), delivery.guid);
        assert!(header(&head, "user-agent").starts_with("github-hookshot/"));
        let payload: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&payload["action"], &payload["number"]), (&json!(action), &json!(1)));
        if action == "synchronize" {
            assert_eq!((&payload["before"], &payload["after"]), (&json!(head_sha), &json!("c".repeat(40))));
        }
        assert_eq!(delivery.status_code, 202);
    }
    scene.github.assert_clean();
}

#[tokio::test]
async fn comments_check_runs_and_pings_are_told_too() {
    let mut scene = Scene::new();
    scene.become_app().await;
    let check = json!({ "name": "c", "head_sha": scene.github.head("acme", "shop", 1), "conclusion": "success" });
    let (_, check) = scene.post("/repos/acme/shop/check-runs", check).await;
    let comment = scene.github.write_comment("acme", "shop", 1, "reader", "/autopr review");
    let mut told = Vec::new();
    for event in ["issue_comment", "check_run", "ping"] {
        let (address, arrived) = receiver(200).await;
        scene.github.send_webhooks_to(&format!("http://{address}/"), "secret");
        match event {
            "issue_comment" => scene.github.deliver_comment("acme", "shop", 1, comment).await,
            "check_run" => {
                scene.github.deliver_check_rerequested("acme", "shop", check["id"].as_u64().unwrap(), "reader").await
            }
            _ => scene.github.deliver_ping().await,
        };
        let (head, body) = arrived.await.unwrap();
        verify(&head, &body, "secret");
        let payload: Value = serde_json::from_slice(&body).unwrap();
        told.push((header(&head, "x-github-event").to_owned(), payload["action"].clone()));
    }
    let expected = [("issue_comment", json!("created")), ("check_run", json!("rerequested")), ("ping", Value::Null)];
    assert_eq!(told, expected.map(|(event, action)| (event.to_owned(), action)));
    scene.github.assert_clean();
}

#[tokio::test]
async fn a_failed_delivery_is_listed_and_sent_again_when_asked() {
    let mut scene = Scene::new();
    let (_, jwt) = scene.become_app().await;
    scene.token = jwt;
    scene.github.send_webhooks_to("http://127.0.0.1:9/", "secret");
    let lost = scene.github.deliver_pull_request("acme", "shop", 1, "opened").await;
    assert_eq!(lost.status_code, 0);
    let (_, list) = scene.get("/app/hook/deliveries?status=failure").await;
    assert_eq!((&list[0]["guid"], &list[0]["status_code"]), (&json!(lost.guid), &json!(0)));
    let (_, whole) = scene.get(&format!("/app/hook/deliveries/{}", lost.id)).await;
    assert_eq!(whole["request"]["payload"]["action"], "opened");
    let (address, arrived) = receiver(202).await;
    scene.github.send_webhooks_to(&format!("http://{address}/"), "secret");
    let (status, _) = scene.post(&format!("/app/hook/deliveries/{}/attempts", lost.id), json!({})).await;
    assert_eq!(status, 202);
    let (head, body) = arrived.await.unwrap();
    verify(&head, &body, "secret");
    assert_eq!((header(&head, "x-github-delivery"), body.as_slice()), (lost.guid.as_str(), lost.body.as_ref()));
}

#[tokio::test]
async fn a_delivery_can_come_as_a_form() {
    let scene = Scene::new();
    let (address, arrived) = receiver(202).await;
    scene.github.send_webhooks_to(&format!("http://{address}/"), "secret");
    scene.github.send_webhooks_as_form();
    let sent = scene.github.deliver_pull_request("acme", "shop", 1, "opened").await;
    let (head, body) = arrived.await.unwrap();
    verify(&head, &body, "secret");
    assert_eq!(header(&head, "content-type"), "application/x-www-form-urlencoded");
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap();
    assert_eq!(form, [("payload".to_owned(), String::from_utf8(sent.body.to_vec()).unwrap())]);
}
