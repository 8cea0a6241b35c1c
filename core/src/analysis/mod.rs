//! Deterministic analysers: what can be said of a change without a model.
//!
//! [`analyse`] runs every rule over a parsed diff. The principles, in order:
//!
//! 1. **Only added lines are judged.** What was there before, and what goes away, is not this change's fault.
//! 2. **Precision before recall.** A rule that is not sure says nothing, or says it at a low severity. A rule that
//!    would need a file's full content falls back to what the diff shows, and never guesses.
//! 3. **A leaked value is never repeated.** Evidence and titles pass through [`redact`]; a finding keeps the kind and
//!    at most the last four characters.
//!
//! What is left out where:
//!
//! * Generated, vendored and lock files (`vendor/`, `node_modules/`, `dist/`, `*.min.js`, `*.pb.go`, `*.lock`,
//!   `go.sum` and the like; the table is in `paths.rs`) are searched for vendor secrets, conflict markers and
//!   invisible Unicode only.
//! * In tests, fixtures, examples and documentation a secret is never critical, and guessed secrets are not reported.
//! * Files that match `review.ignore` are not looked at; they are listed in [`Analysis::skipped`].
//! * A line with `autopr:ignore RULE[, RULE]` in a comment, or under a line that holds nothing else, is silent for
//!   those rules. `RULE` is an id, a family such as `secret`, or `*`.

mod ci;
mod conflict;
mod debug;
mod effort;
mod evidence;
mod file;
mod files;
mod finding;
mod lockfile;
mod paths;
mod rule;
mod secrets;
mod silence;
mod size;
mod tests_missing;
mod unicode;

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use globset::GlobSet;

use crate::diff::Diff;
use crate::review::{Finding, Skipped};

pub use effort::Effort;
pub use rule::{Rule, rules};

use file::{Change, File};

/// What the rules found in a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// Most severe first, then by path and line. All evidence is redacted.
    pub findings: Vec<Finding>,
    /// Files that were not looked at, and why.
    pub skipped: Vec<Skipped>,
    /// How much work the change is to review.
    pub effort: Effort,
}

/// What the rules may know beside the diff, and their limits.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// `review.ignore`: paths nobody wants to hear about.
    pub ignore: &'a GlobSet,
    /// The head version of files [`wants`] asked for: `None` when the file does not exist. A path that is absent here
    /// is unknown.
    pub contents: &'a BTreeMap<String, Option<Bytes>>,
    /// The size in bytes of the files [`wants_size`] asked for, as far as it is known.
    pub sizes: &'a BTreeMap<String, u64>,
    /// A new file of more bytes than this is large.
    pub large_file_bytes: u64,
    /// A change of more lines than this is too large to review well; a removed line counts a quarter, a generated one
    /// nothing.
    pub large_change_lines: u32,
}

impl<'a> Options<'a> {
    /// Options with the default limits: 1 MiB and 1,000 lines.
    pub fn new(
        ignore: &'a GlobSet,
        contents: &'a BTreeMap<String, Option<Bytes>>,
        sizes: &'a BTreeMap<String, u64>,
    ) -> Self {
        Self { ignore, contents, sizes, large_file_bytes: 1 << 20, large_change_lines: 1000 }
    }
}

/// Runs every rule over `diff`. The same input gives the same result.
pub fn analyse(diff: &Diff<'_>, options: &Options<'_>) -> Analysis {
    let change = Change::new(diff, options);
    let mut findings = finding::Findings::default();
    let mut skipped = Vec::new();
    let mut figures = size::Figures::default();
    for diff in &diff.files {
        let path = diff.path();
        if options.ignore.is_match(path.as_ref()) {
            skipped.push(Skipped {
                what: path.into_owned(),
                why: "left out by review.ignore".to_owned(),
                incomplete: false,
            });
            continue;
        }
        let file = File::new(diff, path);
        let masks = secrets::check(&file, &mut findings);
        conflict::check(&file, &mut findings);
        unicode::check(&file, &mut findings);
        if !file.kind.generated {
            debug::check(&file, &change, &mut findings);
            ci::check(&file, &change, &mut findings);
            files::check(&file, options, &mut findings);
            lockfile::check(&file, &change, &mut findings);
        }
        figures.count(&file);
        findings.settle(&file, &masks);
    }
    size::check(&figures, options, &mut findings);
    tests_missing::check(&figures, &mut findings);
    Analysis { findings: findings.finish(), skipped, effort: figures.effort() }
}

/// The paths whose head version would let rules judge better, most useful first, at most eight: changed CI workflows
/// and composite actions, then for a manifest whose dependencies changed without its lock file the manifest and the
/// places where that lock file may be.
pub fn wants(diff: &Diff<'_>) -> Vec<String> {
    let mut paths = ci::wants(diff);
    paths.extend(lockfile::wants(diff));
    let mut seen = std::collections::BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    paths.truncate(8);
    paths
}

/// The new binary files whose size the diff does not tell, at most twenty.
pub fn wants_size(diff: &Diff<'_>) -> Vec<String> {
    files::wants_size(diff)
}

/// Replaces every leaked secret in `text` with a typed placeholder such as `[github-token …wxyz]`. Text without
/// secrets comes back as it is; doing it twice gives the same as once.
pub fn redact(text: &str) -> Cow<'_, str> {
    secrets::redact(text)
}
