//! Google Cloud: the service's own program behind the emulator of Pub/Sub, from a signed webhook to the review. Where there
//! is no emulator these tests say so and end.

use std::time::{Duration, Instant};

use autopr_core::ids::{ExecutionId, RepoName};
use autopr_core::message::Message;
use autopr_e2e::aws::eventually;
use autopr_e2e::gcp::{ACCOUNT, AUDIENCE, Breakage, Gcp};
use autopr_e2e::server::{SECRET, Server, signal};
use autopr_e2e::world::{CLEAN, NOTHING};
use autopr_fakes::google::FakeGoogle;
use autopr_fakes::model::{Gate, Reply, ScriptedModel, Vendor};
use serde_json::{Value, json};

/// A model that finds nothing.
async fn model() -> ScriptedModel {
    let model = ScriptedModel::start().await.expect("it listens");
    model.by_default(Reply::answer(NOTHING));
    model
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_webhook_becomes_one_review() {
    let model = model().await;
    let Some(gcp) = Gcp::new(|setup| setup.models(&model, &[Vendor::OpenAi])).await else { return };
    let server = gcp.start(gcp.setup());
    let number = gcp.open(CLEAN).await;
    eventually("the push is answered", async || gcp.proxy.answers() == [204]).await;
    assert_eq!((gcp.reviews(number), model.requests().len()), (1, 1), "{}", server.log());
    assert_eq!(gcp.executions(), ["succeeded 1"]);
    gcp.github.assert_clean();

    // Each line can be found by the delivery; what was pushed is counted; no secret is told.
    eventually("it is logged", async || server.log().contains(r#""outcome":"done""#)).await;
    let (log, delivery) = (server.log(), &gcp.github.deliveries()[0].guid);
    let lines = |what: &str| log.lines().filter(|line| line.contains(what) && line.contains(delivery)).count();
    assert_eq!((lines(r#""status":"queued""#), lines(r#""outcome":"done""#)), (1, 1), "{log}");
    assert!(!log.contains(SECRET) && !log.contains(&gcp.token()[..20]), "{log}");
    let metrics = tokio::task::block_in_place(|| server.metrics());
    assert!(metrics.contains(r#"autopr_queue_messages_total{queue="pubsub",outcome="done"} 1"#), "{metrics}");
    for path in ["/api/health", "/api/ready"] {
        assert_eq!(tokio::task::block_in_place(|| server.get(path)).0, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_dies_on_the_first_two_pushes_makes_one_review() {
    let Some(gcp) = Gcp::new(|setup| setup).await else { return };
    let server = gcp.start(gcp.setup());
    gcp.proxy.fail(&[Breakage::Status500, Breakage::Close]);
    let number = gcp.open(CLEAN).await;
    eventually("the third push is answered", async || gcp.proxy.answers() == [500, 0, 204]).await;
    assert_eq!(gcp.reviews(number), 1, "{}", server.log());
    assert_eq!(gcp.executions(), ["succeeded 1"]);
    gcp.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_acknowledged_too_late_is_dealt_with_once() {
    let Some(gcp) = Gcp::new(|setup| setup).await else { return };
    let server = gcp.start(gcp.setup());
    let number = gcp.open(CLEAN).await;
    eventually("the push is answered", async || gcp.proxy.answers() == [204]).await;
    // The same again, as after an answer that was lost.
    let again =
        tokio::task::block_in_place(|| autopr_services::psql(&gcp.database, "SELECT id FROM workflow_executions"));
    let execution: ExecutionId = again.expect("one").trim().parse().expect("its identity");
    gcp.publish(&Message::advance(execution, RepoName::new("acme/shop").expect("a name")).encode()).await;
    eventually("the second push is answered", async || gcp.proxy.answers() == [204, 204]).await;
    assert_eq!(gcp.reviews(number), 1, "{}", server.log());
    gcp.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_message_reaches_the_dead_letters_alone() {
    let Some(gcp) = Gcp::new(|setup| setup).await else { return };
    let server = gcp.start(gcp.setup());
    let poison = r#"{"v":9,"of":"a version that nobody knows"}"#;
    gcp.publish(poison).await;
    let number = gcp.open(CLEAN).await;
    eventually("the dead letter", async || gcp.dead_letters().await == [poison]).await;
    eventually("one review", async || gcp.executions() == ["succeeded 1"]).await;
    assert_eq!(gcp.reviews(number), 1, "{}", server.log());
    let count = |wanted: u16| gcp.proxy.answers().iter().filter(|status| **status == wanted).count();
    eventually("every push is answered", async || (count(503), count(204)) == (5, 1)).await;
    gcp.github.assert_clean();
}

/// The trace of such a push.
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The body of a push that would be dealt with.
fn push() -> String {
    let message = Message::advance(ExecutionId::new(), RepoName::new("acme/shop").expect("a name")).encode();
    let data = data_encoding::BASE64.encode(message.as_bytes());
    let subscription = "projects/acme-prod/subscriptions/reviews";
    let message = json!({ "data": data, "messageId": "1", "attributes": { "traceparent": TRACE } });
    json!({ "message": message, "subscription": subscription }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_good_token_gets_401_and_nothing_happens() {
    let Some(gcp) = Gcp::new(|setup| setup).await else { return };
    let server = gcp.start(gcp.setup());
    let (good, stranger) = (FakeGoogle::claims(AUDIENCE, ACCOUNT), FakeGoogle::start());
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        format!("Bearer {}", gcp.google.sign(&claims))
    };
    let unsigned = {
        let part = |value: &Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        format!("Bearer {}.{}.", part(&json!({ "alg": "none", "kid": "key-1" })), part(&good))
    };
    let mut tokens = Vec::new();
    let long_ago = good["iat"].as_i64().expect("a time") - 7200;
    for (what, authorization) in [
        ("no token", None),
        ("no bearer", Some(format!("Basic {}", gcp.token()))),
        ("no token in it", Some("Bearer hunter2".to_owned())),
        ("forged", Some(format!("Bearer {}", stranger.sign(&good)))),
        ("alg none", Some(unsigned)),
        (
            "unknown key",
            Some(format!("Bearer {}", gcp.google.sign_as(&json!({ "alg": "RS256", "kid": "key-9" }), &good))),
        ),
        ("expired", Some(with("exp", json!(long_ago)))),
        ("wrong audience", Some(with("aud", json!("https://other.a.run.app")))),
        ("wrong issuer", Some(with("iss", json!("https://accounts.example.com")))),
        ("wrong account", Some(with("email", json!("other@acme-prod.iam.gserviceaccount.com")))),
        ("not verified", Some(with("email_verified", json!(false)))),
    ] {
        for path in ["/pubsub/push", "/sweep"] {
            let (status, told) = gcp.post(&server.url(path), authorization.as_deref(), push()).await;
            assert_eq!((status, &told["status"]), (401, &json!(401)), "{what} {path}: {told}");
            let token = authorization.as_deref().and_then(|text| text.split(' ').nth(1)).unwrap_or("none at all");
            assert!(!told.to_string().contains(token), "{what}");
            tokens.push(token.to_owned());
        }
    }
    // Lines are read as they come.
    let refused = async || server.log().matches("a request was refused").count() == tokens.len();
    eventually("each refusal is logged", refused).await;
    let log = server.log();
    assert!(tokens.iter().all(|token| !log.contains(token)), "{log}");
    assert!(!log.contains(r#""outcome""#), "{log}");
    assert_eq!(gcp.executions(), [""; 0]);

    // With a good one both do what they are asked to.
    let bearer = format!("Bearer {}", gcp.token());
    assert_eq!(gcp.post(&server.url("/pubsub/push"), Some(&bearer), push()).await.0, 204);
    eventually("the trace is logged", async || server.log().contains(TRACE)).await;
    let (status, told) = gcp.post(&server.url("/pubsub/push"), Some(&bearer), "{\"hunter2\":1}".to_owned()).await;
    assert!(status == 400 && !told.to_string().contains("hunter2"), "{status} {told}");
    gcp.sweep(&server).await;
    // Once at first, and perhaps once more for the unknown key.
    assert!(gcp.google.fetches() <= 2, "{}", gcp.google.fetches());
}

/// Opens a pull request and waits until its execution waits for the model.
async fn in_flight(gcp: &Gcp, model: &ScriptedModel) -> u64 {
    let number = gcp.open(CLEAN).await;
    eventually("the model is asked", async || model.count() == 1).await;
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn at_its_end_a_service_gives_back_what_is_in_flight_and_another_ends_it() {
    let (model, gate) = (ScriptedModel::start().await.expect("it listens"), Gate::new());
    model.by_default(Reply::Stall(gate.clone(), Box::new(Reply::answer(NOTHING))));
    let Some(gcp) = Gcp::new(|setup| setup.models(&model, &[Vendor::OpenAi])).await else { return };
    let mut server = gcp.start(gcp.setup());
    let number = in_flight(&gcp, &model).await;
    let begun = Instant::now();
    let status = tokio::task::block_in_place(|| server.stop());
    let took = begun.elapsed();
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert!(took < Duration::from_secs(10), "it took {took:?}\n{}", server.log());
    assert_eq!(gcp.reviews(number), 0);
    eventually("the push is answered", async || gcp.proxy.answers() == [204]).await;

    gate.open();
    tokio::task::block_in_place(|| server.restart(|setup| setup));
    gcp.attach(&server);
    eventually("the execution ends", async || gcp.executions() == ["succeeded 1"]).await;
    assert_eq!(gcp.reviews(number), 1, "{}", server.log());
    gcp.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_service_had_is_done_once_by_another() {
    let model = model().await;
    let Some(gcp) = Gcp::new(|setup| setup.models(&model, &[Vendor::OpenAi])).await else { return };
    let mut server = gcp.start(gcp.fast());
    let held = model.hold();
    let number = gcp.open(CLEAN).await;
    held.arrived().await;
    server.kill();
    held.release();
    tokio::task::block_in_place(|| server.restart(|setup| setup));
    gcp.attach(&server);
    eventually("the execution ends", async || {
        gcp.sweep(&server).await;
        gcp.executions() == ["succeeded 1"]
    })
    .await;
    assert_eq!((gcp.reviews(number), model.count()), (1, 2), "{}", server.log());
    gcp.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_whose_time_is_over_goes_on_with_a_message_of_its_own() {
    let (model, gate) = (ScriptedModel::start().await.expect("it listens"), Gate::new());
    model.by_default(Reply::Stall(gate.clone(), Box::new(Reply::answer(NOTHING))));
    let Some(gcp) = Gcp::new(|setup| setup.models(&model, &[Vendor::OpenAi])).await else { return };
    let server = gcp.start(gcp.setup().set("AUTOPR_PUSH_TIMEOUT", "10"));
    let number = in_flight(&gcp, &model).await;
    eventually("it is given back", async || gcp.proxy.answers() == [204]).await;
    assert_eq!(gcp.reviews(number), 0);
    gate.open();
    eventually("the execution ends", async || gcp.executions() == ["succeeded 1"]).await;
    assert_eq!(gcp.reviews(number), 1, "{}", server.log());
    gcp.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_one_instance_may_have_goes_to_another() {
    let (model, gate) = (ScriptedModel::start().await.expect("it listens"), Gate::new());
    model.by_default(Reply::Stall(gate.clone(), Box::new(Reply::answer(NOTHING))));
    let Some(gcp) = Gcp::new(|setup| setup.models(&model, &[Vendor::OpenAi])).await else { return };
    let setup = gcp.setup().set("MAX_CONCURRENT_WORKFLOWS", "1");
    let full = gcp.start(setup.clone());
    let first = in_flight(&gcp, &model).await;
    // Each change is another one, or one answer would do for both.
    let second = gcp.open(&CLEAN.replace("copied", "cloned")).await;
    eventually("it is refused", async || gcp.proxy.answers().contains(&429)).await;
    let other = tokio::task::block_in_place(|| Server::start(setup));
    gcp.proxy.target(other.url("/pubsub/push"));
    eventually("the other takes it", async || model.count() == 2).await;
    gate.open();
    eventually("both end", async || gcp.executions() == ["succeeded 2"]).await;
    assert_eq!((gcp.reviews(first), gcp.reviews(second)), (1, 1), "{}\n{}", full.log(), other.log());
    gcp.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_when_whoever_pushed_hangs_up() {
    let (model, gate) = (ScriptedModel::start().await.expect("it listens"), Gate::new());
    model.by_default(Reply::Stall(gate.clone(), Box::new(Reply::answer(NOTHING))));
    let Some(gcp) = Gcp::new(|setup| setup.models(&model, &[Vendor::OpenAi])).await else { return };
    let server = gcp.start(gcp.setup());
    // The emulator's own pushes fail; the message is brought by hand.
    gcp.proxy.fail(&[Breakage::Status500; 5]);
    let number = gcp.open(CLEAN).await;
    eventually("the dead letter", async || {
        let Some(body) = gcp.dead_letters().await.pop() else { return false };
        let data = data_encoding::BASE64.encode(body.as_bytes());
        let pushed = json!({ "message": { "data": data, "messageId": "1" }, "subscription": "by hand" }).to_string();
        let (url, bearer) = (server.url("/pubsub/push"), format!("Bearer {}", gcp.token()));
        let asked = async { eventually("the model is asked", async || model.count() == 1).await };
        tokio::select! {
            answer = gcp.post(&url, Some(&bearer), pushed) => panic!("{answer:?}"),
            () = asked => {}
        }
        true
    })
    .await;
    gate.open();
    eventually("the execution ends", async || gcp.executions() == ["succeeded 1"]).await;
    assert_eq!((gcp.reviews(number), model.count()), (1, 1), "{}", server.log());
    gcp.github.assert_clean();
}

/// Runs a service that must refuse to start, with these variables only; its exit code and what it says.
fn refused(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = std::process::Command::new(autopr_e2e::built("gcp-service"));
    command.env_clear().current_dir(folder.path()).envs(variables.iter().copied());
    let output = command.output().expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_is_missing_at_the_start_is_named_with_its_setting() {
    let (code, told) = refused(&[("AUTOPR_ENV", "production"), ("AUTOPR_QUEUE_URL", "https://sqs.example.com/queue")]);
    assert_eq!(code, Some(2), "{told}");
    insta::assert_snapshot!(told, @r"
    gcp-service: database.url: a file of SQLite can't be shared, and would be gone with the machine that it lies on
     --> default
      = fix: set DATABASE_URL to postgresql://USER:PASSWORD@HOST:PORT/NAME

    push.audience: without it no pushed message is trusted
     --> default
      = fix: set AUTOPR_PUSH_AUDIENCE to the audience in the push subscription's settings

    push.service_account: without it no pushed message is trusted
     --> default
      = fix: set AUTOPR_PUSH_SERVICE_ACCOUNT to the e-mail address in the push subscription's settings

    github.token: there are no credentials for GitHub
     --> default
      = fix: set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, or GITHUB_TOKEN

    github.webhook_secrets: without a webhook secret no delivery is trusted, and production needs one
     --> default
      = fix: set GITHUB_WEBHOOK_SECRET to the secret in the webhook's settings on GitHub

    AUTOPR_QUEUE_URL: this is not the full name of a topic of Pub/Sub
     --> environment
      = fix: set it to the topic's full name, projects/PROJECT/topics/TOPIC
    ");
    let (_, told) = refused(&[("AUTOPR_ENV", "production"), ("AUTOPR_PUSH_KEYS_URL", "http://keys.example.com/")]);
    assert!(told.contains("push.keys_url: keys that came over http could be anybody's"), "{told}");
    assert!(told.contains("AUTOPR_QUEUE_URL: the topic is not named"), "{told}");
}

#[test]
fn an_interrupt_is_told_apart_from_a_termination() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let Some(gcp) = runtime.block_on(Gcp::new(|setup| setup)) else { return };
    let mut server = gcp.start(gcp.setup());
    signal(server.pid(), "INT");
    assert_eq!(server.wait().code(), Some(130));
}
