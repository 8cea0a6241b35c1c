//! `autopr review` as its user runs it: the real binary on real repositories.

use autopr_e2e::{Repository, autopr, git};

/// A token that has GitHub's form, checksum and all, put together here so that this file holds none.
fn leaked_token() -> String {
    ["ghp_", "wCOdY0tsjStm6H0n2Yz", "uoeHNJ6EB1S", "0WTqWp"].concat()
}

fn risky_workflow() -> &'static str {
    "name: ci\non: pull_request_target\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      \
     - uses: actions/checkout@8f4b7f84864484a7bf31766abe9204da3cbe65b3\n        with:\n          \
     ref: ${{ github.event.pull_request.head.sha }}\n      - run: make test\n"
}

fn conflict() -> &'static str {
    "fn total() -> u32 {\n<<<<<<< HEAD\n    1\n=======\n    2\n>>>>>>> feature\n}\n"
}

fn bidi() -> String {
    format!("let admin = false;\nif access == \"user{}{} // only admins\" {{}}\n", '\u{202e}', '\u{2066}')
}

#[test]
fn the_four_planted_risks_are_found_on_their_lines() {
    let repository = Repository::default();
    repository.write("README.md", "# Shop\n").commit("first");
    repository
        .write("src/config.py", format!("import os\n\nTOKEN = \"{}\"\n", leaked_token()))
        .write("src/total.rs", conflict())
        .write("src/access.js", bidi())
        .write(".github/workflows/ci.yml", risky_workflow())
        .commit("four risks");
    let found = repository.findings(["HEAD~1..HEAD"]);
    for expected in [
        "src/config.py:3 secret/github-token critical",
        "src/total.rs:2 conflict/marker high",
        "src/access.js:2 unicode/bidi high",
        ".github/workflows/ci.yml:9 ci/pull-request-target-checkout high",
    ] {
        assert!(found.iter().any(|finding| finding == expected), "{expected} is not among {found:#?}");
    }
}

#[test]
fn the_same_in_deleted_and_context_lines_is_not_this_changes_fault() {
    let repository = Repository::default();
    let plants = |end: &str| {
        repository
            .write("src/config.py", format!("import os\n\nTOKEN = \"{}\"\n# {end}\n", leaked_token()))
            .write("src/total.rs", format!("{}// {end}\n", conflict()))
            .write("src/access.js", format!("{}// {end}\n", bidi()))
            .write(".github/workflows/ci.yml", format!("{}# {end}\n", risky_workflow()));
    };
    plants("one");
    repository.commit("planted");
    plants("two");
    repository.commit("context lines only");
    assert_eq!(repository.findings(["HEAD~1..HEAD"]), Vec::<String>::new());
    for path in ["src/config.py", "src/total.rs", "src/access.js", ".github/workflows/ci.yml"] {
        std::fs::remove_file(repository.path().join(path)).expect("removed");
    }
    repository.commit("deleted lines only");
    assert_eq!(repository.findings(["HEAD~1..HEAD"]), Vec::<String>::new());
}

#[test]
fn the_leaked_value_is_printed_in_no_format() {
    let repository = Repository::default();
    repository.commit("first").write("a.py", format!("TOKEN = \"{}\"\n", leaked_token())).commit("leak");
    for format in ["text", "markdown", "json", "sarif"] {
        let output = repository.review(["HEAD~1..HEAD", "--format", format]);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("github-token"), "{format}: {text}");
        assert!(!text.contains(&leaked_token()[..12]), "{format} prints the value");
        assert_eq!(output.status.code(), Some(1), "{format}: a leaked key blocks");
    }
}

#[test]
fn exit_codes_tell_what_happened() {
    let repository = Repository::default();
    repository.write("a.rs", "fn a() {}\n").commit("first").write("a.rs", "fn a() { dbg!(1); }\n").commit("debug");
    let code = |arguments: &[&str]| repository.review(arguments).status.code();
    assert_eq!(code(&["HEAD~1..HEAD"]), Some(0), "a debug leftover does not block");
    assert_eq!(code(&["HEAD~1..HEAD", "--fail-on", "info"]), Some(1));
    assert_eq!(code(&["HEAD~1..HEAD", "--fail-on", "never"]), Some(0));
    assert_eq!(code(&["nowhere..HEAD"]), Some(2));
    assert_eq!(code(&["HEAD~1..HEAD", "--fail-on", "bad"]), Some(2));
    assert_eq!(code(&["--workflow", "nope"]), Some(2));
}

#[test]
fn what_is_staged_is_reviewed_before_it_is_committed() {
    let repository = Repository::default();
    repository.write("a.rs", "fn one() {}\n").commit("first").write("a.rs", conflict());
    git(repository.path(), ["add", "a.rs"]);
    repository.write("a.rs", "fn one() {}\n");
    assert_eq!(repository.findings(["--staged"]), ["a.rs:2 conflict/marker high"]);
}

#[test]
fn configuration_counts_from_the_base_side_only() {
    let ignore = "version: 1\nreview:\n  ignore: [\"*.py\"]\n";
    let leak = format!("TOKEN = \"{}\"\n", leaked_token());
    let repository = Repository::default();
    repository.write("README.md", "x\n").commit("first");
    repository.write(".autopr.yml", ignore).write("a.py", &leak).commit("silence myself");
    assert_eq!(repository.findings(["HEAD~1..HEAD"]).len(), 1, "the head can't silence its own review");
    repository.write("b.py", &leak).commit("after the base has it");
    assert_eq!(repository.findings(["HEAD~1..HEAD"]).len(), 0);
}

#[test]
fn a_configs_folder_of_the_repository_is_not_the_engines() {
    let repository = Repository::default();
    repository.write("configs/development.yaml", "rails: { env: test }\n").commit("first");
    let output = autopr().arg("review").current_dir(repository.path()).output().expect("autopr runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mute = "name: pr-review\non: { manual: true }\nsteps: [{ id: fetch, uses: fetch }]\n";
    repository.write("evil/w.yaml", mute).write("configs/development.yaml", "workflow: { directory: evil }\n");
    repository.write("a.rs", conflict()).commit("second");
    let output = autopr().arg("review").current_dir(repository.path()).output().expect("autopr runs");
    assert_eq!(output.status.code(), Some(1), "the repository can't replace the workflow that reviews it");
}

#[test]
fn a_large_binary_file_is_told() {
    let repository = Repository::default();
    let noise: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    repository.commit("first").write("bin.dat", &noise).commit("second");
    let output = repository.review(["HEAD~1..HEAD"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("Large file added: `bin.dat`, 2.9 MiB"), "{text}");
}

#[cfg(unix)]
#[test]
fn what_a_review_keeps_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let repository = Repository::default();
    repository.commit("first");
    let kept = tempfile::tempdir().expect("a folder");
    let state = kept.path().join("state");
    repository.review(["--state".as_ref(), state.as_os_str()]);
    let mode = std::fs::metadata(&state).expect("the folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn the_review_of_a_clean_change_says_what_was_covered() {
    let repository = Repository::default();
    repository.write("a.txt", "one\n").commit("first").write("a.txt", "two\n").commit("second");
    let output = repository.review(["HEAD~1..HEAD"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("no findings"), "{text}");
    assert!(text.contains("1 file"), "{text}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("reviewing "), "progress goes to standard error");
}

#[test]
fn state_is_kept_where_it_is_asked_for_and_nowhere_else() {
    let repository = Repository::default();
    repository.write("a.txt", "one\n").commit("first");
    let before = git(repository.path(), ["status", "--porcelain", "--ignored"]);
    let kept = tempfile::tempdir().expect("a folder");
    let state = kept.path().join("state");
    let output = repository.review(["--state".as_ref(), state.as_os_str()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(state.join("autopr.db").exists());
    assert_eq!(before, git(repository.path(), ["status", "--porcelain", "--ignored"]));
}

#[test]
fn version_help_and_completions_are_there() {
    let text = |arguments: &[&str]| {
        let output = autopr().args(arguments).output().expect("autopr runs");
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(text(&["--version"]).starts_with("autopr 0.1.0 ("));
    assert!(text(&["review", "--help"]).contains("Exit codes:"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(text(&["completions", shell]).contains("autopr"), "{shell}");
    }
}
