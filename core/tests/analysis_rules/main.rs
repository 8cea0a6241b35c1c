//! What the analysers say of changes, and what they do not say.
//!
//! Everything that looks like a secret is generated or put together from parts, so that this file holds none.

mod ci;
mod code;
mod evidence;
mod formats;
mod lockfile;
mod redaction;
mod secrets;
mod shape;

use std::collections::BTreeMap;

use autopr_core::analysis::{Analysis, Options, analyse};
use autopr_core::diff::{Diff, LineMap};
use autopr_core::review::Severity;
use bytes::Bytes;
use globset::{Glob, GlobSet};

/// Head versions of files; a path without content is known not to exist.
pub(crate) type Contents = BTreeMap<String, Option<Bytes>>;

/// The diff of a new file.
pub(crate) fn new_file(path: &str, content: &str) -> String {
    let lines: Vec<&str> = content.lines().collect();
    let body: String = lines.iter().map(|line| format!("+{line}\n")).collect();
    format!(
        "diff --git a/{path} b/{path}\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{} @@\n{body}",
        lines.len()
    )
}

/// The diff of a changed file: one hunk at line 11 whose lines carry their marks (`+`, `-` or a space).
pub(crate) fn changed(path: &str, marked: &str) -> String {
    let lines: Vec<&str> = marked.lines().map(|line| if line.is_empty() { " " } else { line }).collect();
    let count = |mark: char| lines.iter().filter(|line| !line.starts_with(mark)).count();
    let (old, new) = (count('+'), count('-'));
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    format!(
        "diff --git a/{path} b/{path}\nindex 1111111..2222222 100644\n--- a/{path}\n+++ b/{path}\n@@ -11,{old} +11,{new} @@\n{body}"
    )
}

/// The diff of a file from its two versions, as one hunk over the whole.
pub(crate) fn edited(path: &str, old: &str, new: &str) -> String {
    let patch = diffy::create_patch(old, new).to_string();
    let hunks = patch.split_once("@@").map_or("", |(_, hunks)| hunks);
    format!("diff --git a/{path} b/{path}\nindex 1111111..2222222 100644\n--- a/{path}\n+++ b/{path}\n@@{hunks}")
}

/// Analyses a diff with nothing known beside it.
pub(crate) fn run(diff: &str) -> Analysis {
    run_with(diff, &Contents::new(), &[])
}

/// Analyses a diff; checks on the way what must hold for every finding.
pub(crate) fn run_with(text: &str, contents: &Contents, ignore: &[&str]) -> Analysis {
    let diff = Diff::parse(text.as_bytes()).expect("the test's diff parses");
    let mut globs = GlobSet::builder();
    for glob in ignore {
        globs.add(Glob::new(glob).expect("the test's glob parses"));
    }
    let globs = globs.build().expect("the test's globs build");
    let analysis = analyse(&diff, &Options::new(&globs, contents, &BTreeMap::new()));
    let map = LineMap::new(&diff);
    for finding in &analysis.findings {
        let Some(place) = &finding.location else { continue };
        assert!(map.contains(&place.path, place.side, place.start), "off the diff: {finding:?}");
        assert_eq!(place.start, place.end);
        assert!(finding.evidence.chars().count() <= 200, "{}", finding.evidence);
        if let Some((start, end)) = place.columns {
            assert!(finding.evidence.get(start as usize..end as usize).is_some(), "columns: {finding:?}");
        }
    }
    assert!(analysis.findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
    analysis
}

/// The findings as `severity rule path:line`.
pub(crate) fn places(analysis: &Analysis) -> Vec<String> {
    analysis
        .findings
        .iter()
        .map(|finding| match &finding.location {
            Some(place) => format!("{} {} {}:{}", finding.severity, finding.rule, place.path, place.start),
            None => format!("{} {}", finding.severity, finding.rule),
        })
        .collect()
}

/// Checks that a line added to `path` gives exactly this (`severity rule`, or nothing), and nothing as context or
/// when it goes away.
pub(crate) fn check_line(path: &str, line: &str, expected: Option<(Severity, &str)>) {
    let found: Vec<(Severity, String)> =
        run(&changed(path, &format!("+{line}"))).findings.into_iter().map(|f| (f.severity, f.rule)).collect();
    let expected: Vec<(Severity, String)> = expected.into_iter().map(|(s, rule)| (s, rule.to_owned())).collect();
    assert_eq!(found, expected, "{path}: {line}");
    for mark in ['-', ' '] {
        let other = run(&changed(path, &format!("{mark}{line}\n+plain")));
        assert_eq!(places(&other), [""; 0], "{mark}{line}");
    }
}
