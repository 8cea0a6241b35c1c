//! The place where pull requests live: GitHub, or a local git repository.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::ids::{CommentId, CommitSha, InstallationId, PrNumber, RepoName};
use crate::review::{Check, Review};

/// Reads pull requests and writes to them. Every write carries a [`Marker`] by which it can be found again.
#[async_trait]
pub trait Forge: Send + Sync {
    /// The pull request as it is now.
    async fn pull_request(&self, target: &Target) -> Result<PullRequest, Fault>;

    /// The change the pull request makes to its base, up to exactly its head commit.
    async fn diff(&self, pull: &PullRequest) -> Result<Patch, Fault>;

    /// A file's content at a commit, or none when it does not exist there.
    async fn file(&self, target: &Target, commit: &CommitSha, path: &str) -> Result<Option<Bytes>, Fault>;

    /// How many bytes a file has at a commit, or none when it does not exist there.
    async fn file_size(&self, target: &Target, commit: &CommitSha, path: &str) -> Result<Option<u64>, Fault>;

    /// What an account may do in the repository.
    async fn permission(&self, target: &Target, login: &str) -> Result<Permission, Fault>;

    /// What an earlier write with this marker left, or none when nothing arrived. `head` is the commit the write was for,
    /// needed for a check: a check hangs on its commit, which the pull request may have left meanwhile. Kinds whose
    /// writes change nothing when they are done twice are not looked for.
    async fn find(
        &self,
        target: &Target,
        head: Option<&CommitSha>,
        kind: EffectKind,
        marker: &Marker,
    ) -> Result<Option<Remote>, Fault>;

    /// Posts a review: its summary and its comments together.
    async fn create_review(&self, target: &Target, marker: &Marker, review: &Review) -> Result<Remote, Fault>;

    /// Posts the verdict on a head commit.
    async fn create_check(&self, target: &Target, marker: &Marker, check: &Check) -> Result<Remote, Fault>;

    /// Posts a comment, in Markdown, to the conversation of the pull request.
    async fn create_comment(&self, target: &Target, marker: &Marker, body: &str) -> Result<Remote, Fault>;

    /// Puts a section of Markdown below what the author wrote as the description, in place of the section put there
    /// before. Doing it twice changes nothing more.
    async fn describe(&self, target: &Target, section: &str) -> Result<Remote, Fault>;

    /// Puts labels on the pull request beside those it has. Doing it twice changes nothing more.
    async fn add_labels(&self, target: &Target, labels: &[String]) -> Result<Remote, Fault>;

    /// Reacts to a comment of the conversation. Doing it twice changes nothing more.
    async fn react(&self, target: &Target, comment: CommentId, reaction: Reaction) -> Result<Remote, Fault>;
}

/// The change of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// A unified diff as git prints it.
    pub text: Bytes,
    /// What the forge did not show, each the path or the part: it can't be reviewed.
    pub left_out: Vec<String>,
}

/// What an account may do in a repository, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// It can't even see it.
    None,
    /// It may look.
    Read,
    /// It may change code.
    Write,
}

/// A sign on a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// It was seen and is being worked on.
    Eyes,
    /// It was done.
    ThumbsUp,
    /// It was refused.
    ThumbsDown,
    /// It was not understood.
    Confused,
}

/// Which pull request, and through which installation to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The repository.
    pub repository: RepoName,
    /// The pull request's number; zero for a local range.
    pub number: PrNumber,
    /// The App installation, if any.
    pub installation: Option<InstallationId>,
}

/// What the engine needs to know of a pull request. Title and body are untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Where it is.
    pub target: Target,
    /// Its title; for a local range the subject of the last commit.
    pub title: String,
    /// Its description; for a local range the rest of that message.
    pub body: String,
    /// Who opened it.
    pub author: String,
    /// The commit of the base branch it is to be merged onto, from which configuration is read. The change is counted
    /// from where the head branched off.
    pub base: CommitSha,
    /// The commit under review; all zeros for a git index.
    pub head: CommitSha,
    /// True while it is a draft.
    pub draft: bool,
    /// Label names.
    pub labels: Vec<String>,
}

/// What kind of thing a write leaves at the forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// A review with comments.
    Review,
    /// A check run.
    Check,
    /// A comment in the conversation.
    Comment,
    /// A section of the description.
    Description,
    /// Labels.
    Labels,
    /// A reaction to a comment.
    Reaction,
}

impl EffectKind {
    /// The word stored and logged for this kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Check => "check",
            Self::Comment => "comment",
            Self::Description => "description",
            Self::Labels => "labels",
            Self::Reaction => "reaction",
        }
    }
}

/// A hidden text that tells one write from every other: the same for each attempt at the same write.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marker(pub String);

/// What a write left at the forge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// The forge's identity for it.
    pub id: String,
    /// Where a person can see it.
    pub url: Option<String>,
}
