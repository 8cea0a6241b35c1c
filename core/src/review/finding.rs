//! A finding: one remark about a change, with the evidence it stands on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::diff::Side;

/// How much a finding matters, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Worth a look.
    Low,
    /// Should be changed.
    Medium,
    /// Must be looked at before merging.
    High,
    /// Must not be merged.
    Critical,
}

impl Severity {
    /// All of them, lowest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word used in settings, output and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;
    fn from_str(value: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == value)
            .ok_or_else(|| format!("`{value}` is not a severity: use info, low, medium, high or critical"))
    }
}

/// One remark about a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule or category, such as `secret/github-token`; stable, for silencing and counting.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// One line that says what is wrong.
    pub title: String,
    /// Why it matters, in a sentence or two.
    pub reason: String,
    /// What to do about it.
    pub fix: String,
    /// Where it stands; none for a remark about the change as a whole.
    pub location: Option<Location>,
    /// The text of the line or lines it stands on, secrets masked; empty without a location.
    pub evidence: String,
    /// Text to put in place of the located lines, if one would do.
    pub replacement: Option<String>,
    /// Who says so.
    pub source: Source,
}

/// A place in the diff.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file as [`crate::diff::FileDiff::path`] shows it.
    pub path: String,
    /// Which version of the file the lines count in.
    pub side: Side,
    /// The first line, 1-based.
    pub start: u32,
    /// The last line, the same as `start` for a single line.
    pub end: u32,
    /// Byte columns `start..end` within the evidence of the first line, 0-based, for a caret; none for the whole line.
    pub columns: Option<(u32, u32)>,
}

/// Who found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Source {
    /// A deterministic analyser.
    Analyser,
    /// A language model.
    Model {
        /// The provider's name in the settings.
        provider: String,
        /// The model's name.
        model: String,
    },
}
