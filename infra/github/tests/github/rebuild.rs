//! Real diffs of random trees, cut up as GitHub's listing shows them and put together again.

use std::fs;
use std::path::Path;
use std::process::Command;

use autopr_core::diff::{Change, Content, Diff, Hunk};
use autopr_core::ports::Forge;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::server::{Server, pull, pull_json, reply};

/// A path to its content, on both sides.
type Tree = Vec<(String, Option<Vec<u8>>, Option<Vec<u8>>)>;

fn git(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "core.autocrlf=false"]);
    let output = command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The diff between the two sides, as git prints it.
fn diff_of(tree: &Tree) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    for old in [true, false] {
        for (path, before, after) in tree {
            let path = folder.path().join(path);
            match if old { before } else { after } {
                Some(content) => {
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(&path, content).unwrap();
                }
                None => drop(fs::remove_file(&path)),
            }
        }
        git(folder.path(), &["add", "-A"]);
        git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "x"]);
    }
    git(folder.path(), &["diff", "--full-index", "-M", "HEAD~", "HEAD"])
}

/// A hunk as it stands in the text.
fn printed(hunk: &Hunk<'_>) -> Vec<u8> {
    [hunk.header(), hunk.body()].concat()
}

/// What GitHub's listing says of these files: names, a word, and the hunks without the last line feed.
fn listing(diff: &Diff<'_>) -> Vec<Value> {
    let text =
        |path: &Option<std::borrow::Cow<'_, [u8]>>| path.as_ref().map(|path| String::from_utf8(path.to_vec()).unwrap());
    let entry = |file: &autopr_core::diff::FileDiff<'_>| {
        let (old, new) = (text(&file.old_path), text(&file.new_path));
        let status = match file.change {
            Change::Added => "added",
            Change::Deleted => "removed",
            Change::Modified => "modified",
            Change::Renamed => "renamed",
            Change::Copied => "copied",
        };
        let mut json = json!({ "filename": new.clone().or(old.clone()), "status": status, "sha": "0" });
        if old.is_some() && new.is_some() && old != new {
            json["previous_filename"] = json!(old);
        }
        if let Content::Text(_) = file.content {
            let printed = file.hunks().iter().map(|hunk| String::from_utf8(printed(hunk)).unwrap());
            let patch: String = printed.collect();
            json["patch"] = json!(patch.strip_suffix('\n').unwrap_or(&patch));
        }
        json
    };
    diff.files.iter().map(entry).collect()
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "[a-c]{0,2}",
        1 => Just("-- a/x".to_owned()),
        1 => Just("++ b/x".to_owned()),
        1 => Just("diff --git a/x b/x".to_owned()),
        1 => Just("@@ -1 +1 @@".to_owned()),
        1 => Just("\\ No newline at end of file".to_owned()),
        1 => Just("ends in a carriage return\r".to_owned()),
        1 => Just("ä 🦀 \u{2028}".to_owned()),
    ];
    (proptest::collection::vec(line, 0..30), any::<bool>(), proptest::bool::weighted(0.1)).prop_map(
        |(lines, ends, binary)| {
            let mut text = lines.join("\n");
            if ends && !text.is_empty() {
                text.push('\n');
            }
            if binary {
                text.push('\0');
            }
            text.into_bytes()
        },
    )
}

fn tree() -> impl Strategy<Value = Tree> {
    let names =
        ["plain.rs", "with space.txt", "a b/c d", "ä.rs", "quo\"te", "back\\slash", "tab\there", "line\nfeed", "b/x"];
    let change = (proptest::option::weighted(0.8, content()), proptest::option::weighted(0.8, content()), 0..4_u8);
    let changes = proptest::collection::vec(change, names.len());
    changes.prop_map(move |changes| {
        let mut tree = Tree::new();
        for (name, (before, after, kind)) in names.iter().zip(changes) {
            match kind {
                // Moved, with or without a change at the end.
                0 => {
                    let moved = before.clone().map(|mut content| {
                        content.extend(after.iter().flat_map(|_| *b"end"));
                        content
                    });
                    tree.push(((*name).to_owned(), before, None));
                    tree.push((format!("moved/{name}"), None, moved));
                }
                _ => tree.push(((*name).to_owned(), before, after)),
            }
        }
        tree
    })
}

#[test]
fn the_diff_put_together_has_the_hunks_of_the_real_one() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let check = |tree: Tree| {
        let real = diff_of(&tree);
        let real = Diff::parse(&real).unwrap();
        let files = listing(&real);
        let patch = runtime.block_on(async {
            let server = Server::start(move |asked| match asked.path.as_str() {
                "/repos/octo/demo/pulls/7/files" => reply(200, json!(files)),
                path if path.contains("/compare/") => reply(406, json!({})),
                _ => reply(200, pull_json('a')),
            });
            server.await.forge().diff(&pull('a')).await.unwrap()
        });
        let rebuilt = Diff::parse(&patch.text).unwrap();
        let with_hunks = |diff: &Diff<'_>| {
            let files = diff.files.iter().filter(|file| matches!(file.content, Content::Text(_)));
            let told = |file: &autopr_core::diff::FileDiff<'_>| {
                let hunks: Vec<_> = file.hunks().iter().map(|hunk| printed(hunk)).collect();
                (
                    file.change,
                    file.old_path.clone().map(|p| p.to_vec()),
                    file.new_path.clone().map(|p| p.to_vec()),
                    hunks,
                )
            };
            files.map(told).collect::<Vec<_>>()
        };
        prop_assert_eq!(with_hunks(&real), with_hunks(&rebuilt));
        // Everything else is named.
        let silent = real.files.iter().filter(|file| !matches!(file.content, Content::Text(_)));
        let silent: Vec<_> =
            silent.map(|file| file.new_path.as_ref().or(file.old_path.as_ref()).unwrap().to_vec()).collect();
        let left_out: Vec<_> = patch.left_out.iter().map(|path| path.clone().into_bytes()).collect();
        prop_assert_eq!(silent, left_out);
        Ok(())
    };
    TestRunner::new(config).run(&tree(), check).unwrap();
}
