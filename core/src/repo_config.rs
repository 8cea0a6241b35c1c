//! `.autopr.yml`: what a repository says about its own reviews. It is read from the base side only, so that a pull
//! request can't change the rules it is judged by.
//!
//! A mistake in it never stops a review: the value at fault falls back to its default, everything else counts, and the
//! mistake is reported with its place. A key whose feature is not built yet is reported too, because a setting that
//! quietly does nothing misleads.

use std::collections::BTreeMap;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::review::Severity;
use crate::yaml::{Diagnostic, Document};

/// The name of the file in the repository's root.
pub const FILE_NAME: &str = ".autopr.yml";

/// The settings of one repository, all parts with their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RepoConfig {
    /// The version of this file's format: 1.
    pub version: Version,
    /// What is reviewed, and what of it counts.
    pub review: Review,
    /// Workflows to switch off or on here, by name: `false` keeps a workflow from running for this repository.
    pub workflows: BTreeMap<String, bool>,
}

/// The version of the file's format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u64", into = "u64")]
#[schemars(with = "u64")]
pub enum Version {
    /// The only one so far.
    #[default]
    V1,
}

/// What is reviewed, and what of it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Review {
    /// `false` turns reviews off.
    pub enabled: bool,
    /// Whether drafts are reviewed too.
    pub drafts: bool,
    /// Paths that are not reviewed, as in a `.gitignore` file: `*` stays within a folder, `**` does not; a pattern
    /// without a slash in front of its end counts at every depth, and a folder stands for all that is in it. Patterns
    /// that begin with `!` are not supported.
    #[schemars(length(max = 500))]
    pub ignore: Vec<Pattern>,
    /// The most findings a review shows; the rest are counted. A review nobody reads to the end helps nobody, but on
    /// the command line everything found should be seen, so the default is high enough for both.
    #[schemars(range(min = 1, max = 1000))]
    pub max_findings: u32,
    /// The least severity that makes the check fail.
    pub block_on: Severity,
}

/// One pattern of `review.ignore`, known to be readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", inline)]
pub struct Pattern(String);

/// Why a pattern can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// It takes back what another ignores.
    #[error("`{0}` takes paths back with `!`, which is not supported; list the paths to ignore instead")]
    Negated(String),
    /// It is empty or has nothing but slashes.
    #[error("the pattern is empty; write a path such as docs/ or *.lock")]
    Empty,
    /// It is longer than any path.
    #[error("the pattern has {0} bytes, more than the 1024 that are read")]
    TooLong(usize),
    /// It does not parse.
    #[error("`{pattern}` is not a glob: {reason}")]
    Syntax {
        /// The pattern as written.
        pattern: String,
        /// What the parser says.
        reason: String,
    },
}

/// Keys of the format whose features are not built yet.
const NOT_USED_YET: [&str; 6] =
    ["review.languages", "review.instructions", "guidelines", "llm", "notifications", "quality_gates"];

impl RepoConfig {
    /// Reads the file's content. `source` is the name mistakes are reported under. Whatever is wrong falls back to its
    /// default; everything wrong is told, in the order of the file.
    pub fn parse(source: &str, text: impl AsRef<[u8]>) -> (Self, Vec<Diagnostic>) {
        let mut document = match Document::parse(source, text) {
            Ok(document) => document,
            Err(mistakes) => return (Self::default(), mistakes),
        };
        if document.is_empty() {
            return (Self::default(), Vec::new());
        }
        let mut mistakes = Vec::new();
        if document.get("version").is_none() && !document.root().entries().is_empty() {
            mistakes.push(document.mistake("", "the key `version` is missing").fix("add `version: 1` at the top"));
        }
        for key in NOT_USED_YET.into_iter().filter(|key| document.get(*key).is_some()) {
            let mistake = document.mistake_in_key(key, "not used yet, so it has no effect");
            mistakes.push(mistake.fix("remove it until it is"));
        }
        for key in NOT_USED_YET {
            document.remove(&key.into());
        }
        let (config, mut found) = document.lenient::<Self>();
        mistakes.append(&mut found);
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        (config.unwrap_or_default(), mistakes)
    }

    /// Whether the file lets a workflow run.
    pub fn allows(&self, workflow: &str) -> bool {
        self.workflows.get(workflow).copied().unwrap_or(true)
    }

    /// The paths that are not reviewed, to match against whole paths from the repository's root.
    pub fn ignore_set(&self) -> GlobSet {
        let mut builder = GlobSetBuilder::new();
        // Each pattern was read before, when it became a `Pattern`.
        for glob in self.review.ignore.iter().filter_map(|pattern| pattern.globs().ok()).flatten() {
            builder.add(glob);
        }
        builder.build().unwrap_or_else(|_| GlobSet::empty())
    }

    /// The JSON Schema of the file.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }
}

impl Default for Review {
    fn default() -> Self {
        Self { enabled: true, drafts: false, ignore: Vec::new(), max_findings: 20, block_on: Severity::High }
    }
}

impl TryFrom<u64> for Version {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        match number {
            1 => Ok(Self::V1),
            other => Err(format!("version {other} of this file is not known; write `version: 1`")),
        }
    }
}

impl From<Version> for u64 {
    fn from(version: Version) -> Self {
        match version {
            Version::V1 => 1,
        }
    }
}

impl Pattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// [`InvalidPattern`] when it can't be used.
    pub fn new(pattern: impl Into<String>) -> Result<Self, InvalidPattern> {
        let pattern = Self(pattern.into());
        pattern.globs()?;
        Ok(pattern)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The globs that together mean what the pattern means in a `.gitignore` file (gitignore(5), "Pattern format").
    fn globs(&self) -> Result<Vec<Glob>, InvalidPattern> {
        if self.0.starts_with('!') {
            return Err(InvalidPattern::Negated(self.0.chars().take(100).collect()));
        }
        if self.0.len() > 1024 {
            return Err(InvalidPattern::TooLong(self.0.len()));
        }
        let trimmed = self.0.trim_end_matches('/');
        let path = trimmed.trim_start_matches('/');
        if path.is_empty() {
            return Err(InvalidPattern::Empty);
        }
        let anchored = if trimmed.contains('/') { path.to_owned() } else { format!("**/{path}") };
        let mut globs = vec![format!("{anchored}/**")];
        if !self.0.ends_with('/') {
            globs.push(anchored);
        }
        let build = |glob: String| {
            GlobBuilder::new(&glob).literal_separator(true).backslash_escape(true).build().map_err(|error| {
                InvalidPattern::Syntax { pattern: self.0.chars().take(100).collect(), reason: error.kind().to_string() }
            })
        };
        globs.into_iter().map(build).collect()
    }
}

impl TryFrom<String> for Pattern {
    type Error = InvalidPattern;

    fn try_from(pattern: String) -> Result<Self, InvalidPattern> {
        Self::new(pattern)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn parse(text: &str) -> (RepoConfig, String) {
        let (config, mistakes) = RepoConfig::parse(FILE_NAME, text);
        (config, mistakes.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_whole_file_is_read_without_a_word() {
        let (config, mistakes) = parse(
            "\
version: 1
workflows: { pr-review: true, changelog: false }
review:
  enabled: true
  drafts: true
  ignore: [\"*.lock\", vendor/]
  max_findings: 7
  block_on: medium
",
        );
        assert_eq!(mistakes, "");
        assert!(config.review.drafts && config.allows("pr-review") && config.allows("other"));
        assert!(!config.allows("changelog"));
        assert_eq!((config.review.max_findings, config.review.block_on), (7, Severity::Medium));
        let stored = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<RepoConfig>(&stored).unwrap(), config);
    }

    #[test]
    fn an_empty_file_means_the_defaults() {
        for text in ["", "# nothing yet\n", "---\n", "{}"] {
            assert_eq!(parse(text), (RepoConfig::default(), String::new()), "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_falls_back_and_the_rest_still_works() {
        let (config, mistakes) = parse(
            "\
version: 3
review:
  enabled: yes
  drafts: true
  ignore: [docs/, \"!docs/keep\", \"a[\", \"*.svg\", 5]
  max_findings: 0
  block-on: low
  instructions: be kind
llm: { provider: openai }
reviews: {}
workflows: { pr-review: off, changelog: false }
",
        );
        assert_snapshot!(mistakes, @r"
        .autopr.yml:1:10: version: version 3 of this file is not known; write `version: 1`
        .autopr.yml:3:12: review.enabled: expected true or false, found text `yes`; write true
        .autopr.yml:5:19: review.ignore[1]: `!docs/keep` takes paths back with `!`, which is not supported; list the paths to ignore instead
        .autopr.yml:5:33: review.ignore[2]: `a[` is not a glob: unclosed character class; missing ']'
        .autopr.yml:5:48: review.ignore[4]: expected text, found the number 5; put it in quotes
        .autopr.yml:6:17: review.max_findings: 0 is out of range: it must be from 1 to 1000; the default is 20
        .autopr.yml:7:3: review.block-on: unknown key `block-on`; did you mean `block_on`?
        .autopr.yml:8:3: review.instructions: not used yet, so it has no effect; remove it until it is
        .autopr.yml:9:1: llm: not used yet, so it has no effect; remove it until it is
        .autopr.yml:10:1: reviews: unknown key `reviews`; did you mean `review`?
        .autopr.yml:11:25: workflows.pr-review: expected true or false, found text `off`; write false
        ");
        assert!(config.review.enabled && config.review.drafts && !config.allows("changelog"));
        assert_eq!(config.review.max_findings, 20);
        let kept: Vec<_> = config.review.ignore.iter().map(Pattern::as_str).collect();
        assert_eq!(kept, ["docs/", "*.svg"]);
    }

    #[test]
    fn a_file_that_is_not_yaml_leaves_the_defaults() {
        let (config, mistakes) = parse("review: [\n");
        assert_eq!(config, RepoConfig::default());
        assert_snapshot!(mistakes, @".autopr.yml:1:9: not valid YAML: unclosed bracket '['");
        assert_snapshot!(parse("review: {drafts: true}").1, @".autopr.yml:1:1: the key `version` is missing; add `version: 1` at the top");
        assert_snapshot!(parse("just text").1, @".autopr.yml:1:1: expected a mapping, found text; write keys and values, one `key: value` per line");
    }

    #[test]
    fn ignore_patterns_mean_what_they_mean_in_gitignore() {
        let check = |pattern: &str, ignored: &[&str], kept: &[&str]| {
            let review = Review { ignore: vec![Pattern::new(pattern).unwrap()], ..Review::default() };
            let set = RepoConfig { review, ..RepoConfig::default() }.ignore_set();
            for path in ignored {
                assert!(set.is_match(path), "{pattern} ignores {path}");
            }
            for path in kept {
                assert!(!set.is_match(path), "{pattern} keeps {path}");
            }
        };
        check("*.lock", &["a.lock", "x/y/a.lock"], &["a.lock.txt", "lock"]);
        check("vendor/", &["vendor/a", "x/vendor/b/c"], &["vendor", "vendors/a"]);
        check("/vendor", &["vendor", "vendor/a"], &["x/vendor/a"]);
        check("docs/*.md", &["docs/a.md"], &["docs/x/a.md", "x/docs/a.md"]);
        check("docs/**/*.md", &["docs/a.md", "docs/x/y/a.md"], &["a.md"]);
        check("src/gen", &["src/gen", "src/gen/a/b.rs"], &["src/general.rs"]);
        check("*.{png,svg}", &["a.png", "b/c.svg"], &["a.gif"]);
    }
}
