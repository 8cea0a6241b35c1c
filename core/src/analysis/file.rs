//! The change and its files as the rules see them.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use bytes::Bytes;

use crate::diff::{Change as What, Diff, FileDiff, LineKind};

use super::Options;
use super::paths::Kind;

/// The change as a whole.
pub(super) struct Change<'d> {
    diff: &'d Diff<'d>,
    contents: &'d BTreeMap<String, Option<Bytes>>,
    /// The paths of all files that remain.
    pub(super) paths: BTreeSet<String>,
    removed: OnceCell<HashSet<&'d [u8]>>,
}

impl<'d> Change<'d> {
    pub(super) fn new(diff: &'d Diff<'d>, options: &Options<'d>) -> Self {
        let paths = diff
            .files
            .iter()
            .filter(|file| file.change != What::Deleted)
            .map(|file| file.path().into_owned())
            .collect();
        Self { diff, contents: options.contents, paths, removed: OnceCell::new() }
    }

    /// The head version of a file, if it is known and exists.
    pub(super) fn content(&self, path: &str) -> Option<&'d [u8]> {
        self.contents.get(path)?.as_deref()
    }

    /// Whether a line with this text, white space around it aside, goes away elsewhere in the change: then the added
    /// one was only moved or indented.
    pub(super) fn moved(&self, text: &[u8]) -> bool {
        self.removed().contains(text.trim_ascii())
    }

    /// The texts of all removed lines, without the white space around them.
    pub(super) fn removed(&self) -> &HashSet<&'d [u8]> {
        self.removed.get_or_init(|| {
            let hunks = self.diff.files.iter().flat_map(|file| file.hunks());
            hunks
                .flat_map(|hunk| hunk.lines())
                .filter(|line| line.kind == LineKind::Removed)
                .map(|line| line.text.trim_ascii())
                .collect()
        })
    }
}

/// One file of the change with its lines.
pub(super) struct File<'d> {
    pub(super) path: Cow<'d, str>,
    pub(super) kind: Kind,
    pub(super) diff: &'d FileDiff<'d>,
    /// The lines of all hunks in order.
    pub(super) rows: Vec<Row<'d>>,
}

/// One line of a file's hunks.
#[derive(Clone, Copy)]
pub(super) struct Row<'d> {
    pub(super) kind: LineKind,
    /// The text without a carriage return at its end.
    pub(super) text: &'d [u8],
    /// The number in the new file; in the old one for a removed line.
    pub(super) number: u32,
    /// Which hunk it stands in.
    pub(super) hunk: u32,
}

impl Row<'_> {
    pub(super) fn is_added(&self) -> bool {
        self.kind == LineKind::Added
    }
}

impl<'d> File<'d> {
    pub(super) fn new(diff: &'d FileDiff<'d>, path: Cow<'d, str>) -> Self {
        let mut rows = Vec::new();
        for (hunk, index) in diff.hunks().iter().zip(0u32..) {
            rows.extend(hunk.lines().map(|line| Row {
                kind: line.kind,
                text: line.text.strip_suffix(b"\r").unwrap_or(line.text),
                number: line.new.or(line.old).unwrap_or_default(),
                hunk: index,
            }));
        }
        Self { kind: Kind::of(&path), path, diff, rows }
    }

    /// The added lines with their place in [`File::rows`].
    pub(super) fn added(&self) -> impl Iterator<Item = (usize, &Row<'d>)> {
        self.rows.iter().enumerate().filter(|(_, row)| row.is_added())
    }

    /// The lines of the new version that the diff shows, with their place in [`File::rows`].
    pub(super) fn shown(&self) -> impl DoubleEndedIterator<Item = (usize, &Row<'d>)> {
        self.rows.iter().enumerate().filter(|(_, row)| row.kind != LineKind::Removed)
    }

    /// The name without its folders.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or(&self.path, |(_, name)| name)
    }

    /// Whether the file is new in this change.
    pub(super) fn is_new(&self) -> bool {
        self.diff.change == What::Added
    }
}

/// The folder of a path with a trailing slash, empty for the root.
pub(super) fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}
