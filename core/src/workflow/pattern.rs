//! The regular expressions of `matches`, compiled with the expression they stand in. The library would compile them at
//! every call, which in a loop over labels costs seconds.

use std::collections::HashMap;

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};
use regex::{Regex, RegexBuilder};

use super::expression::children;

/// The most memory a compiled pattern may take, in bytes.
const MAX_COMPILED_BYTES: usize = 256 * 1024;

/// Patterns by their text.
#[derive(Debug, Default)]
pub(super) struct Patterns(HashMap<String, Regex>);

/// A pattern that can't be used.
pub(super) struct BadPattern {
    /// The pattern, when it was written out.
    pub(super) pattern: Option<String>,
    /// What is wrong.
    pub(super) reason: String,
}

impl Patterns {
    /// Compiles the pattern of every call of `matches`.
    pub(super) fn of(tree: &IdedExpr) -> Result<Self, BadPattern> {
        let mut patterns = Self::default();
        patterns.collect(tree)?;
        Ok(patterns)
    }

    /// Whether `pattern` is found in `text`; none for a pattern that was not compiled.
    pub(super) fn found(&self, pattern: &str, text: &str) -> Option<bool> {
        self.0.get(pattern).map(|regex| regex.is_match(text))
    }

    fn collect(&mut self, expr: &IdedExpr) -> Result<(), BadPattern> {
        if let Expr::Call(call) = &expr.expr
            && call.func_name == "matches"
        {
            let Some(Expr::Literal(LiteralValue::String(pattern))) = call.args.last().map(|last| &last.expr) else {
                let reason = "the pattern of `matches` must be written out as text".into();
                return Err(BadPattern { pattern: None, reason });
            };
            self.add(pattern.inner())?;
        }
        children(&expr.expr).into_iter().try_for_each(|child| self.collect(child))
    }

    fn add(&mut self, pattern: &str) -> Result<(), BadPattern> {
        if !self.0.contains_key(pattern) {
            let regex = RegexBuilder::new(pattern).size_limit(MAX_COMPILED_BYTES).build().map_err(|error| {
                let reason = match error {
                    regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
                    // The last line says what is wrong; those before draw the pattern.
                    other => {
                        let text = other.to_string();
                        let last = text.lines().last().unwrap_or_default();
                        format!("the pattern can't be read: {}", last.trim_start_matches("error: "))
                    }
                };
                BadPattern { pattern: Some(pattern.to_owned()), reason }
            })?;
            self.0.insert(pattern.to_owned(), regex);
        }
        Ok(())
    }
}
