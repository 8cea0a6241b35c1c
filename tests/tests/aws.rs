//! AWS: the functions' own programs in the emulator of their environment, from a signed webhook to the review.

use std::time::{Duration, Instant};

use autopr_core::ids::{ExecutionId, RepoName};
use autopr_core::message::Message;
use autopr_e2e::aws::{Aws, TRACE, eventually, gateway};
use autopr_e2e::world::{CLEAN, NOTHING};
use autopr_fakes::model::{Gate, Reply, ScriptedModel, Vendor};
use autopr_services::{Fault, FaultProxy, Postgres, Pump};
use axum::Router;
use axum::http::StatusCode;
use insta::assert_snapshot;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_webhook_becomes_one_review() {
    let model = ScriptedModel::start().await.expect("it listens");
    model.by_default(Reply::answer(NOTHING));
    let aws = Aws::new(30, 5, |setup| setup.models(&model, &[Vendor::OpenAi])).await;
    let webhook = aws.webhook().await;
    let number = aws.open(CLEAN).await;
    assert_eq!(aws.messages(&aws.queue).await, 1);

    let worker = aws.function("aws-worker", &[]);
    let pump = Pump::new(&aws.queue);
    let reviewed = async || aws.reviews(number) == 1 && aws.messages(&aws.queue).await == 0;
    let pumped = aws.pump_until(&worker, pump, "one review", reviewed).await;
    assert_eq!(pumped.failed_invocations, 0, "{}", worker.log());
    assert_eq!(aws.executions(), ["succeeded 1"]);
    assert_eq!(model.requests().len(), 1);
    aws.github.assert_clean();

    // Each line can be found by the delivery, and the metrics are in the log.
    let log = format!("{}{}", webhook.log(), worker.log());
    let delivery = &aws.github.deliveries()[0].guid;
    let lines = |what: &str| log.lines().filter(|line| line.contains(what) && line.contains(delivery)).count();
    assert_eq!(lines(r#""status":"queued""#), 1, "{log}");
    assert_eq!(lines(r#""outcome":"done""#), 1, "{log}");
    // The trace that the webhook came with reaches the worker through the queue.
    assert!(worker.log().contains(TRACE), "{}", worker.log());
    assert!(log.contains(r#""Namespace":"AutoPR""#) && log.contains("autopr_executions_total"), "{log}");
    assert!(!log.contains(autopr_e2e::server::SECRET), "{log}");

    let done = log.lines().find(|line| line.contains(r#""outcome":"done""#)).expect("a line");
    assert!(done.contains(r#""request_id":""#) && done.contains(r#""execution":""#), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_outlive_an_invocation_and_what_is_left_of_them_is_known() {
    let aws = Aws::new(30, 5, |setup| setup).await;
    let _webhook = aws.webhook().await;
    let worker = aws.function("aws-worker", &[]);
    let review = async || {
        let number = aws.open(CLEAN).await;
        let reviewed = async || aws.reviews(number) == 1 && aws.messages(&aws.queue).await == 0;
        aws.pump_until(&worker, Pump::new(&aws.queue), "one review", reviewed).await;
        aws.sessions()
    };
    let first = review().await;
    let second = review().await;
    assert!(!first.is_empty() && first.iter().all(|session| second.contains(session)), "{first:?} {second:?}");

    // What a frozen function is not told: the database was restarted, or a proxy has hung up.
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'autopr'";
    autopr_services::psql(&aws.database, sql).expect("an answer");
    let third = review().await;
    assert!(second.iter().all(|session| !third.contains(session)), "{second:?} {third:?}");
    assert_eq!(worker.log().matches(r#""outcome":"again""#).count(), 0, "{}", worker.log());

    worker.stop();
    assert!(worker.log().contains("closed: Lambda ends this process"), "{}", worker.log());
    eventually("the sessions have ended", async || aws.sessions().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_even_be_given_back_does_not_hold_up_the_others() {
    let (model, gate) = (ScriptedModel::start().await.expect("it listens"), Gate::new());
    model.by_default(Reply::Stall(gate.clone(), Box::new(Reply::answer(NOTHING))));
    let aws = Aws::new(600, 5, |setup| setup.models(&model, &[Vendor::OpenAi])).await;
    let _webhook = aws.webhook().await;
    let number = aws.open(CLEAN).await;
    let nothing = Message::advance(ExecutionId::new(), RepoName::new("acme/shop").expect("a name"));
    aws.send(&nothing.encode()).await;

    let upstream = Postgres::shared().address();
    let proxy = FaultProxy::start(&upstream);
    let database = aws.database.replace(&upstream, &proxy.address());
    let worker = aws.function("aws-worker", &[("DATABASE_URL", &database), ("AWS_LAMBDA_FUNCTION_TIMEOUT", "8")]);
    let waits = async || {
        let waits = model.count() == 1;
        if waits {
            proxy.set(Fault::Blackhole);
        }
        waits
    };
    let pump = Pump::new(&aws.queue).window(Duration::from_secs(5));
    let pumped = aws.pump_until(&worker, pump, "one waits for the model", waits).await;
    assert_eq!((pumped.invocations, pumped.failed_invocations), (1, 0), "{}", worker.log());
    assert_eq!((pumped.received, pumped.deleted), (2, 1), "{}", worker.log());
    assert!(worker.log().contains("messages were left behind"), "{}", worker.log());
    // It comes again in seconds and not in ten minutes.
    proxy.set(Fault::Pass);
    gate.open();
    let again = async || worker.log().matches(r#""receive_count":2"#).count() > 0;
    aws.pump_until(&worker, Pump::new(&aws.queue), "it comes again", again).await;
    assert!(aws.reviews(number) <= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_message_fails_alone_and_reaches_the_dead_letters() {
    let aws = Aws::new(3, 3, |setup| setup).await;
    let _webhook = aws.webhook().await;
    let first = aws.open(CLEAN).await;
    aws.send(r#"{"v":9,"of":"a version that nobody knows"}"#).await;
    let second = aws.open(CLEAN).await;

    let worker = aws.function("aws-worker", &[]);
    let all_done = async || {
        // SQS moves it when it would be handed out once more.
        aws.messages(&aws.dead).await == 1 && aws.messages(&aws.queue).await == 0
    };
    let pumped = aws.pump_until(&worker, Pump::new(&aws.queue), "the dead letter", all_done).await;
    assert_eq!((aws.reviews(first), aws.reviews(second)), (1, 1), "{}", worker.log());
    assert_eq!((pumped.failed_invocations, pumped.deleted), (0, 2), "{}", worker.log());
    assert_eq!(worker.log().matches(r#""message","outcome":"again""#).count(), 3, "{}", worker.log());
    assert_eq!(aws.executions(), ["succeeded 2"]);
    aws.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_had_is_done_once_by_another() {
    let model = ScriptedModel::start().await.expect("it listens");
    model.by_default(Reply::answer(NOTHING));
    // The message of the killed worker comes back after the sweeper has found the execution.
    let aws = Aws::new(20, 5, |setup| setup.models(&model, &[Vendor::OpenAi])).await;
    let _webhook = aws.webhook().await;
    let number = aws.open(CLEAN).await;
    let (worker, sweeper) = (aws.fast_function("aws-worker", &[]), aws.fast_function("aws-sweeper", &[]));

    let held = model.hold();
    let kill_and_sweep = async {
        held.arrived().await;
        worker.crash();
        held.release();
        eventually("one review", async || {
            sweeper.invoke(&json!({ "any": "payload" })).await.expect("it sweeps");
            aws.reviews(number) > 0 && aws.executions() == ["succeeded 1"]
        })
        .await;
    };
    let reviewed = async || aws.executions() == ["succeeded 1"];
    let pumping = aws.pump_until(&worker, Pump::new(&aws.queue), "the execution ends", reviewed);
    let (pumped, ()) = tokio::join!(pumping, kill_and_sweep);
    assert_eq!(pumped.failed_invocations, 1, "{}", worker.log());
    assert_eq!((aws.reviews(number), model.count()), (1, 2), "{}", worker.log());
    let none_left = async || aws.messages(&aws.queue).await == 0;
    aws.pump_until(&worker, Pump::new(&aws.queue), "the message comes again", none_left).await;
    assert_eq!((aws.reviews(number), model.count()), (1, 2), "{}", worker.log());
    assert_eq!(aws.executions(), ["succeeded 1"]);
    aws.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_time_is_over_is_given_back_and_goes_on() {
    let (model, gate) = (ScriptedModel::start().await.expect("it listens"), Gate::new());
    model.by_default(Reply::Stall(gate.clone(), Box::new(Reply::answer(NOTHING))));
    let aws = Aws::new(600, 5, |setup| setup.models(&model, &[Vendor::OpenAi])).await;
    let _webhook = aws.webhook().await;
    let numbers = [aws.open(CLEAN).await, aws.open(CLEAN).await];

    let worker = aws.function("aws-worker", &[("AWS_LAMBDA_FUNCTION_TIMEOUT", "8")]);
    // The pump takes no more once both wait for the model, and lets the invocation end.
    let both_wait = async || model.count() == 2;
    let pumped = aws.pump_until(&worker, Pump::new(&aws.queue), "both wait for the model", both_wait).await;
    assert_eq!((pumped.failed_invocations, pumped.deleted), (0, 2), "{}", worker.log());
    assert_eq!(aws.messages(&aws.queue).await, 2, "each goes on with a message of its own");
    assert_eq!(numbers.map(|number| aws.reviews(number)), [0, 0]);

    gate.open();
    let done = async || aws.executions() == ["succeeded 2"];
    let pumped = aws.pump_until(&worker, Pump::new(&aws.queue), "both are done", done).await;
    assert_eq!(pumped.failed_invocations, 0, "{}", worker.log());
    assert_eq!(numbers.map(|number| aws.reviews(number)), [1, 1]);
    aws.github.assert_clean();
}

/// How long a model takes: twenty seconds in a measurement, less among the other tests.
fn slow() -> Duration {
    Duration::from_secs(if std::env::var_os("AUTOPR_TEST_STRICT").is_some() { 20 } else { 8 })
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_executions_that_wait_for_a_model_take_the_time_of_one() {
    let model = ScriptedModel::start().await.expect("it listens");
    model.by_default(Reply::After(slow(), Box::new(Reply::answer(NOTHING))));
    let aws = Aws::new(600, 5, |setup| setup.models(&model, &[Vendor::OpenAi])).await;
    let _webhook = aws.webhook().await;
    let worker = aws.function("aws-worker", &[]);
    let last = || worker.invoke_times().last().copied().expect("an invocation");
    // The start is no part of the measurement.
    worker.invoke(&json!({ "Records": [] })).await.expect("it starts");
    aws.open(CLEAN).await;
    let done = async || aws.executions() == ["succeeded 1"];
    aws.pump_until(&worker, Pump::new(&aws.queue), "one review", done).await;
    let one = last();
    let mut numbers = Vec::new();
    for index in 0..10 {
        // Each change is another one, or one answer would do for all.
        numbers.push(aws.open(&CLEAN.replace("copied", &format!("copied_{index}"))).await);
    }
    let done = async || aws.executions() == ["succeeded 11"];
    let pump = Pump::new(&aws.queue).window(Duration::from_secs(5));
    let pumped = aws.pump_until(&worker, pump, "ten reviews", done).await;
    let took = last();
    assert_eq!(pumped.invocations, 1, "{pumped:?}\n{}", worker.log());
    assert_eq!(model.count(), 11);
    assert!(numbers.iter().all(|number| aws.reviews(*number) == 1), "{}", worker.log());
    // One after the other they would take ten times as long. How little comes on top is for a machine that is not busy.
    let most = if std::env::var_os("AUTOPR_TEST_STRICT").is_some() { one * 3 / 2 } else { one * 5 / 2 };
    assert!(took < most, "ten took {took:?} where one takes {one:?}");
    let memory = worker.peak_memory().unwrap_or_default() / 1_000_000;
    eprintln!("a model of {:?}: one execution in {one:?}, ten in {took:?}, at most {memory} MB", slow());
}

/// The lines that a function logs when it can't start.
async fn refused(aws: &Aws, name: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let function = aws.function(name, variables);
    let begun = Instant::now();
    let outcome = function.invoke(&json!({})).await;
    assert!(outcome.is_err(), "{name} started: {outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let log = function.log();
    assert!(!log.contains("hunter2"), "{log}");
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines = lines.filter(|line| line["message"] == "can't start");
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let mut lines: Vec<_> = lines
        .map(|line| format!("{}: {}; {}", text(&line, "setting"), text(&line, "why"), text(&line, "fix")))
        .collect();
    // Lambda, and its emulator with it, tries again.
    lines.sort();
    lines.dedup();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_at_the_start_is_named_with_its_setting_and_its_secret() {
    let aws = Aws::new(30, 5, |setup| setup).await;
    aws.secret("autopr/webhook", r#"{"secret":"hunter2"}"#).await;
    aws.secret("autopr/database", r#"{"username":"u","password":"hunter2","host":"h","port":5432,"database":"d"}"#)
        .await;
    let named = ("GITHUB_WEBHOOK_SECRET", "aws-sm://autopr/webhook#secret");

    let denying = denying().await;
    let (hook, queue, endpoint) = ("GITHUB_WEBHOOK_SECRET", "AUTOPR_QUEUE_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER");
    let (webhook, worker) = ("aws-webhook", "aws-worker");
    let mut told = String::new();
    for (case, function, variables) in [
        ("a secret that is missing", webhook, vec![(hook, "aws-sm://autopr/hook")]),
        ("a secret without the key", webhook, vec![(hook, "aws-sm://autopr/webhook#value")]),
        ("another region", webhook, vec![named, ("AWS_REGION", "eu-west-1")]),
        ("access denied", webhook, vec![named, (endpoint, &denying)]),
        ("nothing set", webhook, vec![(hook, ""), (queue, "")]),
        (
            "SQLite and no credentials",
            worker,
            vec![("DATABASE_URL", "sqlite://autopr.db"), ("GITHUB_APP_ID", ""), ("GITHUB_APP_PRIVATE_KEY", "")],
        ),
        (
            "several",
            worker,
            vec![("DATABASE_URL", "aws-sm://autopr/database#url"), ("GITHUB_APP_PRIVATE_KEY", "aws-sm://autopr/app")],
        ),
    ] {
        told.push_str(&format!("{case}\n"));
        refused(&aws, function, &variables).await.iter().for_each(|line| told.push_str(&format!("  {line}\n")));
    }
    assert_snapshot!(told, @"
    a secret that is missing
      github.webhook_secrets: there is no secret autopr/hook in us-east-1; create it there, or correct its name or the region (AWS_REGION)
    a secret without the key
      github.webhook_secrets: the secret autopr/webhook has no key `value`; add the key to the secret, or name one that it has
    another region
      github.webhook_secrets: there is no secret autopr/webhook in eu-west-1; create it there, or correct its name or the region (AWS_REGION)
    access denied
      github.webhook_secrets: access to the secret autopr/webhook in us-east-1 is denied; allow secretsmanager:GetSecretValue on it to the role this runs as, and kms:Decrypt on its key if that is one of yours
    nothing set
      AUTOPR_QUEUE_URL: the queue is not named; set it to the queue's URL, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME
      github.webhook_secrets: without a webhook secret no delivery is trusted; set GITHUB_WEBHOOK_SECRET to the secret in the webhook's settings on GitHub
    SQLite and no credentials
      database.url: a file of SQLite can't be shared, and would be gone with the machine that it lies on; set DATABASE_URL to postgresql://USER:PASSWORD@HOST:PORT/NAME
      github.token: there are no credentials for GitHub; set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, or GITHUB_TOKEN
    several
      database.url: the secret autopr/database has no key `url`; add the key to the secret, or name one that it has
      github.app.private_key: there is no secret autopr/app in us-east-1; create it there, or correct its name or the region (AWS_REGION)
    ");

    // Without what others need the webhook starts, from a secret.
    let webhook = aws
        .function("aws-webhook", &[named, ("DATABASE_URL", ""), ("GITHUB_APP_ID", ""), ("GITHUB_APP_PRIVATE_KEY", "")]);
    let answer = gateway(webhook).await;
    let health = reqwest::get(format!("{answer}/api/health?detailed=true")).await.expect("an answer");
    assert_eq!(health.status(), 200);
}

/// What answers in Secrets Manager's place when the role may not read a secret.
async fn denying() -> String {
    let body = r#"{"__type":"AccessDeniedException","Message":"User hunter2 is not authorized"}"#;
    let answer =
        move || async move { (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.1")], body) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_tells_whether_the_database_is_there() {
    let aws = Aws::new(30, 5, |setup| setup).await;
    let url = gateway(aws.function("aws-api", &[("GITHUB_APP_ID", ""), ("GITHUB_APP_PRIVATE_KEY", "")])).await;
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{url}{path}")).await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    let (status, health) = get("/api/health?detailed=true").await;
    assert_eq!((status, &health["dependencies"]["database"]["status"]), (200, &json!("healthy")), "{health}");
    assert_eq!(get("/api/ready").await, (200, json!({ "status": "ready" })));
    let (status, problem) = get("/nowhere").await;
    assert_eq!((status, &problem["status"]), (404, &json!(404)), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_changes_is_used_without_a_new_start() {
    let aws = Aws::new(30, 5, |setup| setup).await;
    aws.secret("autopr/webhook", "the old one").await;
    let webhook = aws.fast_function("aws-webhook", &[("GITHUB_WEBHOOK_SECRET", "aws-sm://autopr/webhook")]);
    let url = format!("{}/webhooks/github", gateway(webhook.clone()).await);
    let ping = async |secret: &str| {
        aws.github.send_webhooks_to(&url, secret);
        aws.github.deliver_ping().await.status_code
    };
    assert_eq!((ping("the old one").await, ping("the new one").await), (202, 401));
    aws.change_secret("autopr/webhook", "the new one").await;
    // By its clock it looks every five minutes.
    eventually("the new secret is used", async || ping("the new one").await == 202).await;
    assert_eq!(ping("the old one").await, 401);
    assert_eq!(webhook.init_times().len(), 1);
}
