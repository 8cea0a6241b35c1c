//! How to reach GitHub, and as whom.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

/// How to reach GitHub.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the REST API is: `https://api.github.com`, or `https://HOST/api/v3` for GitHub Enterprise Server. A slash at
    /// the end makes no difference.
    pub base_url: Url,
    /// How long one request may take, its answer included.
    pub timeout: Duration,
    /// As whom.
    pub credentials: Credentials,
    /// The name under which verdicts appear on a commit, such as `autopr/review`.
    pub check_name: String,
}

/// As whom GitHub is asked.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A personal, fine-grained or workflow token.
    Token(SecretString),
    /// A GitHub App.
    App {
        /// The App's number, as its settings page shows it.
        id: u64,
        /// The RSA key GitHub gave for it, in PEM form (PKCS#1 or PKCS#8). `\n` written out stands for a line's end, since
        /// an environment variable often can't hold one.
        private_key: SecretString,
    },
}
