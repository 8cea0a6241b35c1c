//! Reviews for the tests of this module.

use autopr_core::diff::Side;
use autopr_core::ids::CommitSha;
use autopr_core::review::{Check, Coverage, Finding, Location, Review, Severity, Skipped, Source};

use autopr_core::analysis::Rule;

use super::{Format, Style, render};

pub(super) const RULES: [Rule; 2] = [
    Rule {
        id: "debug/leftover",
        severity: Severity::Medium,
        title: "Debug statement left in",
        reason: "It prints in production.",
        fix: "Remove it.",
    },
    Rule {
        id: "secret/github-token",
        severity: Severity::Critical,
        title: "GitHub token in the source",
        reason: "Who can read the source can use it.",
        fix: "Revoke it.",
    },
];

pub(super) fn print(review: &Review, check: &Check, format: Format, style: Style) -> String {
    render(review, check, &RULES, format, style).unwrap()
}

pub(super) fn check(review: &Review) -> Check {
    review.check()
}

/// A review with a secret, a model's multi-line remark with a suggestion, one on a removed line, and one on the whole.
pub(super) fn review() -> Review {
    let secret = Finding {
        rule: "secret/github-token".to_owned(),
        severity: Severity::Critical,
        title: "GitHub token in the source".to_owned(),
        reason: "Who can read the source, now or later in its history, can act as the token's owner until the token \
                 is revoked."
            .to_owned(),
        fix: "Revoke the token, then read it from the environment.".to_owned(),
        location: Some(at("src/config with space.rs", Side::Right, 14, 14, Some((13, 34)))),
        evidence: "\tlet token = \"[github-token …wxyz]\"; // 日本".to_owned(),
        replacement: None,
        source: Source::Analyser,
    };
    let model = Finding {
        rule: "correctness".to_owned(),
        severity: Severity::Medium,
        title: "off by one".to_owned(),
        reason: "`i` reaches `len`.".to_owned(),
        fix: "Use a range that excludes the end.".to_owned(),
        location: Some(at("src/lib.rs", Side::Right, 99, 100, None)),
        evidence: "for i in 0..=len {\n    visit(items[i]);".to_owned(),
        replacement: Some("for item in items {\n    visit(item);\n".to_owned()),
        source: Source::Model { provider: "openai".to_owned(), model: "m-1".to_owned() },
    };
    let removed = Finding {
        rule: "debug/leftover".to_owned(),
        severity: Severity::Low,
        title: "a check is gone".to_owned(),
        reason: "It guarded the call.".to_owned(),
        fix: "Keep it.".to_owned(),
        location: Some(at("src/lib.rs", Side::Left, 7, 7, None)),
        evidence: "    assert!(ready);".to_owned(),
        replacement: Some("nothing\n".to_owned()),
        source: Source::Analyser,
    };
    let whole = Finding {
        rule: "tests/missing".to_owned(),
        severity: Severity::Info,
        title: "code changed, tests did not".to_owned(),
        reason: "A change without a test may break unseen.".to_owned(),
        fix: "Add one.".to_owned(),
        location: None,
        evidence: String::new(),
        replacement: None,
        source: Source::Analyser,
    };
    Review {
        effort: None,
        head: CommitSha::new("abcdef1234abcdef1234abcdef1234abcdef1234").unwrap(),
        findings: vec![secret, model, removed, whole],
        omitted: 2,
        block_on: Severity::High,
        coverage: Coverage {
            files: 12,
            added: 120,
            removed: 30,
            models: Vec::new(),
            skipped: vec![
                Skipped {
                    what: "Cargo.lock".to_owned(),
                    why: "left out by review.ignore".to_owned(),
                    incomplete: false,
                },
                Skipped {
                    what: "src/big.rs".to_owned(),
                    why: "too large for one model call".to_owned(),
                    incomplete: true,
                },
            ],
        },
        problems: vec![".autopr.yml:3:5: unknown key `revew`, did you mean `review`?".to_owned()],
    }
}

pub(super) fn empty() -> Review {
    Review { findings: Vec::new(), omitted: 0, coverage: Coverage::default(), problems: Vec::new(), ..review() }
}

pub(super) fn at(path: &str, side: Side, start: u32, end: u32, columns: Option<(u32, u32)>) -> Location {
    Location { path: path.to_owned(), side, start, end, columns }
}
