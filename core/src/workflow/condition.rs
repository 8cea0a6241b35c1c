//! Conditions: expressions that say yes or no.

use std::borrow::Cow;

use cel::Value;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::expression::{Expression, ExpressionError};
use super::scope::Scope;

/// An expression that is true or false for an event. Stored as its text, compiled when first used; clones share that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition(Expression);

impl Condition {
    /// Keeps the text. Whether it is an expression is found by validation, or when it is first used.
    pub fn new(text: &str) -> Self {
        Self(Expression::new(text))
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    pub(super) fn expression(&self) -> &Expression {
        &self.0
    }

    /// Whether it is true in `scope`.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> Result<bool, ExpressionError> {
        match self.0.evaluate(scope)? {
            Value::Bool(value) => Ok(value),
            other => {
                Err(self.0.error(0, format!("a condition is true or false; this one is of type {}", other.type_of())))
            }
        }
    }

    /// Whether a step with this condition starts. A condition that does not look at how steps ended goes with
    /// `success()`, as if the step had none.
    pub(super) fn starts(&self, scope: &Scope<'_>) -> Result<bool, ExpressionError> {
        if !self.0.program()?.by_outcome && !scope.success() {
            return Ok(false);
        }
        self.holds(scope)
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "An expression in the Common Expression Language (CEL) that is true or false. Variables: `event`, `repo`, `number`; in a step also `steps.<id>.status`, `steps.<id>.output` and the functions `always()`, `success()` and `failure()`.",
            "examples": ["!event.draft && !event.sender.bot", "steps.fetch.status == 'succeeded'"],
        })
    }
}
