//! Actions and reusable workflows of other repositories.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

use crate::analysis::file::Change;
use crate::analysis::finding::{Findings, Hit};
use crate::review::Severity;

use super::outline::Outline;
use super::trigger::content;
use super::{INHERIT, UNPINNED};

/// Actions that are not pinned to a commit, and secrets handed on as a whole.
pub(super) fn check(outline: &Outline<'_>, change: &Change<'_>, findings: &mut Findings) {
    let moving = LazyCell::new(|| moving_before(change));
    let habit = LazyCell::new(|| habit(outline));
    for (_, line) in outline.keys("uses") {
        let Some((row, action)) = line.added.zip(Action::of(line.value)) else { continue };
        if action.pinned() || change.moved(line.text) {
            continue;
        }
        let severity = if action.is_first_party() || moving.contains(action.name) {
            Severity::Info
        } else if action.is_branch() {
            Severity::Medium
        } else {
            *habit
        };
        let title = format!("`{}` is not pinned to a commit but to `{}`", action.name, action.reference);
        findings.add(Hit::new(&UNPINNED, row, content(line.text)).severity(severity).title(title));
    }
    let called: HashMap<Option<usize>, &str> = outline
        .keys("uses")
        .filter(|(_, line)| line.item.is_none())
        .map(|(_, line)| (line.parent, line.value))
        .collect();
    for (_, line) in outline.keys("secrets").filter(|(_, line)| line.value == "inherit") {
        let foreign = called.get(&line.parent).is_some_and(|value| Action::of(value).is_some());
        if let (Some(row), true) = (line.added, foreign) {
            findings.add(Hit::new(&INHERIT, row, content(line.text)));
        }
    }
}

/// How much a tag matters here, by what the file did before: where everything was pinned, the new line breaks the
/// habit; where nothing was, one more is no news.
fn habit(outline: &Outline<'_>) -> Severity {
    let before = || {
        let lines = outline.keys("uses").filter(|(_, line)| line.added.is_none());
        lines.filter_map(|(_, line)| Action::of(line.value)).filter(|action| !action.is_first_party())
    };
    match (before().any(|action| action.pinned()), before().any(|action| !action.pinned())) {
        (_, true) => Severity::Info,
        (true, false) => Severity::Medium,
        (false, false) => Severity::Low,
    }
}

/// `owner/repository[/path]@reference`
struct Action<'d> {
    name: &'d str,
    reference: &'d str,
}

impl<'d> Action<'d> {
    /// Reads the value of `uses`; none for an action of the same repository, an image, or an expression.
    fn of(value: &'d str) -> Option<Self> {
        let (name, reference) = value.split_once('@')?;
        let local = name.starts_with('.') || name.starts_with('/') || name.contains("://") || !name.contains('/');
        (!local && !value.contains("${{") && !reference.is_empty()).then_some(Self { name, reference })
    }

    fn pinned(&self) -> bool {
        matches!(self.reference.len(), 40 | 64) && self.reference.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    fn is_first_party(&self) -> bool {
        self.name.starts_with("actions/") || self.name.starts_with("github/")
    }

    fn is_branch(&self) -> bool {
        matches!(self.reference, "main" | "master" | "develop" | "dev" | "trunk" | "HEAD" | "latest")
    }
}

/// The actions that the lines before the change used by a moving reference: replacing it by another is no news.
fn moving_before<'d>(change: &Change<'d>) -> HashSet<&'d str> {
    let texts = change.removed().iter().filter_map(|line| std::str::from_utf8(line).ok()?.split_once("uses:"));
    texts
        .filter_map(|(_, value)| {
            let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
            Action::of(value).filter(|old| !old.pinned()).map(|old| old.name)
        })
        .collect()
}
