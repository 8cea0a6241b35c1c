//! A review as JSON for programs. The shape is stable: a field is added without notice, but none is renamed, removed or
//! given another meaning without a new `version`.

use autopr_core::analysis::Effort;
use autopr_core::diff::Side;
use autopr_core::review::{Check, Coverage, Finding, Review, Severity, Skipped, Source, Verdict};
use serde::Serialize;

use super::columns;

/// The version of the shape below.
const VERSION: u32 = 1;

/// The review as indented JSON.
pub(super) fn render(review: &Review, check: &Check) -> Result<String, serde_json::Error> {
    let findings = review.findings.iter().map(FindingRow::from).collect();
    let Coverage { files, added, removed, models, skipped } = &review.coverage;
    let page = Page {
        version: VERSION,
        head: review.head.as_str(),
        verdict: check.verdict,
        title: &check.title,
        findings,
        omitted: review.omitted,
        effort: review.effort,
        coverage: CoverageRow { files: *files, added: *added, removed: *removed, models, skipped },
        problems: &review.problems,
    };
    Ok(serde_json::to_string_pretty(&page)? + "\n")
}

#[derive(Serialize)]
struct Page<'a> {
    /// The version of this shape.
    version: u32,
    /// The commit that was reviewed; all zeros for the index.
    head: &'a str,
    /// `success`, `failure` or `neutral`.
    verdict: Verdict,
    /// The verdict in one line.
    title: &'a str,
    /// The most severe first.
    findings: Vec<FindingRow<'a>>,
    /// How many more were left out by `review.max_findings`.
    omitted: u32,
    /// How much work the change is to review: `level` from 1 to 5, and what it stands on.
    effort: Option<Effort>,
    coverage: CoverageRow<'a>,
    /// Mistakes in the repository's configuration, one line each.
    problems: &'a [String],
}

#[derive(Serialize)]
struct FindingRow<'a> {
    rule: &'a str,
    /// `critical`, `high`, `medium`, `low` or `info`.
    severity: Severity,
    title: &'a str,
    reason: &'a str,
    fix: &'a str,
    /// Absent for a remark about the change as a whole.
    location: Option<LocationRow<'a>>,
    /// The located lines, secrets masked.
    evidence: &'a str,
    /// Text to put in place of the located lines.
    replacement: Option<&'a str>,
    source: &'a Source,
}

#[derive(Serialize)]
struct LocationRow<'a> {
    path: &'a str,
    /// `RIGHT` for the new version of the file, `LEFT` for the old.
    side: Side,
    /// 1-based, as is `end_line`, which is included.
    start_line: u32,
    end_line: u32,
    /// Within the first line of `evidence`: 1-based, in Unicode characters.
    start_column: Option<u32>,
    /// The column after the last.
    end_column: Option<u32>,
}

#[derive(Serialize)]
struct CoverageRow<'a> {
    files: u32,
    added: u32,
    removed: u32,
    /// `provider/model`; empty when the analysers alone did the work.
    models: &'a [String],
    /// What was not reviewed. `incomplete` is true for what should have been.
    skipped: &'a [Skipped],
}

impl<'a> From<&'a Finding> for FindingRow<'a> {
    fn from(finding: &'a Finding) -> Self {
        let columns = columns(finding);
        let location = finding.location.as_ref().map(|location| LocationRow {
            path: &location.path,
            side: location.side,
            start_line: location.start,
            end_line: location.end,
            start_column: columns.map(|(start, _)| start),
            end_column: columns.map(|(_, end)| end),
        });
        Self {
            rule: &finding.rule,
            severity: finding.severity,
            title: &finding.title,
            reason: &finding.reason,
            fix: &finding.fix,
            location,
            evidence: &finding.evidence,
            replacement: finding.replacement.as_deref(),
            source: &finding.source,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::report::samples::{check, empty, print, review};
    use crate::report::{Format, Style};

    #[test]
    fn a_review() {
        let mut review = review();
        review.findings.drain(2..3);
        let page = print(&review, &check(&review), Format::Json, Style { colour: true, width: 40 });
        insta::assert_snapshot!(page, @r#"
        {
          "version": 1,
          "head": "abcdef1234abcdef1234abcdef1234abcdef1234",
          "verdict": "failure",
          "title": "5 findings, 1 of them blocks merging",
          "findings": [
            {
              "rule": "secret/github-token",
              "severity": "critical",
              "title": "GitHub token in the source",
              "reason": "Who can read the source, now or later in its history, can act as the token's owner until the token is revoked.",
              "fix": "Revoke the token, then read it from the environment.",
              "location": {
                "path": "src/config with space.rs",
                "side": "RIGHT",
                "start_line": 14,
                "end_line": 14,
                "start_column": 14,
                "end_column": 33
              },
              "evidence": "\tlet token = \"[github-token …wxyz]\"; // 日本",
              "replacement": null,
              "source": {
                "type": "analyser"
              }
            },
            {
              "rule": "correctness",
              "severity": "medium",
              "title": "off by one",
              "reason": "`i` reaches `len`.",
              "fix": "Use a range that excludes the end.",
              "location": {
                "path": "src/lib.rs",
                "side": "RIGHT",
                "start_line": 99,
                "end_line": 100,
                "start_column": null,
                "end_column": null
              },
              "evidence": "for i in 0..=len {\n    visit(items[i]);",
              "replacement": "for item in items {\n    visit(item);\n",
              "source": {
                "type": "model",
                "provider": "openai",
                "model": "m-1"
              }
            },
            {
              "rule": "tests/missing",
              "severity": "info",
              "title": "code changed, tests did not",
              "reason": "A change without a test may break unseen.",
              "fix": "Add one.",
              "location": null,
              "evidence": "",
              "replacement": null,
              "source": {
                "type": "analyser"
              }
            }
          ],
          "omitted": 2,
          "effort": null,
          "coverage": {
            "files": 12,
            "added": 120,
            "removed": 30,
            "models": [],
            "skipped": [
              {
                "what": "Cargo.lock",
                "why": "left out by review.ignore",
                "incomplete": false
              },
              {
                "what": "src/big.rs",
                "why": "too large for one model call",
                "incomplete": true
              }
            ]
          },
          "problems": [
            ".autopr.yml:3:5: unknown key `revew`, did you mean `review`?"
          ]
        }
        "#);
    }

    #[test]
    fn a_review_that_found_nothing() {
        let page = print(&empty(), &check(&empty()), Format::Json, Style { colour: false, width: 80 });
        insta::assert_snapshot!(page, @r#"
        {
          "version": 1,
          "head": "abcdef1234abcdef1234abcdef1234abcdef1234",
          "verdict": "success",
          "title": "no findings",
          "findings": [],
          "omitted": 0,
          "effort": null,
          "coverage": {
            "files": 0,
            "added": 0,
            "removed": 0,
            "models": [],
            "skipped": []
          },
          "problems": []
        }
        "#);
    }
}
