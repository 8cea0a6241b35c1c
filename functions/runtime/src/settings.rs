//! The settings of a deployment, in one typed structure.
//!
//! They come from built-in defaults, then `configs/<AUTOPR_ENV>.yaml` (or the file named on the command line), then the
//! environment; later wins, and every value knows where it came from. Every mistake of all of them is reported at once,
//! with its key, its origin and its fix; nothing starts half configured. Keys whose feature is not built yet are
//! checked like the others, and their documentation says so.
//!
//! A setting in the file or the environment may name a secret of AWS Secrets Manager, `aws-sm://NAME[#KEY]`. Whoever runs
//! there asks [`Source::references`] which, fetches them, and loads [`Source::resolved`]; elsewhere they are mistakes.

mod command;
mod database;
mod environment;
mod github;
mod json_schema;
mod llm;
mod load;
mod needs;
mod origin;
mod push;
mod quantity;
mod reference;
mod rules;

mod secret;
mod server;
mod workflow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use command::{Checked, Format, check, schema, show};
pub use database::{Connection, ConnectionUrl, Database, Pooler, Redis};
pub use github::{App, GitHub, Reconcile};
pub use llm::{Budget, Llm, Price, Provider, ProviderKind};
pub use load::{ConfigFile, Invalid, Loaded, Reading, Source};
pub use needs::{Needs, WebhookSecret};
pub use origin::Origin;
pub use push::Push;
pub use quantity::{Seconds, Usd};
pub use secret::{MASK, Secret};
pub use server::{Environment, Level, LogFormat, Logging, Monitoring, Server};
pub use workflow::{History, Workflow};

/// All settings of AutoPR Engine.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "AutoPR Engine settings")]
pub struct Settings {
    /// Which kind of installation this is. Environment variable `AUTOPR_ENV`.
    pub environment: Environment,
    /// The HTTP server.
    pub server: Server,
    /// What is logged, and how.
    pub logging: Logging,
    /// Where executions are recorded.
    pub database: Database,
    /// The cache shared by several processes.
    pub redis: Redis,
    /// How GitHub is reached.
    pub github: GitHub,
    /// Language models.
    pub llm: Llm,
    /// How workflows run.
    pub workflow: Workflow,
    /// Messages that Google Cloud Pub/Sub pushes.
    pub push: Push,
    /// Metrics and traces.
    pub monitoring: Monitoring,
}

#[cfg(test)]
mod tests;
