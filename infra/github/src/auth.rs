//! As whom a request is made.

use ::http::HeaderValue;
use autopr_core::clock::Clock;
use autopr_core::fault::Fault;
use autopr_core::ports::forge::Target;
use secrecy::ExposeSecret;

use crate::app::App;
use crate::http::Http;
use crate::settings::Credentials;

/// As whom.
#[derive(Debug)]
pub(crate) enum Auth {
    /// Always the same token.
    Token(HeaderValue),
    /// An App, with a token for each installation.
    App(Box<App>),
}

impl Auth {
    /// Checks what can be checked without asking GitHub.
    pub(crate) fn new(credentials: &Credentials, clock: Clock) -> Result<Self, Fault> {
        match credentials {
            Credentials::Token(token) => {
                let token = token.expose_secret().trim();
                if token.is_empty() {
                    return Err(unusable_token());
                }
                Ok(Self::Token(bearer(token)?))
            }
            Credentials::App { id, private_key } => Ok(Self::App(Box::new(App::new(*id, private_key, clock)?))),
        }
    }

    /// The header for a request about this target.
    pub(crate) async fn header(&self, http: &Http, target: &Target) -> Result<HeaderValue, Fault> {
        match self {
            Self::Token(header) => Ok(header.clone()),
            Self::App(app) => app.token(http, target, None).await,
        }
    }

    /// The header for a request about ourselves.
    pub(crate) fn own_header(&self) -> Result<HeaderValue, Fault> {
        match self {
            Self::Token(header) => Ok(header.clone()),
            Self::App(app) => app.claim(),
        }
    }
}

/// The header for a token; it is not shown in logs.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, Fault> {
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| unusable_token())?;
    header.set_sensitive(true);
    Ok(header)
}

fn unusable_token() -> Fault {
    Fault::invalid(
        "`github.token` (GITHUB_TOKEN) is empty or has characters no token has: copy it again, without line breaks",
    )
}
