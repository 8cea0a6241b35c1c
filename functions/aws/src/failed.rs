//! Why a function can't start, or can't take up secrets that have changed.

use std::error::Error;
use std::fmt::Display;

use autopr_core::fault::Fault;
use autopr_core::secrets::Reference;
use autopr_core::yaml::Diagnostic;
use autopr_runtime::settings::Invalid;

/// Why a function can't work: every mistake there is. No secret is among it.
#[derive(Debug)]
pub enum Failed {
    /// Settings, or the secrets that they name.
    Settings(Vec<Diagnostic>),
    /// Something else.
    Other(String),
}

impl Failed {
    /// A mistake in a variable that is no setting.
    pub(crate) fn variable(name: &str, message: &str, fix: &str) -> Self {
        Self::Settings(vec![Diagnostic::new("environment", name, message).fix(fix)])
    }

    /// A part that can't be used, with everything that led to it.
    pub fn of(what: impl Display, error: &dyn Error) -> Self {
        let mut text = format!("{what}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self::Other(text)
    }

    /// The database can't be used.
    pub fn database(error: &dyn Error) -> Self {
        // Where its address comes from is added by whoever knows.
        let mistake = Diagnostic::new("", "database.url", error.to_string());
        Self::Settings(vec![mistake.fix("correct the address, or let this function through to the database")])
    }

    /// This, with the places that settings come from where they are not told yet.
    pub(crate) fn located(self, references: &[Reference]) -> Self {
        let Self::Settings(mut mistakes) = self else { return self };
        for mistake in mistakes.iter_mut().filter(|mistake| mistake.source.is_empty()) {
            if let Some(found) = references.iter().find(|reference| reference.setting == mistake.path) {
                mistake.source = format!("{} ({})", found.origin, found.address);
            }
        }
        Self::Settings(mistakes)
    }

    /// The mistakes of this and of another.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Settings(mut mistakes), Self::Settings(more)) => {
                mistakes.extend(more);
                Self::Settings(mistakes)
            }
            (Self::Settings(mistakes), Self::Other(_)) | (Self::Other(_), Self::Settings(mistakes)) => {
                Self::Settings(mistakes)
            }
            (Self::Other(first), Self::Other(second)) => Self::Other(format!("{first}; {second}")),
        }
    }

    /// Logs a line for each mistake.
    pub(crate) fn log(&self, function: &str, consequence: &str) {
        match self {
            Self::Settings(mistakes) => {
                for Diagnostic { source, path, message, fix, .. } in mistakes {
                    let fix = fix.as_deref().unwrap_or_default();
                    tracing::error!(function, setting = path, origin = source, why = message, fix, "{consequence}");
                }
            }
            Self::Other(why) => tracing::error!(function, why, "{consequence}"),
        }
    }
}

impl From<Invalid> for Failed {
    fn from(invalid: Invalid) -> Self {
        Self::Settings(invalid.mistakes)
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::of("a part can't be set up", &fault)
    }
}
