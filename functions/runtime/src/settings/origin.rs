//! Where a value comes from.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A configuration file.
    File {
        /// The file's name.
        name: String,
        /// The line, from 1.
        line: u32,
        /// The column in characters, from 1.
        column: u32,
    },
    /// An environment variable.
    Variable {
        /// Its name.
        name: String,
    },
    /// A file an environment variable names, such as a mounted secret.
    VariableFile {
        /// The variable's name, ending in `_FILE`.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// A secret of AWS Secrets Manager.
    Secret {
        /// Where it is named.
        at: Box<Self>,
        /// The secret's address, such as `aws-sm://NAME#KEY`; several of a list with commas between them.
        address: String,
    },
}

impl Origin {
    /// The origin of a secret that is named there.
    pub(super) fn secret(self, address: String) -> Self {
        Self::Secret { at: Box::new(self), address }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Self::Variable { name } => write!(f, "environment variable {name}"),
            Self::VariableFile { name, path } => write!(f, "environment variable {name}, file {}", path.display()),
            Self::Secret { at, address } => write!(f, "{at} ({address})"),
        }
    }
}
