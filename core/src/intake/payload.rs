//! The few fields of GitHub's webhook payloads that are read. Everything else in them is skipped by the parser.
//!
//! The shapes are those of "Webhook events and payloads" in GitHub's documentation.

use jiff::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct PullRequestEvent {
    pub(super) action: String,
    pub(super) number: u64,
    pub(super) pull_request: PullRequest,
    pub(super) repository: Repository,
    pub(super) sender: Account,
    pub(super) installation: Option<Installation>,
    /// What an `edited` event changed.
    #[serde(default)]
    pub(super) changes: Changes,
}

#[derive(Deserialize, Default)]
pub(super) struct Changes {
    /// There when the pull request is to be merged elsewhere now.
    pub(super) base: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct PullRequest {
    #[serde(default)]
    pub(super) draft: bool,
    pub(super) updated_at: Timestamp,
    pub(super) head: Commit,
    pub(super) base: Commit,
    #[serde(default)]
    pub(super) labels: Vec<Label>,
}

#[derive(Deserialize)]
pub(super) struct Commit {
    pub(super) sha: String,
}

#[derive(Deserialize)]
pub(super) struct Label {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Repository {
    pub(super) full_name: String,
}

#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) login: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Deserialize)]
pub(super) struct Installation {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct CommentEvent {
    pub(super) action: String,
    pub(super) issue: Issue,
    pub(super) comment: Comment,
    pub(super) repository: Repository,
    pub(super) sender: Account,
    pub(super) installation: Option<Installation>,
}

#[derive(Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    #[serde(default)]
    pub(super) draft: bool,
    #[serde(default)]
    pub(super) labels: Vec<Label>,
    /// There only when the issue is a pull request.
    pub(super) pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) body: String,
    pub(super) created_at: Timestamp,
}

#[derive(Deserialize)]
pub(super) struct CheckRunEvent {
    pub(super) action: String,
    pub(super) check_run: CheckRun,
    pub(super) repository: Repository,
    pub(super) sender: Account,
    pub(super) installation: Option<Installation>,
}

#[derive(Deserialize)]
pub(super) struct CheckRun {
    pub(super) name: String,
    pub(super) head_sha: String,
    #[serde(default)]
    pub(super) pull_requests: Vec<Number>,
}

#[derive(Deserialize)]
pub(super) struct Number {
    pub(super) number: u64,
}
