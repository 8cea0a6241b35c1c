//! `Fault`: the one error of the ports and actions. It says what kind of thing went wrong, from what source, and
//! whether trying again makes sense; what a pull-request author may read of it is a type of its own, [`UserMessage`].

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The input can't be worked with, however often it is tried.
    Invalid,
    /// The thing asked for does not exist.
    NotFound,
    /// The credentials do not allow it.
    Denied,
    /// The other side asked for less: waiting is not a failed attempt.
    Limited,
    /// The other side can't be reached or failed.
    Unavailable,
    /// It took longer than allowed.
    Timeout,
    /// The answer was lost: nobody knows whether the other side did what it was asked to.
    Unknown,
    /// Another worker holds the execution now; nothing more may be recorded.
    LeaseLost,
    /// A newer event took this execution's place; nothing may be published.
    Superseded,
    /// A mistake in this program.
    Bug,
}

impl FaultKind {
    /// The word stored and logged for this kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotFound => "not_found",
            Self::Denied => "denied",
            Self::Limited => "limited",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Unknown => "unknown",
            Self::LeaseLost => "lease_lost",
            Self::Superseded => "superseded",
            Self::Bug => "bug",
        }
    }
}

/// Whether the same call may succeed later. The default is that it may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retry {
    /// Trying again gives the same answer.
    #[default]
    Never,
    /// Try again after the caller's own back-off.
    Backoff,
    /// Try again no earlier than this: the other side said so.
    After(Duration),
}

/// Text that may appear on a pull request or a terminal: it never holds internal detail or untrusted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMessage(String);

impl UserMessage {
    /// Wraps a text written for its reader.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for UserMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something went wrong at an edge or in an action.
#[derive(Debug)]
pub struct Fault {
    /// What kind of thing.
    pub kind: FaultKind,
    /// Whether to try again.
    pub retry: Retry,
    /// What a person may be told.
    pub user: Option<UserMessage>,
    context: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault that is not worth another try. `context` names the operation and the value that was wrong, never a secret.
    pub fn new(kind: FaultKind, context: impl Into<String>) -> Self {
        Self { kind, retry: Retry::Never, user: None, context: context.into(), source: None }
    }

    /// The input is unusable.
    pub fn invalid(context: impl Into<String>) -> Self {
        Self::new(FaultKind::Invalid, context)
    }

    /// The other side failed for now.
    pub fn unavailable(context: impl Into<String>) -> Self {
        Self::new(FaultKind::Unavailable, context).retry(Retry::Backoff)
    }

    /// Says whether to try again.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Keeps the error underneath, for logs.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Keeps where JSON was not what it should be. What it was is left out: serde's own text quotes the document, which
    /// may be a model's answer or somebody's comment.
    #[must_use]
    pub fn json(self, error: &serde_json::Error) -> Self {
        self.source(format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()))
    }

    /// Adds what a person may be told.
    #[must_use]
    pub fn user(mut self, message: impl Into<String>) -> Self {
        self.user = Some(UserMessage::new(message));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
