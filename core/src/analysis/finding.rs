//! From what the rules hit to the findings a person reads.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diff::Side;
use crate::review::{Finding, Location, Severity, Source};

use super::evidence::{Evidence, Mask};
use super::file::File;
use super::rule::Rule;
use super::secrets;
use super::silence::Silence;

/// How many findings of one rule are kept per file; the last one says how many more there were.
const PER_FILE: usize = 20;

/// What a rule hit in a file.
pub(super) struct Hit {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    /// A title that says more than the rule's own.
    pub(super) title: Option<String>,
    /// The place in [`File::rows`]; none when the file has no line to show.
    pub(super) row: Option<usize>,
    /// The bytes within that line.
    pub(super) span: Option<Range<usize>>,
}

impl Hit {
    /// A hit at the rule's own severity and title.
    pub(super) fn new(rule: &'static Rule, row: usize, span: Range<usize>) -> Self {
        Self { rule, severity: rule.severity, title: None, row: Some(row), span: Some(span) }
    }

    /// A hit on a file as a whole: it is shown at the first added line, if there is one.
    pub(super) fn on_file(rule: &'static Rule, file: &File<'_>, title: String) -> Self {
        let row = file.added().next().map(|(row, _)| row);
        Self { rule, severity: rule.severity, title: Some(title), row, span: None }
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(super) fn title(mut self, title: String) -> Self {
        self.title = Some(title);
        self
    }
}

/// Collects hits file by file and turns them into findings.
#[derive(Default)]
pub(super) struct Findings {
    hits: Vec<Hit>,
    done: Vec<Finding>,
}

impl Findings {
    pub(super) fn add(&mut self, hit: Hit) {
        self.hits.push(hit);
    }

    /// A remark about the change as a whole.
    pub(super) fn add_general(&mut self, rule: &'static Rule, severity: Severity, title: &str) {
        self.done.push(finding(rule, severity, title, None, String::new()));
    }

    /// Turns the hits of `file` into findings. `masks` are the secrets in it, by row.
    pub(super) fn settle(&mut self, file: &File<'_>, masks: &BTreeMap<usize, Vec<Mask>>) {
        if self.hits.is_empty() {
            return;
        }
        let silence = Silence::of(file);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        let mut hits = std::mem::take(&mut self.hits);
        hits.sort_by_key(|hit| (hit.row, hit.rule.id, std::cmp::Reverse(hit.severity)));
        hits.dedup_by_key(|hit| (hit.row, hit.rule.id));
        for hit in hits {
            let row = hit.row.and_then(|index| Some((index, file.rows.get(index)?)));
            if row.is_some_and(|(_, row)| silence.covers(row.number, hit.rule.id)) {
                continue;
            }
            let count = counts.entry(hit.rule.id).or_default();
            *count += 1;
            if *count > PER_FILE {
                continue;
            }
            last.insert(hit.rule.id, self.done.len());
            let title = hit.title.as_deref().unwrap_or(hit.rule.title);
            let (location, evidence) = match row {
                None => (None, String::new()),
                Some((index, row)) => {
                    let masks = masks.get(&index).map_or(&[][..], Vec::as_slice);
                    let evidence = Evidence::new(row.text, masks, hit.span);
                    let path = file.path.to_string();
                    let (start, end) = (row.number, row.number);
                    let columns = evidence.columns;
                    (Some(Location { path, side: Side::Right, start, end, columns }), evidence.text)
                }
            };
            self.done.push(finding(hit.rule, hit.severity, title, location, evidence));
        }
        for (rule, count) in counts.into_iter().filter(|(_, count)| *count > PER_FILE) {
            if let Some(finding) = last.get(rule).and_then(|index| self.done.get_mut(*index)) {
                finding.title.push_str(&format!(" (and {} more like it in this file)", count - PER_FILE));
            }
        }
    }

    /// All findings, most severe first, then by path and line; remarks without a place come last.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        fn place(finding: &Finding) -> Option<(&str, u32)> {
            finding.location.as_ref().map(|location| (location.path.as_str(), location.start))
        }
        self.done.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then_with(|| a.location.is_none().cmp(&b.location.is_none()))
                .then_with(|| place(a).cmp(&place(b)))
                .then_with(|| a.rule.cmp(&b.rule))
                .then_with(|| a.title.cmp(&b.title))
        });
        self.done
    }
}

fn finding(rule: &Rule, severity: Severity, title: &str, location: Option<Location>, evidence: String) -> Finding {
    Finding {
        rule: rule.id.to_owned(),
        severity,
        title: secrets::redact(title).into_owned(),
        reason: rule.reason.to_owned(),
        fix: rule.fix.to_owned(),
        location,
        evidence,
        replacement: None,
        source: Source::Analyser,
    }
}
