//! Reviews for the tests of this module.

use crate::diff::Side;
use crate::ids::CommitSha;

use super::{Coverage, Finding, Location, Review, Severity, Skipped, Source};

pub(super) fn finding(severity: Severity) -> Finding {
    Finding {
        rule: "debug/leftover".to_owned(),
        severity,
        title: "a debug statement was left in".to_owned(),
        reason: "`dbg!` prints to stderr in production.".to_owned(),
        fix: "Remove it.".to_owned(),
        location: Some(Location {
            path: "src/lib.rs".to_owned(),
            side: Side::Right,
            start: 7,
            end: 7,
            columns: Some((4, 11)),
        }),
        evidence: "    dbg!(x);".to_owned(),
        replacement: None,
        source: Source::Analyser,
    }
}

pub(super) fn review(findings: Vec<Finding>) -> Review {
    let head = CommitSha::new("1234567890123456789012345678901234567890").unwrap_or_else(|_| CommitSha::zero());
    let coverage = Coverage { files: 12, added: 120, removed: 30, models: Vec::new(), skipped: Vec::new() };
    Review { head, findings, omitted: 0, block_on: Severity::High, coverage, effort: None, problems: Vec::new() }
}

pub(super) fn skipped(incomplete: bool) -> Skipped {
    Skipped { what: "src/big.rs".to_owned(), why: "too large for one model call".to_owned(), incomplete }
}
