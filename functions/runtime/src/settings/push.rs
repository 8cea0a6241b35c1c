//! How messages are pushed to a service by Google Cloud Pub/Sub.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::Seconds;

/// How messages are pushed to `gcp-service` by Google Cloud Pub/Sub, and how it knows them: each request brings a token
/// that Google has signed. Cloud Scheduler brings one too.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Push {
    /// The audience of the tokens, as it stands in the subscription and in Cloud Scheduler's job. Environment variable
    /// `AUTOPR_PUSH_AUDIENCE`.
    #[schemars(length(min = 1, max = 1000))]
    pub audience: Option<String>,
    /// The e-mail address of the service account that the tokens are for. Environment variable
    /// `AUTOPR_PUSH_SERVICE_ACCOUNT`.
    #[schemars(
        regex(pattern = r"^[^@ ]+@[^@ ]+$"),
        extend("x-fix" = "write its address, NAME@PROJECT.iam.gserviceaccount.com")
    )]
    pub service_account: Option<String>,
    /// Where the keys are that tokens are signed with, as a JSON Web Key Set. Environment variable `AUTOPR_PUSH_KEYS_URL`.
    #[schemars(
        regex(pattern = r"^https?://[^ /]"),
        extend("x-fix" = "write an address such as https://www.googleapis.com/oauth2/v3/certs")
    )]
    pub keys_url: String,
    /// The seconds after which whoever pushes gives up: the smaller of the subscription's acknowledgement deadline and the
    /// service's request time-out. What is not done some seconds earlier is given back and goes on with a message of its
    /// own. Environment variable `AUTOPR_PUSH_TIMEOUT`.
    #[schemars(range(min = 10, max = 600))]
    pub timeout: Seconds,
}

impl Default for Push {
    fn default() -> Self {
        Self {
            audience: None,
            service_account: None,
            keys_url: "https://www.googleapis.com/oauth2/v3/certs".to_owned(),
            timeout: Seconds(300),
        }
    }
}
