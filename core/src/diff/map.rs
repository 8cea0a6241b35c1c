//! The line map: which lines of which file a comment can stand on.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Diff, Hunk, Line, Side};

/// Which lines of which file stand in a diff, and in which hunk. It holds hunks, not lines, so it costs little to build;
/// a lookup is a binary search, and the text of a line is found by walking its hunk.
///
/// Files are keyed by [`super::FileDiff::path`]. A renamed or copied file has one key, its new path, for both sides, as at
/// GitHub: a comment on its old lines names the new path and the side `LEFT`. Both halves of a file that became a link or a
/// submodule share their path, and so their key. In a series of several commits a path may stand more than once with lines
/// of several versions; a lookup then answers with the first hunk that has the line.
#[derive(Debug, Clone)]
pub struct LineMap<'a> {
    /// The hunks of each file diff under the path, each list in order.
    files: HashMap<Cow<'a, str>, Vec<Vec<Hunk<'a>>>>,
}

impl<'a> LineMap<'a> {
    /// Builds the map. It borrows the text of the diff, not the [`Diff`].
    pub fn new(diff: &Diff<'a>) -> Self {
        let mut files: HashMap<_, Vec<_>> = HashMap::with_capacity(diff.files.len());
        for file in &diff.files {
            files.entry(file.path()).or_default().push(file.hunks().to_vec());
        }
        Self { files }
    }

    /// Whether the diff speaks of the file at all.
    pub fn has_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The file's hunks in order.
    pub fn hunks(&self, path: &str) -> impl Iterator<Item = &Hunk<'a>> {
        self.files.get(path).into_iter().flatten().flatten()
    }

    /// Whether the line stands in the diff on that side: removed and context lines on the left, added and context lines
    /// on the right.
    pub fn contains(&self, path: &str, side: Side, line: u32) -> bool {
        self.hunk(path, side, line).is_some()
    }

    /// The hunk in which the line stands on that side.
    pub fn hunk(&self, path: &str, side: Side, line: u32) -> Option<&Hunk<'a>> {
        self.files.get(path)?.iter().find_map(|hunks| {
            // Hunks are in order on both sides, so the first one that ends after the line is the only one that may hold it.
            let at = hunks.partition_point(|hunk| hunk.span(side).bounds().1 <= u64::from(line));
            hunks.get(at).filter(|hunk| hunk.span(side).contains(line))
        })
    }

    /// Whether all lines from `start` to `end`, both included, stand in one hunk on that side: GitHub refuses a comment
    /// on a range that leaves its hunk.
    pub fn same_hunk(&self, path: &str, side: Side, start: u32, end: u32) -> bool {
        start <= end && self.hunk(path, side, start).is_some_and(|hunk| hunk.span(side).contains(end))
    }

    /// The text of a line without its line feed; a carriage return stays.
    pub fn line(&self, path: &str, side: Side, line: u32) -> Option<&'a [u8]> {
        self.lines(path, side, line, line)?.next().map(|line| line.text)
    }

    /// The lines from `start` to `end`, both included, if all of them stand in one hunk on that side.
    pub fn lines(
        &self,
        path: &str,
        side: Side,
        start: u32,
        end: u32,
    ) -> Option<impl Iterator<Item = Line<'a>> + use<'a>> {
        let hunk = self.hunk(path, side, start).filter(|hunk| start <= end && hunk.span(side).contains(end))?;
        let number = move |line: &Line<'a>| line.number(side).unwrap_or_default();
        let from_start = hunk.side_lines(side).skip_while(move |line| number(line) < start);
        Some(from_start.take_while(move |line| number(line) <= end))
    }
}
