//! GitHub workflows that give strangers more than they should have.
//!
//! Sources: GitHub's "Security hardening for GitHub Actions" and GitHub Security Lab's "Keeping your GitHub Actions
//! and workflows secure" (pwn requests, untrusted input, third-party actions).

mod actions;
mod expression;
mod outline;
mod trigger;

use crate::diff::{Change as What, Diff};
use crate::review::Severity;

use super::file::{Change, File};
use super::finding::Findings;
use super::rule::Rule;
use outline::Outline;
use trigger::Triggers;

pub(super) const RULES: &[Rule] = &[CHECKOUT, INJECTION, UNPINNED, PERMISSIONS, INHERIT];

const CHECKOUT: Rule = Rule {
    id: "ci/pull-request-target-checkout",
    severity: Severity::High,
    title: "Privileged workflow checks out the code of a pull request",
    reason: "The workflow runs with the repository's secrets and a token that may write, and then with code that anybody can propose.",
    fix: "Use `pull_request` for what runs the proposed code, and hand results over to a workflow that does not check it out.",
};

const INJECTION: Rule = Rule {
    id: "ci/script-injection",
    severity: Severity::High,
    title: "Text from outside is pasted into a script",
    reason: "The expression is replaced before the shell reads the script, so whoever writes that text runs commands in the workflow.",
    fix: "Put the expression into `env:` and use the variable, in quotes, in the script.",
};

const UNPINNED: Rule = Rule {
    id: "ci/unpinned-action",
    severity: Severity::Medium,
    title: "Action is not pinned to a commit",
    reason: "A tag or branch can be moved to other code at any time, and that code runs with this workflow's token and secrets.",
    fix: "Pin it to the full commit id and keep the version in a comment.",
};

const PERMISSIONS: Rule = Rule {
    id: "ci/broad-permissions",
    severity: Severity::Medium,
    title: "Workflow token may write more than it should",
    reason: "Every step of the job, third-party ones too, can use this token.",
    fix: "Give `permissions:` only the scopes that are needed, on the job that needs them.",
};

const INHERIT: Rule = Rule {
    id: "ci/inherited-secrets",
    severity: Severity::Low,
    title: "All secrets are handed to another repository's workflow",
    reason: "`secrets: inherit` passes every secret on, also those the called workflow has no use for.",
    fix: "Name the secrets it needs one by one.",
};

/// Looks at changed workflows and composite actions.
pub(super) fn check(file: &File<'_>, change: &Change<'_>, findings: &mut Findings) {
    if !is_ci(&file.path) || file.added().next().is_none() {
        return;
    }
    for outline in Outline::of(file, change.content(&file.path)) {
        let triggers = Triggers::of(&outline);
        trigger::check_checkout(&outline, &triggers, findings);
        trigger::check_permissions(&outline, &triggers, findings);
        expression::check(&outline, &triggers, findings);
        actions::check(&outline, change, findings);
    }
}

/// The changed workflows and composite actions.
pub(super) fn wants(diff: &Diff<'_>) -> Vec<String> {
    let changed = diff.files.iter().filter(|file| file.change != What::Deleted && !file.hunks().is_empty());
    changed.map(|file| file.path().into_owned()).filter(|path| is_ci(path)).collect()
}

fn is_ci(path: &str) -> bool {
    let Some(stem) = path.strip_suffix(".yml").or(path.strip_suffix(".yaml")) else { return false };
    stem.starts_with(".github/workflows/") || stem == "action" || stem.ends_with("/action")
}
