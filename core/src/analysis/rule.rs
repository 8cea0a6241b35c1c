//! What a rule is, and the list of all of them.

use std::sync::LazyLock;

use serde::Serialize;

use crate::review::Severity;

use super::{ci, conflict, debug, files, lockfile, secrets, size, tests_missing, unicode};

/// One thing the analysers look for. Documentation, SARIF output and `--help` list these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Family and name, such as `secret/github-token`; stable, for silencing and counting.
    pub id: &'static str,
    /// The highest severity its findings have; in tests, documentation and the like it is often lower.
    pub severity: Severity,
    /// One line that says what is wrong.
    pub title: &'static str,
    /// Why it matters.
    pub reason: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

/// All rules, sorted by id.
pub fn rules() -> &'static [Rule] {
    static ALL: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        let families = [
            conflict::RULES,
            unicode::RULES,
            debug::RULES,
            ci::RULES,
            files::RULES,
            lockfile::RULES,
            size::RULES,
            tests_missing::RULES,
        ];
        let mut all: Vec<Rule> = families.concat();
        all.extend(secrets::rules());
        all.sort_by_key(|rule| rule.id);
        all.dedup_by_key(|rule| rule.id);
        all
    });
    &ALL
}
