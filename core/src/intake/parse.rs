//! From a verified body to an event, or to the reason why nothing follows from it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::Verified;
use super::command::command;
use super::payload::{Account, CheckRunEvent, CommentEvent, Installation, Label, PullRequestEvent, Repository};
use crate::event::{Event, EventKind, PullRequestAction, Sender};
use crate::ids::{CommentId, CommitSha, DeliveryId, InstallationId, PrNumber, RepoName};
use crate::review::CHECK_NAME;

/// What the headers of a delivery say.
#[derive(Debug, Clone)]
pub struct Headers<'a> {
    /// `X-GitHub-Delivery`.
    pub delivery: DeliveryId,
    /// `X-GitHub-Event`.
    pub event: &'a str,
    /// `Content-Type`, without which the body is taken for JSON.
    pub content_type: Option<&'a str>,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// What a delivery means.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// Something that workflows may want to know.
    Event(Box<Event>),
    /// Nothing follows from it, for this reason.
    Ignored(Cow<'static, str>),
}

/// Why a body can't be read. Says where, never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The content type is neither of the two that GitHub sends.
    #[error("the content type is neither application/json nor application/x-www-form-urlencoded")]
    ContentType,
    /// A form without the field `payload`.
    #[error("the form has no field `payload`")]
    NoPayload,
    /// Not JSON, or without a field that the event always has.
    #[error("the body is not a `{event}` event: {problem} at line {line}, column {column}")]
    Json {
        /// The event's name.
        event: String,
        /// What kind of mistake.
        problem: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A field has a value that it can't have.
    #[error("the body is not a `{event}` event: {problem}")]
    Field {
        /// The event's name.
        event: String,
        /// Which value.
        problem: String,
    },
}

/// Reads a delivery. An event that is not acted on is not even parsed, but for its content type: so the ping that GitHub
/// sends first tells of a webhook that is set up wrongly.
///
/// # Errors
/// [`Malformed`] when an event that is acted on does not have its form.
pub fn parse(verified: Verified<'_>, headers: &Headers<'_>) -> Result<Parsed, Malformed> {
    let form = form(headers.content_type)?;
    match headers.event {
        "pull_request" => pull_request(&payload(verified, form, headers)?, headers),
        "issue_comment" => comment(&payload(verified, form, headers)?, headers),
        "check_run" => check_run(&payload(verified, form, headers)?, headers),
        "ping" => Ok(Parsed::Ignored("the webhook is set up".into())),
        _ => Ok(Parsed::Ignored("events of this kind are not acted on".into())),
    }
}

/// Whether events of this name may make a workflow run.
pub fn is_acted_on(event: &str) -> bool {
    matches!(event, "pull_request" | "issue_comment" | "check_run")
}

/// How a body holds its payload.
#[derive(Clone, Copy)]
enum Form {
    /// It is the payload.
    Json,
    /// A form has it in a field.
    Form,
}

fn form(content_type: Option<&str>) -> Result<Form, Malformed> {
    let kind = content_type.unwrap_or("application/json").split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        Ok(Form::Json)
    } else if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(Form::Form)
    } else {
        Err(Malformed::ContentType)
    }
}

fn payload<T: DeserializeOwned>(verified: Verified<'_>, form: Form, headers: &Headers<'_>) -> Result<T, Malformed> {
    let json = match form {
        Form::Json => Cow::Borrowed(verified.body()),
        Form::Form => {
            let mut fields = form_urlencoded::parse(verified.body());
            let (_, value) = fields.find(|(name, _)| name == "payload").ok_or(Malformed::NoPayload)?;
            Cow::Owned(value.into_owned().into_bytes())
        }
    };
    serde_json::from_slice(&json).map_err(|error| Malformed::Json {
        event: headers.event.to_owned(),
        problem: match error.classify() {
            serde_json::error::Category::Data => "a field is missing or of another type",
            serde_json::error::Category::Eof => "it ends too early",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is not JSON",
        },
        line: error.line(),
        column: error.column(),
    })
}

/// What the three kinds of events have in common.
struct Common<'a> {
    headers: &'a Headers<'a>,
    at: Timestamp,
    repository: &'a Repository,
    number: u64,
    sender: &'a Account,
    installation: Option<&'a Installation>,
}

impl Common<'_> {
    fn event(&self, kind: EventKind) -> Result<Event, Malformed> {
        let repository = RepoName::new(self.repository.full_name.as_str()).map_err(|error| self.field(&error))?;
        Ok(Event {
            delivery: self.headers.delivery.clone(),
            at: self.at,
            kind,
            repository,
            number: PrNumber(self.number),
            base: None,
            head: None,
            draft: false,
            labels: Vec::new(),
            sender: Sender { login: self.sender.login.clone(), bot: self.sender.kind == "Bot" },
            installation: self.installation.map(|installation| InstallationId(installation.id)),
        })
    }

    fn sha(&self, text: &str) -> Result<Option<CommitSha>, Malformed> {
        CommitSha::new(text).map(Some).map_err(|error| self.field(&error))
    }

    fn field(&self, problem: &dyn ToString) -> Malformed {
        Malformed::Field { event: self.headers.event.to_owned(), problem: problem.to_string() }
    }
}

fn names(labels: &[Label]) -> Vec<String> {
    labels.iter().map(|label| label.name.clone()).collect()
}

fn ignored(action: &str) -> Result<Parsed, Malformed> {
    let action = action.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect::<String>();
    Ok(Parsed::Ignored(format!("the action `{action}` is not acted on").into()))
}

fn pull_request(payload: &PullRequestEvent, headers: &Headers<'_>) -> Result<Parsed, Malformed> {
    let PullRequestEvent { action, number, pull_request: pull, repository, sender, installation, changes } = payload;
    let known = match PullRequestAction::from_github(action) {
        Some(known) => known,
        // Another base makes another change of the same head, as a push does.
        None if action == "edited" && changes.base.is_some() => PullRequestAction::Synchronize,
        None => return ignored(action),
    };
    let (at, installation) = (pull.updated_at, installation.as_ref());
    let common = Common { headers, at, repository, number: *number, sender, installation };
    let event = Event {
        base: common.sha(&pull.base.sha)?,
        head: common.sha(&pull.head.sha)?,
        draft: pull.draft,
        labels: names(&pull.labels),
        ..common.event(EventKind::PullRequest { action: known })?
    };
    Ok(Parsed::Event(Box::new(event)))
}

fn comment(payload: &CommentEvent, headers: &Headers<'_>) -> Result<Parsed, Malformed> {
    let CommentEvent { action, issue, comment, repository, sender, installation } = payload;
    if action != "created" {
        return ignored(action);
    }
    if issue.pull_request.is_none() {
        return Ok(Parsed::Ignored("the comment is not on a pull request".into()));
    }
    let Some((name, arguments)) = command(&comment.body) else {
        return Ok(Parsed::Ignored("the comment does not begin with /autopr".into()));
    };
    let (at, number, installation) = (comment.created_at, issue.number, installation.as_ref());
    let common = Common { headers, at, repository, number, sender, installation };
    let kind = EventKind::Command { name, arguments, comment: Some(CommentId(comment.id)) };
    let event = Event { draft: issue.draft, labels: names(&issue.labels), ..common.event(kind)? };
    Ok(Parsed::Event(Box::new(event)))
}

/// The button "Re-run" beside our check. GitHub shows it to people with write access only.
fn check_run(payload: &CheckRunEvent, headers: &Headers<'_>) -> Result<Parsed, Malformed> {
    let CheckRunEvent { action, check_run, repository, sender, installation } = payload;
    if action != "rerequested" {
        return ignored(action);
    }
    if check_run.name != CHECK_NAME {
        return Ok(Parsed::Ignored("the check is not one of ours".into()));
    }
    let Some(pull) = check_run.pull_requests.first() else {
        return Ok(Parsed::Ignored("GitHub does not say to which pull request the check belongs".into()));
    };
    // The payload has no time of its own for the click.
    let (at, number, installation) = (headers.received_at, pull.number, installation.as_ref());
    let common = Common { headers, at, repository, number, sender, installation };
    let head = common.sha(&check_run.head_sha)?;
    Ok(Parsed::Event(Box::new(Event { head, ..common.event(EventKind::CheckRerun)? })))
}
