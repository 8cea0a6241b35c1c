//! What `autopr review` prints: one review in the form its reader wants.

mod excerpt;
mod json;
mod markdown;
#[cfg(test)]
mod samples;
mod sarif;
mod text;

use std::io::stdout;

use anstream::{AutoStream, ColorChoice};
use autopr_core::analysis::Rule;
use autopr_core::review::{Check, Finding, Review};

/// How wide a text is when nothing tells how wide the reader's screen is.
const DEFAULT_WIDTH: usize = 100;

/// The forms a review can be printed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// For a person at a terminal.
    #[default]
    Text,
    /// What would stand on a pull request.
    Markdown,
    /// For programs; the shape is stable.
    Json,
    /// SARIF 2.1.0, for code scanning and editors.
    Sarif,
}

/// How text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether to use colours.
    pub(crate) colour: bool,
    /// The columns a line may have.
    pub(crate) width: usize,
}

impl Style {
    /// Fits standard output: colours on a terminal unless `NO_COLOR` says otherwise, or where `CLICOLOR_FORCE` asks for
    /// them; the width of the terminal.
    pub(crate) fn of_stdout() -> Self {
        let width = terminal_size::terminal_size_of(stdout()).map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
        Self { colour: AutoStream::choice(&stdout()) != ColorChoice::Never, width: width.max(40) }
    }
}

/// Prints a review and its check. `rules` are those that were looked for.
///
/// # Errors
/// When a value can't be written as JSON, which would be a mistake in this program.
pub(crate) fn render(
    review: &Review,
    check: &Check,
    rules: &[Rule],
    format: Format,
    style: Style,
) -> Result<String, serde_json::Error> {
    match format {
        Format::Text => Ok(text::render(review, check, style)),
        Format::Markdown => Ok(markdown::render(review)),
        Format::Json => json::render(review, check),
        Format::Sarif => sarif::render(review, rules),
    }
}

/// The columns of a finding within the first line of its evidence: 1-based, in Unicode characters, the end excluded.
fn columns(finding: &Finding) -> Option<(u32, u32)> {
    let (start, end) = finding.location.as_ref()?.columns?;
    let line = finding.evidence.lines().next()?;
    let column = |byte: u32| {
        let before = line.char_indices().take_while(|(at, _)| (*at as u64) < u64::from(byte)).count();
        u32::try_from(before + 1).ok()
    };
    let (start, end) = (column(start)?, column(end)?);
    (start < end).then_some((start, end))
}
