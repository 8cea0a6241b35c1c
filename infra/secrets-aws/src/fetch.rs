//! What is fetched: each secret once, all of them at the same time.

use std::collections::BTreeMap;
use std::time::Duration;

use autopr_core::secrets::{Reference, Values};
use autopr_core::yaml::Diagnostic;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::failure::Failure;

/// How long a secret may take, all attempts together. A function of Lambda has ten seconds to start.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(2);

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(1);

/// How often a request is tried in all.
const ATTEMPTS: u32 = 3;

/// AWS Secrets Manager in one region.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    client: Client,
    region: Option<String>,
}

impl SecretsManager {
    /// The service that this client asks. Of the client its connections, credentials, region and endpoint are used; how
    /// long it waits and how often it tries is decided here.
    pub fn new(client: Client) -> Self {
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(Duration::from_millis(100))
            .with_max_backoff(Duration::from_millis(500));
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(PATIENCE)
            .build();
        let region = client.config().region().map(ToString::to_string);
        let config = client.config().to_builder().retry_config(retries).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), region }
    }

    /// What the secrets hold that settings name: each is asked for once, and all of them at the same time.
    ///
    /// # Errors
    /// A mistake for every setting whose value could not be had, in the order of the references: the setting, the secret's
    /// name and the fix, and never what a secret holds.
    pub async fn fetch(&self, references: &[Reference]) -> Result<Values, Vec<Diagnostic>> {
        let mut names: Vec<&str> = references.iter().map(|reference| reference.address.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let ask = |name| async move { (name, self.ask(name).await) };
        let secrets: BTreeMap<&str, Result<SecretString, Failure>> =
            join_all(names.into_iter().map(ask)).await.into_iter().collect();
        let (mut values, mut mistakes) = (Values::default(), Vec::new());
        for reference in references {
            let address = &reference.address;
            let read = match secrets.get(address.name.as_str()) {
                Some(Ok(secret)) => part(secret, &address.name, address.key.as_deref()),
                Some(Err(failure)) => Err(failure.clone()),
                None => continue,
            };
            match read {
                Ok(value) => values.insert(address.clone(), value),
                Err(Failure { message, fix }) => {
                    mistakes.push(Diagnostic::new(&reference.origin, &reference.setting, message).fix(fix));
                }
            }
        }
        if mistakes.is_empty() { Ok(values) } else { Err(mistakes) }
    }

    async fn ask(&self, name: &str) -> Result<SecretString, Failure> {
        let Some(region) = &self.region else { return Err(Failure::nowhere(name)) };
        if let Some(other) = region_of(name).filter(|other| other != region) {
            return Err(Failure::elsewhere(name, other, region));
        }
        let answer = self.client.get_secret_value().secret_id(name).send().await;
        let answer = answer.map_err(|error| Failure::of(&error, name, region))?;
        match answer.secret_string {
            Some(text) => Ok(SecretString::from(text)),
            None => Err(Failure::binary(name)),
        }
    }
}

/// The region in an Amazon Resource Name, `arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME`.
fn region_of(name: &str) -> Option<&str> {
    let mut parts = name.strip_prefix("arn:")?.split(':').skip(1);
    (parts.next() == Some("secretsmanager")).then(|| parts.next())?
}

/// The value under a key, or all of the secret without one.
fn part(secret: &SecretString, name: &str, key: Option<&str>) -> Result<SecretString, Failure> {
    let Some(key) = key else { return Ok(secret.clone()) };
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(secret.expose_secret()) else {
        return Err(Failure::no_object(name, key));
    };
    match object.get(key) {
        Some(Value::String(text)) => Ok(SecretString::from(text.as_str())),
        Some(Value::Null) | None => Err(Failure::no_key(name, key)),
        Some(other) => Ok(SecretString::from(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_name_tells_its_region() {
        assert_eq!(region_of("arn:aws:secretsmanager:eu-west-1:123456789012:secret:a/b-AbCdEf"), Some("eu-west-1"));
        assert_eq!(region_of("arn:aws:ssm:eu-west-1:123456789012:parameter/a"), None);
        assert_eq!(region_of("autopr/prod/database"), None);
    }
}
