//! What a failed call becomes: the kind of fault, whether and when to try again, and what its text says.

use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{KEY, SECRET, ask, limits, model_at, model_of, prompt, shown};
use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ports::model::Limits;
use autopr_fakes::model::{Gate, Reply, ScriptedModel, Vendor};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use serde_json::json;
use tracing::Level;

async fn server() -> ScriptedModel {
    ScriptedModel::start().await.expect("a free port")
}

/// The fault this reply becomes, for this vendor. Nothing of it may show the key, the prompt or the server's words.
async fn check(server: &ScriptedModel, vendor: Vendor, reply: Reply, kind: FaultKind, retry: Retry, says: &str) {
    let before = server.count();
    server.then(vendor, reply.clone());
    let fault = ask(&model_of(server, vendor)).await.expect_err("a fault");
    assert_eq!((fault.kind, fault.retry), (kind, retry), "{vendor:?} {reply:?}: {fault}");
    assert!(fault.to_string().contains(says), "{vendor:?} {reply:?}: {fault}");
    let shown = shown(&fault);
    for secret in [KEY, SECRET, "the script says", "127.0.0.1"] {
        assert!(!shown.contains(secret), "{vendor:?} {reply:?}: {shown}");
    }
    assert_eq!(server.count(), before + 1, "{vendor:?} {reply:?}: a failed call is not tried again");
    assert_eq!(server.unread(), 0);
}

#[tokio::test]
async fn a_status_tells_the_kind_for_every_vendor() {
    let server = server().await;
    for vendor in Vendor::ALL {
        let cases = [
            (401, FaultKind::Denied, Retry::Never, "llm.providers.mine.api_key"),
            (403, FaultKind::Denied, Retry::Never, "llm.providers.mine.api_key"),
            (402, FaultKind::Denied, Retry::Never, "no credit left"),
            (404, FaultKind::NotFound, Retry::Never, "model model-1 is not known to provider mine"),
            (400, FaultKind::Invalid, Retry::Never, "refused the call"),
            (413, FaultKind::Invalid, Retry::Never, "too long"),
            (422, FaultKind::Invalid, Retry::Never, "refused the call"),
            (408, FaultKind::Timeout, Retry::Backoff, "too long"),
            (429, FaultKind::Limited, Retry::Backoff, "limits the rate"),
            (500, FaultKind::Unavailable, Retry::Backoff, "failed (500)"),
            (502, FaultKind::Unavailable, Retry::Backoff, "failed (502)"),
            (503, FaultKind::Unavailable, Retry::Backoff, "failed (503)"),
            (529, FaultKind::Unavailable, Retry::Backoff, "failed (529)"),
        ];
        for (status, kind, retry, says) in cases {
            check(&server, vendor, Reply::error(status, "some_code"), kind, retry, says).await;
        }
    }
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn every_hint_when_to_come_back_is_kept() {
    let server = server().await;
    let cases: [(&[(&str, &str)], u64); 5] = [
        (&[("retry-after", "17")], 17_000),
        (&[("retry-after-ms", "1500"), ("retry-after", "2")], 1500),
        (&[("x-ratelimit-reset-requests", "1m3s"), ("x-ratelimit-reset-tokens", "20ms")], 63_000),
        (
            &[
                ("x-ratelimit-remaining-requests", "9"),
                ("x-ratelimit-reset-requests", "1m3s"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "250ms"),
            ],
            250,
        ),
        (&[("retry-after", "5"), ("x-ratelimit-reset-requests", "1m")], 5000),
    ];
    for vendor in Vendor::ALL {
        for (headers, expect) in cases {
            let retry = Retry::After(Duration::from_millis(expect));
            let reply = Reply::error_with(429, "rate_limit_exceeded", headers);
            check(&server, vendor, reply, FaultKind::Limited, retry, "limits the rate").await;
        }
        let retry = Retry::After(Duration::from_secs(30));
        let reply = Reply::error_with(503, "overloaded", &[("retry-after", "30")]);
        check(&server, vendor, reply, FaultKind::Unavailable, retry, "failed (503)").await;
    }
}

#[tokio::test]
async fn a_date_to_come_back_at_is_understood() {
    let server = server().await;
    let then = Timestamp::now() + SignedDuration::from_secs(600);
    let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).expect("a date");
    server.then(Vendor::Anthropic, Reply::error_with(429, "rate_limit_error", &[("retry-after", &date)]));
    let fault = ask(&model_of(&server, Vendor::Anthropic)).await.expect_err("a fault");
    let Retry::After(wait) = fault.retry else { panic!("{:?}", fault.retry) };
    // The date has whole seconds, and the server tells its own time in whole seconds too.
    assert!((590..=602).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn gemini_says_in_the_body_when_to_come_back_and_that_a_key_is_bad() {
    let server = server().await;
    let retry_info = json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "41s" });
    let body = json!({ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED", "details": [retry_info] } }).to_string();
    let reply = Reply::Status { status: 429, body, headers: Vec::new() };
    let retry = Retry::After(Duration::from_secs(41));
    check(&server, Vendor::Gemini, reply, FaultKind::Limited, retry, "limits the rate").await;

    let reason = json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID" });
    let message = format!("API key {KEY} not valid");
    let error = json!({ "code": 400, "status": "INVALID_ARGUMENT", "message": message, "details": [reason] });
    let reply = Reply::Status { status: 400, body: json!({ "error": error }).to_string(), headers: Vec::new() };
    check(&server, Vendor::Gemini, reply, FaultKind::Denied, Retry::Never, "llm.providers.mine.api_key").await;
}

#[tokio::test]
async fn a_used_up_quota_is_no_rate_limit() {
    let server = server().await;
    let reply = Reply::error_with(429, "insufficient_quota", &[("retry-after", "1")]);
    check(&server, Vendor::OpenAi, reply, FaultKind::Denied, Retry::Never, "no credit left").await;
    let message = "Your credit balance is too low to access the Anthropic API.";
    let body = json!({ "type": "error", "error": { "type": "invalid_request_error", "message": message } }).to_string();
    let reply = Reply::Status { status: 400, body, headers: Vec::new() };
    check(&server, Vendor::Anthropic, reply, FaultKind::Denied, Retry::Never, "no credit left").await;
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_named() {
    let server = server().await;
    let cases = [
        (Vendor::OpenAi, Reply::error(400, "context_length_exceeded")),
        (
            Vendor::Anthropic,
            said(json!({ "error": { "message": "prompt is too long: 210000 tokens > 200000 maximum" } })),
        ),
        (Vendor::Compatible, said(json!({ "message": "This model's maximum context length is 8192 tokens." }))),
        (Vendor::Gemini, said(json!({ "error": { "message": "The input token count exceeds the maximum" } }))),
    ];
    for (vendor, reply) in cases {
        check(&server, vendor, reply, FaultKind::Invalid, Retry::Never, "the prompt is too long for model model-1")
            .await;
    }
}

fn said(body: serde_json::Value) -> Reply {
    Reply::Status { status: 400, body: body.to_string(), headers: Vec::new() }
}

#[tokio::test]
async fn an_answer_that_is_none_leaves_its_cost_unknown() {
    let server = server().await;
    for vendor in Vendor::ALL {
        let garbage = [
            Reply::Garbage,
            Reply::Status { status: 200, body: String::new(), headers: Vec::new() },
            Reply::Status { status: 200, body: format!("{{\"{SECRET}\":1}}"), headers: Vec::new() },
            Reply::Status { status: 200, body: format!("[\"{SECRET}\"]"), headers: Vec::new() },
            Reply::Status { status: 200, body: "{\"choices\":[],\"content\":[]}".to_owned(), headers: Vec::new() },
        ];
        for reply in garbage {
            check(&server, vendor, reply, FaultKind::Unknown, Retry::Backoff, "no completion").await;
        }
        let broken = Reply::Truncate(Box::new(Reply::answer(SECRET.repeat(100))));
        check(&server, vendor, broken, FaultKind::Unknown, Retry::Backoff, "broke off").await;
        check(&server, vendor, Reply::Drop, FaultKind::Unknown, Retry::Backoff, "broke off").await;
    }
}

#[tokio::test]
async fn the_whole_call_has_a_limit() {
    let server = server().await;
    let gate = Gate::new();
    for vendor in Vendor::ALL {
        server.then(vendor, Reply::Stall(gate.clone(), Box::new(Reply::answer("{}"))));
        let limits = Limits { timeout: Duration::from_millis(150), ..limits() };
        let fault = model_of(&server, vendor).complete(&prompt(), limits).await.expect_err("a fault");
        assert_eq!((fault.kind, fault.retry), (FaultKind::Timeout, Retry::Backoff), "{vendor:?}: {fault}");
        assert_eq!(fault.to_string(), "provider mine did not answer within 0.15 s", "{vendor:?}");
    }
    gate.open();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    for vendor in Vendor::ALL {
        let fault = ask(&model_at(vendor, &format!("http://{address}/v1"))).await.expect_err("a fault");
        assert_eq!((fault.kind, fault.retry), (FaultKind::Unavailable, Retry::Backoff), "{vendor:?}: {fault}");
        let says = "provider mine can't be reached: Connection refused (os error 111)";
        assert_eq!(fault.to_string(), says, "{vendor:?}");
    }
}

/// What is logged ends up in a buffer.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_said_or_keyed_is_logged_even_at_the_finest_level() {
    let log = Log::default();
    let sink = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(move || sink.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = server().await;
    for vendor in Vendor::ALL {
        let model = model_of(&server, vendor);
        server.then(vendor, Reply::answer("canary-of-the-answer"));
        ask(&model).await.unwrap_or_else(|fault| panic!("{vendor:?}: {fault}"));
        let body = format!("{{\"error\": \"canary-of-the-answer, {SECRET} and {KEY}\"}}");
        server.then(vendor, Reply::Status { status: 500, body, headers: Vec::new() });
        ask(&model).await.expect_err("a fault");
    }
    tracing::trace!("the log works");
    let log = String::from_utf8_lossy(&log.0.lock().expect("nobody panicked")).into_owned();
    assert!(log.contains("the log works"), "{log}");
    for secret in [KEY, SECRET, "canary-of-the-answer"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = server().await;
    let elsewhere = format!("{}/chat/completions", server.base_url(Vendor::Compatible));
    for vendor in Vendor::ALL {
        for status in [301, 302, 307, 308] {
            let headers = vec![("location".to_owned(), elsewhere.clone())];
            let reply = Reply::Status { status, body: "{}".to_owned(), headers };
            check(&server, vendor, reply, FaultKind::Invalid, Retry::Never, "redirects elsewhere").await;
        }
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_from_ollama() {
    let server = server().await;
    let reply = Reply::answer("x".repeat(9 * 1024 * 1024));
    check(&server, Vendor::Ollama, reply, FaultKind::Unknown, Retry::Backoff, "more than 8 MiB").await;
}
