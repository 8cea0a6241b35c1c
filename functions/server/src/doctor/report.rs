//! What was found, for a person and for a program.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use autopr_core::review::visible;
use serde::Serialize;
use serde_json::Value;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work.
    Failed,
    /// It could not be looked at, or does not apply.
    Skipped,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    fn paint(self) -> Style {
        let bold = Style::new().bold();
        match self {
            Self::Ok => AnsiColor::Green.on_default(),
            Self::Warning => bold.fg_color(Some(AnsiColor::Yellow.into())),
            Self::Failed => bold.fg_color(Some(AnsiColor::Red.into())),
            Self::Skipped => Style::new().dimmed(),
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    /// Its name, which stays the same between versions. Several may have one, such as mistakes of the settings.
    #[serde(rename = "check")]
    name: String,
    status: Status,
    /// What was found.
    found: String,
    /// What to do about it; none when nothing is to be done.
    fix: Option<String>,
    /// What was measured, by name; units are in the names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    values: BTreeMap<&'static str, Value>,
}

impl Check {
    /// All is well.
    pub(super) fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(name.into(), Status::Ok, found.into(), None)
    }

    /// It works, and this should be done all the same.
    pub(super) fn warning(name: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(name.into(), Status::Warning, found.into(), Some(fix.into()))
    }

    /// It does not work until this is done.
    pub(super) fn failed(name: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(name.into(), Status::Failed, found.into(), Some(fix.into()))
    }

    /// It was not looked at, for this reason.
    pub(super) fn skipped(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(name.into(), Status::Skipped, why.into(), None)
    }

    fn new(name: String, status: Status, found: String, fix: Option<String>) -> Self {
        Self { name, status, found, fix, values: BTreeMap::new() }
    }

    /// Adds a measured value.
    pub(super) fn value(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.insert(name, value.into());
        self
    }
}

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    version: &'static str,
    /// The worst of the checks.
    status: Status,
    checks: Vec<Check>,
}

impl Report {
    /// A report of these checks.
    pub(super) fn new(version: &'static str, checks: Vec<Check>) -> Self {
        let has = |status| checks.iter().any(|check| check.status == status);
        let status = [Status::Failed, Status::Warning].into_iter().find(|status| has(*status)).unwrap_or(Status::Ok);
        Self { version, status, checks }
    }

    /// Whether something does not work.
    pub(crate) fn failed(&self) -> bool {
        self.status == Status::Failed
    }

    /// For a program.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }

    /// For a person: a line for each check, a second one with the fix where there is one, and a line that sums up.
    pub(crate) fn text(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
        let mut text = String::new();
        for Check { name, status, found, fix, .. } in &self.checks {
            let (paint, word) = (status.paint(), status.as_str());
            // Writing to a string can't fail.
            let _ = writeln!(text, "{paint}{word:<7}{paint:#}  {name:<width$}  {}", visible(found));
            if let Some(fix) = fix {
                let _ = writeln!(text, "{:9}{:width$}  fix: {}", "", "", visible(fix));
            }
        }
        let count = |status| self.checks.iter().filter(|check| check.status == status).count();
        let (ok, skipped) = (count(Status::Ok), count(Status::Skipped));
        let (warnings, failed) = (count(Status::Warning), count(Status::Failed));
        let plural = if warnings == 1 { "warning" } else { "warnings" };
        let _ = writeln!(text, "\n{failed} failed, {warnings} {plural}, {ok} ok, {skipped} skipped");
        text
    }
}

/// A duration for people, and its value for programs, in milliseconds with two digits behind the point.
pub(super) fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}
