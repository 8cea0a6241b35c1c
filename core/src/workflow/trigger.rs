//! What starts a workflow.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::event::{Event, EventKind, PullRequestAction};

/// The events that start a workflow. At least one must be named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// What happens to a pull request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pull_request: Vec<PullRequestAction>,
    /// Comments that begin with `/autopr` and one of these words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "command_words")]
    pub command: Vec<String>,
    /// True for a workflow that runs when somebody asks for the check to be made again, by the button beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub check_rerun: bool,
    /// True for a workflow that also, or only, runs when a person or program asks for it by name. Every workflow can be
    /// asked for; this is for one that nothing else starts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub manual: bool,
}

impl Triggers {
    /// Whether `event` is one of those that start the workflow called `name`. A manual event names its workflow and
    /// starts that one and no other.
    pub fn matches(&self, name: &str, event: &Event) -> bool {
        match &event.kind {
            EventKind::PullRequest { action } => self.pull_request.contains(action),
            EventKind::Command { name, .. } => self.command.contains(name),
            EventKind::CheckRerun => self.check_rerun,
            EventKind::Manual { workflow } => workflow == name,
        }
    }
}

fn command_words(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {
            "type": "string",
            "pattern": "^[a-z][a-z-]{0,31}$",
            "x-fix": "write the word that follows `/autopr`, in lower-case letters and hyphens",
        },
    })
}
