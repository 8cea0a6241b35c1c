//! `Event`: the few facts of a webhook (or of a local request) that the engine acts on, in its own words.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{CommentId, CommitSha, DeliveryId, InstallationId, PrNumber, RepoName};

/// Something happened to a pull request. Everything a workflow's trigger and condition can see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The delivery that brought it; accepted once.
    pub delivery: DeliveryId,
    /// When it happened at the forge. A newer event of a concurrency group supersedes an older one by this time.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// Where.
    pub repository: RepoName,
    /// To which pull request; zero for a local range.
    pub number: PrNumber,
    /// The commit the pull request is to be merged onto, when the delivery tells.
    pub base: Option<CommitSha>,
    /// The head commit at that time, when the delivery tells.
    pub head: Option<CommitSha>,
    /// True while the pull request is a draft.
    #[serde(default)]
    pub draft: bool,
    /// Label names on the pull request.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Who caused it.
    pub sender: Sender,
    /// The App installation to answer through, if any.
    #[serde(default)]
    pub installation: Option<InstallationId>,
}

/// What kind of event it was; the tag names are those of a workflow's `on`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// A pull request changed.
    PullRequest {
        /// How.
        action: PullRequestAction,
    },
    /// A comment beginning with `/autopr` asked for something.
    Command {
        /// The command's name, such as `review`.
        name: String,
        /// What follows the name, untrusted.
        #[serde(default)]
        arguments: String,
        /// The comment that holds it, to react to.
        #[serde(default)]
        comment: Option<CommentId>,
    },
    /// A person asked for the check to be made again, by the button beside it.
    CheckRerun,
    /// A person or program asked for this workflow by name: the command line or the API.
    Manual {
        /// The workflow to run.
        workflow: String,
    },
}

impl EventKind {
    /// The tag of this kind, as in a workflow's `on`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::PullRequest { .. } => "pull_request",
            Self::Command { .. } => "command",
            Self::CheckRerun => "check_rerun",
            Self::Manual { .. } => "manual",
        }
    }
}

/// What happened to the pull request (GitHub's `action` of a `pull_request` event).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PullRequestAction {
    /// It was opened.
    Opened,
    /// It was opened again.
    Reopened,
    /// It left the draft state.
    ReadyForReview,
    /// Its head moved.
    Synchronize,
    /// A label was put on it.
    Labeled,
    /// It was closed or merged.
    Closed,
}

impl PullRequestAction {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Opened, Self::Reopened, Self::ReadyForReview, Self::Synchronize, Self::Labeled, Self::Closed];

    /// The action GitHub calls by that name, if it is one that can start a workflow.
    pub fn from_github(action: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == action)
    }

    /// The word used by GitHub, in a workflow's `on` and in conditions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reopened => "reopened",
            Self::ReadyForReview => "ready_for_review",
            Self::Synchronize => "synchronize",
            Self::Labeled => "labeled",
            Self::Closed => "closed",
        }
    }
}

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The account's name.
    pub login: String,
    /// True for a bot account.
    #[serde(default)]
    pub bot: bool,
}
