//! Azure: the service's own program, from a signed webhook to the review.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use autopr_e2e::azure::{Azure, POISON, QUEUE, eventually};
use autopr_e2e::server::{SECRET, Server, Setup, block_on, scripted_model, signal};
use autopr_e2e::world::{CLEAN, NOTHING};
use autopr_fakes::model::{Gate, Reply, Vendor};
use autopr_services::{Azurite, Certificate};
use axum::Router;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use data_encoding::BASE64URL_NOPAD;
use insta::assert_snapshot;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

#[test]
fn a_signed_webhook_becomes_one_review() {
    let model = scripted_model();
    model.by_default(Reply::answer(NOTHING));
    let azure = Azure::new(|setup| setup.models(&model, &[Vendor::OpenAi]));
    let mut app = azure.start(azure.setup());
    let number = azure.open(CLEAN);
    app.finished(1);
    eventually("the queue is empty", || azure.messages(QUEUE) == 0);
    assert_eq!((azure.reviews(number), model.count(), azure.messages(POISON)), (1, 1, 0));
    assert_eq!(azure.executions(), ["succeeded 1"]);
    azure.github.assert_clean();
    let (status, health) = app.get("/api/health?detailed=true");
    assert_eq!((status, health["dependencies"]["database"]["status"].as_str()), (200, Some("healthy")), "{health}");
    let metrics = app.metrics();
    assert!(metrics.contains(r#"autopr_queue_messages_total{queue="azure",outcome="done"} 1"#), "{metrics}");
    assert!(metrics.contains(r#"autopr_queue_oldest_message_age_seconds{queue="azure"}"#), "{metrics}");
    assert!(app.stop().success());

    // Each line can be found by the delivery, and neither the webhooks' secret nor the queue's signature is in any.
    let (log, delivery) = (app.log(), &azure.github.deliveries()[0].guid);
    let lines = |what: &str| log.lines().filter(|line| line.contains(what) && line.contains(delivery.as_str())).count();
    assert_eq!((lines(r#""status":"queued""#), lines(r#""outcome":"done""#)), (1, 1), "{log}");
    assert!(!log.contains(SECRET) && !log.contains("sig="), "{log}");
}

#[test]
fn a_poisoned_message_fails_alone_and_is_set_aside() {
    let azure = Azure::new(|setup| setup);
    let app = azure.start(azure.fast(20, 3, 2));
    let first = azure.open(CLEAN);
    let poison = r#"{"v":"9","of":"a version that nobody knows"}"#;
    block_on(azure.azurite.put(QUEUE, poison));
    let second = azure.open(CLEAN);
    eventually("it is set aside", || azure.messages(POISON) == 1 && azure.messages(QUEUE) == 0);
    assert_eq!(block_on(azure.azurite.peek(POISON))[0].text, poison);
    assert_eq!((azure.reviews(first), azure.reviews(second)), (1, 1));
    assert_eq!(azure.executions(), ["succeeded 2"]);
    // A message is gone from the queue before or after it is counted.
    for (outcome, count) in [("done", 2), ("again", 2), ("dead", 1)] {
        let line = format!(r#"autopr_queue_messages_total{{queue="azure",outcome="{outcome}"}} {count}"#);
        eventually(&line, || app.metrics().contains(&line));
    }
    azure.github.assert_clean();
}

#[test]
fn what_a_killed_replica_had_is_done_once_by_another() {
    let model = scripted_model();
    model.by_default(Reply::answer(NOTHING));
    let azure = Azure::new(|setup| setup.models(&model, &[Vendor::OpenAi]));
    let mut first = azure.start(azure.fast(20, 3, 20));
    let held = model.hold();
    let number = azure.open(CLEAN);
    block_on(held.arrived());
    first.kill();
    held.release();
    let second = azure.start(azure.fast(20, 3, 20));
    second.finished(1);
    eventually("the queue is empty", || azure.messages(QUEUE) == 0);
    assert_eq!((azure.reviews(number), model.count()), (1, 2));
    assert_eq!((azure.executions(), azure.messages(POISON)), (vec!["succeeded 1".to_owned()], 0));
    azure.github.assert_clean();
}

#[test]
fn a_message_that_outlives_its_time_is_kept_hidden_and_not_run_twice() {
    let (model, gate) = (scripted_model(), Gate::new());
    model.by_default(Reply::Stall(gate.clone(), Box::new(Reply::answer(NOTHING))));
    let azure = Azure::new(|setup| setup.models(&model, &[Vendor::OpenAi]));
    // Two replicas: whichever has it, the other would get it were it not hidden again.
    let replicas = [azure.start(azure.fast(1, 6, 20)), azure.start(azure.fast(1, 6, 20))];
    let number = azure.open(CLEAN);
    eventually("it waits for the model", || model.count() == 1);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(12) {
        assert_eq!(block_on(azure.azurite.peek(QUEUE)), [], "it is handed out again");
        std::thread::sleep(Duration::from_millis(50));
    }
    gate.open();
    eventually("the queue is empty", || azure.messages(QUEUE) == 0);
    assert_eq!((azure.reviews(number), model.count()), (1, 1));
    let log = replicas.iter().map(Server::log).collect::<String>();
    assert_eq!(log.matches(r#""outcome":"done""#).count(), 1, "{log}");
    azure.github.assert_clean();
}

#[test]
fn what_a_replica_can_not_end_when_it_is_stopped_goes_on_elsewhere() {
    let (model, gate) = (scripted_model(), Gate::new());
    model.by_default(Reply::Stall(gate.clone(), Box::new(Reply::answer(NOTHING))));
    let azure = Azure::new(|setup| setup.models(&model, &[Vendor::OpenAi]));
    let mut first = azure.start(azure.setup());
    let number = azure.open(CLEAN);
    eventually("it waits for the model", || model.count() == 1);
    let begun = Instant::now();
    signal(first.pid(), "TERM");
    assert!(first.wait().success(), "{}", first.log());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    // It is in no hands and can be had at once.
    assert_eq!((block_on(azure.azurite.peek(QUEUE)).len(), azure.reviews(number)), (1, 0));
    gate.open();
    let second = azure.start(azure.setup());
    second.finished(1);
    eventually("the queue is empty", || azure.messages(QUEUE) == 0);
    assert_eq!((azure.reviews(number), azure.executions()), (1, vec!["succeeded 1".to_owned()]));
    azure.github.assert_clean();
}

/// The lines that the service logs when it can't start.
fn refused(setup: Setup) -> String {
    let mut app = Server::launch(setup);
    assert_eq!((app.wait().code(), app.listens()), (Some(2), false));
    let log = app.log();
    assert!(!log.contains("&sig=") && !log.contains("hunter2"), "{log}");
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines = lines.filter(|line| line["message"] == "can't start").map(|line| match &line["setting"] {
        Value::Null => format!("  {}\n", text(&line, "why")),
        _ => format!("  {}: {}; {}\n", text(&line, "setting"), text(&line, "why"), text(&line, "fix")),
    });
    lines.collect()
}

#[test]
fn what_is_wrong_at_the_start_is_told_with_its_setting() {
    let azure = Azure::new(|setup| setup);
    let url = "AUTOPR_QUEUE_URL";
    let with = |name: &str, value: &str| azure.setup().set(name, value);
    let mut told = String::new();
    for (case, setup) in [
        ("no queue and SQLite", with(url, "").set("DATABASE_URL", "sqlite://autopr.db")),
        ("a connection string", with(url, "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2")),
        ("a signature without its end", with(url, "https://acc.queue.core.windows.net/reviews?sv=hunter2")),
        (
            "a signature that allows too little",
            with(url, "https://acc.queue.core.windows.net/reviews?ss=q&srt=o&sp=ra&sig=hunter2"),
        ),
        ("another queue", with(url, &azure.azurite.queue_url("another"))),
        ("a signature whose time is over", with(url, &azure.azurite.expired_queue_url(QUEUE))),
    ] {
        // Each request has an identity of its own.
        let known = |line: &str| match line.split_once(", request") {
            Some((before, _)) => format!("{before})"),
            None => line.to_owned(),
        };
        let lines: Vec<_> = refused(setup).lines().map(known).collect();
        told.push_str(&format!("{case}\n{}\n", lines.join("\n")));
    }
    assert_snapshot!(told, @"
    no queue and SQLite
      database.url: a file of SQLite can't be shared, and would be gone with the machine that it lies on; set DATABASE_URL to postgresql://USER:PASSWORD@HOST:PORT/NAME
      AUTOPR_QUEUE_URL: the queue is not named; set it to the queue's URL, https://ACCOUNT.queue.core.windows.net/QUEUE
    a connection string
      AUTOPR_QUEUE_URL: this is a connection string, which gives the whole account away; let the app's managed identity into the queue, and write https://ACCOUNT.queue.core.windows.net/QUEUE
    a signature without its end
      AUTOPR_QUEUE_URL: what follows the ? is not a shared access signature: it has no sig=; write the whole signature, or nothing behind the queue's name for a managed identity
    a signature that allows too little
      AUTOPR_QUEUE_URL: the signature does not allow to update (u), process (p); make a signature with read, add, update and process: sp=raup
    another queue
      AUTOPR_QUEUE_URL: the queue another can't be used: QueueNotFound (HTTP 404)
    a signature whose time is over
      AUTOPR_QUEUE_URL: the queue reviews can't be used: AuthenticationFailed (HTTP 403)
    ");
}

/// What gives a container app the tokens of its identity, as the platform does ("Managed identities in Azure Container Apps",
/// "REST endpoint reference").
struct IdentityEndpoint {
    address: String,
    /// What it was asked.
    asked: Arc<Mutex<Vec<String>>>,
    /// Whether it takes requests and does not answer them.
    silent: Arc<AtomicBool>,
}

/// Such an endpoint, whose tokens are good for so many seconds.
fn identity_endpoint(header: &'static str, seconds: i64) -> IdentityEndpoint {
    let (asked, silent) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
    let (seen, quiet) = (asked.clone(), silent.clone());
    let answer = async move |headers: HeaderMap, RawQuery(query): RawQuery| {
        assert_eq!(headers["x-identity-header"], header);
        seen.lock().expect("the list").push(query.unwrap_or_default());
        if quiet.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let now = Timestamp::now().as_second();
        let claims = json!({
            "aud": "https://storage.azure.com",
            "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + seconds,
        });
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let token = format!("{}.{}.c2ln", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims));
        let expires_on = (now + seconds).to_string();
        json!({ "access_token": token, "expires_on": expires_on, "resource": claims["aud"], "token_type": "Bearer" })
            .to_string()
    };
    let address = block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/msi/token", axum::routing::get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    });
    IdentityEndpoint { address: format!("http://{address}/msi/token"), asked, silent }
}

/// A service that an identity gives access to the queue, whose certificate is signed by the authority in this file.
fn identified(azure: &Azure, authority: &Path, endpoint: &IdentityEndpoint) -> Setup {
    let setup = azure.setup().set("AUTOPR_QUEUE_URL", &azure.azurite.bare_queue_url(QUEUE));
    let setup = setup.set("SSL_CERT_FILE", &authority.to_string_lossy()).set("AZURE_CLIENT_ID", "0f3c");
    setup.set("IDENTITY_ENDPOINT", &endpoint.address).set("IDENTITY_HEADER", "hunter2")
}

/// A secured queue, and a file with the authority of its certificate.
fn secured(setup: impl FnOnce(Setup) -> Setup) -> (Azure, NamedTempFile) {
    let certificate = Certificate::for_loopback();
    let azure = Azure::on(Azurite::start_secured(&certificate), setup);
    let authority = NamedTempFile::new().expect("a file");
    std::fs::write(authority.path(), &certificate.authority).expect("the certificate is written");
    (azure, authority)
}

#[test]
fn a_replica_ends_in_time_though_its_identity_has_no_token_any_more() {
    let (model, gate) = (scripted_model(), Gate::new());
    model.by_default(Reply::Stall(gate.clone(), Box::new(Reply::answer(NOTHING))));
    let (azure, authority) = secured(|setup| setup.models(&model, &[Vendor::OpenAi]));
    // Less than the five minutes before their end at which tokens are renewed: one is fetched for each request.
    let endpoint = identity_endpoint("hunter2", 5);
    let mut app = azure.start(identified(&azure, authority.path(), &endpoint));
    azure.open(CLEAN);
    eventually("it waits for the model", || model.count() == 1);
    endpoint.silent.store(true, Ordering::SeqCst);
    app.logged("taking fails", |line| (line["message"] == "taking messages failed").then_some(()));
    let begun = Instant::now();
    signal(app.pid(), "TERM");
    assert!(app.wait().success(), "{}", app.log());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}\n{}", begun.elapsed(), app.log());
    gate.open();
}

#[test]
fn a_managed_identity_opens_the_queue() {
    let (azure, authority) = secured(|setup| setup);
    let endpoint = identity_endpoint("hunter2", 3600);
    let app = azure.start(identified(&azure, authority.path(), &endpoint));
    let number = azure.open(CLEAN);
    app.finished(1);
    eventually("the queue is empty", || azure.messages(QUEUE) == 0);
    assert_eq!(azure.reviews(number), 1);
    // One token does for everything, and neither it nor what it was got with is logged.
    let asked = endpoint.asked.lock().expect("the list").clone();
    let [query] = &asked[..] else { panic!("{asked:?}") };
    assert!(query.contains("resource=https%3A%2F%2Fstorage.azure.com") && query.contains("client_id=0f3c"), "{query}");
    let log = app.log();
    assert!(!log.contains("hunter2") && !log.contains("c2ln"), "{log}");
    azure.github.assert_clean();
}
