//! What starts a workflow, and what follows from that for checkouts and permissions.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::finding::{Findings, Hit};
use crate::review::Severity;

use super::outline::Outline;
use super::{CHECKOUT, PERMISSIONS};

/// The events that start a workflow, each with the first line that says so.
pub(super) struct Triggers<'d> {
    events: BTreeMap<&'d str, usize>,
}

impl<'d> Triggers<'d> {
    /// Reads the `on` key. Of a part of a file only `pull_request_target` and `workflow_run` are known, by their
    /// unmistakable names.
    pub(super) fn of(outline: &Outline<'d>) -> Self {
        let mut events = BTreeMap::new();
        let on = outline.lines.iter().position(|line| line.indent == 0 && matches!(line.key, Some("on" | "true")));
        let plain = outline.lines.iter().enumerate().filter(|(_, line)| line.scalar.is_none() && !line.blank);
        if let Some(on) = on {
            let value = outline.lines[on].value;
            let names = value.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|name| !name.is_empty());
            events.extend(names.map(|name| (name, on)));
            for (index, line) in plain.filter(|(_, line)| line.parent == Some(on)) {
                events.entry(line.key.unwrap_or(line.value)).or_insert(index);
            }
        } else if !outline.complete {
            for (index, line) in plain {
                let name = line.key.unwrap_or(line.value);
                if matches!(name, "pull_request_target" | "workflow_run") {
                    events.entry(name).or_insert(index);
                }
            }
        }
        Self { events }
    }

    /// The line that names an event.
    pub(super) fn line(&self, event: &str) -> Option<usize> {
        self.events.get(event).copied()
    }

    /// Whether strangers can start the workflow while it holds the repository's secrets.
    pub(super) fn privileged(&self) -> bool {
        ["pull_request_target", "workflow_run", "issues", "issue_comment", "discussion", "discussion_comment"]
            .iter()
            .any(|event| self.events.contains_key(event))
    }
}

/// Expressions for the proposed code, and the event under which each is dangerous.
const HEADS: [(&str, &str); 6] = [
    ("github.event.pull_request.head.", "pull_request_target"),
    ("github.head_ref", "pull_request_target"),
    ("refs/pull/", "pull_request_target"),
    ("refs/pull/", "issue_comment"),
    ("github.event.workflow_run.head_", "workflow_run"),
    ("github.event.workflow_run.pull_requests", "workflow_run"),
];

/// A checkout of the proposed code in a privileged workflow. It is reported on the line of the reference; if only
/// another part of it is new, such as the trigger, then there.
pub(super) fn check_checkout(outline: &Outline<'_>, triggers: &Triggers<'_>, findings: &mut Findings) {
    let elsewhere = other_events(outline);
    for step in outline.steps() {
        let Some(uses) = step.uses.filter(|line| outline.lines[*line].value.starts_with("actions/checkout@")) else {
            continue;
        };
        let job = outline.lines[uses].parent.and_then(|steps| outline.lines[steps].parent);
        if elsewhere.contains(&(Some(step.start), None)) || elsewhere.contains(&(None, job)) && job.is_some() {
            continue;
        }
        let references =
            step.lines.iter().filter(|line| matches!(outline.lines[**line].key, Some("ref" | "repository")));
        for reference in references {
            let value = outline.lines[*reference].value;
            let dangerous =
                |(expression, event): &(&str, &str)| value.contains(expression).then(|| triggers.line(event)).flatten();
            let Some(trigger) = HEADS.iter().find_map(dangerous) else { continue };
            let parts = [*reference, uses, step.start, trigger];
            let new = parts.into_iter().find_map(|index| Some((outline.lines[index].added?, index)));
            if let Some((row, index)) = new {
                findings.add(Hit::new(&CHECKOUT, row, content(outline.lines[index].text)));
            }
        }
    }
    let Some(trigger) = triggers.line("pull_request_target") else { return };
    for line in outline.lines.iter().filter(|line| in_script(outline, line.scalar) || line.key == Some("run")) {
        let fetches = memchr::memmem::find(line.text, b"gh pr checkout").is_some()
            || memchr::memmem::find(line.text, b"git ").is_some()
                && memchr::memmem::find(line.text, b"github.event.pull_request.head.").is_some();
        let row = line.added.or(outline.lines[trigger].added);
        if let (true, Some(row)) = (fetches, row) {
            let shown = if line.added.is_some() { line.text } else { outline.lines[trigger].text };
            findings.add(Hit::new(&CHECKOUT, row, content(shown)).severity(Severity::Medium));
        }
    }
}

/// The steps (by their first line) and jobs (by their key's) that run for another event only.
fn other_events(outline: &Outline<'_>) -> BTreeSet<(Option<usize>, Option<usize>)> {
    let other = |text: &str| text.contains("event_name ==") && !text.contains("pull_request_target");
    let conditions = outline.keys("if").filter(|(_, line)| other(line.value));
    conditions.map(|(_, line)| if line.item.is_some() { (line.item, None) } else { (None, line.parent) }).collect()
}

fn in_script(outline: &Outline<'_>, scalar: Option<usize>) -> bool {
    scalar.is_some_and(|line| outline.lines[line].key == Some("run"))
}

/// Scopes with which a token can change code or packages, or speak to a cloud.
const STRONG: [&str; 4] = ["contents", "actions", "packages", "id-token"];

/// `permissions: write-all`, and strong scopes in a workflow that strangers start.
pub(super) fn check_permissions(outline: &Outline<'_>, triggers: &Triggers<'_>, findings: &mut Findings) {
    for (_, line) in outline.keys("permissions") {
        if let (Some(row), "write-all") = (line.added, line.value) {
            findings.add(Hit::new(&PERMISSIONS, row, content(line.text)));
        }
    }
    if triggers.line("pull_request_target").is_none() {
        return;
    }
    for (index, line) in outline.lines.iter().enumerate().filter(|(_, line)| line.scalar.is_none()) {
        let strong = line.key.is_some_and(|key| STRONG.contains(&key)) && line.value == "write";
        if let (true, Some(row), Some("permissions")) = (strong, line.added, outline.parent_key(index)) {
            findings.add(Hit::new(&PERMISSIONS, row, content(line.text)));
        }
    }
}

/// The bytes of a line without the white space around them.
pub(super) fn content(line: &[u8]) -> std::ops::Range<usize> {
    let start = line.len() - line.trim_ascii_start().len();
    start..line.trim_ascii_end().len().max(start)
}
