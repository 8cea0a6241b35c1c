//! The token by which Google's services make themselves known: an OpenID Connect token in the form of a JSON Web Token
//! (<https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions>). Pure: whoever calls brings
//! the key and the time.

use std::time::Duration;

use autopr_core::clock::{after, before};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

/// How far Google's clock and this machine's may be apart.
const LEEWAY: Duration = Duration::from_secs(30);

/// Whose tokens these are. Google writes itself both ways.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// Who may call.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The audience that the token must be for.
    pub(crate) audience: String,
    /// The e-mail address of the service account that it must speak for.
    pub(crate) service_account: String,
}

/// Why a token is not trusted. Nothing of the token is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Untrusted {
    #[error("there is no bearer token")]
    Missing,
    #[error("the token is no JSON Web Token signed by RS256 with a key that it names")]
    Malformed,
    #[error("the token names a key that Google does not have")]
    UnknownKey,
    #[error("the token's signature is wrong, or it lacks a claim")]
    Signature,
    #[error("the token has another issuer")]
    Issuer,
    #[error("the token is for another audience")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    Early,
    #[error("the token is another account's, or its address is not verified")]
    Account,
}

/// What a token says, as far as it matters here.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    iat: i64,
    email: String,
    email_verified: bool,
}

/// The name of the key that a token says it is signed with.
pub(crate) fn key_of(token: &str) -> Result<String, Untrusted> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Untrusted::Malformed)?;
    if header.alg != Algorithm::RS256 {
        return Err(Untrusted::Malformed);
    }
    header.kid.ok_or(Untrusted::Malformed)
}

/// Checks a token's signature first and then what it says; `now` is a time of the machine's clock.
pub(crate) fn check(token: &str, key: &DecodingKey, wanted: &Wanted, now: Timestamp) -> Result<(), Untrusted> {
    // The algorithm is ours to choose, not the token's. What it says is judged below.
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let decoded = jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(|_| Untrusted::Signature)?;
    let Claims { iss, aud, exp, iat, email, email_verified } = decoded.claims;
    if !ISSUERS.contains(&&*iss) {
        return Err(Untrusted::Issuer);
    }
    if aud != wanted.audience {
        return Err(Untrusted::Audience);
    }
    if exp <= before(now, LEEWAY).as_second() {
        return Err(Untrusted::Expired);
    }
    if iat > after(now, LEEWAY).as_second() {
        return Err(Untrusted::Early);
    }
    if email != wanted.service_account || !email_verified {
        return Err(Untrusted::Account);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
