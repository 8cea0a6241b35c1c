//! How fast it answers and how little it takes. The figures are printed. With `AUTOPR_TEST_STRICT` set, load and bounds are
//! those of the product; without, they are what an unoptimised build carries on a machine that is busy with other work.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::Instant;

use autopr_core::intake::Secrets;
use autopr_e2e::autopr;
use autopr_e2e::server::{block_on, scripted_model};
use autopr_fakes::model::{Gate, Reply, Vendor};
use secrecy::SecretString;

use super::*;

/// Deliveries a second.
fn rate() -> u32 {
    bound(200, 20)
}

/// What is asked for and what the figures are held to: for the product, or on a busy machine.
fn bound<T>(product: T, noisy: T) -> T {
    if std::env::var_os("AUTOPR_TEST_STRICT").is_some() { product } else { noisy }
}

/// A payload of the size that GitHub's usually have.
fn payload(action: &str, number: u64, head: &str, base: &str, installation: u64) -> Vec<u8> {
    let pull = serde_json::json!({
        "updated_at": "2026-01-02T03:04:05Z", "head": { "sha": head }, "base": { "sha": base },
        "body": "A sentence about this change. ".repeat(700)
    });
    serde_json::to_vec(&serde_json::json!({
        "action": action, "number": number, "pull_request": pull, "repository": { "full_name": "acme/shop" },
        "sender": { "login": "dev", "type": "User" }, "installation": { "id": installation }
    }))
    .expect("JSON")
}

/// Delivers the payloads at a constant rate, whatever the answers take, and gives the times from the planned moment of
/// each to its answer, in order of their length.
fn deliver_all(url: &str, name: &str, payloads: Vec<Vec<u8>>) -> Vec<Duration> {
    let secrets = Secrets::new(vec![SecretString::from(SECRET)]).expect("one secret");
    let signed: Vec<_> = payloads.into_iter().map(|body| (secrets.sign(&body).expect("a signature"), body)).collect();
    let (http, rate) = (reqwest::Client::new(), rate());
    block_on(async {
        let begun = tokio::time::Instant::now() + Duration::from_millis(50);
        let mut sent = Vec::new();
        for (number, (signature, body)) in (0..).zip(signed) {
            let planned = begun + Duration::from_secs(1) * number / rate;
            let request = http.post(url).header("x-github-event", "pull_request");
            let request = request.header("x-github-delivery", format!("{name}-{number}"));
            let request = request.header("x-hub-signature-256", signature).body(body);
            sent.push(tokio::spawn(async move {
                tokio::time::sleep_until(planned).await;
                let answer = request.send().await.expect("an answer");
                assert_eq!(answer.status(), 202);
                planned.elapsed()
            }));
        }
        let mut times = Vec::new();
        for sent in sent {
            times.push(sent.await.expect("it was sent"));
        }
        times.sort_unstable();
        times
    })
}

fn at(times: &[Duration], part: f64) -> Duration {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short list"
    )]
    let place = (times.len() as f64 * part) as usize;
    times[place.min(times.len() - 1)]
}

fn show(what: &str, times: &[Duration]) {
    let [half, nearly, most] = [0.5, 0.99, 1.0].map(|part| at(times, part));
    println!("{what}: p50 {half:.1?}, p99 {nearly:.1?}, longest {most:.1?} of {}", times.len());
}

/// A figure of the process's status, in KiB: `VmRSS` now, `VmHWM` the most so far.
fn memory(pid: u32, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':')).expect("the figure");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn webhooks_are_answered_fast_at_a_constant_rate() {
    let (_github, server) = server();
    let sha = "0123456789012345678901234567890123456789";
    // Each is queued, taken by the worker and recorded; no workflow wants it.
    let payloads = (1..=u64::from(rate()) * 10).map(|number| payload("closed", number, sha, sha, 1)).collect();
    let times = deliver_all(&server.webhook(), "load", payloads);
    show(&format!("webhook to 202 at {}/s for 10 s", rate()), &times);
    assert!(at(&times, 0.99) < bound(Duration::from_millis(10), Duration::from_secs(4)), "{:?}", at(&times, 0.99));
}

#[test]
fn it_starts_fast_and_is_small_when_idle() {
    let mut starts = Vec::new();
    let mut sizes = Vec::new();
    for _ in 0..5 {
        let (took, kib) = start();
        starts.push(took);
        sizes.push(kib);
    }
    starts.sort_unstable();
    println!("start to first 200: {starts:.1?}; idle: {sizes:?} KiB");
    assert!(starts[2] < bound(Duration::from_millis(100), Duration::from_secs(2)), "{starts:?}");
    assert!(sizes.iter().all(|kib| *kib < bound(25_000, 80_000)), "{sizes:?}");
}

/// From the start of the process to its first good answer, and its memory then.
fn start() -> (Duration, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let free = || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let (port, metrics) = (free(), free());
    let settings = format!("server: {{ host: 127.0.0.1 }}\nmonitoring: {{ metrics_port: {metrics} }}\n");
    std::fs::write(folder.path().join("settings.yaml"), settings).expect("the settings are written");
    let begun = Instant::now();
    let mut child = autopr()
        .current_dir(folder.path())
        .args(["serve", "--config", "settings.yaml"])
        .env("AUTOPR_PORT", port.to_string())
        .envs([("GITHUB_TOKEN", "t"), ("GITHUB_WEBHOOK_SECRET", "s")])
        .stderr(Stdio::null())
        .spawn()
        .expect("autopr starts");
    let healthy = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.write_all(b"GET /api/health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(())
    };
    while healthy().is_none() {
        assert!(begun.elapsed() < autopr_e2e::server::PATIENCE, "it does not start");
        std::thread::sleep(Duration::from_micros(200));
    }
    let took = begun.elapsed();
    let kib = memory(child.id(), "VmRSS");
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    (took, kib)
}

#[test]
fn hundreds_of_executions_wait_for_the_model_at_once() {
    let many = bound(500, 50);
    let github = FakeGitHub::unchecked();
    github.add_repository(NewRepository::new("acme", "shop").collaborator("dev", Permission::Write));
    let app = github.install_app("acme");
    let payloads = (0..many)
        .map(|_| {
            let number = open_pull(&github);
            let (head, base) = (github.head("acme", "shop", number), github.base("acme", "shop", number));
            payload("opened", number, &head, &base, app.installation_id)
        })
        .collect();
    let model = scripted_model();
    model.keep_no_bodies();
    let answered = Gate::new();
    model.by_default(Reply::Stall(answered.clone(), Box::new(Reply::answer(r#"{"findings":[]}"#))));
    let setup = Setup::app(&github, &app).models(&model, &[Vendor::OpenAi]);
    let server =
        Server::start(setup.set("MAX_CONCURRENT_WORKFLOWS", &many.to_string()).set("AUTOPR_LOG_LEVEL", "INFO"));
    let idle = memory(server.pid(), "VmRSS");
    let times = deliver_all(&server.webhook(), "load", payloads);
    show(&format!("webhook to 202 while {many} executions begin"), &times);
    let begun = Instant::now();
    while model.count() < many {
        assert!(begun.elapsed() < autopr_e2e::server::PATIENCE, "only {} have asked the model", model.count());
        std::thread::sleep(Duration::from_millis(10));
    }
    let held = memory(server.pid(), "VmRSS");
    // While all of them wait, two seconds more of deliveries.
    let sha = "0123456789012345678901234567890123456789";
    let more = (0..u64::from(rate()) * 2).map(|number| payload("closed", 10_000 + number, sha, sha, 1)).collect();
    let more = deliver_all(&server.webhook(), "more", more);
    show(&format!("webhook to 202 while {many} executions wait"), &more);
    answered.open();
    server.finished(many);
    let most = memory(server.pid(), "VmHWM");
    println!("idle {idle} KiB, {many} held {held} KiB, most {most} KiB");
    assert!(most <= bound(150_000, 400_000), "{most} KiB");
    assert!(at(&more, 1.0) <= bound(Duration::from_millis(20), Duration::from_secs(4)), "{:?}", at(&more, 1.0));
    assert!(at(&times, 1.0) <= bound(Duration::from_millis(20), Duration::from_secs(4)), "{:?}", at(&times, 1.0));
    assert_eq!((1..).take(many).map(|n| github.reviews("acme", "shop", n).len()).sum::<usize>(), many);
}
