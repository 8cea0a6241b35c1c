//! A small parser of git's unified diffs, of the fake's own: it decides where a comment may stand and what the listing
//! of changed files says.

use std::fmt;

use serde_json::{Value, json};

/// On which side of a diff a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The file as it was; GitHub's `LEFT`.
    Left,
    /// The file as it is proposed; GitHub's `RIGHT`.
    Right,
}

impl Side {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "LEFT" => Some(Self::Left),
            "RIGHT" => Some(Self::Right),
            _ => None,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Left => "LEFT",
            Self::Right => "RIGHT",
        })
    }
}

/// One changed file of a diff.
#[derive(Debug, Clone, Default)]
pub(crate) struct File {
    /// The path as it is proposed, or as it was for a removed file.
    pub(crate) path: String,
    /// Where it was before, for a renamed or copied file.
    pub(crate) previous: Option<String>,
    /// GitHub's word: added, removed, modified, renamed, copied or changed (its mode only).
    pub(crate) status: &'static str,
    /// The id of its content as the diff gives it, often shortened.
    pub(crate) blob: String,
    /// True when git gave no lines because it is not text.
    pub(crate) binary: bool,
    /// The changed places.
    pub(crate) hunks: Vec<Hunk>,
}

/// One changed place with the lines around it.
#[derive(Debug, Clone)]
pub(crate) struct Hunk {
    /// The line that begins with `@@`.
    pub(crate) header: String,
    /// What follows it.
    pub(crate) lines: Vec<Line>,
}

/// One line of a hunk.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Its number before the change; none for an added line.
    pub(crate) left: Option<u64>,
    /// Its number after the change; none for a removed line.
    pub(crate) right: Option<u64>,
    /// The line as the diff has it, with the sign in front.
    pub(crate) text: String,
}

impl Line {
    /// Its number on a side.
    pub(crate) fn number(&self, side: Side) -> Option<u64> {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }
}

impl File {
    /// In which hunk, and at which place in it, a line stands.
    pub(crate) fn find(&self, line: u64, side: Side) -> Option<(usize, usize)> {
        self.hunks.iter().enumerate().find_map(|(hunk, inner)| {
            inner.lines.iter().position(|candidate| candidate.number(side) == Some(line)).map(|place| (hunk, place))
        })
    }

    /// The line at GitHub's older `position`: counted from the line below the first `@@`, later ones counted too.
    pub(crate) fn at_position(&self, position: u64) -> Option<&Line> {
        let mut passed = 0;
        for (index, hunk) in self.hunks.iter().enumerate() {
            passed += u64::from(index > 0);
            for line in &hunk.lines {
                passed += 1;
                if passed == position {
                    return Some(line);
                }
            }
        }
        None
    }

    /// How many lines were added and removed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let lines = || self.hunks.iter().flat_map(|hunk| &hunk.lines);
        let added = lines().filter(|line| line.text.starts_with('+')).count();
        let removed = lines().filter(|line| line.text.starts_with('-')).count();
        (added as u64, removed as u64)
    }

    /// The hunks as text, as the listing of files shows them; none when there are none.
    pub(crate) fn patch(&self) -> Option<String> {
        let lines: Vec<&str> = self
            .hunks
            .iter()
            .flat_map(|hunk| {
                std::iter::once(hunk.header.as_str()).chain(hunk.lines.iter().map(|line| line.text.as_str()))
            })
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// The file as GitHub's listing shows it, with links below this address.
    pub(crate) fn listed(&self, repository: &str, web: &str, head: &str) -> Value {
        let (additions, deletions) = self.counts();
        let mut entry = json!({
            "sha": format!("{:0<40}", self.blob.chars().take(40).collect::<String>()),
            "filename": self.path,
            "status": self.status,
            "additions": additions,
            "deletions": deletions,
            "changes": additions + deletions,
            "blob_url": format!("{web}/blob/{head}/{}", escaped(&self.path)),
            "raw_url": format!("{web}/raw/{head}/{}", escaped(&self.path)),
            "contents_url": format!("{repository}/contents/{}?ref={head}", escaped(&self.path)),
        });
        if let Some(patch) = self.patch() {
            entry["patch"] = json!(patch);
        }
        if let Some(previous) = &self.previous {
            entry["previous_filename"] = json!(previous);
        }
        entry
    }
}

/// A path as part of an address.
pub(crate) fn escaped(path: &str) -> String {
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    path.bytes().map(|byte| if keep(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The changed files of a diff.
pub(crate) fn parse(diff: &[u8]) -> Vec<File> {
    let text = String::from_utf8_lossy(diff);
    let mut files: Vec<File> = Vec::new();
    // How many lines of the hunk at hand are still to come, on the left and on the right, and their next numbers.
    let (mut open, mut next) = ((0, 0), (0, 0));
    for line in text.split('\n') {
        if let Some(rest) = line.strip_prefix("diff --git ") {
            open = (0, 0);
            let path = path_of_header(rest);
            files.push(File { path, status: "modified", ..File::default() });
            continue;
        }
        let Some(file) = files.last_mut() else { continue };
        if open != (0, 0) || (line.starts_with('\\') && !file.hunks.is_empty()) {
            take_line(file, line, &mut open, &mut next);
        } else if line.starts_with("@@ ") {
            if let Some((left, right)) = ranges(line) {
                (next, open) = ((left.0, right.0), (left.1, right.1));
                file.hunks.push(Hunk { header: line.to_owned(), lines: Vec::new() });
            }
        } else {
            take_header(file, line);
        }
    }
    files
}

fn take_line(file: &mut File, line: &str, open: &mut (u64, u64), next: &mut (u64, u64)) {
    let Some(hunk) = file.hunks.last_mut() else { return };
    let (left, right) = match line.as_bytes().first() {
        Some(b'+') => (None, Some(next.1)),
        Some(b'-') => (Some(next.0), None),
        Some(b'\\') => (None, None),
        _ => (Some(next.0), Some(next.1)),
    };
    if left.is_some() {
        next.0 += 1;
        open.0 = open.0.saturating_sub(1);
    }
    if right.is_some() {
        next.1 += 1;
        open.1 = open.1.saturating_sub(1);
    }
    hunk.lines.push(Line { left, right, text: line.to_owned() });
}

fn take_header(file: &mut File, line: &str) {
    if let Some(path) = line.strip_prefix("rename from ").or_else(|| line.strip_prefix("copy from ")) {
        file.previous = Some(unquoted(path));
        file.status = if line.starts_with("rename") { "renamed" } else { "copied" };
    } else if let Some(path) = line.strip_prefix("rename to ").or_else(|| line.strip_prefix("copy to ")) {
        file.path = unquoted(path);
    } else if line.starts_with("new file mode") {
        file.status = "added";
    } else if line.starts_with("deleted file mode") {
        file.status = "removed";
    } else if line.starts_with("new mode") {
        file.status = "changed";
    } else if let Some(rest) = line.strip_prefix("index ") {
        let ids = rest.split(' ').next().unwrap_or_default();
        let (before, after) = ids.split_once("..").unwrap_or_default();
        file.blob = if file.status == "removed" { before } else { after }.to_owned();
        if file.status == "changed" {
            file.status = "modified";
        }
    } else if line.starts_with("Binary files ") || line == "GIT binary patch" {
        file.binary = true;
    } else if let Some(path) = line.strip_prefix("--- ").filter(|_| file.status == "removed") {
        file.path = without_side(path);
    } else if let Some(path) = line.strip_prefix("+++ ").filter(|path| *path != "/dev/null") {
        file.path = without_side(path);
    }
}

/// The new path of `a/x b/x`, which is only needed where no later line says it.
fn path_of_header(rest: &str) -> String {
    if let Some(quoted) = rest.rfind(" \"b/").filter(|_| rest.ends_with('"')) {
        return without_side(&rest[quoted + 1..]);
    }
    // Without a rename both halves are the same, so the middle is where the second begins.
    let half = rest.len() / 2;
    match rest.get(half..).map(str::trim_start) {
        Some(second) if second.starts_with("b/") => without_side(second),
        _ => rest.rfind(" b/").map_or_else(String::new, |at| without_side(&rest[at + 1..])),
    }
}

fn without_side(path: &str) -> String {
    let path = unquoted(path.trim_end_matches('\t'));
    path.strip_prefix("a/").or_else(|| path.strip_prefix("b/")).unwrap_or(&path).to_owned()
}

/// A path without the quotes and escapes git puts around unusual ones.
fn unquoted(path: &str) -> String {
    let Some(inner) = path.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return path.to_owned() };
    let mut bytes = Vec::new();
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        match (byte, if byte == b'\\' { rest.next() } else { None }) {
            (b'\\', Some(first @ b'0'..=b'7')) => {
                let digits = [Some(first), rest.next(), rest.next()];
                let value =
                    digits.iter().flatten().fold(0u32, |sum, digit| sum * 8 + u32::from(digit.wrapping_sub(b'0')));
                bytes.push(value as u8);
            }
            (b'\\', Some(b'n')) => bytes.push(b'\n'),
            (b'\\', Some(b't')) => bytes.push(b'\t'),
            (b'\\', Some(other)) => bytes.push(other),
            (other, _) => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A start and a length.
type Range = (u64, u64);

fn ranges(header: &str) -> Option<(Range, Range)> {
    let mut words = header.split(' ').skip(1);
    Some((range(words.next()?, '-')?, range(words.next()?, '+')?))
}

fn range(text: &str, sign: char) -> Option<Range> {
    let text = text.strip_prefix(sign)?;
    match text.split_once(',') {
        Some((start, length)) => Some((start.parse().ok()?, length.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}
