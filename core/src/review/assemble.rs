//! From what analysers and models found to one review: without doubles, most severe first, cut to size.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::analysis::Effort;
use crate::ids::CommitSha;
use crate::repo_config;
use crate::review::{Coverage, Finding, Review, Severity, Source};

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

/// Makes the review of that head commit with at most as many findings as are wanted: the most severe ones.
pub fn assemble(head: &CommitSha, parts: Parts, problems: Vec<String>, wanted: &repo_config::Review) -> Review {
    let Parts { findings, coverage, effort } = parts;
    let mut findings = distinct(findings);
    findings.sort_by_cached_key(rank);
    let kept = usize::try_from(wanted.max_findings).unwrap_or(usize::MAX).min(findings.len());
    let omitted = u32::try_from(findings.len() - kept).unwrap_or(u32::MAX);
    findings.truncate(kept);
    Review { head: head.clone(), findings, omitted, block_on: wanted.block_on, coverage, effort, problems }
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
    use crate::review::Location;

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

    fn review(findings: Vec<Finding>, max_findings: u32) -> Review {
        let parts = Parts { findings, coverage: Coverage::default(), effort: None };
        let wanted = repo_config::Review { max_findings, ..repo_config::Review::default() };
        assemble(&CommitSha::zero(), parts, Vec::new(), &wanted)
    }

    #[test]
    fn the_most_severe_come_first_and_the_others_are_counted() {
        let found = vec![
            finding("b", Severity::Low, Some(1)),
            finding("a", Severity::Critical, Some(9)),
            finding("c", Severity::High, None),
        ];
        let review = review(found, 2);
        let said: Vec<_> = review.findings.iter().map(|finding| finding.rule.as_str()).collect();
        assert_eq!((said, review.omitted), (vec!["a", "c"], 1));
    }

    #[test]
    fn the_same_is_said_once() {
        let model = Source::Model { provider: "p".to_owned(), model: "m".to_owned() };
        let echo = Finding { source: model.clone(), ..finding("model/finding", Severity::High, Some(3)) };
        let own = Finding { source: model, ..finding("model/finding", Severity::High, Some(4)) };
        let twice = finding("a", Severity::High, Some(3));
        let review = review(vec![twice.clone(), twice, echo, own], 9);
        let said: Vec<_> = review.findings.iter().map(|finding| finding.rule.as_str()).collect();
        assert_eq!(said, ["a", "model/finding"]);
    }
}
