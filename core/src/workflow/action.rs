//! The actions a step can `use`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a step does. A closed set: a new action is one variant here and one arm where actions are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActionName {
    /// For a command: asks whether its author may give it, and answers with a reaction. Everything else is allowed.
    Authorize,
    /// Reads the pull request, its diff and the repository's configuration.
    Fetch,
    /// Runs the deterministic analysers over the diff.
    Analyse,
    /// Lets the language models read the diff.
    Review,
    /// Merges what was found and writes the review and the check to the forge.
    PublishReview,
    /// Lets a language model describe the change, and puts that below the author's own description.
    Describe,
    /// Puts labels for the kind of change and the effort to review it on the pull request.
    Label,
    /// Tells whoever gave a command that was not done why.
    Tell,
    /// Answers `/autopr help` and commands that nobody knows.
    Help,
}

impl ActionName {
    /// All of them, in the order they usually run.
    pub const ALL: [Self; 9] = [
        Self::Authorize,
        Self::Fetch,
        Self::Analyse,
        Self::Review,
        Self::PublishReview,
        Self::Describe,
        Self::Label,
        Self::Tell,
        Self::Help,
    ];

    /// The word used in definitions, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Fetch => "fetch",
            Self::Analyse => "analyse",
            Self::Review => "review",
            Self::PublishReview => "publish-review",
            Self::Describe => "describe",
            Self::Label => "label",
            Self::Tell => "tell",
            Self::Help => "help",
        }
    }
}

impl fmt::Display for ActionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ActionName {
    type Err = UnknownAction;

    fn from_str(value: &str) -> Result<Self, UnknownAction> {
        Self::ALL
            .into_iter()
            .find(|action| action.as_str() == value)
            .ok_or_else(|| UnknownAction(value.chars().take(100).collect()))
    }
}

/// A word that names no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an action: use authorize, fetch, analyse, review, publish-review, describe, label, tell or help")]
pub struct UnknownAction(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_one_word_in_every_form() {
        for action in ActionName::ALL {
            assert_eq!(action.to_string().parse::<ActionName>().unwrap(), action);
            assert_eq!(serde_json::to_value(action).unwrap(), serde_json::json!(action.as_str()));
        }
        let listed = UnknownAction("x".into()).to_string();
        assert!(ActionName::ALL.iter().all(|action| listed.contains(action.as_str())), "{listed}");
    }
}
