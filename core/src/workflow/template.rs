//! Templates: text with expressions in it.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use cel::Value;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::expression::{self, Expression, ExpressionError};
use super::scope::Scope;

/// The longest template, in bytes.
pub const MAX_BYTES: usize = 1000;
/// The longest text a template may give, in bytes.
pub const MAX_OUTPUT_BYTES: usize = 500;

/// Text in which `${…}` stands for the value of an expression and `$${` for a literal `${`.
#[derive(Clone)]
pub struct Template {
    text: Arc<str>,
    parts: Arc<OnceLock<Result<Vec<Part>, ExpressionError>>>,
}

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Part {
    /// Text as it is.
    Text(String),
    /// An expression and the byte of the template at which it begins.
    Value(usize, Expression),
}

impl Template {
    /// Keeps the text. Whether its expressions are right is found by validation, or when it is first used.
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), parts: Arc::default() }
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The pieces in order.
    pub(super) fn parts(&self) -> Result<&[Part], ExpressionError> {
        self.parts.get_or_init(|| split(&self.text)).as_deref().map_err(Clone::clone)
    }

    /// The text with every expression replaced by its value in `scope`.
    pub(super) fn render(&self, scope: &Scope<'_>) -> Result<String, ExpressionError> {
        let mut out = String::new();
        for part in self.parts()? {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value(_, expression) => out.push_str(&written(expression, scope)?),
            }
            if out.len() > MAX_OUTPUT_BYTES {
                return Err(error(&self.text, 0, format!("it gives more than {MAX_OUTPUT_BYTES} bytes")));
            }
        }
        Ok(out)
    }
}

/// The value of an expression as text; only scalars have one.
pub(super) fn written(expression: &Expression, scope: &Scope<'_>) -> Result<String, ExpressionError> {
    match expression.evaluate(scope)? {
        Value::String(text) => Ok(text.as_ref().clone()),
        Value::Int(number) => Ok(number.to_string()),
        Value::UInt(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        other => {
            Err(expression.error(0, format!("text or a whole number is needed; this is of type {}", other.type_of())))
        }
    }
}

fn split(text: &Arc<str>) -> Result<Vec<Part>, ExpressionError> {
    if text.len() > MAX_BYTES {
        let reason = format!("it has {} bytes; at most {MAX_BYTES} are allowed", text.len());
        return Err(error(&text.chars().take(100).collect::<String>().into(), 0, reason));
    }
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${") {
        let open = at + found;
        let inner = open + "${".len();
        if let Some(before) = text[at..open].strip_suffix('$') {
            plain.push_str(before);
            plain.push_str("${");
            at = inner;
            continue;
        }
        plain.push_str(&text[at..open]);
        let Some(length) = expression::until_brace(&text[inner..]) else {
            let mut error = error(text, open, "`${` is not closed");
            error.fix = Some("end the expression with `}`, or write `$${` for the text `${`".into());
            return Err(error);
        };
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(Part::Value(inner, Expression::new(&text[inner..inner + length])));
        at = inner + length + "}".len();
    }
    plain.push_str(&text[at..]);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

fn error(text: &Arc<str>, offset: usize, reason: impl Into<String>) -> ExpressionError {
    ExpressionError { expression: Arc::clone(text), offset, reason: reason.into(), fix: None }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Template {}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Text in which `${…}` stands for the value of an expression in the Common Expression Language (CEL) over `event`, `repo` and `number`; `$${` is a literal `${`.",
            "minLength": 1,
            "examples": ["review/${repo}/${number}"],
        })
    }
}
