//! Every event that GitHub can send, in the examples its users publish: all of them are taken when they are signed
//! rightly, and none of them is read when they are not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use autopr_core::clock::Clock;
use autopr_core::fault::Fault;
use autopr_core::intake::Secrets;
use autopr_core::message::Message;
use autopr_core::ports::Queue;
use autopr_e2e::server::{SECRET, Server, Setup, block_on};
use autopr_fakes::github::{FakeGitHub, NewPull, NewRepository, Permission};
use autopr_fakes::packages;
use autopr_runtime::http::{BodyLimits, Health, Intake, router};
use axum::body::Body;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use secrecy::SecretString;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// One example.
struct Payload {
    /// The event's name.
    event: String,
    /// Its `action`, for events that have one.
    action: String,
    /// The example, as JSON.
    body: Vec<u8>,
}

/// All examples.
fn payloads() -> &'static [Payload] {
    static PAYLOADS: OnceLock<Vec<Payload>> = OnceLock::new();
    PAYLOADS.get_or_init(|| {
        let file = packages::folder().join("@octokit/webhooks-examples/api.github.com/index.json");
        let text = std::fs::read(&file).unwrap_or_else(|why| {
            panic!(
                "GitHub's example payloads could not be read from {}: {why}; run scripts/test, which installs them, or \
                 set {} to the node_modules folder that has @octokit/webhooks-examples",
                file.display(),
                packages::VARIABLE
            )
        });
        let events: Vec<Value> = serde_json::from_slice(&text).expect("the examples are JSON");
        let mut payloads = Vec::new();
        for event in &events {
            for example in event["examples"].as_array().expect("a list of examples") {
                payloads.push(Payload {
                    event: event["name"].as_str().expect("a name").to_owned(),
                    action: example["action"].as_str().unwrap_or("-").to_owned(),
                    body: serde_json::to_vec(example).expect("JSON"),
                });
            }
        }
        payloads
    })
}

/// A queue that keeps what it is given.
#[derive(Default)]
struct Recorder(Mutex<Vec<Message>>);

impl Recorder {
    fn messages(&self) -> Vec<Message> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Queue for Recorder {
    async fn publish(&self, message: &Message) -> Result<(), Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
        Ok(())
    }
}

/// The production router in this process, in front of a queue that keeps what it is given.
struct Edge {
    queue: Arc<Recorder>,
    router: TowerToHyperService<axum::Router>,
}

impl Edge {
    fn new() -> Self {
        let queue = Arc::new(Recorder::default());
        let intake = Intake::new(secrets(SECRET), queue.clone(), Clock::System, BodyLimits::default());
        let health = Health::new("test", CancellationToken::new(), Vec::new());
        let router = TowerToHyperService::new(router(Arc::new(intake), axum::Router::new(), Arc::new(health)));
        Self { queue, router }
    }

    fn send(&self, event: &str, delivery: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, Value) {
        let mut request = Request::post("/webhooks/github").header("x-github-event", event);
        request = request.header("x-github-delivery", delivery);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        block_on(async {
            let request = request.body(Body::from(body)).expect("a request");
            let answer = self.router.call(request).await.expect("an answer");
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            (status, serde_json::from_slice(&body).expect("JSON"))
        })
    }
}

fn secrets(secret: &str) -> Secrets {
    Secrets::new(vec![SecretString::from(secret)]).expect("one secret")
}

fn sign(secret: &str, body: &[u8]) -> String {
    secrets(secret).sign(body).expect("a signature")
}

fn form(body: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(body).expect("text");
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", text).finish().into_bytes()
}

/// What is done to a payload: its name, the headers that go with it, and the body.
type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, Vec<u8>);

#[test]
fn there_are_as_many_examples_as_the_package_is_known_to_have() {
    let events: BTreeSet<_> = payloads().iter().map(|payload| &payload.event).collect();
    assert_eq!((events.len(), payloads().len()), (58, 329));
}

#[test]
fn every_signed_payload_is_taken_as_json_and_as_a_form() {
    let edge = Edge::new();
    let mut became: BTreeMap<(String, String), BTreeMap<String, usize>> = BTreeMap::new();
    let mut queued = 0;
    for (number, payload) in payloads().iter().enumerate() {
        let mut events = Vec::new();
        let bodies =
            [("application/json", payload.body.clone()), ("application/x-www-form-urlencoded", form(&payload.body))];
        for (kind, body) in bodies {
            let headers = [("content-type", kind), ("x-hub-signature-256", &sign(SECRET, &body))];
            let delivery = format!("{number}-{kind}");
            let (status, answer) = edge.send(&payload.event, &delivery, &headers, body);
            assert_eq!((status, answer["delivery"].as_str()), (202, Some(&*delivery)), "{}: {answer}", payload.event);
            let told = match answer["status"].as_str().expect("a status") {
                "queued" => {
                    queued += 1;
                    "queued".to_owned()
                }
                status => format!("{status}: {}", answer["reason"].as_str().expect("a reason")),
            };
            events.push((told, edge.queue.messages().last().cloned()));
        }
        let [(json, of_json), (form, of_form)] = &events[..] else { unreachable!("two forms") };
        assert_eq!(json, form, "{}: both forms mean the same", payload.event);
        if json == "queued" {
            assert_eq!(facts(of_json.as_ref()), facts(of_form.as_ref()), "{}", payload.event);
        }
        let key = (payload.event.clone(), payload.action.clone());
        *became.entry(key).or_default().entry(json.clone()).or_default() += 1;
    }
    assert_eq!(edge.queue.messages().len(), queued);
    let others: usize =
        became.values().filter_map(|told| told.get("ignored: events of this kind are not acted on")).sum();
    let mut table = String::new();
    for ((event, action), told) in &became {
        for (what, count) in told.iter().filter(|(what, _)| !what.ends_with("of this kind are not acted on")) {
            table.push_str(&format!("{event} {action} x{count}: {what}\n"));
        }
    }
    table.push_str(&format!("others x{others}: ignored: events of this kind are not acted on\n"));
    insta::assert_snapshot!(table, @r"
    check_run completed x3: ignored: the action `completed` is not acted on
    check_run created x3: ignored: the action `created` is not acted on
    check_run requested_action x1: ignored: the action `requested_action` is not acted on
    check_run rerequested x2: ignored: the check is not one of ours
    issue_comment created x5: ignored: the comment is not on a pull request
    issue_comment deleted x2: ignored: the action `deleted` is not acted on
    issue_comment edited x2: ignored: the action `edited` is not acted on
    ping - x4: ignored: the webhook is set up
    pull_request assigned x2: ignored: the action `assigned` is not acted on
    pull_request closed x2: queued
    pull_request converted_to_draft x3: ignored: the action `converted_to_draft` is not acted on
    pull_request labeled x2: queued
    pull_request locked x2: ignored: the action `locked` is not acted on
    pull_request opened x4: queued
    pull_request ready_for_review x3: queued
    pull_request reopened x2: queued
    pull_request review_request_removed x1: ignored: the action `review_request_removed` is not acted on
    pull_request review_requested x1: ignored: the action `review_requested` is not acted on
    pull_request synchronize x1: queued
    pull_request unassigned x2: ignored: the action `unassigned` is not acted on
    pull_request unlabeled x2: ignored: the action `unlabeled` is not acted on
    pull_request unlocked x2: ignored: the action `unlocked` is not acted on
    others x278: ignored: events of this kind are not acted on
    ");
}

/// A message without what differs from delivery to delivery.
fn facts(message: Option<&Message>) -> Value {
    let mut message: Value = serde_json::from_str(&message.expect("a message").encode()).expect("JSON");
    let event = &mut message["event"];
    assert!(event["delivery"].is_string(), "{message}");
    message["event"]["delivery"] = Value::Null;
    // The re-run button has no time of its own.
    if message["event"]["kind"]["type"] == "check_rerun" {
        message["event"]["at"] = Value::Null;
    }
    message
}

#[test]
fn no_payload_is_read_that_is_not_signed_rightly() {
    let edge = Edge::new();
    for payload in payloads() {
        let body = &payload.body;
        let (good, other) = (sign(SECRET, body), sign("another secret", body));
        let sha1 = format!("sha1={}", "0".repeat(40));
        let altered = |byte: usize, bit: u32| {
            let mut body = body.clone();
            body[byte] ^= 1 << bit;
            body
        };
        let signature = "x-hub-signature-256";
        let cases: [Case<'_>; 9] = [
            ("unsigned", vec![], body.clone()),
            ("one bit altered at the start", vec![(signature, &good)], altered(0, 0)),
            ("one bit altered in the middle", vec![(signature, &good)], altered(body.len() / 2, 3)),
            ("one bit altered at the end", vec![(signature, &good)], altered(body.len() - 1, 7)),
            ("truncated", vec![(signature, &good)], body[..body.len() - 1].to_vec()),
            ("empty", vec![(signature, &good)], Vec::new()),
            ("signed twice", vec![(signature, &good), (signature, &good)], body.clone()),
            ("signed with another secret", vec![(signature, &other)], body.clone()),
            ("signed by SHA-1 only", vec![("x-hub-signature", &sha1)], body.clone()),
        ];
        for (case, headers, body) in cases {
            let (status, answer) = edge.send(&payload.event, "d", &headers, body);
            assert_eq!((status, &answer["status"]), (401, &401.into()), "{} {case}: {answer}", payload.event);
        }
    }
    assert_eq!(edge.queue.messages().len(), 0);
}

#[test]
fn the_parser_is_not_reached_by_what_is_not_signed() {
    let edge = Edge::new();
    // Every header that would be refused by itself is wrong, and the body is no JSON.
    let headers = [("content-type", "text/html")];
    let (status, _) = edge.send("pull_request", " ", &headers, b"<no json>".to_vec());
    assert_eq!(status, 401);
    // Signed, the same is read, and refused for what it is.
    let body = b"<no json>".to_vec();
    let headers = [("x-hub-signature-256", &*sign(SECRET, &body))];
    let (status, answer) = edge.send("pull_request", "d", &headers, body);
    let told = answer["detail"].as_str().expect("a detail");
    assert_eq!((status, told), (400, "the body is not a `pull_request` event: it is not JSON at line 1, column 1"));
}

/// A server with one pull request on GitHub.
fn server() -> (FakeGitHub, Server, u64) {
    let github = FakeGitHub::start();
    github.add_repository(NewRepository::new("acme", "shop").collaborator("dev", Permission::Write));
    let app = github.install_app("acme");
    let diff = "diff --git a/a.txt b/a.txt\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n+++ b/a.txt\n\
                @@ -0,0 +1 @@\n+hello\n";
    let number = github.open_pull("acme", "shop", NewPull::new("Say hello", diff).author("dev"));
    let server = Server::start(Setup::app(&github, &app));
    github.send_webhooks_to(&server.webhook(), SECRET);
    (github, server, number)
}

fn count(server: &Server, query: &'static str) -> i64 {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(server.database()).read_only(true);
    block_on(async {
        use sqlx::ConnectOptions;
        let mut connection = options.connect().await.expect("the database opens");
        sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a count")
    })
}

#[test]
fn the_real_server_takes_all_of_them() {
    let (_github, server, _) = server();
    let http = reqwest::blocking::Client::new();
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    for (number, payload) in payloads().iter().enumerate() {
        let request = http.post(server.webhook()).header("x-github-event", &payload.event);
        let request = request.header("x-github-delivery", format!("real-{number}"));
        let request = request.header("x-hub-signature-256", sign(SECRET, &payload.body));
        let request = request.header("content-type", "application/json").body(payload.body.clone());
        let answer = request.send().expect("an answer");
        assert_eq!(answer.status(), 202, "{}", payload.event);
        let told: Value = answer.json().expect("JSON");
        *statuses.entry(told["status"].as_str().expect("a status").to_owned()).or_default() += 1;
    }
    assert_eq!(statuses.keys().collect::<Vec<_>>(), ["ignored", "queued"], "{statuses:?}");
    assert_eq!(statuses.values().sum::<usize>(), 329);
    assert_eq!(server.get("/api/health").0, 200);
}

#[test]
fn the_same_delivery_is_executed_once() {
    let (github, server, number) = server();
    let first = block_on(github.deliver_pull_request("acme", "shop", number, "opened"));
    assert_eq!(first.status_code, 202);
    let again = block_on(github.redeliver(first.id));
    assert_eq!(again.status_code, 202);
    let metric = "autopr_webhook_deliveries_total{event=\"pull_request\",outcome=\"duplicate\"} 1";
    assert!(server.metrics().contains(metric), "{}", server.metrics());
    server.finished(1);
    assert_eq!(count(&server, "SELECT count(*) FROM workflow_executions"), 1);
}

#[test]
fn fifty_of_one_delivery_at_the_same_moment_are_executed_once() {
    let (github, server, number) = server();
    let opened = payloads()
        .iter()
        .find(|payload| payload.event == "pull_request" && payload.action == "opened")
        .expect("an opened pull request");
    let mut payload: Value = serde_json::from_slice(&opened.body).expect("JSON");
    payload["repository"]["full_name"] = "acme/shop".into();
    payload["number"] = number.into();
    payload["pull_request"]["head"]["sha"] = github.head("acme", "shop", number).into();
    let body = serde_json::to_vec(&payload).expect("JSON");
    let signature = sign(SECRET, &body);
    let url = server.webhook();
    let start = std::sync::Barrier::new(50);
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                let http = reqwest::blocking::Client::new();
                let request = http.post(&url).header("x-github-event", "pull_request");
                let request = request.header("x-github-delivery", "the-same");
                let request = request.header("x-hub-signature-256", &signature).body(body.clone());
                start.wait();
                assert_eq!(request.send().expect("an answer").status(), 202);
            });
        }
    });
    server.finished(1);
    let begun = std::time::Instant::now();
    while count(&server, "SELECT count(*) FROM messages") > 0 {
        assert!(begun.elapsed() < autopr_e2e::server::PATIENCE, "the queue does not empty");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let workflows = "SELECT count(DISTINCT workflow_id) FROM workflow_executions";
    assert_eq!(count(&server, "SELECT count(*) FROM workflow_executions"), count(&server, workflows));
    assert_eq!(count(&server, "SELECT count(*) FROM deliveries"), 1);
}
