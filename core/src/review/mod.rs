//! What a review is: findings on lines, a summary, what was covered and what not, and the verdict.

pub mod answer;
mod assemble;
pub mod description;
mod finding;
pub mod labels;
pub mod markdown;
pub mod prompt;
#[cfg(test)]
mod samples;
mod verdict;
mod visible;

use serde::{Deserialize, Serialize};

use crate::analysis::Effort;
use crate::ids::CommitSha;

pub use assemble::{Parts, assemble};
pub use finding::{Finding, Location, Severity, Source};
pub use visible::visible;

/// A finished review of one head commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The commit that was reviewed.
    pub head: CommitSha,
    /// Most severe first, then by place. Those with a location become comments on that line; the others stand in the summary.
    pub findings: Vec<Finding>,
    /// Findings that were left out by `review.max_findings`.
    pub omitted: u32,
    /// Findings of this severity and above block merging.
    pub block_on: Severity,
    /// What was looked at.
    pub coverage: Coverage,
    /// How much work the change is to review, if that is known.
    pub effort: Option<Effort>,
    /// Mistakes in the repository's own configuration, each one line with its place.
    pub problems: Vec<String>,
}

/// What a review looked at and what it left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Files in the diff.
    pub files: u32,
    /// Lines added in the diff.
    pub added: u32,
    /// Lines removed in the diff.
    pub removed: u32,
    /// The language models that read it, as `provider/model`; empty when only the analysers did.
    pub models: Vec<String>,
    /// What was not reviewed, and why; each entry names the path or the part.
    pub skipped: Vec<Skipped>,
}

/// A part of the change that nobody looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The path, or the part of the review such as `language model`.
    pub what: String,
    /// Why.
    pub why: String,
    /// True when this keeps the check from being green: it should have been looked at. False for what the
    /// repository itself asked to leave out.
    pub incomplete: bool,
}

/// The name of the check on a head commit.
pub const CHECK_NAME: &str = "autopr/review";

/// The state of the check [`CHECK_NAME`] on a head commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The commit it speaks of.
    pub head: CommitSha,
    /// What it says.
    pub verdict: Verdict,
    /// One line.
    pub title: String,
    /// Markdown.
    pub summary: String,
}

/// What a check says of a head commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Fully reviewed, nothing blocking.
    Success,
    /// Something blocking was found.
    Failure,
    /// Not fully reviewed, nothing blocking found in what was.
    Neutral,
}
