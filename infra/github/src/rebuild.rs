//! A diff as git prints it, put together from what GitHub's listing says of each file.

use std::borrow::Cow;
use std::fmt::Write;

use autopr_core::diff::Diff;
use autopr_core::ports::forge::Patch;
use serde::Deserialize;

/// The id git gives to a file without content, by SHA-1 and by SHA-256.
const EMPTY: [&str; 2] =
    ["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"];

/// A file of the listing ("List pull requests files").
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ChangedFile {
    pub(crate) filename: String,
    pub(crate) previous_filename: Option<String>,
    /// `added`, `removed`, `modified`, `renamed`, `copied`, `changed` or `unchanged`.
    pub(crate) status: String,
    /// The hunks, without a line feed at the end. Absent for binary files, for large ones and where nothing but the name
    /// or mode changed.
    pub(crate) patch: Option<String>,
    /// How many lines were added and removed; none for a binary file.
    #[serde(default)]
    pub(crate) changes: u64,
    /// The id of the content.
    pub(crate) sha: Option<String>,
}

/// The diff of these files. What has no patch, or one that is not whole, or finds no more room, is left out by name; so is
/// a file that only moved, as far as GitHub tells: a binary file that moved and changed looks the same.
pub(crate) fn patch(files: &[ChangedFile], limit: usize) -> Patch {
    let mut text = String::new();
    let mut left_out = Vec::new();
    for file in files.iter().filter(|file| file.status != "unchanged") {
        let section = section(file);
        if !is_whole(&section) || text.len() + section.len() > limit {
            left_out.push(file.filename.clone());
            continue;
        }
        text.push_str(&section);
        if !file.is_shown() {
            left_out.push(file.filename.clone());
        }
    }
    Patch { text: text.into(), left_out }
}

impl ChangedFile {
    fn hunks(&self) -> Option<&str> {
        self.patch.as_deref().filter(|patch| !patch.is_empty())
    }

    /// Whether the listing tells all that changed within the file.
    fn is_shown(&self) -> bool {
        self.hunks().is_some() || self.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.sha.as_deref().is_some_and(|sha| EMPTY.contains(&sha))
    }

    /// Whether it is surely binary: a text would have lines that were added or removed.
    fn is_binary(&self) -> bool {
        let whole = matches!(self.status.as_str(), "added" | "removed");
        whole && self.changes == 0 && self.hunks().is_none() && !self.is_empty()
    }
}

/// One file's part of the diff. The listing has no modes; a regular file is taken for granted.
fn section(file: &ChangedFile) -> String {
    let new = file.filename.as_str();
    let old = file.previous_filename.as_deref().unwrap_or(new);
    let mut text = format!("diff --git {} {}\n", name("a/", old), name("b/", new));
    let (mut minus, mut plus) = (name("a/", old), name("b/", new));
    match file.status.as_str() {
        "added" => {
            text.push_str("new file mode 100644\n");
            minus = Cow::Borrowed("/dev/null");
        }
        "removed" => {
            text.push_str("deleted file mode 100644\n");
            plus = Cow::Borrowed("/dev/null");
        }
        kind @ ("renamed" | "copied") => {
            let verb = if kind == "renamed" { "rename" } else { "copy" };
            if file.hunks().is_none() {
                text.push_str("similarity index 100%\n");
            }
            let _ = writeln!(text, "{verb} from {}\n{verb} to {}", name("", old), name("", new));
        }
        _ => {}
    }
    if let Some(hunks) = file.hunks() {
        let _ = writeln!(text, "--- {}\n+++ {}", ended(&minus), ended(&plus));
        text.push_str(hunks);
        if !hunks.ends_with('\n') {
            text.push('\n');
        }
    } else if file.is_binary() {
        let _ = writeln!(text, "Binary files {minus} and {plus} differ");
    }
    text
}

/// Whether this is the diff of exactly one file: a patch that was cut short, or that goes on after its hunks, is not.
fn is_whole(section: &str) -> bool {
    Diff::parse(section.as_bytes()).is_ok_and(|diff| diff.files.len() == 1 && diff.preamble.is_empty())
}

/// A path as git writes it: in quotes, with escapes, when it holds control characters, quotes or backslashes.
fn name<'a>(prefix: &'static str, path: &'a str) -> Cow<'a, str> {
    if !path.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f)) {
        return if prefix.is_empty() { Cow::Borrowed(path) } else { Cow::Owned(format!("{prefix}{path}")) };
    }
    let mut quoted = format!("\"{prefix}");
    for c in path.chars() {
        match c {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            '\r' => quoted.push_str("\\r"),
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' || c == '\u{7f}' => {
                let _ = write!(quoted, "\\{:03o}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// A path on a `---` or `+++` line: git ends one that holds a space with a tab.
fn ended(name: &str) -> Cow<'_, str> {
    if name.contains(' ') && !name.starts_with('"') { Cow::Owned(format!("{name}\t")) } else { Cow::Borrowed(name) }
}
