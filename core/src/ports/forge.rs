//! The place where pull requests live: GitHub, or a local git repository.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::ids::{CommitSha, InstallationId, PrNumber, RepoName};
use crate::review::{Check, Review};

/// Reads pull requests and writes to them. Every write carries a [`Marker`] by which it can be found again.
#[async_trait]
pub trait Forge: Send + Sync {
    /// The pull request as it is now.
    async fn pull_request(&self, target: &Target) -> Result<PullRequest, Fault>;

    /// The unified diff between the pull request's base and head commits, as git prints it.
    async fn diff(&self, pull: &PullRequest) -> Result<Bytes, Fault>;

    /// A file's content at a commit, or none when it does not exist there.
    async fn file(&self, target: &Target, commit: &CommitSha, path: &str) -> Result<Option<Bytes>, Fault>;

    /// How many bytes a file has at a commit, or none when it does not exist there.
    async fn file_size(&self, target: &Target, commit: &CommitSha, path: &str) -> Result<Option<u64>, Fault>;

    /// What an earlier write with this marker left, or none when nothing arrived.
    async fn find(&self, target: &Target, kind: EffectKind, marker: &Marker) -> Result<Option<Remote>, Fault>;

    /// Posts a review: its summary and its comments together.
    async fn create_review(&self, target: &Target, marker: &Marker, review: &Review) -> Result<Remote, Fault>;

    /// Posts the verdict on a head commit.
    async fn create_check(&self, target: &Target, marker: &Marker, check: &Check) -> Result<Remote, Fault>;
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
    /// The commit its changes are counted from (the merge base), and from which configuration is read.
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
}

impl EffectKind {
    /// The word stored and logged for this kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Check => "check",
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
