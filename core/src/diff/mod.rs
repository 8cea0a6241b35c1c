//! Unified diffs: parsing ([`Diff::parse`]), the line map ([`LineMap`]) and anchors ([`anchor()`]).
//!
//! A parsed diff borrows its text and keeps every byte of it, so it prints exactly what was read. The format is that of
//! git (`Documentation/diff-generate-patch.adoc` in git's sources); GitHub's `.diff` and `.patch` are made by git too.
//! Plain unified diffs, as `diff -u` prints them, are read as well; combined diffs (`diff --cc`) are refused.

mod anchor;
mod error;
mod header;
mod hunk;
mod map;
mod parse;
mod path;

use std::borrow::Cow;
use std::io;

pub use anchor::{Anchored, Claim, Reason, anchor};
pub use error::{ParseError, Problem};
pub use hunk::{Hunk, Line, LineKind, Side, Span};
pub use map::LineMap;
pub use path::path_bytes;

/// A parsed diff that borrows every byte of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff<'a> {
    /// The text before the first file: a commit's message, a table of changes, or nothing.
    pub preamble: &'a [u8],
    /// The changed files in the order of the text. A file that became a link, a submodule or the other way round stands
    /// here twice under one path: first deleted, then added, as git writes it.
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
    /// The file mode before, when told: the octal number git writes, so `0o100644` for a file, `0o100755` for a program,
    /// `0o120000` for a link and `0o160000` for a submodule.
    pub old_mode: Option<u32>,
    /// The file mode after.
    pub new_mode: Option<u32>,
    /// How much of a renamed or copied file stayed, in percent, when told.
    pub similarity: Option<u8>,
    /// What changed inside.
    pub content: Content<'a>,
    /// The header lines as they stand in the text.
    header: &'a [u8],
    /// The text up to the next file that belongs to none: the signature of a mailed patch, the next commit's message.
    trailer: &'a [u8],
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

/// How many lines were added and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Lines only in the new version.
    pub added: u32,
    /// Lines only in the old version.
    pub removed: u32,
}

impl<'a> Diff<'a> {
    /// Parses the text of a diff, in time linear in its length and without copying it; only a quoted path is copied.
    /// A text of nothing but white space is a diff without files.
    ///
    /// Text before, between and after the files' diffs is kept and means nothing, with two limits that keep a damaged
    /// diff from passing as a small one: a hunk must have exactly the lines its header counts, and after headers
    /// without a hunk comes another file, an empty line or the end.
    ///
    /// Paths lose the prefix their side has. With `--no-prefix` both names are equal and stay whole; mnemonic prefixes
    /// (`c/ i/ w/ o/`) and others that end in a slash (`--src-prefix=old/`) are recognised by what differs between the
    /// two names.
    ///
    /// Beside the text it takes some 200 bytes for a file and 56 for a hunk, so a small part of the text of a usual diff;
    /// with `-U0` a hunk can be smaller than that.
    ///
    /// # Errors
    /// [`ParseError`] with the line at fault: a text without any diff, a combined diff, a hunk that is cut short or does
    /// not fit its header (also `@@ -?,? +1,2 @@`, by which `git diff -B -D` leaves out old lines), hunks out of order, a header that can't be read, or line numbers beyond 32 bits.
    pub fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        parse::parse(text)
    }

    /// Prints the diff from its parts: the bytes that were parsed.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.parts().collect::<Vec<_>>().concat()
    }

    /// Writes the diff from its parts: the bytes that were parsed. Buffer the writer; every part is one write.
    ///
    /// # Errors
    /// What the writer returns.
    pub fn write_to(&self, writer: &mut impl io::Write) -> io::Result<()> {
        self.parts().try_for_each(|part| writer.write_all(part))
    }

    /// The lines added and removed in all files.
    pub fn counts(&self) -> Counts {
        Counts::sum(self.files.iter().map(FileDiff::counts))
    }

    fn parts(&self) -> impl Iterator<Item = &'a [u8]> {
        std::iter::once(self.preamble).chain(self.files.iter().flat_map(FileDiff::parts))
    }
}

impl<'a> FileDiff<'a> {
    /// The path to show and to key by: the new one, or the old one of a deleted file. A path that is not UTF-8, holds
    /// characters that can't be seen or starts with a quote is shown in git's quoted form, so that no two paths look the
    /// same; [`path_bytes`] leads back to what git stores.
    pub fn path(&self) -> Cow<'a, str> {
        self.new_path.as_ref().or(self.old_path.as_ref()).map(path::shown).unwrap_or_default()
    }

    /// The hunks; none for a binary file or a pure rename.
    pub fn hunks(&self) -> &[Hunk<'a>] {
        match &self.content {
            Content::Text(hunks) => hunks,
            Content::None | Content::Binary(_) => &[],
        }
    }

    /// The lines of all hunks in order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'a>> + '_ {
        self.hunks().iter().flat_map(Hunk::lines)
    }

    /// The added lines in order. Of a submodule that is git's line `Subproject commit …`, which is no file's text.
    pub fn added(&self) -> impl Iterator<Item = Line<'a>> + '_ {
        self.lines().filter(|line| line.kind == LineKind::Added)
    }

    /// The lines added and removed, without reading them again. A binary file has none.
    pub fn counts(&self) -> Counts {
        Counts::sum(self.hunks().iter().map(Hunk::counts))
    }

    /// Whether either side is a submodule: its lines name commits, they are not the text of a file.
    pub fn is_submodule(&self) -> bool {
        [self.old_mode, self.new_mode].contains(&Some(0o160_000))
    }

    /// Whether either side is a symbolic link: its line is the link's target, not the text of a file.
    pub fn is_link(&self) -> bool {
        [self.old_mode, self.new_mode].contains(&Some(0o120_000))
    }

    /// Whether git took the content for binary, so that there are no lines.
    pub fn is_binary(&self) -> bool {
        matches!(self.content, Content::Binary(_))
    }

    /// The header lines as they stand in the text, from `diff --git` or `---` up to the first hunk.
    pub fn header(&self) -> &'a [u8] {
        self.header
    }

    /// The text after this file's diff that belongs to no file: `-- ` and git's version in a mailed patch, the next
    /// commit's message in a series.
    pub fn trailer(&self) -> &'a [u8] {
        self.trailer
    }

    fn parts(&self) -> impl Iterator<Item = &'a [u8]> {
        let binary = match self.content {
            Content::Binary(raw) => raw,
            Content::None | Content::Text(_) => b"",
        };
        let hunks = self.hunks().iter().flat_map(|hunk| [hunk.header(), hunk.body()]);
        [self.header, binary].into_iter().chain(hunks).chain([self.trailer])
    }
}

impl Counts {
    fn sum(counts: impl Iterator<Item = Self>) -> Self {
        counts.fold(Self::default(), |sum, one| Self {
            added: sum.added.saturating_add(one.added),
            removed: sum.removed.saturating_add(one.removed),
        })
    }
}
