//! The header lines of a file's diff, and the paths they name.

use std::borrow::Cow;

use super::Change;
use super::error::{Problem, excerpt};
use super::path;

/// What happened to which paths.
pub(super) struct Names<'a> {
    pub(super) change: Change,
    pub(super) old_path: Option<Cow<'a, [u8]>>,
    pub(super) new_path: Option<Cow<'a, [u8]>>,
}

/// What git's extended headers say: the lines between `diff --git` and `---`.
#[derive(Default)]
pub(super) struct Headers<'a> {
    pub(super) old_mode: Option<u32>,
    pub(super) new_mode: Option<u32>,
    pub(super) similarity: Option<u8>,
    change: Option<Change>,
    from: Option<Cow<'a, [u8]>>,
    to: Option<Cow<'a, [u8]>>,
}

impl<'a> Headers<'a> {
    /// Takes in one line; false when it is not an extended header.
    pub(super) fn read(&mut self, line: &'a [u8]) -> Result<bool, Problem> {
        let after = |key: &str| line.strip_prefix(key.as_bytes());
        if let Some(ids) = after("index ") {
            self.index(line, ids)?;
        } else if let Some(mode) = after("old mode ") {
            self.old_mode = Some(octal(line, mode)?);
        } else if let Some(mode) = after("new mode ") {
            self.new_mode = Some(octal(line, mode)?);
        } else if let Some(mode) = after("new file mode ") {
            self.new_mode = Some(octal(line, mode)?);
            self.change = Some(Change::Added);
        } else if let Some(mode) = after("deleted file mode ") {
            self.old_mode = Some(octal(line, mode)?);
            self.change = Some(Change::Deleted);
        } else if let Some(from) = after("rename from ").or_else(|| after("rename old ")) {
            self.from = Some(path::header_path(from)?);
            self.change = Some(Change::Renamed);
        } else if let Some(to) = after("rename to ").or_else(|| after("rename new ")) {
            self.to = Some(path::header_path(to)?);
            self.change = Some(Change::Renamed);
        } else if let Some(from) = after("copy from ") {
            self.from = Some(path::header_path(from)?);
            self.change = Some(Change::Copied);
        } else if let Some(to) = after("copy to ") {
            self.to = Some(path::header_path(to)?);
            self.change = Some(Change::Copied);
        } else if let Some(percent) = after("similarity index ") {
            let digits = percent.strip_suffix(b"%").and_then(|digits| std::str::from_utf8(digits).ok());
            self.similarity = digits.and_then(|digits| digits.parse().ok());
        } else {
            return Ok(line.starts_with(b"dissimilarity index "));
        }
        Ok(true)
    }

    /// Which paths the file has, from the `diff --git` line, the lines above and the fields of `---` and `+++`. Lines of
    /// a rename or copy win, for they hold the paths alone; then `---` and `+++`; the first line, which is ambiguous,
    /// comes last. `first` is the first line of the file, whichever kind that is.
    pub(super) fn names(&mut self, first: &'a [u8], sides: Option<(&'a [u8], &'a [u8])>) -> Result<Names<'a>, Problem> {
        let both = first.strip_prefix(b"diff --git ");
        let mut change = self.change.unwrap_or(Change::Modified);
        let (old, new) = match (self.from.take(), self.to.take()) {
            (Some(from), Some(to)) => (from, to),
            _ => {
                let (old_side, new_side) = match sides {
                    Some((old, new)) => (path::side_path(old)?, path::side_path(new)?),
                    None => (None, None),
                };
                match (old_side, new_side, both, sides) {
                    (Some(old), Some(new), ..) => path::strip_prefixes(old, new),
                    (None, None, Some(both), None) => {
                        let (old, new) = path::header_paths(both).ok_or_else(|| Problem::Paths(excerpt(first)))?;
                        path::strip_prefixes(old, new)
                    }
                    (None, Some(new), both, Some((_, field))) => {
                        change = Change::Added;
                        let other = both.and_then(|both| {
                            both.strip_suffix(path::side_field(field)).and_then(|rest| rest.strip_suffix(b" "))
                        });
                        alone(new, other)
                    }
                    (Some(old), None, both, Some((field, _))) => {
                        change = Change::Deleted;
                        let other = both.and_then(|both| {
                            both.strip_prefix(path::side_field(field)).and_then(|rest| rest.strip_prefix(b" "))
                        });
                        let (new, old) = alone(old, other);
                        (old, new)
                    }
                    _ => return Err(Problem::NoSides),
                }
            }
        };
        Ok(Names {
            change,
            old_path: (change != Change::Added).then_some(old),
            new_path: (change != Change::Deleted).then_some(new),
        })
    }

    /// `index 1234567..89abcde 100644`: the mode stands here when it did not change. Several old ids are a combined diff.
    fn index(&mut self, line: &[u8], ids: &[u8]) -> Result<(), Problem> {
        let (ids, mode) = match memchr::memchr(b' ', ids) {
            Some(space) => (&ids[..space], Some(octal(line, &ids[space + 1..])?)),
            None => (ids, None),
        };
        if ids.contains(&b',') {
            return Err(Problem::Combined(excerpt(line)));
        }
        if let Some(mode) = mode {
            self.old_mode = Some(mode);
            self.new_mode = Some(mode);
        }
        Ok(())
    }
}

/// The path of a file that exists on one side only. `other` is the raw name which the `diff --git` line gives the missing
/// side; it shows what the prefix is. Returned as the pair (other, known).
fn alone<'a>(known: Cow<'a, [u8]>, other: Option<&'a [u8]>) -> path::Pair<'a> {
    match other.and_then(|raw| path::header_path(raw).ok()) {
        Some(other) => path::strip_prefixes(other, known),
        None => {
            let known = path::strip_prefix(known);
            (known.clone(), known)
        }
    }
}

fn octal(line: &[u8], digits: &[u8]) -> Result<u32, Problem> {
    std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|digits| u32::from_str_radix(digits, 8).ok())
        .ok_or_else(|| Problem::Mode(excerpt(line)))
}
