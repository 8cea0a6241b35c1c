//! What is written to a repository, and what it sends out.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::diff::Side;

/// A comment in the conversation of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// GitHub's number for it.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// Its Markdown.
    pub body: String,
    /// Reactions: who and which (`eyes`, `+1`, …), in the order they came.
    pub reactions: Vec<(String, String)>,
    pub(crate) reaction_ids: Vec<u64>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// A review of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// GitHub's number for it.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// GitHub's word: `COMMENTED`, `CHANGES_REQUESTED`, `APPROVED` or `PENDING`.
    pub state: String,
    /// The commit that was reviewed.
    pub commit_id: String,
    /// Its Markdown.
    pub body: String,
    /// Its comments on lines.
    pub comments: Vec<ReviewComment>,
    pub(crate) submitted: Timestamp,
}

/// A comment of a review on lines of the diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewComment {
    /// GitHub's number for it.
    pub id: u64,
    /// The file.
    pub path: String,
    /// The first line, where it is on several.
    pub start_line: Option<u64>,
    /// The side of the first line.
    pub start_side: Option<Side>,
    /// The line, or the last of several.
    pub line: u64,
    /// The side of the line.
    pub side: Side,
    /// Its Markdown.
    pub body: String,
}

/// A check run on a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// GitHub's number for it.
    pub id: u64,
    /// The App that wrote it.
    pub app: u64,
    /// Its name.
    pub name: String,
    /// The commit.
    pub head_sha: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// How it ended, once completed.
    pub conclusion: Option<String>,
    /// The title of its output.
    pub title: Option<String>,
    /// The Markdown of its output.
    pub summary: Option<String>,
    /// More Markdown.
    pub text: Option<String>,
    /// Its annotations as they were sent.
    pub annotations: Vec<Value>,
    /// The writer's own reference.
    pub external_id: String,
    /// Where more is told.
    pub details_url: Option<String>,
    pub(crate) started: Option<String>,
    pub(crate) completed: Option<String>,
}

/// A commit's status: what those without an App write in place of a check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// GitHub's number for it.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// The commit.
    pub sha: String,
    /// `error`, `failure`, `pending` or `success`.
    pub state: String,
    /// What it is about; a later status of the same context stands for the earlier.
    pub context: String,
    /// A short text beside it.
    pub description: Option<String>,
    /// Where more is told.
    pub target_url: Option<String>,
    pub(crate) created: Timestamp,
}

/// A webhook the fake sent.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// GitHub's number for the attempt.
    pub id: u64,
    /// `X-GitHub-Delivery`, the same for every attempt.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`, if it has one.
    pub action: Option<String>,
    /// True when it was asked for again.
    pub redelivery: bool,
    /// What the receiver answered; zero when it could not be reached.
    pub status_code: u16,
    /// The body as it was sent.
    pub body: Bytes,
    pub(crate) url: String,
    pub(crate) installation: Option<u64>,
    pub(crate) repository: Option<u64>,
    pub(crate) at: Timestamp,
    pub(crate) seconds: f64,
}
