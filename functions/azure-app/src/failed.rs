//! Why the service can't start.

use autopr_core::fault::Fault;
use autopr_core::yaml::Diagnostic;

use crate::NAME;

/// Why the service can't start: every mistake there is. No secret is among it.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Settings.
    Settings(Vec<Diagnostic>),
    /// Something else.
    Other(String),
}

impl Failed {
    /// A mistake in a variable that is no setting.
    pub(crate) fn variable(name: &str, message: impl ToString, fix: &str) -> Self {
        Self::Settings(vec![Diagnostic::new("environment", name, message.to_string()).fix(fix)])
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
    pub(crate) fn log(&self) {
        match self {
            Self::Settings(mistakes) => {
                for Diagnostic { source, path, message, fix, .. } in mistakes {
                    let fix = fix.as_deref().unwrap_or_default();
                    tracing::error!(service = NAME, setting = path, origin = source, why = message, fix, "can't start");
                }
            }
            Self::Other(why) => tracing::error!(service = NAME, why, "can't start"),
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Other(fault.to_string())
    }
}
