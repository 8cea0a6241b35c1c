//! The clients of AWS. Lambda gives a function its region and the credentials of its role in variables, so that nothing else
//! is looked at for them: no file, no metadata service, no single sign-on, and none of the crates for these.

use std::collections::BTreeMap;

use autopr_queue_sqs::SqsQueue;
use autopr_secrets_aws::SecretsManager;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};

use crate::failed::Failed;

/// The variable that names the queue.
const QUEUE: &str = "AUTOPR_QUEUE_URL";

/// The queue of this function. Nothing is connected yet.
pub(crate) fn queue(env: &BTreeMap<String, String>) -> Result<SqsQueue, Failed> {
    let Some(url) = set(env, QUEUE) else {
        let fix = "set it to the queue's URL, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME";
        return Err(Failed::variable(QUEUE, "the queue is not named", fix));
    };
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(Failed::variable(
            QUEUE,
            "this is not the URL of a queue",
            "write https://sqs.REGION.amazonaws.com/…",
        ));
    }
    let mut config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region(env))
        .use_fips(is_true(env, "AWS_USE_FIPS_ENDPOINT"));
    config.set_endpoint_url(endpoint(env, "AWS_ENDPOINT_URL_SQS"));
    if let Some(credentials) = credentials(env) {
        config = config.credentials_provider(credentials);
    }
    Ok(SqsQueue::new(aws_sdk_sqs::Client::from_conf(config.build()), url.to_owned()))
}

/// AWS Secrets Manager in this function's region.
pub(crate) fn secrets_manager(env: &BTreeMap<String, String>) -> SecretsManager {
    let mut config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region(env))
        .use_fips(is_true(env, "AWS_USE_FIPS_ENDPOINT"));
    config.set_endpoint_url(endpoint(env, "AWS_ENDPOINT_URL_SECRETS_MANAGER"));
    if let Some(credentials) = credentials(env) {
        config = config.credentials_provider(credentials);
    }
    SecretsManager::new(aws_sdk_secretsmanager::Client::from_conf(config.build()))
}

fn region(env: &BTreeMap<String, String>) -> Option<Region> {
    ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .find_map(|name| set(env, name))
        .map(|name| Region::new(name.to_owned()))
}

/// The credentials of the function's role, which outlive its environment.
fn credentials(env: &BTreeMap<String, String>) -> Option<Credentials> {
    let (id, key) = (set(env, "AWS_ACCESS_KEY_ID")?, set(env, "AWS_SECRET_ACCESS_KEY")?);
    let token = set(env, "AWS_SESSION_TOKEN").map(str::to_owned);
    Some(Credentials::new(id, key, token, None, "environment"))
}

/// Another address of a service than the region's own ("Service-specific endpoints" of the AWS SDKs and Tools Reference
/// Guide).
fn endpoint(env: &BTreeMap<String, String>, of_service: &str) -> Option<String> {
    [of_service, "AWS_ENDPOINT_URL"].into_iter().find_map(|name| set(env, name)).map(str::to_owned)
}

fn is_true(env: &BTreeMap<String, String>, name: &str) -> bool {
    set(env, name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn set<'e>(env: &'e BTreeMap<String, String>, name: &str) -> Option<&'e str> {
    env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}
