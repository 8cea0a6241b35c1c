//! Code without tests.

use crate::review::Severity;

use super::finding::Findings;
use super::rule::Rule;
use super::size::Figures;

pub(super) const RULES: &[Rule] = &[MISSING];

/// Below this many added lines of code a change may well need no test.
const SMALL: u32 = 30;
/// From this many on it hardly ever does without.
const LARGE: u32 = 150;

const MISSING: Rule = Rule {
    id: "change/missing-tests",
    severity: Severity::Low,
    title: "Code without tests",
    reason: "The change adds code but no test was added or changed with it.",
    fix: "Add a test that fails without the change, or say in the description why none is needed.",
};

/// Remarks on a change that adds code and touches no test. Documentation, settings, examples and generated files
/// are no code here.
pub(super) fn check(figures: &Figures, findings: &mut Findings) {
    if figures.tests || figures.code < SMALL {
        return;
    }
    let severity = if figures.code < LARGE { Severity::Info } else { MISSING.severity };
    let most = figures.largest.as_ref().map_or(String::new(), |(_, path)| format!(", most in `{path}`"));
    findings.add_general(&MISSING, severity, &format!("{} lines of code without a test{most}", figures.code));
}
