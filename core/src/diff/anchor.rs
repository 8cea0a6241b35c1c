//! Anchors: whether a remark's quoted evidence stands on the line the remark names.

use std::borrow::Cow;
use std::fmt;

use super::{LineKind, LineMap, Side};
use crate::review::Location;

/// A remark's claim to a place: these lines of that file read so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The file, as [`super::FileDiff::path`] shows it.
    pub path: String,
    /// Which version of the file.
    pub side: Side,
    /// The first line, 1-based.
    pub start: u32,
    /// The last line, the same as `start` for a single line.
    pub end: u32,
    /// What is said to stand there, one or more lines.
    pub quote: String,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchored {
    /// The quoted text stands where the claim says.
    Exact(Location),
    /// It stands elsewhere in the file's hunks, in one place only.
    Moved(Location),
    /// It can't be put on a line; the remark belongs in the summary, with this reason.
    Demoted(Reason),
}

/// Why a claim has no place in the diff. The text form is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The quote is empty or only white space.
    NoQuote,
    /// The diff does not speak of the file.
    NoFile,
    /// The file has no lines in the diff: it is binary, or only its name or mode changed.
    NoLines,
    /// The quote stands nowhere in the file's hunks.
    NotFound,
    /// The quote stands in several places, none of which is the claimed one.
    Ambiguous(usize),
    /// The quote stands elsewhere, but says too little to be looked for, such as `}`.
    TooShort,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoQuote => f.write_str("no evidence was quoted"),
            Self::NoFile => f.write_str("the file is not part of the change"),
            Self::NoLines => {
                f.write_str("the file has no lines in the change: it is binary, or only its name or mode changed")
            }
            Self::NotFound => f.write_str("the quoted text does not occur in the change"),
            Self::Ambiguous(count) => {
                write!(f, "the quoted text occurs {count} times in the change, but not on the line named")
            }
            Self::TooShort => {
                f.write_str("the quoted text does not stand on the line named and is too short to be looked for")
            }
        }
    }
}

/// Checks a claim against the diff.
///
/// - Text is compared line by line without the white space around each line, a carriage return included. White space
///   inside a line counts. Empty lines before and after the quote, and at the ends of the claimed range, do not count.
/// - The claim stands when its whole range lies in one hunk and reads as quoted, or as `shown` makes of it: whoever
///   quotes may not have been shown every word.
/// - Otherwise the quote is looked for in the file's hunks, on the claimed side first; only when that side does not have
///   it, on the other. One place there is where the remark moves to. A quote with fewer than two letters or digits
///   (`}`, `);`) is never looked for: such lines are all alike.
/// - Unchanged lines are given on the right side, whichever side was claimed, since that is where GitHub puts comments on
///   them.
/// - Everything else is demoted.
pub fn anchor(map: &LineMap<'_>, claim: &Claim, shown: impl Fn(&str) -> Cow<'_, str>) -> Anchored {
    let quote = fold(claim.quote.lines().map(|line| line.as_bytes().trim_ascii()).collect());
    if quote.is_empty() || claim.quote.trim().is_empty() {
        return Anchored::Demoted(Reason::NoQuote);
    }
    if !map.has_file(&claim.path) {
        return Anchored::Demoted(Reason::NoFile);
    }
    if map.hunks(&claim.path).next().is_none() {
        return Anchored::Demoted(Reason::NoLines);
    }
    if let Some(place) = claimed(map, claim, &quote, shown) {
        return Anchored::Exact(place.location(&claim.path));
    }
    if claim.quote.chars().filter(|c| c.is_alphanumeric()).take(2).count() < 2 {
        return Anchored::Demoted(Reason::TooShort);
    }
    let other = match claim.side {
        Side::Left => Side::Right,
        Side::Right => Side::Left,
    };
    for side in [claim.side, other] {
        match search(map, &claim.path, side, &quote) {
            (0, _) => {}
            (1, Some(place)) => return Anchored::Moved(place.location(&claim.path)),
            (count, _) => return Anchored::Demoted(Reason::Ambiguous(count)),
        }
    }
    Anchored::Demoted(Reason::NotFound)
}

/// A run of lines on one side.
#[derive(Debug, Clone, Copy)]
struct Place {
    side: Side,
    start: u32,
    end: u32,
}

impl Place {
    fn location(self, path: &str) -> Location {
        Location { path: path.to_owned(), side: self.side, start: self.start, end: self.end, columns: None }
    }
}

/// The claimed place, if it reads as quoted.
fn claimed(map: &LineMap<'_>, claim: &Claim, quote: &[&[u8]], shown: impl Fn(&str) -> Cow<'_, str>) -> Option<Place> {
    let Claim { path, side, start, end, .. } = claim;
    let lines: Vec<_> = map.lines(path, *side, *start, *end)?.collect();
    let there: Vec<_> = lines.iter().map(|line| line.text).collect();
    if !reads(&there, quote) {
        let text = there.join(&b'\n');
        let text = shown(std::str::from_utf8(&text).ok()?).into_owned();
        if !reads(&text.lines().map(str::as_bytes).collect::<Vec<_>>(), quote) {
            return None;
        }
    }
    let unchanged = lines.iter().all(|line| line.kind == LineKind::Context);
    match (lines.first()?.new, lines.last()?.new) {
        (Some(start), Some(end)) if unchanged => Some(Place { side: Side::Right, start, end }),
        _ => Some(Place { side: *side, start: *start, end: *end }),
    }
}

/// Whether lines read as quoted.
fn reads(lines: &[&[u8]], quote: &[&[u8]]) -> bool {
    fold(lines.iter().map(|line| line.trim_ascii()).collect()) == quote
}

/// How often the quote stands in the file's hunks on one side, and where last. A line is read once, however often the
/// quote begins to match (the algorithm of Knuth, Morris and Pratt, over lines).
fn search(map: &LineMap<'_>, path: &str, side: Side, quote: &[&[u8]]) -> (usize, Option<Place>) {
    let borders = borders(quote);
    let (mut count, mut place) = (0, None);
    for hunk in map.hunks(path) {
        let (mut matched, mut unchanged) = (0_usize, 0_u32);
        for line in hunk.side_lines(side) {
            unchanged = if line.kind == LineKind::Context { unchanged.saturating_add(1) } else { 0 };
            matched = extend(quote, &borders, matched, line.text.trim_ascii());
            if matched < quote.len() {
                continue;
            }
            matched = borders[matched - 1];
            count += 1;
            let before = u32::try_from(quote.len() - 1).unwrap_or(u32::MAX);
            let (side, end) = match line.new {
                Some(end) if unchanged > before => (Side::Right, Some(end)),
                _ => (side, line.number(side)),
            };
            place = end.map(|end| Place { side, start: end.saturating_sub(before), end });
        }
    }
    (count, place)
}

/// For each length of a beginning of the quote, the length of its longest proper beginning that is also its end.
fn borders(quote: &[&[u8]]) -> Vec<usize> {
    let mut borders = vec![0; quote.len()];
    for at in 1..quote.len() {
        borders[at] = extend(quote, &borders, borders[at - 1], quote[at]);
    }
    borders
}

/// How many lines of the quote match when one more line is read after `matched` of them.
fn extend(quote: &[&[u8]], borders: &[usize], mut matched: usize, line: &[u8]) -> usize {
    while quote[matched] != line {
        match matched.checked_sub(1) {
            Some(last) => matched = borders[last],
            None => return 0,
        }
    }
    matched + 1
}

/// Takes empty lines off both ends.
fn fold(lines: Vec<&[u8]>) -> Vec<&[u8]> {
    let start = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let end = lines.iter().rposition(|line| !line.is_empty()).map_or(start, |last| last + 1);
    lines[start..end].to_vec()
}
