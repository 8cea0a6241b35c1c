//! Newtypes for the identities the engine passes around, so that one cannot stand in for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Why a text is not a valid identity. The message names the kind and the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a valid {kind}: {reason}")]
pub struct InvalidId {
    kind: &'static str,
    value: String,
    reason: &'static str,
}

/// Declares a validated string identity: parsing, display, serde through the text form.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `value` and wraps it.
            ///
            /// # Errors
            /// [`InvalidId`] when the text does not have the shape this identity needs.
            pub fn new(value: impl Into<String>) -> Result<Self, InvalidId> {
                let value = value.into();
                let check: fn(&str) -> Result<(), &'static str> = $check;
                match check(&value) {
                    Ok(()) => Ok(Self(value)),
                    Err(reason) => Err(InvalidId { kind: $kind, value: value.chars().take(100).collect(), reason }),
                }
            }

            /// The text form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(value: &str) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(value: String) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id!(
    /// The identity of one webhook delivery (GitHub's `X-GitHub-Delivery`) or of one local request.
    DeliveryId, "delivery id", |value| {
        if value.is_empty() || value.len() > 200 {
            Err("it must have 1 to 200 bytes")
        } else if !value.bytes().all(|b| b.is_ascii_graphic()) {
            Err("only visible ASCII characters are allowed")
        } else {
            Ok(())
        }
    }
);

text_id!(
    /// A repository as `owner/name`.
    RepoName, "repository name", |value| match value.split_once('/') {
        Some((owner, name)) if !owner.is_empty() && !name.is_empty() && !name.contains('/') => {
            if value.len() <= 255 && !value.chars().any(|c| c.is_control() || c.is_whitespace()) {
                Ok(())
            } else {
                Err("it must have at most 255 bytes and no white space")
            }
        }
        _ => Err("it must read owner/name"),
    }
);

text_id!(
    /// A full git object id: 40 hexadecimal digits (SHA-1) or 64 (SHA-256), in lower case.
    CommitSha, "commit id", |value| {
        if matches!(value.len(), 40 | 64) && value.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(())
        } else {
            Err("it must have 40 or 64 lower-case hexadecimal digits")
        }
    }
);

/// How the identity of a stand-in begins.
const STAND_IN: &str = "reconcile-";

impl DeliveryId {
    /// The identity of what stands in for a delivery that never arrived: always the same for the same text.
    pub fn stand_in(about: &str) -> Self {
        Self(format!("{STAND_IN}{}", hex::encode(Sha256::digest(about))))
    }

    /// Whether it is of what stands in for a delivery.
    pub fn is_stand_in(&self) -> bool {
        self.0.starts_with(STAND_IN)
    }
}

impl CommitSha {
    /// The all-zero id, git's own sign for content that has no commit (here: the index).
    pub fn zero() -> Self {
        Self("0".repeat(40))
    }

    /// The first ten digits, enough for a person.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

/// The number of a pull request within its repository. Zero stands for a local range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrNumber(pub u64);

impl fmt::Display for PrNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a comment in the conversation of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommentId(pub u64);

/// The GitHub App installation a delivery belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstallationId(pub u64);

/// The identity of one execution of a workflow: a time-ordered UUID (RFC 9562, version 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(Uuid);

impl ExecutionId {
    /// A new identity that sorts after those made before it.
    #[expect(clippy::new_without_default, reason = "every call gives another identity; a default would hide that")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl ExecutionId {
    /// The bare UUID, as databases keep it.
    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// A number that differs from one execution to the next, to spread waits by.
    pub fn spread(self) -> u64 {
        self.0.as_u64_pair().1
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Uuid> for ExecutionId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl FromStr for ExecutionId {
    type Err = InvalidId;
    fn from_str(value: &str) -> Result<Self, InvalidId> {
        Uuid::parse_str(value).map(Self).map_err(|_| InvalidId {
            kind: "execution id",
            value: value.chars().take(100).collect(),
            reason: "it must be a UUID",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_identity_is_refused_with_its_kind_and_value() {
        assert_eq!(
            RepoName::new("noslash").unwrap_err().to_string(),
            "`noslash` is not a valid repository name: it must read owner/name"
        );
        assert!(CommitSha::new("ABCDEF").is_err());
        assert!(DeliveryId::new("with space").is_err());
        assert!(serde_json::from_str::<RepoName>("\"a/b/c\"").is_err());
    }

    #[test]
    fn execution_ids_sort_by_time() {
        let first = ExecutionId::new();
        let second = ExecutionId::new();
        assert!(first < second);
        assert_eq!(first.to_string().parse::<ExecutionId>().unwrap(), first);
    }
}
