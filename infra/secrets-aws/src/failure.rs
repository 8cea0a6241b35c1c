//! Why a secret could not be had, in words for whoever set it up. What the service says in its own words is not repeated.

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};

/// Why a secret could not be had, and what to do about it.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) fix: String,
}

impl Failure {
    /// What a call of the SDK failed with.
    pub(crate) fn of<E>(error: &SdkError<E>, name: &str, region: &str) -> Self
    where
        E: ProvideErrorMetadata,
    {
        match error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                Self::of_code(answer.err().code().unwrap_or_default(), status, name, region)
            }
            SdkError::ConstructionFailure(_) => Self::new(
                format!("the secret {name} can't be asked for: no request to {region} could be made"),
                "correct the secret's name and the region (AWS_REGION)",
            ),
            // Credentials that can't be had come this way.
            SdkError::DispatchFailure(failure) if failure.is_other() => Self::new(
                format!("the secret {name} can't be asked for: no request could be sent to {region}"),
                "run with a role, or with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ),
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => Self::new(
                format!("the secret {name} can't be asked for: AWS Secrets Manager in {region} can't be reached"),
                "check the region (AWS_REGION), and that this network reaches the service: a VPC needs an endpoint for \
                 it, or a way out",
            ),
            _ => Self::new(
                format!("the secret {name} can't be read: the answer is none of AWS Secrets Manager in {region}"),
                "check what answers at the service's address",
            ),
        }
    }

    /// What an error code means (the API's reference for `GetSecretValue`, and "Common Errors").
    fn of_code(code: &str, status: u16, name: &str, region: &str) -> Self {
        match code.strip_suffix("Exception").unwrap_or(code) {
            "ResourceNotFound" => Self::new(
                format!("there is no secret {name} in {region}"),
                "create it there, or correct its name or the region (AWS_REGION)",
            ),
            "AccessDenied" => Self::new(
                format!("access to the secret {name} in {region} is denied"),
                "allow secretsmanager:GetSecretValue on it to the role this runs as, and kms:Decrypt on its key if that \
                 is one of yours",
            ),
            "DecryptionFailure" => Self::new(
                format!("the secret {name} in {region} can't be decrypted"),
                "allow kms:Decrypt on its key to the role this runs as, and see that the key is enabled",
            ),
            "InvalidRequest" => Self::new(
                format!("the secret {name} in {region} has no value now"),
                "restore it if it is marked for deletion, or give it a value",
            ),
            "UnrecognizedClient"
            | "InvalidClientTokenId"
            | "InvalidSignature"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "IncompleteSignature"
            | "MissingAuthenticationToken" => Self::new(
                format!("the secret {name} can't be read: AWS does not accept the credentials in {region}"),
                "check the credentials, the clock and the region",
            ),
            _ => {
                let is_code = code.len() <= 100 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
                let code = if is_code && !code.is_empty() { code } else { "no error code" };
                Self::new(
                    format!("the secret {name} in {region} can't be read: {code} (HTTP {status})"),
                    "look the code up in the reference of GetSecretValue; HTTP 5xx passes by itself",
                )
            }
        }
    }

    /// No region that could be asked.
    pub(crate) fn nowhere(name: &str) -> Self {
        Self::new(format!("the secret {name} can't be asked for: no region is set"), "set AWS_REGION")
    }

    /// A resource name of another region than the one that is asked.
    pub(crate) fn elsewhere(name: &str, other: &str, region: &str) -> Self {
        Self::new(
            format!("the secret {name} lies in {other}, and {region} is asked"),
            format!("set AWS_REGION to {other}, or replicate the secret and name the replica"),
        )
    }

    /// A secret that is no text.
    pub(crate) fn binary(name: &str) -> Self {
        Self::new(format!("the secret {name} is binary"), "keep it as text")
    }

    /// A key of a secret that has none.
    pub(crate) fn no_object(name: &str, key: &str) -> Self {
        Self::new(
            format!("the secret {name} is not a JSON object, so that it has no key `{key}`"),
            format!("leave out #{key}, or keep a JSON object in the secret"),
        )
    }

    /// A key that the secret does not have.
    pub(crate) fn no_key(name: &str, key: &str) -> Self {
        Self::new(
            format!("the secret {name} has no key `{key}`"),
            "add the key to the secret, or name one that it has".to_owned(),
        )
    }

    fn new(message: String, fix: impl Into<String>) -> Self {
        Self { message, fix: fix.into() }
    }
}
