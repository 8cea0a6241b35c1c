//! What a language model answers, and how it becomes findings: by a strict schema, and only with evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::redact;
use crate::diff::{Anchored, Claim, LineMap, Side, anchor};
use crate::review::{Finding, Location, Severity, Source};

/// A model's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The defects found, none if there are none.
    pub findings: Vec<Claimed>,
}

/// A defect as a model claims it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claimed {
    /// The file, as shown.
    pub path: String,
    /// Which version of the file the lines count in.
    pub side: ClaimedSide,
    /// The first line.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// How much it matters.
    pub severity: Severity,
    /// One line that says what is wrong.
    pub title: String,
    /// Why it is wrong, in a sentence or two.
    pub reason: String,
    /// What to do about it.
    pub fix: String,
    /// The text of the lines, exactly as shown.
    pub quote: String,
    /// Text that can take the place of exactly these lines.
    pub replacement: Option<String>,
}

/// A side of the change, in a model's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClaimedSide {
    /// The file before the change.
    Old,
    /// The file after the change.
    New,
}

/// The JSON Schema an answer must satisfy.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Answer).to_value()
}

/// Reads an answer.
///
/// # Errors
/// What is wrong with a text that does not satisfy the schema, for the model to read.
pub fn parse(text: &str) -> Result<Answer, String> {
    serde_json::from_str(text).map_err(|error| format!("the answer does not satisfy the schema: {error}"))
}

/// Turns claims into findings. A claim whose quote does not stand where it says is moved there if the quote is unique in
/// the file's change, or else kept without a location, with the reason and a low severity.
pub fn findings(answer: &Answer, map: &LineMap<'_>, source: &Source) -> Vec<Finding> {
    answer.findings.iter().map(|claimed| finding(claimed, map, source)).collect()
}

fn finding(claimed: &Claimed, map: &LineMap<'_>, source: &Source) -> Finding {
    let side = match claimed.side {
        ClaimedSide::Old => Side::Left,
        ClaimedSide::New => Side::Right,
    };
    let claim = Claim {
        path: claimed.path.clone(),
        side,
        start: claimed.start_line,
        end: claimed.end_line,
        quote: claimed.quote.clone(),
    };
    let (location, note) = match anchor(map, &claim, redact) {
        Anchored::Exact(location) | Anchored::Moved(location) => (Some(location), None),
        Anchored::Demoted(reason) => (None, Some(format!("Not put on a line of {}: {reason}.", claimed.path))),
    };
    let whole = location.as_ref().is_none_or(|location| shown_as_it_is(map, location));
    let clean = |text: &str| redact(text).into_owned();
    let reason = clean(&claimed.reason);
    Finding {
        rule: "model/finding".to_owned(),
        // Without evidence on a line it must not block anything.
        severity: if location.is_some() { claimed.severity } else { claimed.severity.min(Severity::Low) },
        title: clean(&claimed.title),
        reason: note.map_or(reason.clone(), |note| format!("{reason} {}", clean(&note))),
        fix: clean(&claimed.fix),
        evidence: if location.is_some() { clean(&claimed.quote) } else { String::new() },
        // A line whose secret the model was not shown can't be replaced by what it wrote.
        replacement: claimed.replacement.clone().filter(|text| whole && location.is_some() && redact(text) == *text),
        location,
        source: source.clone(),
    }
}

/// Whether a model was shown these lines without anything replaced.
fn shown_as_it_is(map: &LineMap<'_>, location: &Location) -> bool {
    let Location { path, side, start, end, .. } = location;
    let Some(lines) = map.lines(path, *side, *start, *end) else { return true };
    let text = lines.map(|line| String::from_utf8_lossy(line.text)).collect::<Vec<_>>().join("\n");
    redact(&text) == text
}
