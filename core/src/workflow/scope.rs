//! What an expression can see: the event and, in a step's condition, how the steps before it ended.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cel::extractors::This;
use cel::objects::{Key, Map};
use cel::{Context, ExecutionError, Value};
use serde::{Deserialize, Serialize};

use super::expression::Program;
use crate::event::{Event, EventKind};

/// How a step ended, in the words of `steps.<id>.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It did what it was for.
    Succeeded,
    /// It gave up after its last attempt, or ran out of time.
    Failed,
    /// Its condition was false, so it never ran.
    Skipped,
}

impl StepOutcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Skipped];

    /// The word used in conditions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What a finished step left behind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepResult<'a> {
    /// How it ended.
    pub outcome: StepOutcome,
    /// What it returned; none reads as an empty map, so that `has(steps.<id>.output.x)` is false.
    pub output: Option<&'a serde_json::Value>,
}

/// The finished steps by id.
pub type StepResults<'a> = BTreeMap<&'a str, StepResult<'a>>;

/// The variables and functions of one evaluation.
///
/// | name | value |
/// |---|---|
/// | `event.type` | `pull_request`, `command`, `check_rerun` or `manual` |
/// | `event.action` | `opened`, `reopened`, `ready_for_review`, `synchronize`, `labeled`, `closed`; empty unless the type is `pull_request` |
/// | `event.repository`, `repo` | `owner/name` |
/// | `event.number`, `number` | the pull request's number, 0 for a local range |
/// | `event.base`, `event.head` | commit ids, empty when the delivery did not tell |
/// | `event.draft` | true or false |
/// | `event.labels` | list of label names |
/// | `event.sender.login`, `event.sender.bot` | who caused it |
/// | `event.command.name`, `event.command.arguments` | of a command, empty otherwise |
/// | `steps.<id>.status` | `succeeded`, `failed` or `skipped` (steps only) |
/// | `steps.<id>.output` | what the step returned (steps only) |
///
/// Every name is always there, so an expression does not fail because an event is of another type.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    event: Value,
    repository: Value,
    number: Value,
    steps: Option<Steps<'a>>,
}

/// The part of a scope that a step's condition sees in addition.
#[derive(Debug, Clone, Copy)]
struct Steps<'a> {
    results: &'a StepResults<'a>,
    success: bool,
    failure: bool,
}

impl<'a> Scope<'a> {
    /// The scope of a workflow's condition and templates.
    pub(super) fn new(event: &Event) -> Self {
        Self {
            event: event_value(event),
            repository: text(event.repository.as_str()),
            number: Value::Int(i64::try_from(event.number.0).unwrap_or(i64::MAX)),
            steps: None,
        }
    }

    /// The scope of the condition of a step that names `needs` and waits, through them, for `ancestors`. For an
    /// `expired` execution nothing counts as a success.
    pub(super) fn of_step(
        self,
        needs: &[&str],
        ancestors: &[&str],
        results: &'a StepResults<'a>,
        expired: bool,
    ) -> Self {
        let ended = |id: &&str, outcome| results.get(*id).is_some_and(|result| result.outcome == outcome);
        let success = !expired && needs.iter().all(|id| ended(id, StepOutcome::Succeeded));
        let failure = expired || ancestors.iter().any(|id| ended(id, StepOutcome::Failed));
        Self { steps: Some(Steps { results, success, failure }), ..self }
    }

    /// True when every step named in `needs` succeeded.
    pub(super) fn success(&self) -> bool {
        self.steps.is_none_or(|steps| steps.success)
    }

    /// Puts the variables and functions that `program` refers to into `context`.
    pub(super) fn bind(&self, context: &mut Context<'_, '_>, program: &Program) {
        context.add_variable_from_value("event", self.event.clone());
        context.add_variable_from_value("repo", self.repository.clone());
        context.add_variable_from_value("number", self.number.clone());
        let patterns = Arc::clone(&program.patterns);
        // Only a name that the environment has is refused, which none of these is.
        let _ = context.add_function("matches", move |This(text): This<Arc<String>>, pattern: Arc<String>| {
            let unknown = || ExecutionError::function_error("matches", "a pattern that was not written out");
            patterns.found(&pattern, &text).ok_or_else(unknown)
        });
        let Some(Steps { results, success, failure }) = self.steps else { return };
        context.add_variable_from_value("steps", steps_value(results, &program.steps, &program.outputs));
        let _ = context.add_function("always", || true);
        let _ = context.add_function("success", move || success);
        let _ = context.add_function("failure", move || failure);
    }
}

pub(super) fn event_value(event: &Event) -> Value {
    let (kind, action, command, arguments) = match &event.kind {
        EventKind::PullRequest { action } => ("pull_request", action.as_str(), "", ""),
        EventKind::Command { name, arguments, comment: _ } => ("command", "", name.as_str(), arguments.as_str()),
        EventKind::CheckRerun => ("check_rerun", "", "", ""),
        EventKind::Manual { .. } => ("manual", "", "", ""),
    };
    map([
        ("type", text(kind)),
        ("action", text(action)),
        ("repository", text(event.repository.as_str())),
        ("number", Value::Int(i64::try_from(event.number.0).unwrap_or(i64::MAX))),
        ("base", text(event.base.as_ref().map_or("", |commit| commit.as_str()))),
        ("head", text(event.head.as_ref().map_or("", |commit| commit.as_str()))),
        ("draft", Value::Bool(event.draft)),
        ("labels", Value::List(Arc::new(event.labels.iter().map(|label| text(label)).collect()))),
        ("sender", map([("login", text(&event.sender.login)), ("bot", Value::Bool(event.sender.bot))])),
        ("command", map([("name", text(command)), ("arguments", text(arguments))])),
    ])
}

/// Only what is asked for: an output can be large.
fn steps_value(results: &StepResults<'_>, steps: &BTreeSet<String>, outputs: &BTreeSet<String>) -> Value {
    map(steps.iter().map(|id| {
        let result = results.get(id.as_str());
        let output = match result.and_then(|result| result.output).filter(|_| outputs.contains(id)) {
            Some(output) => json(output),
            None => map(std::iter::empty::<(&str, Value)>()),
        };
        let status = result.map_or("", |result| result.outcome.as_str());
        (id.as_str(), map([("status", text(status)), ("output", output)]))
    }))
}

fn json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => Value::Int(integer),
            None => number.as_u64().map_or_else(|| Value::Float(number.as_f64().unwrap_or_default()), Value::UInt),
        },
        serde_json::Value::String(value) => text(value),
        serde_json::Value::Array(values) => Value::List(Arc::new(values.iter().map(json).collect())),
        serde_json::Value::Object(fields) => map(fields.iter().map(|(name, value)| (name.as_str(), json(value)))),
    }
}

fn text(value: &str) -> Value {
    Value::String(Arc::new(value.to_owned()))
}

fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    let entries: HashMap<Key, Value> =
        entries.into_iter().map(|(key, value)| (Key::String(Arc::new(key.to_owned())), value)).collect();
    Value::Map(Map { map: Arc::new(entries) })
}
