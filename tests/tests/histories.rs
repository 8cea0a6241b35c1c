//! `autopr review` over real histories: no crash, and no finding off the diff.
//!
//! `AUTOPR_TEST_HISTORIES` names a folder with git bundles; `AUTOPR_TEST_COMMITS` how many of the last commits of each to
//! review (20 unless set). With `AUTOPR_TEST_FINDINGS` every finding above the lowest severity is appended to that file.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use autopr_e2e::{autopr, git};
use serde_json::Value;

#[test]
fn every_finding_in_real_histories_stands_on_an_added_line() {
    let Some(folder) = std::env::var_os("AUTOPR_TEST_HISTORIES").map(PathBuf::from).filter(|folder| folder.is_dir())
    else {
        eprintln!("NOT RUN: AUTOPR_TEST_HISTORIES names no folder with git bundles");
        return;
    };
    let commits = std::env::var("AUTOPR_TEST_COMMITS").map_or(20, |count| count.parse().expect("a number"));
    let mut bundles: Vec<_> =
        fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("a file").path()).collect();
    bundles.retain(|path| path.extension().is_some_and(|extension| extension == "bundle"));
    bundles.sort();
    assert!(!bundles.is_empty(), "the folder has no bundle");
    for bundle in bundles {
        let clone = tempfile::tempdir().expect("a folder");
        git(clone.path(), ["clone", "--quiet", "--bare", &*bundle.to_string_lossy(), "."]);
        let name = bundle.file_stem().expect("a name").to_string_lossy().into_owned();
        println!("{name}: {}", review_history(&name, clone.path(), commits));
    }
}

/// Reviews the last commits; says how many were reviewed with how many findings.
fn review_history(name: &str, repository: &Path, commits: usize) -> String {
    let listed = git(repository, ["rev-list", "--first-parent", "--max-count", &commits.to_string(), "HEAD"]);
    let listed = String::from_utf8(listed).expect("object ids");
    let (mut reviewed, mut findings) = (0, 0);
    for commit in listed.lines() {
        let parents = String::from_utf8(git(repository, ["rev-list", "--parents", "-1", commit])).expect("ids");
        let Some(parent) = parents.split_whitespace().nth(1) else { continue };
        let range = format!("{parent}..{commit}");
        let output = autopr()
            .args(["review", &range, "--format", "json", "--quiet", "--repo"])
            .arg(repository)
            .output()
            .expect("autopr runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|code| code < 2), "{name} {range}: {:?} {stderr}", output.status);
        let review: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        findings += check_places(name, repository, parent, commit, &review);
        reviewed += 1;
    }
    format!("{reviewed} commits reviewed, {findings} findings, each on an added line")
}

fn check_places(name: &str, repository: &Path, parent: &str, commit: &str, review: &Value) -> usize {
    let findings = review["findings"].as_array().expect("a list");
    let mut added = None;
    for finding in findings {
        write_down(name, commit, finding);
        let location = &finding["location"];
        if location.is_null() {
            continue;
        }
        let added = added.get_or_insert_with(|| added_lines(repository, parent, commit));
        let path = location["path"].as_str().expect("a path").to_owned();
        let line = location["start_line"].as_u64().expect("a line");
        assert_eq!(location["side"], "RIGHT");
        assert!(added.contains(&(path, line)), "{name} {commit}: not on an added line: {finding:#}");
    }
    findings.len()
}

/// The added lines by git's own hunk headers, without context: another way than the program's.
fn added_lines(repository: &Path, parent: &str, commit: &str) -> BTreeSet<(String, u64)> {
    let arguments = ["-c", "core.quotePath=false", "diff-tree", "-r", "-p", "-M", "-U0", parent, commit];
    let diff = git(repository, arguments);
    let (mut lines, mut path, mut left) = (BTreeSet::new(), String::new(), 0);
    for line in diff.split(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        if left > 0 {
            // Inside a hunk nothing is a header.
            left -= u64::from(matches!(line.first(), Some(b'+' | b'-')));
        } else if let Some(new) = text.strip_prefix("+++ ") {
            path = new.trim_end_matches('\t').trim_start_matches("b/").to_owned();
        } else if let Some(header) = text.strip_prefix("@@ -") {
            let (old, rest) = header.split_once(" +").expect("a hunk header");
            let new = rest.split_once(" @@").expect("a hunk header").0;
            let span = |text: &str| {
                let (start, count) = text.split_once(',').unwrap_or((text, "1"));
                (start.parse::<u64>().expect("a line"), count.parse::<u64>().expect("a count"))
            };
            let ((_, removed), (start, count)) = (span(old), span(new));
            lines.extend((start..start + count).map(|line| (path.clone(), line)));
            left = removed + count;
        }
    }
    lines
}

fn write_down(name: &str, commit: &str, finding: &Value) {
    let Some(file) = std::env::var_os("AUTOPR_TEST_FINDINGS").filter(|_| finding["severity"] != "info") else { return };
    let mut file = fs::OpenOptions::new().create(true).append(true).open(file).expect("the file of findings");
    writeln!(file, "{}", serde_json::json!({ "history": name, "commit": commit, "finding": finding }))
        .expect("written");
}
