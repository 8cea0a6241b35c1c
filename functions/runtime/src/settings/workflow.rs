//! How workflows run.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::Seconds;

/// How workflows run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Workflow {
    /// The most executions that run at once in one process. Environment variable `MAX_CONCURRENT_WORKFLOWS`.
    #[schemars(range(min = 1, max = 1000))]
    pub max_concurrent: u32,
    /// The seconds an execution may run, waiting not counted, unless its workflow says otherwise. Environment variable
    /// `WORKFLOW_TIMEOUT`.
    #[schemars(range(min = 1, max = 86400))]
    pub timeout: Seconds,
    /// How often a step is tried in all, unless it says otherwise; 1 means that it is not tried again.
    #[schemars(range(min = 1, max = 20), extend("x-fix" = "write how often a step is tried in all; 1 means no second try"))]
    pub retry_attempts: u32,
    /// The seconds before a step is tried the second time, unless it says otherwise; the wait grows with each try.
    #[schemars(range(min = 0, max = 3600))]
    pub retry_delay: Seconds,
    /// Whether all steps that are ready run at the same time, or one after the other.
    pub enable_parallel_execution: bool,
    /// A folder with workflow files of your own, which are read beside the built-in ones.
    pub directory: Option<PathBuf>,
    /// What is kept of past executions.
    pub history: History,
}

impl Default for Workflow {
    fn default() -> Self {
        Self {
            max_concurrent: 10,
            timeout: Seconds(300),
            retry_attempts: 3,
            retry_delay: Seconds(5),
            enable_parallel_execution: true,
            directory: None,
            history: History::default(),
        }
    }
}

/// What is kept of past executions: one goes when either limit says so.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct History {
    /// The newest executions kept per workflow.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub executions: u32,
    /// The days an execution is kept; three at least, since events of the last three days are looked for at GitHub.
    #[schemars(range(min = 3, max = 3650))]
    pub days: u32,
}

impl Default for History {
    fn default() -> Self {
        Self { executions: 1000, days: 90 }
    }
}
