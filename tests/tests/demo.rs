//! What `scripts/demo` shows.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use autopr_e2e::Repository;
use autopr_e2e::server::signal;

fn demo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autopr-demo"));
    command.env("NO_COLOR", "1");
    command
}

fn text(output: &Output) -> String {
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}\n{}", String::from_utf8_lossy(&output.stderr));
    shown
}

/// Asserts that the lines come in this order, others between them.
fn in_order(shown: &str, lines: &[&str]) {
    let mut rest = shown;
    for line in lines {
        let found = rest.find(line).unwrap_or_else(|| panic!("no `{line}` where it belongs in:\n{shown}"));
        rest = &rest[found + line.len()..];
    }
}

#[test]
fn the_example_is_reviewed_mended_and_reviewed_again() {
    let shown = text(&demo().output().expect("the demo runs"));
    in_order(
        &shown,
        &[
            "==> dev opens a pull request",
            "answered 202 after",
            "### AutoPR review: 6 findings, 3 of them block merging",
            "#### Without evidence",
            "**Low:** Amounts are evaluated as code",
            "src/shop/payments.py (line 10)",
            "**Critical:** Stripe live key in the change",
            "deploy/values.yaml (line 2)",
            "**High:** Merge conflict marker",
            "src/shop/cart.py (line 23)",
            "**High:** An empty cart divides by zero",
            "+         return self.total() / pieces if pieces else 0.0",
            // The model said line 2.
            "src/shop/cart.py (line 27)",
            "**Medium:** The first page is skipped",
            "Check autopr/review: failure",
            "- **High:** `src/shop/cart.py:23` An empty cart divides by zero",
            "==> dev pushes a commit that mends what blocks",
            "### AutoPR review: 2 findings, none blocking",
            "Check autopr/review: success",
            "==> dev comments: /autopr help",
            "[👍]",
            "| `/autopr review` |",
            "==> the account",
            "2 × POST …/pulls/1/reviews",
            "2 calls, ",
        ],
    );
    assert_eq!(shown.matches("### AutoPR review").count(), 2, "{shown}");
}

#[test]
fn a_range_of_a_repository_is_reviewed() {
    let repository = Repository::default();
    repository.write("main.py", "print(1)\n").commit("Begin");
    repository.write(".autopr.yml", "version: 1\n").commit("Configure");
    repository.write("main.py", "import pdb; pdb.set_trace()\n").commit("Look closer\n\nAt the second line.");
    let run = |range: &str| text(&demo().arg(repository.path()).arg(range).output().expect("the demo runs"));
    in_order(&run("HEAD~1..HEAD"), &["Look closer #1", "At the second line.", "1 finding", "main.py (line 1)"]);
    in_order(&run("HEAD~2..HEAD~1"), &["Configure #1", "no findings"]);
}

#[test]
fn what_can_not_be_shown_is_an_error_with_a_reason() {
    let repository = Repository::default();
    repository.write("a", "a\n").commit("Begin");
    let output = demo().arg(repository.path()).arg("no-such-branch..HEAD").output().expect("the demo runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("error: ") && error.contains("no-such-branch"), "{error}");
}

#[test]
fn what_is_kept_can_be_tried_by_hand() {
    let mut child = demo().arg("--keep").stdout(Stdio::piped()).spawn().expect("the demo starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let send = |line: &String| line.contains("autopr send ") && line.contains("--event issue_comment");
    let line = lines.find(send).expect("a line to try");
    let (_, command) = line.split_once("GITHUB_WEBHOOK_SECRET=").expect("a secret");
    let sent = Command::new("sh").arg("-c").arg(format!("GITHUB_WEBHOOK_SECRET={command}")).output().expect("sh runs");
    let answer = text(&sent);
    assert!(answer.contains("\"queued\""), "{answer}");
    // The same command again, so that help is given once more.
    lines.find(|line| line.contains("| `/autopr help` |")).expect("the answer is shown");
    signal(child.id(), "TERM");
    let status = child.wait().expect("the demo ends");
    assert!(status.success(), "{status}");
}
