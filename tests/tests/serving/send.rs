//! `autopr send`.

use std::io::Write;
use std::process::{Output, Stdio};

use autopr_e2e::autopr;

use super::*;

const PING: &str = "{\"zen\":\"Keep it simple\"}";

fn send(arguments: &[&str], secret: &str, input: &str) -> Output {
    let mut command = autopr();
    command.arg("send").args(arguments).current_dir(std::env::temp_dir());
    if !secret.is_empty() {
        command.env("GITHUB_WEBHOOK_SECRET", secret);
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("autopr starts");
    // It may end before it reads.
    drop(child.stdin.take().expect("its input").write_all(input.as_bytes()));
    child.wait_with_output().expect("autopr ends")
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
}

#[test]
fn a_payload_from_a_file_or_from_standard_input_is_delivered() {
    let (_github, server) = server();
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), PING).expect("the payload is written");
    for (name, delivery) in [(file.path().to_str().expect("text"), "from-file"), ("-", "from-input")] {
        let arguments = [name, "--event", "ping", "--url", &server.webhook(), "--delivery", delivery];
        // Of two secrets the first signs.
        let output = send(&arguments, &format!("{SECRET},another"), PING);
        assert_eq!(told(&output), (Some(0), format!("delivery {delivery}: 202 Accepted")));
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let expect =
            serde_json::json!({ "delivery": delivery, "status": "ignored", "reason": "the webhook is set up" });
        assert_eq!(answer, expect);
    }
}

#[test]
fn a_refusal_is_shown_and_is_no_success() {
    let (_github, server) = server();
    let arguments = ["-", "--event", "ping", "--url", &server.webhook(), "--delivery", "d"];
    let output = send(&arguments, "another secret", PING);
    assert_eq!(told(&output), (Some(1), "delivery d: 401 Unauthorized".to_owned()));
    assert!(String::from_utf8_lossy(&output.stdout).contains("is the secret the same on both sides?"));
}

#[test]
fn what_can_not_be_sent_is_named_with_the_fix() {
    let url = "http://127.0.0.1:9/webhooks/github";
    let check = |arguments: &[&str], secret: &str, expect: &str| {
        let (code, text) = told(&send(arguments, secret, PING));
        assert_eq!((code, &*text), (Some(2), expect));
    };
    let fix = "name a JSON file with a payload, or `-` for standard input";
    let missing = format!("autopr: can't read missing.json: No such file or directory (os error 2); {fix}");
    check(&["missing.json", "--event", "ping", "--url", url], SECRET, &missing);
    let unset = "autopr: there is no secret to sign with: set GITHUB_WEBHOOK_SECRET to the one of the server";
    check(&["-", "--event", "ping", "--url", url], "", unset);
    let refused = format!(
        "autopr: can't deliver to {url}: Connection refused (os error 111); is the server running, and is this its address?"
    );
    check(&["-", "--event", "ping", "--url", url], SECRET, &refused);
    let fix = "write one such as http://127.0.0.1:8080/webhooks/github";
    let relative = format!("autopr: --url here: relative URL without a base; {fix}");
    check(&["-", "--event", "ping", "--url", "here"], SECRET, &relative);
    let other = format!("autopr: --url ftp://here/x: can't deliver by `ftp`; {fix}");
    check(&["-", "--event", "ping", "--url", "ftp://here/x"], SECRET, &other);
    let line = "autopr: --event can't be sent: use printable ASCII characters only";
    check(&["-", "--event", "pi\nng", "--url", url], SECRET, line);
    let output = send(&["-", "--event", "ping", "--url", url], SECRET, "");
    let empty = "autopr: standard input is empty; give the payload of an event as JSON";
    assert_eq!(told(&output), (Some(2), empty.to_owned()));
}

#[test]
fn the_help_says_what_a_newcomer_needs() {
    let output = autopr().args(["send", "--help"]).output().expect("autopr runs");
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @r"
    Sign a payload and deliver it as GitHub would, to try a server

    Usage: autopr send [OPTIONS] --event <NAME> --url <URL> <FILE>

    Arguments:
      <FILE>  The payload, a JSON file as GitHub sends it; `-` reads standard input

    Options:
          --config <FILE>  Read this configuration file instead of configs/<AUTOPR_ENV>.yaml (which `review` does not read)
          --event <NAME>   The event's name, such as pull_request
          --url <URL>      Where to deliver it, such as http://127.0.0.1:8080/webhooks/github
          --delivery <ID>  The delivery's id; a new one without it. A server takes each id once
      -h, --help           Print help

    The secret to sign with is the server's own: GITHUB_WEBHOOK_SECRET, GITHUB_WEBHOOK_SECRET_FILE or
    github.webhook_secrets. The answer is printed on standard output.

    Exit codes:
      0    the server took the delivery
      1    the server refused it
      2    it could not be delivered
    ");
    let output = autopr().args(["serve", "--help"]).output().expect("autopr runs");
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @r"
    Take webhooks from GitHub and review pull requests: HTTP server, worker and sweeper in one process

    Usage: autopr serve [OPTIONS]

    Options:
          --config <FILE>  Read this configuration file instead of configs/<AUTOPR_ENV>.yaml (which `review` does not read)
      -h, --help           Print help

    It listens on server.port (AUTOPR_PORT) for webhooks at /webhooks/github, with /api/health and /api/ready beside them, and
    on monitoring.metrics_port for /metrics. Check the settings with `autopr config check`.

    Exit codes:
      0    stopped by a termination signal: what was under way is ended, or given back to be gone on with
      2    the settings can't be used, or the process could not start
      130  stopped by an interrupt
    A second signal ends it at once; nothing that was accepted is lost.
    ");
}
