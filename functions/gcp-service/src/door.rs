//! Who may push messages and call the sweep.

use autopr_core::fault::Fault;
use autopr_runtime::http::Problem;
use autopr_runtime::settings::Push;
use axum::http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;

use crate::keys::{Keys, NoKey};
use crate::token::{self, Untrusted, Wanted};

/// Lets in who has a token of Google's for the account and the audience of the settings.
pub(crate) struct Door {
    keys: Keys,
    wanted: Wanted,
}

impl Door {
    /// A door by these settings, which name both.
    pub(crate) fn new(settings: &Push) -> Result<Self, Fault> {
        let missing = |key| Fault::invalid(format!("push.{key} is missing"));
        let wanted = Wanted {
            audience: settings.audience.clone().ok_or_else(|| missing("audience"))?,
            service_account: settings.service_account.clone().ok_or_else(|| missing("service_account"))?,
        };
        Ok(Self { keys: Keys::new(&settings.keys_url)?, wanted })
    }

    /// Lets a request in, or says what is answered instead.
    pub(crate) async fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let refused = |untrusted: Untrusted| {
            tracing::warn!(why = %untrusted, "a request was refused");
            Problem::new(StatusCode::UNAUTHORIZED, headers, untrusted.to_string())
        };
        let token = bearer(headers).ok_or(Untrusted::Missing).map_err(refused)?;
        let name = token::key_of(token).map_err(refused)?;
        let key = match self.keys.get(&name).await {
            Ok(key) => key,
            Err(NoKey::Unknown) => return Err(refused(Untrusted::UnknownKey)),
            Err(NoKey::Unavailable) => {
                let detail = "the token can't be checked now; send it again";
                return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, headers, detail).retry_after(10));
            }
        };
        // Google's time is the world's, whatever clock the engine goes by.
        token::check(token, &key, &self.wanted, Timestamp::now()).map_err(refused)
    }
}

/// The token of a request (RFC 6750). Two of them are none.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (only, None) = (given.next()?, given.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
