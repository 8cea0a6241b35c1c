//! How GitHub is reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::Seconds;
use super::secret::Secret;

/// How GitHub is reached.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GitHub {
    /// The address of the REST API; GitHub Enterprise Server has its own, `https://HOST/api/v3`.
    #[schemars(regex(pattern = r"^https?://[^ /]"), extend("x-fix" = "write an address such as https://api.github.com"))]
    pub base_url: String,
    /// The seconds a call may take.
    #[schemars(range(min = 1, max = 600))]
    pub timeout: Seconds,
    /// A personal or fine-grained access token. Environment variable `GITHUB_TOKEN`.
    pub token: Option<Secret>,
    /// A GitHub App; when it is set, the token is not used.
    pub app: App,
    /// The secrets a webhook may be signed with: one, or the old and the new one during a change. Environment variable
    /// `GITHUB_WEBHOOK_SECRET`, two with a comma between them.
    #[schemars(length(max = 2))]
    pub webhook_secrets: Vec<Secret>,
    /// How what a lost webhook would have told is found all the same.
    pub reconcile: Reconcile,
}

impl Default for GitHub {
    fn default() -> Self {
        Self {
            base_url: "https://api.github.com".to_owned(),
            timeout: Seconds(30),
            token: None,
            app: App::default(),
            webhook_secrets: Vec::new(),
            reconcile: Reconcile::default(),
        }
    }
}

/// A GitHub App: both values or none.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct App {
    /// The App's number. Environment variable `GITHUB_APP_ID`.
    #[schemars(range(min = 1))]
    pub id: Option<u64>,
    /// The App's private key in PEM form. Environment variable `GITHUB_APP_PRIVATE_KEY`.
    pub private_key: Option<Secret>,
}

/// How what a lost webhook would have told is found all the same.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reconcile {
    /// Whether GitHub is asked again for deliveries that never arrived. It keeps such a list for an App only.
    pub deliveries: bool,
    /// Whether open pull requests are looked for whose last commit nobody told of: of an App's repositories or, with a
    /// token, of those from which webhooks came before.
    pub pull_requests: bool,
    /// The seconds between two looks.
    #[schemars(range(min = 1, max = 86400))]
    pub interval: Seconds,
    /// The most requests to GitHub in one look; the next goes on where it ended.
    #[schemars(range(min = 4, max = 1000))]
    pub max_requests: u32,
}

impl Default for Reconcile {
    fn default() -> Self {
        Self { deliveries: true, pull_requests: true, interval: Seconds(300), max_requests: 50 }
    }
}
