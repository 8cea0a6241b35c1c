//! `Diagnostic`: one mistake in a file, with its place and what to do about it.

use std::fmt;

use serde::Serialize;

use super::path::Path;
use super::tree::{Document, Node, Place, Span};

/// One mistake in something a person wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The file's name, or another place a value comes from such as `environment`.
    pub source: String,
    /// The line, from 1; 0 when the mistake has no place in a file.
    pub line: u32,
    /// The column in characters, from 1; 0 when the mistake has no place in a file.
    pub column: u32,
    /// The key at fault in the form of [`Path`], such as `steps[1].uses`; empty for the whole document.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it, when that can be said.
    pub fix: Option<String>,
    /// How many characters are at fault, for the line of carets.
    #[serde(skip)]
    width: u32,
    /// How much of the source line may be shown.
    #[serde(skip)]
    excerpt: Excerpt,
}

/// How much of the line at fault may be printed. A line of the settings may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excerpt {
    /// All of it.
    Line,
    /// Only up to the end of what is at fault, which is a key.
    UpToEnd,
    /// Nothing.
    Hidden,
}

/// Where a value stands that must not be shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct SecretSpan {
    start: Place,
    last_line: u32,
}

impl SecretSpan {
    pub(super) fn of(node: &Node, document: &Document) -> Self {
        let lines = document.text.get(node.span.bytes.clone()).unwrap_or_default().matches('\n').count();
        let last_line = node.span.start.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        Self { start: node.span.start, last_line }
    }
}

impl Diagnostic {
    /// A mistake without a place in a file: in the environment, or on the command line.
    pub fn new(source: impl Into<String>, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            line: 0,
            column: 0,
            path: path.into(),
            message: message.into(),
            fix: None,
            width: 1,
            excerpt: Excerpt::Line,
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Keeps [`render`] from printing the source line, because it may hold a secret.
    #[must_use]
    pub fn without_excerpt(mut self) -> Self {
        self.excerpt = Excerpt::Hidden;
        self
    }

    pub(super) fn at(mut self, place: Place, width: u32) -> Self {
        self.line = place.line;
        self.column = place.column;
        self.width = width.max(1);
        self
    }

    pub(super) fn spanning(self, span: &Span, text: &str) -> Self {
        let width = span.first_line(text).chars().count();
        self.at(span.start, u32::try_from(width).unwrap_or(1))
    }

    pub(super) fn showing(mut self, excerpt: Excerpt) -> Self {
        self.excerpt = excerpt;
        self
    }

    /// Hides the excerpt when a secret would be in it.
    pub(super) fn hide_excerpt_beside(&mut self, secrets: &[SecretSpan]) {
        let place = Place { line: self.line, column: self.column };
        let on_line = |secret: &&SecretSpan| (secret.start.line..=secret.last_line).contains(&place.line);
        let shown = match self.excerpt {
            Excerpt::Line => secrets.iter().find(on_line).is_none(),
            // What follows the key is cut off anyway.
            Excerpt::UpToEnd => !secrets.iter().filter(on_line).any(|secret| secret.start < place),
            Excerpt::Hidden => false,
        };
        if !shown {
            self.excerpt = Excerpt::Hidden;
        }
    }

    pub(super) fn place_of_fault(&self) -> Path {
        Path::from(self.path.as_str())
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `file:line:column: path: message; fix`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.fix {
            Some(fix) => write!(f, "; {fix}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// Renders mistakes for a person: each with its source line and carets under what is at fault, in plain text.
///
/// `text_of` gives the text of a source by its name, or none when it is not at hand; the excerpt is then left out.
pub fn render<'t>(diagnostics: &[Diagnostic], text_of: impl Fn(&str) -> Option<&'t str>) -> String {
    let mut out = String::new();
    for (position, diagnostic) in diagnostics.iter().enumerate() {
        if position > 0 {
            out.push('\n');
        }
        let path = if diagnostic.path.is_empty() { String::new() } else { format!("{}: ", diagnostic.path) };
        out.push_str(&format!("{path}{}\n", diagnostic.message));
        let number = diagnostic.line.to_string();
        let margin = " ".repeat(number.len());
        if diagnostic.line > 0 {
            out.push_str(&format!("{margin}--> {}:{}:{}\n", diagnostic.source, diagnostic.line, diagnostic.column));
        } else {
            out.push_str(&format!("{margin}--> {}\n", diagnostic.source));
        }
        if let Some((line, carets)) = text_of(&diagnostic.source).and_then(|text| excerpt(diagnostic, text)) {
            out.push_str(&format!("{margin} |\n{number} | {line}\n{margin} | {carets}\n"));
        }
        if let Some(fix) = &diagnostic.fix {
            out.push_str(&format!("{margin} = fix: {fix}\n"));
        }
    }
    out
}

/// Longer lines are cut around the place at fault.
const MAX_SHOWN: usize = 120;

fn excerpt(diagnostic: &Diagnostic, text: &str) -> Option<(String, String)> {
    if diagnostic.line == 0 || diagnostic.excerpt == Excerpt::Hidden {
        return None;
    }
    let line = text.lines().nth(diagnostic.line as usize - 1)?;
    let column = (diagnostic.column as usize).saturating_sub(1);
    let skipped = if column > MAX_SHOWN { column - MAX_SHOWN / 2 } else { 0 };
    let end = match diagnostic.excerpt {
        Excerpt::UpToEnd => column + diagnostic.width as usize,
        _ => usize::MAX,
    };
    let shown: String = line
        .chars()
        .take(end)
        .skip(skipped)
        .take(MAX_SHOWN)
        .map(|c| if c.is_control() || crate::yaml::words::is_invisible(c) { ' ' } else { c })
        .collect();
    let before = column - skipped;
    let room = shown.chars().count().saturating_sub(before).max(1);
    let carets = format!("{}{}", " ".repeat(before), "^".repeat((diagnostic.width as usize).min(room)));
    Some((shown, carets))
}
