//! The Lambda functions as they are shipped, each in an environment of AWS's emulator: how long they take to start, how long
//! an invocation takes once they run, and how much memory they have had.

use std::path::Path;
use std::time::{Duration, Instant};

use autopr_core::ids::{ExecutionId, RepoName};
use autopr_core::message::Message;
use autopr_services::Rie;
use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::load::{Deliveries, SECRET};
use crate::median;

/// One way to invoke a function.
struct Case {
    function: &'static str,
    what: &'static str,
    event: Value,
}

/// The most that the webhook's function may take to start, in milliseconds, in the middle: GitHub waits for it.
const WEBHOOK_START: f64 = 25.0;

/// Prints a table in Markdown, as the documentation has it.
///
/// # Panics
/// When the webhook's function starts too slowly.
pub(crate) async fn run(database: &str, folder: &Path, starts: usize, invocations: usize) {
    let queue = queue().await;
    println!("| function | invocation | start, median (slowest) | warm, median (p99) | peak memory |");
    println!("|---|---|---|---|---|");
    for case in cases() {
        let bootstrap = folder.join(case.function).join("bootstrap");
        if !bootstrap.is_file() {
            println!("| `{}` | {} | not built: run scripts/package-lambdas | | |", case.function, case.what);
            continue;
        }
        let own = ("LAMBDA_TASK_ROOT", folder.join(case.function).display().to_string());
        let variables: Vec<_> = variables(database, &queue).into_iter().chain([own]).collect();
        measure(&case, &bootstrap, &variables, starts, invocations).await;
    }
}

async fn measure(case: &Case, bootstrap: &Path, env: &[(&str, String)], starts: usize, invocations: usize) {
    let mut inits = Vec::new();
    let mut warm = Vec::new();
    let (mut peak, mut number) = (0, 0);
    for start in 0..starts.max(1) {
        let rie = Rie::start(bootstrap, env);
        invoke(&rie, case, &mut number).await;
        inits.extend(rie.init_times().first().map(milliseconds));
        if start == 0 {
            for _ in 0..invocations {
                let begun = Instant::now();
                invoke(&rie, case, &mut number).await;
                // By our own clock: the emulator's part in it is the same for every function.
                warm.push(milliseconds(&begun.elapsed()));
            }
        }
        peak = peak.max(rie.peak_memory().unwrap_or_default());
    }
    warm.sort_by(f64::total_cmp);
    let late = warm.get(warm.len() * 99 / 100).copied().unwrap_or_default();
    let slowest = inits.iter().copied().fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53")]
    let megabytes = peak as f64 / 1e6;
    let init = median(&mut inits);
    println!(
        "| `{}` | {} | {init:.1} ms ({slowest:.1} ms) | {:.1} ms ({late:.1} ms) | {megabytes:.0} MB |",
        case.function,
        case.what,
        if warm.is_empty() { 0.0 } else { median(&mut warm) },
    );
    assert!(
        case.function != "aws-webhook" || init <= WEBHOOK_START,
        "the webhook's function takes {init:.1} ms to start, and may take {WEBHOOK_START} ms"
    );
}

async fn invoke(rie: &Rie, case: &Case, number: &mut u32) {
    let mut event = case.event.clone();
    *number += 1;
    if let Some(delivery) = event["headers"].get_mut("x-github-delivery") {
        // One that was seen before would not go to the queue.
        *delivery = format!("bench-{number}").into();
    }
    let answer = rie.invoke(&event).await;
    let answer = answer.unwrap_or_else(|error| panic!("{}: {error:?}\n{}", case.function, rie.log()));
    // Something was done: requests are answered well, and no message is given back.
    let well = answer["statusCode"].as_u64().is_none_or(|status| status < 400);
    let kept = answer["batchItemFailures"].as_array().is_none_or(Vec::is_empty);
    let queued = case.function != "aws-webhook" || answer["body"].as_str().is_some_and(|body| body.contains("queued"));
    assert!(well && kept && queued, "{}: {answer}\n{}", case.function, rie.log());
}

fn cases() -> Vec<Case> {
    let (webhook, signature) = (Deliveries::new(), "x-hub-signature-256");
    let (body, signed) = webhook.parts();
    let mut delivery = request("POST", "/webhooks/github", body);
    for (name, value) in [("x-github-event", "pull_request"), ("x-github-delivery", "bench"), (signature, signed)] {
        delivery["headers"][name] = value.into();
    }
    vec![
        Case { function: "aws-webhook", what: "a signed webhook of 25 KB", event: delivery },
        Case { function: "aws-worker", what: "a message about nothing", event: message() },
        Case { function: "aws-sweeper", what: "nothing to sweep", event: json!({}) },
        Case { function: "aws-api", what: "`GET /api/ready`", event: request("GET", "/api/ready", "") },
    ]
}

/// A request as an HTTP API hands it on, in format 2.0.
fn request(method: &str, path: &str, body: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "content-type": "application/json", "host": "bench.execute-api.us-east-1.amazonaws.com" },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "bench",
            "domainName": "bench.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "bench",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "bench",
            },
            "requestId": "bench",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_348_800_000_u64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

/// A batch with a message that nobody has anything to do for: what is left is the function's own work and one look into the
/// database.
fn message() -> Value {
    let record = json!({
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": Message::advance(ExecutionId::new(), RepoName::new("acme/shop").expect("a name")).encode(),
        "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1795348800000" },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:bench",
        "awsRegion": "us-east-1",
    });
    json!({ "Records": [record] })
}

/// What the functions are told. Secrets stand in the variables, so that a start waits for nobody.
fn variables(database: &str, queue: &str) -> Vec<(&'static str, String)> {
    let own = |text: &str| text.to_owned();
    vec![
        ("AUTOPR_ENV", own("production")),
        ("AUTOPR_QUEUE_URL", format!("{queue}/123456789012/bench")),
        ("AWS_ENDPOINT_URL", own(queue)),
        ("DATABASE_URL", own(database)),
        ("GITHUB_TOKEN", own("a token of the benchmark")),
        ("GITHUB_WEBHOOK_SECRET", own(SECRET)),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", own("512")),
    ]
}

/// A queue that takes everything and keeps nothing; its address.
async fn queue() -> String {
    let taken = post(async || axum::Json(json!({ "MessageId": "m-1" })));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback_service(taken.with_state(()))).await });
    format!("http://{address}")
}

fn milliseconds(time: &Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
