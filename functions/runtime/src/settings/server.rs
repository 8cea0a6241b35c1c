//! The process itself: its environment, its server, its logs and metrics.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::Secret;

/// Which kind of installation this is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// A developer's machine.
    #[default]
    Development,
    /// A rehearsal of production.
    Staging,
    /// The real thing.
    Production,
}

impl Environment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Development, Self::Staging, Self::Production];

    /// The word used in settings and file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The HTTP server.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The address it listens on. Environment variable `AUTOPR_HOST`.
    #[schemars(extend("x-fix" = "write an IP address such as 0.0.0.0 or 127.0.0.1"))]
    pub host: IpAddr,
    /// The port it listens on; 0 takes any free one, which the log names. Environment variable `AUTOPR_PORT`, or `PORT`
    /// as Cloud Run sets it.
    pub port: u16,
    /// Who may call the API: a name of your choice and the key for each. Environment variable `AUTOPR_API_KEYS`, as
    /// `name=key,name=key`. Not used yet: there is no API so far.
    pub api_keys: BTreeMap<String, Secret>,
}

impl Default for Server {
    fn default() -> Self {
        Self { host: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 8080, api_keys: BTreeMap::new() }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Logging {
    /// The least important lines that are logged: TRACE, DEBUG, INFO, WARN or ERROR, also in lower case; WARNING is
    /// WARN. Environment variable `AUTOPR_LOG_LEVEL`.
    pub level: Level,
    /// One JSON object per line for machines, or text for people.
    pub format: LogFormat,
    /// Whether changes made by people are recorded in the audit log. Not used yet.
    pub enable_audit: bool,
}

/// How important a log line must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE", try_from = "String")]
#[schemars(
    with = "String",
    inline,
    extend(
        "pattern" = "^(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|trace|debug|info|warn|warning|error)$",
        "x-fix" = "use TRACE, DEBUG, INFO, WARN or ERROR"
    )
)]
pub enum Level {
    /// Everything.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What happened.
    #[default]
    Info,
    /// What should not have happened.
    Warn,
    /// What failed.
    Error,
}

impl Level {
    /// The word a tracing filter understands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match word.to_ascii_lowercase().as_str() {
            "trace" => Ok(Self::Trace),
            "debug" => Ok(Self::Debug),
            "info" => Ok(Self::Info),
            "warn" | "warning" => Ok(Self::Warn),
            "error" => Ok(Self::Error),
            _ => Err("not a log level; use TRACE, DEBUG, INFO, WARN or ERROR".to_owned()),
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Metrics and traces.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Monitoring {
    /// Whether metrics are served for Prometheus.
    pub enable_metrics: bool,
    /// The port metrics are served on, apart from the server's; 0 takes any free one, which the log names.
    pub metrics_port: u16,
    /// Not used yet. Whether traces are sent, to where the standard variable `OTEL_EXPORTER_OTLP_ENDPOINT` says.
    pub enable_tracing: bool,
}

impl Default for Monitoring {
    fn default() -> Self {
        Self { enable_metrics: true, metrics_port: 9090, enable_tracing: false }
    }
}
