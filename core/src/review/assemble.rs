//! From what analysers and models found to one review: without doubles, most severe first, cut to size, with a verdict.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::analysis::Effort;
use crate::ids::CommitSha;
use crate::review::{Coverage, Finding, Review, Severity, Source, Verdict};

/// What the steps before put out.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Everything found, in any order.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub coverage: Coverage,
    /// How much work the change is to review, if that is known.
    pub effort: Option<Effort>,
}

/// Makes the review. The verdict is that of all findings, also of those which are cut off.
pub fn assemble(
    head: &CommitSha,
    parts: Parts,
    problems: Vec<String>,
    max_findings: u32,
    block_on: Severity,
) -> Review {
    let Parts { findings, coverage, effort } = parts;
    let mut findings = distinct(findings);
    findings.sort_by_cached_key(rank);
    let blocking = findings.iter().any(|finding| finding.severity >= block_on);
    let verdict = match (blocking, coverage.skipped.iter().any(|skipped| skipped.incomplete)) {
        (true, _) => Verdict::Failure,
        (false, true) => Verdict::Neutral,
        (false, false) => Verdict::Success,
    };
    let kept = usize::try_from(max_findings).unwrap_or(usize::MAX).min(findings.len());
    let omitted = u32::try_from(findings.len() - kept).unwrap_or(u32::MAX);
    findings.truncate(kept);
    Review { head: head.clone(), verdict, findings, omitted, coverage, effort, problems }
}

/// Drops findings that say the same of the same place: the same rule there, or a model's on the very lines that an
/// analyser has spoken of.
fn distinct(findings: Vec<Finding>) -> Vec<Finding> {
    let analysed: HashSet<_> = findings
        .iter()
        .filter(|finding| finding.source == Source::Analyser)
        .filter_map(|finding| finding.location.as_ref())
        .map(|location| (location.path.clone(), location.side, location.start, location.end))
        .collect();
    let mut seen = HashSet::new();
    findings
        .into_iter()
        .filter(|finding| {
            let place = finding.location.clone();
            let lines = place.as_ref().map(|place| (place.path.clone(), place.side, place.start, place.end));
            let said = finding.source != Source::Analyser && lines.is_some_and(|lines| analysed.contains(&lines));
            !said && seen.insert((finding.rule.clone(), place, finding.title.clone()))
        })
        .collect()
}

fn rank(finding: &Finding) -> (Reverse<Severity>, Option<(String, u32)>, String) {
    let place = finding.location.as_ref().map(|location| (location.path.clone(), location.start));
    (Reverse(finding.severity), place, finding.rule.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Side;
    use crate::review::{Location, Skipped};

    fn finding(rule: &str, severity: Severity, line: Option<u32>) -> Finding {
        let location = line.map(|line| Location {
            path: "a.rs".to_owned(),
            side: Side::Right,
            start: line,
            end: line,
            columns: None,
        });
        Finding {
            rule: rule.to_owned(),
            severity,
            title: rule.to_owned(),
            reason: String::new(),
            fix: String::new(),
            location,
            evidence: String::new(),
            replacement: None,
            source: Source::Analyser,
        }
    }

    fn review(findings: Vec<Finding>, skipped: Vec<Skipped>, max_findings: u32) -> Review {
        let coverage = Coverage { skipped, ..Coverage::default() };
        let parts = Parts { findings, coverage, effort: None };
        assemble(&CommitSha::zero(), parts, Vec::new(), max_findings, Severity::High)
    }

    #[test]
    fn the_most_severe_come_first_and_the_cut_does_not_change_the_verdict() {
        let found = vec![
            finding("b", Severity::Low, Some(1)),
            finding("a", Severity::Critical, Some(9)),
            finding("c", Severity::High, None),
        ];
        let review = review(found, Vec::new(), 1);
        assert_eq!(review.findings.iter().map(|finding| finding.rule.as_str()).collect::<Vec<_>>(), ["a"]);
        assert_eq!((review.omitted, review.verdict), (2, Verdict::Failure));
        let cut = self::review(vec![finding("x", Severity::High, None)], Vec::new(), 0);
        assert_eq!((cut.findings.len(), cut.omitted, cut.verdict), (0, 1, Verdict::Failure));
    }

    #[test]
    fn what_was_not_looked_at_keeps_the_check_from_being_green() {
        let skipped = |incomplete| Skipped { what: "x".to_owned(), why: "y".to_owned(), incomplete };
        assert_eq!(review(vec![], vec![skipped(true)], 9).verdict, Verdict::Neutral);
        assert_eq!(review(vec![], vec![skipped(false)], 9).verdict, Verdict::Success);
        assert_eq!(review(vec![finding("a", Severity::Medium, None)], vec![], 9).verdict, Verdict::Success);
    }

    #[test]
    fn the_same_is_said_once() {
        let model = Source::Model { provider: "p".to_owned(), model: "m".to_owned() };
        let echo = Finding { source: model.clone(), ..finding("model/finding", Severity::High, Some(3)) };
        let own = Finding { source: model, ..finding("model/finding", Severity::High, Some(4)) };
        let twice = finding("a", Severity::High, Some(3));
        let review = review(vec![twice.clone(), twice, echo, own], vec![], 9);
        let said: Vec<_> = review.findings.iter().map(|finding| finding.rule.as_str()).collect();
        assert_eq!(said, ["a", "model/finding"]);
    }
}
