//! A workflow's definition: the data an operator writes in YAML, stored as JSON and pinned by every execution.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::action::ActionName;
use super::condition::Condition;
use super::expression::ExpressionError;
use super::graph::{Graph, GraphError};
use super::scope::{Scope, StepResults};
use super::template::Template;
use super::trigger::Triggers;
use super::validate;
use crate::event::{Event, EventKind};
use crate::yaml::Diagnostic;

/// A workflow: what starts it and which steps it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "AutoPR workflow")]
pub struct Definition {
    /// The name it is asked for, listed and counted by.
    #[schemars(
        regex(pattern = "^[a-z0-9-]{1,64}$"),
        extend("x-fix" = "use 1 to 64 lower-case letters, digits and hyphens")
    )]
    pub name: String,
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub description: Option<String>,
    /// The events that start it.
    pub on: Triggers,
    /// Whether an event that starts it really does. Not asked when a person asks for the workflow by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#if: Option<Condition>,
    /// Which executions exclude each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// Seconds of running time an execution may take; waiting does not count. Without it the setting
    /// `workflow.timeout` holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400), extend("x-fix" = "use seconds from 1 to 86400 (a day)"))]
    pub timeout: Option<u64>,
    /// What it does. Steps run as soon as all they need has finished, side by side where they can.
    #[schemars(length(min = 1, max = 100), extend("x-fix" = "a workflow has 1 to 100 steps"))]
    pub steps: Vec<Step>,
}

/// One step of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The name other steps and conditions use, as in `steps.fetch.status`.
    #[schemars(
        regex(pattern = "^[a-z][a-z0-9_]{0,63}$"),
        extend("x-fix" = "use lower-case letters, digits and underscores, beginning with a letter, at most 64")
    )]
    pub id: String,
    /// What it does.
    pub uses: ActionName,
    /// The steps that must have finished before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Whether it runs once those have finished; otherwise it is skipped. Without it, or when it does not look at how
    /// steps ended (by `always()`, `success()`, `failure()` or a `.status`), all of `needs` must have succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#if: Option<Condition>,
    /// What happens when it fails. Without it the settings `workflow.retry_attempts` and `workflow.retry_delay` hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Seconds one attempt may take; without it only the workflow's time counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400), extend("x-fix" = "use seconds from 1 to 86400 (a day)"))]
    pub timeout: Option<u64>,
}

/// How often a failed step is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How often it is tried in all, the first time included.
    #[schemars(range(min = 1, max = 20), extend("x-fix" = "use 1 to 20 attempts"))]
    pub attempts: u32,
    /// Seconds before the second attempt; each further wait is twice as long. What the other side asks for wins.
    #[schemars(range(max = 3_600), extend("x-fix" = "use seconds from 0 to 3600 (an hour)"))]
    pub delay: u64,
}

/// Which executions exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concurrency {
    /// Executions whose group has the same text exclude each other, of whatever workflow they are.
    pub group: Template,
    /// True when a newer event takes the place of the older execution, which then publishes nothing; otherwise the
    /// newer one waits.
    #[serde(default)]
    pub latest_wins: bool,
}

impl Definition {
    /// Reads a definition and holds it against every rule. `source` is the name mistakes are reported under.
    ///
    /// # Errors
    /// Every mistake in the text, in the order of the file, each with its place and, where it is known, its fix.
    pub fn parse(source: &str, yaml: &str) -> Result<Self, Vec<Diagnostic>> {
        validate::parse(source, yaml)
    }

    /// Whether in its concurrency group a newer execution takes the place of older ones.
    pub fn latest_wins(&self) -> bool {
        self.concurrency.as_ref().is_some_and(|concurrency| concurrency.latest_wins)
    }

    /// Whether `event` starts this workflow: one of its triggers names it and its condition holds. A manual event
    /// starts the workflow it names whatever the condition says: it is a person's explicit wish.
    ///
    /// # Errors
    /// The condition has no value for this event.
    pub fn matches(&self, event: &Event) -> Result<bool, ExpressionError> {
        if !self.on.matches(&self.name, event) {
            return Ok(false);
        }
        match (&event.kind, &self.r#if) {
            (EventKind::Manual { .. }, _) | (_, None) => Ok(true),
            (_, Some(condition)) => condition.holds(&Scope::new(event)),
        }
    }

    /// The concurrency group of an execution for `event`; none when executions don't exclude each other.
    ///
    /// # Errors
    /// The template has no value for this event, or a too long one.
    pub fn group(&self, event: &Event) -> Result<Option<String>, ExpressionError> {
        self.concurrency.as_ref().map(|concurrency| concurrency.group.render(&Scope::new(event))).transpose()
    }

    /// The order that `needs` puts on the steps.
    ///
    /// # Errors
    /// A need that names no step, or a circle: never for a definition that [`Definition::parse`] accepted.
    pub fn graph(&self) -> Result<Graph, GraphError> {
        Graph::new(self.steps.iter().map(|step| (step.id.as_str(), step.needs.iter().map(String::as_str))))
    }

    /// Whether the step at index `step`, all of whose needs have finished with `results`, runs; it is skipped otherwise.
    /// `graph` is this definition's own. An index that names no step does not run. Once the execution is `expired`,
    /// `success()` is false, so that only steps which look at how others ended still run.
    ///
    /// # Errors
    /// The step's condition has no value here.
    pub fn starts(
        &self,
        step: usize,
        graph: &Graph,
        event: &Event,
        results: &StepResults<'_>,
        expired: bool,
    ) -> Result<bool, ExpressionError> {
        let Some(this) = self.steps.get(step) else { return Ok(false) };
        let id = |at: &usize| self.steps.get(*at).map(|step| step.id.as_str());
        let needs: Vec<&str> = graph.needs(step).iter().filter_map(id).collect();
        let ancestors: Vec<&str> = graph.ancestors(step).iter().filter_map(id).collect();
        let scope = Scope::new(event).of_step(&needs, &ancestors, results, expired);
        this.r#if.as_ref().map_or_else(|| Ok(scope.success()), |condition| condition.starts(&scope))
    }

    /// The step called `id`.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The position of the step called `id`.
    pub fn index(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == id)
    }

    /// Its JSON form, fields in the order of the type: what a store keeps.
    pub fn to_json(&self) -> String {
        // No part of it can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The SHA-256 of its JSON form, in hexadecimal: two definitions that say the same have the same digest.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.to_json().as_bytes()))
    }
}

/// The JSON Schema (2020-12) of a definition, for editors and for `autopr workflows schema`.
pub fn schema() -> &'static serde_json::Value {
    static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(|| schemars::schema_for!(Definition).as_value().clone());
    &SCHEMA
}
