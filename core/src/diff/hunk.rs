//! Hunks and their lines.

use super::Counts;

/// A run of changed lines with their context. Its lines are found on demand, so a hunk costs no memory per line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// First line and count on the old side.
    pub old: Span,
    /// First line and count on the new side.
    pub new: Span,
    /// What follows the second `@@`: usually the enclosing function.
    pub section: &'a [u8],
    /// Header line and lines as they stand in the text.
    pub(super) text: &'a [u8],
    /// Where the lines start in `text`.
    pub(super) body_at: u32,
    /// How many lines stand on both sides.
    pub(super) context: u32,
}

/// A range of lines: the first (1-based) and how many. Of an empty range the first is the line it stands after, 0 at the
/// start of a file.
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

impl<'a> Hunk<'a> {
    /// The lines of the hunk in order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'a>> + use<'a> {
        Lines { rest: self.body(), old: self.old.start, new: self.new.start }
    }

    /// The lines that stand on one side of the hunk, in order: each follows the one before it in that file.
    pub fn side_lines(&self, side: Side) -> impl Iterator<Item = Line<'a>> + use<'a> {
        self.lines().filter(move |line| line.number(side).is_some())
    }

    /// The range of lines on one side.
    pub fn span(&self, side: Side) -> Span {
        match side {
            Side::Left => self.old,
            Side::Right => self.new,
        }
    }

    /// The lines added and removed, without reading them again.
    pub fn counts(&self) -> Counts {
        Counts { added: self.new.count - self.context, removed: self.old.count - self.context }
    }

    /// The header line as it stands in the text, line feed included.
    pub fn header(&self) -> &'a [u8] {
        &self.text[..self.body_at as usize]
    }

    /// The lines as they stand in the text, with their marks and `\ No newline at end of file`.
    pub fn body(&self) -> &'a [u8] {
        &self.text[self.body_at as usize..]
    }
}

impl Span {
    /// Whether the line lies in the range.
    pub fn contains(self, line: u32) -> bool {
        line.checked_sub(self.start).is_some_and(|offset| offset < self.count)
    }

    /// The first line of the range and the line after its last; of an empty range both are the line after its place.
    pub(super) fn bounds(self) -> (u64, u64) {
        let start = u64::from(self.start) + u64::from(self.count == 0);
        (start, start + u64::from(self.count))
    }
}

impl Line<'_> {
    /// Its number on one side, if it stands there.
    pub fn number(&self, side: Side) -> Option<u32> {
        match side {
            Side::Left => self.old,
            Side::Right => self.new,
        }
    }
}

/// Walks the body of a hunk. The parser has checked that the marks agree with the counts and that no number overflows.
struct Lines<'a> {
    rest: &'a [u8],
    old: u32,
    new: u32,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let raw = self.take()?;
        let (kind, text) = match raw.split_first() {
            Some((b'+', text)) => (LineKind::Added, text),
            Some((b'-', text)) => (LineKind::Removed, text),
            Some((b' ', text)) => (LineKind::Context, text),
            // An empty line of context that lost its mark.
            _ => (LineKind::Context, raw),
        };
        let old = (kind != LineKind::Added).then(|| advance(&mut self.old));
        let new = (kind != LineKind::Removed).then(|| advance(&mut self.new));
        let mut newline = true;
        while self.rest.first() == Some(&b'\\') {
            self.take();
            newline = false;
        }
        Some(Line { kind, text, old, new, newline })
    }
}

impl<'a> Lines<'a> {
    /// The next raw line without its line feed.
    fn take(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match memchr::memchr(b'\n', self.rest) {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &self.rest[self.rest.len()..]),
        };
        self.rest = rest;
        Some(line)
    }
}

fn advance(number: &mut u32) -> u32 {
    let now = *number;
    *number = number.saturating_add(1);
    now
}
