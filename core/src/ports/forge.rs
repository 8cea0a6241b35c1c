//! The place where pull requests live: GitHub, or a local git repository.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Sender;
use crate::fault::Fault;
use crate::ids::{CommentId, CommitSha, DeliveryId, InstallationId, PrNumber, RepoName};
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

    /// A page of the forge's tries to deliver webhooks to us, the newest first, from the beginning or from a cursor of an
    /// earlier page. Empty where the forge keeps no such list for these credentials.
    async fn deliveries(&self, from: Option<&Cursor>) -> Result<Page<DeliveryTry>, Fault>;

    /// Asks the forge to try that delivery again. It is tried some time after the answer, as the same delivery.
    async fn redeliver(&self, number: u64) -> Result<(), Fault>;

    /// A page of the places we are installed in; none where these credentials do not tell, because they may see places
    /// that nobody wants us in.
    async fn places(&self, from: Option<&Cursor>) -> Result<Option<Page<Place>>, Fault>;

    /// A page of a place's open pull requests, those that changed last first.
    async fn open_pull_requests(&self, place: &Place, from: Option<&Cursor>) -> Result<Page<OpenPull>, Fault>;
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is listed.
    pub items: Vec<T>,
    /// Where it goes on; none at the end.
    pub next: Option<Cursor>,
    /// How many requests it took.
    pub requests: u32,
    /// How many more the forge allows for now, if it tells.
    pub remaining: Option<u64>,
}

impl<T> Default for Page<T> {
    /// The end of a listing, found without a request.
    fn default() -> Self {
        Self { items: Vec::new(), next: None, requests: 0, remaining: None }
    }
}

/// Where a listing goes on: a word of the forge's implementation, for it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// One try of the forge to deliver a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryTry {
    /// The forge's number for this try.
    pub number: u64,
    /// What it delivers: the same for every try.
    pub delivery: DeliveryId,
    /// The forge's name for the kind of event.
    pub event: String,
    /// When it was tried.
    pub at: Timestamp,
    /// Whether it was answered with success.
    pub arrived: bool,
    /// False for the first try at the delivery.
    pub again: bool,
}

/// A repository we are installed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which.
    pub repository: RepoName,
    /// Through which installation to reach it, if any.
    pub installation: Option<InstallationId>,
    /// Since when we are installed there, if the forge tells.
    pub since: Option<Timestamp>,
}

/// An open pull request as a listing shows it: what a webhook would tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPull {
    /// Its number.
    pub number: PrNumber,
    /// The commit it is to be merged onto.
    pub base: CommitSha,
    /// Its last commit.
    pub head: CommitSha,
    /// True while it is a draft.
    pub draft: bool,
    /// Label names.
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: Sender,
    /// When anything about it changed last.
    pub updated_at: Timestamp,
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
    /// When it was last changed by the forge's clock, which is not before the push of its head; none where nobody knows.
    #[serde(default)]
    pub changed_at: Option<Timestamp>,
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
