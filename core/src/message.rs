//! What travels through a queue: tagged with a version, so that an old worker gives back what a newer one wrote.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::ids::{ExecutionId, RepoName};

/// A message. A tag this program does not know is not an error of the message: it is given back to the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "v")]
pub enum Message {
    /// The first version.
    #[serde(rename = "1")]
    V1(V1),
}

/// The messages of version 1.
#[expect(
    clippy::large_enum_variant,
    reason = "a message is made, sent and gone; a box would only be one allocation more"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum V1 {
    /// Something happened: find the workflows that want to know and run them.
    Event {
        /// What.
        event: Event,
    },
    /// An execution may go on. Carries the identity only; the state is in the store.
    Advance {
        /// Which.
        execution: ExecutionId,
        /// Where, so that repositories take turns; messages of older versions don't tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repository: Option<RepoName>,
    },
}

impl Message {
    /// The message that brings an event.
    pub fn event(event: Event) -> Self {
        Self::V1(V1::Event { event })
    }

    /// The message that lets an execution in that repository go on.
    pub fn advance(execution: ExecutionId, repository: RepoName) -> Self {
        Self::V1(V1::Advance { execution, repository: Some(repository) })
    }

    /// What takes turns with others of its kind: the repository.
    pub fn lane(&self) -> Option<&str> {
        match self {
            Self::V1(V1::Event { event }) => Some(event.repository.as_str()),
            Self::V1(V1::Advance { repository, .. }) => repository.as_ref().map(RepoName::as_str),
        }
    }

    /// The bytes to put on a queue.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a message back.
    ///
    /// # Errors
    /// When the bytes are not a message of a version this program knows.
    pub fn decode(body: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_back_and_an_unknown_version_does_not() {
        let message = Message::advance(ExecutionId::new(), RepoName::new("acme/shop").unwrap());
        assert_eq!(Message::decode(&message.encode()).unwrap(), message);
        assert_eq!(message.lane(), Some("acme/shop"));
        let older = format!(r#"{{"v":"1","type":"advance","execution":"{}"}}"#, ExecutionId::new());
        assert_eq!(Message::decode(&older).unwrap().lane(), None);
        assert!(Message::decode(r#"{"v":"2","type":"advance"}"#).is_err());
        assert!(Message::decode(r#"{"v":"1","type":"other"}"#).is_err());
        assert!(Message::decode("").is_err());
    }
}
