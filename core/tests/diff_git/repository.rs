//! A throw-away repository and git's own view of what changed in it.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::trees::{Entry, Tree};

/// One line of `git diff --raw -z`.
#[derive(Debug)]
pub(crate) struct RawChange {
    pub(crate) old_mode: u32,
    pub(crate) new_mode: u32,
    /// `A`, `C`, `D`, `M`, `R` or `T`.
    pub(crate) status: u8,
    pub(crate) old_path: Vec<u8>,
    pub(crate) new_path: Vec<u8>,
}

/// One line of `git diff --numstat -z`: none for binary content.
pub(crate) type Numbers = Option<(u32, u32)>;

/// A git command that reads nobody's configuration.
pub(crate) fn git(directory: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("LC_ALL", "C").env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
    command.args(["-c", "core.protectNTFS=false", "-c", "core.protectHFS=false"]).args(arguments);
    command
}

/// What a git command prints.
pub(crate) fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("git runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Writes two trees as the branches `old` and `new`, in one git process.
pub(crate) fn import(directory: &Path, old: &Tree, new: &Tree) {
    let mut stream = Vec::new();
    for (branch, tree) in [("old", old), ("new", new)] {
        write!(stream, "commit refs/heads/{branch}\ncommitter a <a> 0 +0000\ndata 0\n").unwrap();
        for (path, entry) in tree {
            let quoted: String = path.iter().map(|byte| format!("\\{byte:03o}")).collect();
            match entry {
                Entry::Submodule(digit) => {
                    writeln!(stream, "M 160000 {} \"{quoted}\"", entry_commit(*digit)).unwrap();
                }
                _ => {
                    let content = entry.content();
                    writeln!(stream, "M {:o} inline \"{quoted}\"\ndata {}", entry.mode(), content.len()).unwrap();
                    stream.extend_from_slice(&content);
                    stream.push(b'\n');
                }
            }
        }
    }
    let mut command = git(directory, ["fast-import", "--quiet", "--force"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("git runs");
    child.stdin.take().unwrap().write_all(&stream).unwrap();
    assert!(child.wait().unwrap().success());
}

/// The commit a generated submodule stands at.
pub(crate) fn entry_commit(digit: u8) -> String {
    format!("{digit:x}").repeat(40)
}

/// Reads `--raw -z`.
pub(crate) fn raw_changes(text: &[u8]) -> Vec<RawChange> {
    let mut fields = text.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let mut changes = Vec::new();
    while let Some(record) = fields.next() {
        let words: Vec<&str> = std::str::from_utf8(record).unwrap().split(' ').collect();
        let mode = |word: &str| u32::from_str_radix(word.trim_start_matches(':'), 8).unwrap();
        let status = words[4].as_bytes()[0];
        let old_path = fields.next().unwrap().to_vec();
        let new_path = if matches!(status, b'R' | b'C') { fields.next().unwrap().to_vec() } else { old_path.clone() };
        changes.push(RawChange { old_mode: mode(words[0]), new_mode: mode(words[1]), status, old_path, new_path });
    }
    changes
}

/// Reads `--numstat -z`.
pub(crate) fn numbers(text: &[u8]) -> Vec<Numbers> {
    let mut fields = text.split(|byte| *byte == 0).peekable();
    let mut all = Vec::new();
    while let Some(record) = fields.next() {
        if record.is_empty() {
            continue;
        }
        let mut columns = record.splitn(3, |byte| *byte == b'\t');
        let mut number = || std::str::from_utf8(columns.next().unwrap()).unwrap().parse::<u32>().ok();
        let (added, removed) = (number(), number());
        if columns.next().unwrap().is_empty() {
            fields.next();
            fields.next();
        }
        all.push(added.zip(removed));
    }
    all
}
