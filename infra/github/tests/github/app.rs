//! A GitHub App: its key, its claim and the tokens of its installations.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use autopr_core::clock::Clock;
use autopr_core::fault::FaultKind;
use autopr_core::ports::Forge;
use autopr_github::{Credentials, GitHub, Settings};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::response::Response;
use data_encoding::BASE64;
use http::StatusCode;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::server::{Asked, Server, installed, marker, pull_json, reply, settings, target, with};

/// A key made for this run, in both forms, and its public half.
struct Key {
    pkcs1: String,
    pkcs8: String,
    public: Vec<u8>,
}

static KEY: LazyLock<Key> = LazyLock::new(|| {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = pair.as_der().unwrap();
    let der: &[u8] = der.as_ref();
    // PKCS#8 wraps PKCS#1 in 26 bytes of header, for a key of this size.
    Key {
        pkcs1: pem("RSA PRIVATE KEY", &der[26..]),
        pkcs8: pem("PRIVATE KEY", der),
        public: pair.public_key().as_ref().to_vec(),
    }
});

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn app(url: &str, key: &str) -> Settings {
    Settings { credentials: Credentials::App { id: 17, private_key: key.to_owned().into() }, ..settings(url) }
}

const START: &str = "2026-01-01T00:00:00Z";

fn start() -> Timestamp {
    START.parse().unwrap()
}

/// Answers for tokens (each with a number of its own, for an hour of this clock) and pull requests.
fn github(clock: Clock) -> impl Fn(&Asked) -> Response {
    let count = AtomicU64::new(0);
    move |asked| {
        if asked.path.ends_with("/access_tokens") {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            let ends = clock.now() + Duration::from_secs(3600);
            return reply(201, json!({ "token": format!("ghs_{number}"), "expires_at": ends.to_string() }));
        }
        match asked.path.as_str() {
            "/repos/octo/demo/installation" => reply(200, json!({ "id": 99 })),
            _ => reply(200, pull_json('a')),
        }
    }
}

#[tokio::test]
async fn an_installation_is_reached_with_its_own_token() {
    let clock = Clock::manual(start());
    for key in [KEY.pkcs1.clone(), KEY.pkcs8.clone(), KEY.pkcs8.replace('\n', "\\n")] {
        let server = Server::start(github(clock.clone())).await;
        let forge = GitHub::with_clock(app(&server.url, &key), clock.clone()).unwrap();
        forge.pull_request(&installed(5)).await.unwrap();
        let asked = server.asked();
        assert_eq!(server.lines(), ["POST /app/installations/5/access_tokens", "GET /repos/octo/demo/pulls/7"]);
        assert_eq!(asked[1].header("authorization"), "Bearer ghs_1");
        let claim = asked[0].header("authorization").strip_prefix("Bearer ").unwrap();
        let mut rules = Validation::new(Algorithm::RS256);
        rules.validate_exp = false;
        let claims =
            jsonwebtoken::decode::<Value>(claim, &DecodingKey::from_rsa_der(&KEY.public), &rules).unwrap().claims;
        let now = start().as_second();
        assert_eq!(claims, json!({ "iss": "17", "iat": now - 60, "exp": now + 540 }));
    }
}

#[tokio::test]
async fn a_token_is_kept_for_its_time_and_renewed_before_its_end() {
    let clock = Clock::manual(start());
    let server = Server::start(github(clock.clone())).await;
    let forge = GitHub::with_clock(app(&server.url, &KEY.pkcs8), clock.clone()).unwrap();
    let mut used = Vec::new();
    for (minutes, installation) in [(0, 5), (54, 5), (0, 6), (4, 5), (40, 5)] {
        clock.sleep(Duration::from_secs(60 * minutes)).await;
        forge.pull_request(&installed(installation)).await.unwrap();
        used.push(server.asked().last().unwrap().header("authorization").to_owned());
    }
    // At minute 0 and 54 the first; another installation's; at minute 58 a new one, which serves at minute 98 too.
    assert_eq!(used, ["ghs_1", "ghs_1", "ghs_2", "ghs_3", "ghs_3"].map(|token| format!("Bearer {token}")));
}

#[tokio::test]
async fn many_at_once_ask_for_one_token() {
    let clock = Clock::manual(start());
    let server = Server::start(github(clock.clone())).await;
    let forge = Arc::new(GitHub::with_clock(app(&server.url, &KEY.pkcs8), clock).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let forge = Arc::clone(&forge);
        tasks.spawn(async move { forge.pull_request(&installed(5)).await.unwrap() });
    }
    tasks.join_all().await;
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);
}

#[tokio::test]
async fn without_an_installation_it_is_looked_up_once() {
    let clock = Clock::manual(start());
    let server = Server::start(github(clock.clone())).await;
    let forge = GitHub::with_clock(app(&server.url, &KEY.pkcs8), clock).unwrap();
    for _ in 0..2 {
        forge.pull_request(&target()).await.unwrap();
    }
    assert_eq!(
        server.lines(),
        [
            "GET /repos/octo/demo/installation",
            "POST /app/installations/99/access_tokens",
            "GET /repos/octo/demo/pulls/7",
            "GET /repos/octo/demo/pulls/7",
        ]
    );
}

#[tokio::test]
async fn an_app_that_is_not_installed_says_so() {
    let server = Server::start(|_| reply(404, json!({}))).await;
    let forge = GitHub::new(app(&server.url, &KEY.pkcs8)).unwrap();
    let fault = forge.pull_request(&target()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
    assert_eq!(fault.to_string(), "the GitHub App is not installed on octo/demo: install it there");
}

#[tokio::test]
async fn a_token_refused_before_its_time_is_renewed_once() {
    let clock = Clock::manual(start());
    let answers = github(clock.clone());
    let server = Server::start(move |asked| match asked.header("authorization") {
        "Bearer ghs_1" => with(401, &[], "{}"),
        _ if asked.path.ends_with("/comments") => reply(201, json!({ "id": 3, "html_url": "u" })),
        _ => answers(asked),
    })
    .await;
    let forge = GitHub::with_clock(app(&server.url, &KEY.pkcs8), clock).unwrap();
    let remote = forge.create_comment(&installed(5), &marker(), "x").await.unwrap();
    assert_eq!(remote.id, "3");
    let authorizations: Vec<_> = server.asked().iter().map(|asked| asked.header("authorization").to_owned()).collect();
    assert_eq!((authorizations[1].as_str(), authorizations[3].as_str()), ("Bearer ghs_1", "Bearer ghs_2"));
    assert_eq!(authorizations.len(), 4);
}

#[tokio::test]
async fn a_token_refused_twice_is_given_up() {
    let clock = Clock::manual(start());
    let answers = github(clock.clone());
    let server = Server::start(move |asked| match asked.path.ends_with("/access_tokens") {
        true => answers(asked),
        false => with(StatusCode::UNAUTHORIZED.as_u16(), &[], "{}"),
    })
    .await;
    let forge = GitHub::with_clock(app(&server.url, &KEY.pkcs8), clock).unwrap();
    assert_eq!(forge.pull_request(&installed(5)).await.unwrap_err().kind, FaultKind::Denied);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn an_app_knows_itself() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/app" => {
            reply(200, json!({ "slug": "autopr", "permissions": { "checks": "write" }, "events": ["pull_request"] }))
        }
        _ => reply(404, json!({})),
    })
    .await;
    let identity = GitHub::new(app(&server.url, &KEY.pkcs8)).unwrap().check().await.unwrap();
    assert_eq!((identity.login.as_str(), identity.permissions["checks"].as_str()), ("autopr[bot]", "write"));
    assert_eq!(identity.events, ["pull_request"]);
}

#[test]
fn a_bad_key_is_named_and_not_shown() {
    let public = pem("PUBLIC KEY", &KEY.public);
    let cut = KEY.pkcs8[..800].to_owned();
    let other = pem("EC PRIVATE KEY", b"canary");
    for key in ["", "canary", &public, &cut, &other, "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"] {
        let fault = GitHub::new(app("https://api.github.com", key)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Invalid);
        let text = format!("{fault} {fault:?}");
        assert!(text.contains("github.app.private_key") && text.contains("GITHUB_APP_PRIVATE_KEY"), "{text}");
        assert!(!text.contains("canary") && !text.contains("MII"), "{text}");
    }
}

#[test]
fn a_bad_token_or_address_is_named_and_not_shown() {
    for token in ["", "  ", "can\nary"] {
        let settings =
            Settings { credentials: Credentials::Token(token.to_owned().into()), ..settings("https://api.github.com") };
        let text = GitHub::new(settings).unwrap_err().to_string();
        assert!(text.contains("GITHUB_TOKEN") && !text.contains("can\n"), "{text}");
    }
    assert!(GitHub::new(settings("file:///x")).unwrap_err().to_string().contains("github.base_url"));
}

#[test]
fn secrets_do_not_show() {
    let forge = GitHub::new(settings("https://api.github.com")).unwrap();
    let shown = format!("{forge:?} {:?}", settings("https://api.github.com"));
    assert!(!shown.contains("ghp_test"), "{shown}");
    let shown = format!("{:?}", GitHub::new(app("https://api.github.com", &KEY.pkcs8)).unwrap());
    assert!(!shown.contains("MII") && shown.contains("redacted"), "{shown}");
}
