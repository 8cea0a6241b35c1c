//! `${{ … }}` with text from outside, pasted into a script.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::analysis::finding::{Findings, Hit};
use crate::review::Severity;

use super::INJECTION;
use super::outline::{Entry, Outline};
use super::trigger::Triggers;

/// The fields that hold free text of whoever opened, named or wrote something.
static UNTRUSTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let fields = [
        r"github\.event\.(?:issue|pull_request|discussion)\.(?:title|body)",
        r"github\.event\.(?:comment|review|review_comment)\.body",
        r"github\.event\.pages\.[^.}\s]+\.page_name",
        r"github\.event\.commits\.[^.}\s]+\.(?:message|author\.(?:email|name))",
        r"github\.event\.head_commit\.(?:message|author\.(?:email|name)|committer\.(?:email|name))",
        r"github\.event\.pull_request\.head\.(?:ref|label|repo\.(?:default_branch|description|homepage))",
        r"github\.event\.workflow_run\.(?:head_branch|display_title|head_commit\.(?:message|author\.(?:email|name)))",
        r"github\.head_ref",
    ];
    Regex::new(&format!(r"(?-u)\$\{{\{{\s*[^}}]*?\b(?:{})\b[^}}]*\}}\}}", fields.join("|"))).ok()
});

/// Looks at the added lines of scripts.
pub(super) fn check(outline: &Outline<'_>, triggers: &Triggers<'_>, findings: &mut Findings) {
    let Some(untrusted) = &*UNTRUSTED else { return };
    let privileged = triggers.privileged();
    let known = outline.complete;
    for (index, line) in outline.lines.iter().enumerate() {
        let Some(row) = line.added.filter(|_| is_script(outline, index, line)) else { continue };
        let Some(found) = untrusted.find_iter(line.text).find(|found| !is_comparison(found.as_bytes())) else {
            continue;
        };
        let severity = match (privileged, known && triggers.line("pull_request").is_none()) {
            (true, _) => Severity::High,
            (false, true) => Severity::Low,
            (false, false) => Severity::Medium,
        };
        findings.add(Hit::new(&INJECTION, row, found.range()).severity(severity));
    }
}

/// Whether a line is part of a shell script (`run`) or of an inline JavaScript (`script` of `actions/github-script`).
fn is_script(outline: &Outline<'_>, index: usize, line: &Entry<'_>) -> bool {
    let owner = line.scalar.unwrap_or(index);
    match outline.lines[owner].key {
        Some("run") => outline.parent_key(owner) != Some("defaults"),
        Some("script") => {
            let action = outline.step(owner).and_then(|step| step.uses);
            action.is_some_and(|uses| outline.lines[uses].value.starts_with("actions/github-script@"))
        }
        _ => false,
    }
}

/// The result of a comparison is `true` or `false`, whatever the text says.
fn is_comparison(expression: &[u8]) -> bool {
    ["==", "!=", "contains(", "startsWith(", "endsWith(", "hashFiles("]
        .iter()
        .any(|part| memchr::memmem::find(expression, part.as_bytes()).is_some())
}
