//! Conflict markers that a merge left behind.

use crate::review::Severity;

use super::file::File;
use super::finding::{Findings, Hit};
use super::rule::Rule;

pub(super) const RULES: &[Rule] = &[MARKER];

const MARKER: Rule = Rule {
    id: "conflict/marker",
    severity: Severity::High,
    title: "Merge conflict marker",
    reason: "The marker of an unresolved merge was committed: both versions stand in the file, and it will rarely compile.",
    fix: "Decide for one version (or combine them) and delete the marker lines.",
};

/// A line of seven equal signs also underlines a title in Markdown and reStructuredText, and quoted markers appear in
/// documentation. So the outer markers count only with a name behind them, and the inner ones only next to an outer
/// one among the added lines of the same hunk.
pub(super) fn check(file: &File<'_>, findings: &mut Findings) {
    let mut start = 0;
    while start < file.rows.len() {
        let hunk = file.rows[start].hunk;
        let length = file.rows[start..].iter().take_while(|row| row.hunk == hunk).count();
        check_hunk(file, start..start + length, findings);
        start += length;
    }
}

fn check_hunk(file: &File<'_>, rows: std::ops::Range<usize>, findings: &mut Findings) {
    let markers: Vec<(usize, Marker)> = rows
        .filter(|index| file.rows[*index].is_added())
        .filter_map(|index| Some((index, Marker::of(file.rows[index].text)?)))
        .collect();
    let outer = |wanted: Marker| markers.iter().any(|(_, marker)| *marker == wanted);
    let (opens, closes) = (outer(Marker::Open), outer(Marker::Close));
    // In prose and tests one lone marker is an explanation; a real conflict has both ends.
    let enough = if file.kind.is_soft() { opens && closes } else { opens || closes };
    if !enough {
        return;
    }
    let mut inside = false;
    for (row, marker) in markers {
        // One finding for each conflict, on its first line.
        if !inside || marker == Marker::Open {
            let mut hit = Hit::new(&MARKER, row, 0..file.rows[row].text.trim_ascii_end().len());
            if file.kind.is_soft() {
                hit = hit.severity(Severity::Low);
            }
            findings.add(hit);
        }
        inside = marker != Marker::Close;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    Open,
    Base,
    Middle,
    Close,
}

impl Marker {
    fn of(line: &[u8]) -> Option<Self> {
        let mark = line.get(..7)?;
        let rest = &line[7..];
        let named = rest.first() == Some(&b' ') && rest.len() > 1;
        match mark {
            b"<<<<<<<" if named => Some(Self::Open),
            b">>>>>>>" if named => Some(Self::Close),
            b"|||||||" if named || rest.is_empty() => Some(Self::Base),
            b"=======" if rest.is_empty() => Some(Self::Middle),
            _ => None,
        }
    }
}
