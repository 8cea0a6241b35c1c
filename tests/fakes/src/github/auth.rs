//! Who is calling, and what they may do.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use super::call::{Answer, Call};
use super::state::{Permission, State, Token};

/// The longest an App's token may run, in seconds.
const LONGEST: i64 = 600;

/// Who is calling.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    /// An App as itself, with a token signed by its key.
    App { id: u64 },
    /// An App in one installation.
    Installation {
        id: u64,
        app: u64,
        login: String,
        permissions: BTreeMap<String, String>,
        only: Option<BTreeSet<u64>>,
    },
    /// A person.
    User { login: String },
}

impl Who {
    /// The account that what they write is attributed to.
    pub(crate) fn login(&self) -> &str {
        match self {
            Self::App { .. } => "",
            Self::Installation { login, .. } | Self::User { login } => login,
        }
    }

    /// Their kind, for the record; never a token.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::App { .. } => "app",
            Self::Installation { .. } => "installation",
            Self::User { .. } => "user",
        }
    }

    /// The App behind them, if any.
    pub(crate) fn app(&self) -> Option<u64> {
        match self {
            Self::App { id } => Some(*id),
            Self::Installation { app, .. } => Some(*app),
            Self::User { .. } => None,
        }
    }
}

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Needs {
    /// An App's own signed token.
    App,
    /// Any live token but an App's own.
    Token,
    /// A person's token.
    Person,
    /// An installation's token.
    Installation,
    /// One of these permissions for Apps; for people a role in the repository.
    Repository(&'static [(&'static str, bool)], Permission),
    /// The permission `checks: write`, which only Apps can have.
    ChecksOfApps,
}

/// Finds out who is calling; the answer otherwise is what GitHub says.
pub(crate) fn who(state: &State, call: &Call, now: Timestamp) -> Result<Who, Answer> {
    let Some(given) = call.header("authorization") else { return Err(Answer::error(401, "Requires authentication")) };
    let (scheme, token) = given.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("token") {
        return Err(Answer::error(401, "Requires authentication"));
    }
    match state.tokens.get(token) {
        Some(Token::Personal { login }) => Ok(Who::User { login: login.clone() }),
        Some(Token::Installation { id, until, permissions, only }) => {
            let installation = state.installations.iter().find(|known| known.id == *id);
            let Some(installation) = installation.filter(|_| *until > now) else {
                return Err(Answer::error(401, "Bad credentials"));
            };
            if installation.suspended {
                return Err(Answer::error(403, "This installation has been suspended"));
            }
            let app = state.apps.iter().find(|app| app.id == installation.app);
            Ok(Who::Installation {
                id: *id,
                app: installation.app,
                login: format!("{}[bot]", app.map_or("", |app| app.slug.as_str())),
                permissions: permissions.clone(),
                only: only.clone(),
            })
        }
        None if token.split('.').count() == 3 => app(state, token, now),
        None => Err(Answer::error(401, "Bad credentials")),
    }
}

/// Checks an App's token as GitHub's page on them says: RS256, its issuer, issued in the past, and ending within ten
/// minutes.
fn app(state: &State, token: &str, now: Timestamp) -> Result<Who, Answer> {
    let refuse = |why: &str| Err(Answer::error(401, why));
    let undecodable = "A JSON web token could not be decoded";
    let mut validation = Validation::new(Algorithm::RS256);
    // The times are checked below, against the clock of the fake.
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    for app in &state.apps {
        let Ok(key) = DecodingKey::from_rsa_pem(app.public_key.as_bytes()) else { continue };
        let Ok(decoded) = jsonwebtoken::decode::<Value>(token, &key, &validation) else { continue };
        let claims = decoded.claims;
        let issuer =
            claims["iss"].as_str().map(str::to_owned).or_else(|| claims["iss"].as_u64().map(|id| id.to_string()));
        if issuer != Some(app.id.to_string()) {
            continue;
        }
        let (Some(issued), Some(ends)) = (claims["iat"].as_i64(), claims["exp"].as_i64()) else {
            return refuse(undecodable);
        };
        let now = now.as_second();
        return if issued > now {
            refuse("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
        } else if ends <= now {
            refuse(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the \
                    assertion expires",
            )
        } else if ends > now + LONGEST {
            refuse("'Expiration time' claim ('exp') is too far in the future")
        } else {
            Ok(Who::App { id: app.id })
        };
    }
    refuse(undecodable)
}

/// Refuses those who may not, with the status GitHub gives.
pub(crate) fn permit(state: &State, who: &Who, needs: Needs, owner: &str, repo: &str) -> Result<(), Answer> {
    match (needs, who) {
        (Needs::App, Who::App { .. }) => Ok(()),
        (Needs::App, _) | (_, Who::App { .. }) => Err(Answer::error(401, "A JSON web token could not be decoded")),
        (Needs::Token, _) | (Needs::Person, Who::User { .. }) => Ok(()),
        (Needs::Person, _) => Err(not_by("integration")),
        (Needs::Installation, Who::Installation { .. }) => Ok(()),
        (Needs::Installation, _) => Err(Answer::error(
            403,
            "You must authenticate with an installation access token in order to list repositories",
        )),
        (Needs::Repository(one_of, role), _) => {
            visible(state, who, owner, repo)?;
            match who {
                Who::Installation { permissions, .. } => {
                    let granted = one_of.iter().any(|&(name, write)| {
                        permissions.get(name).is_some_and(|level| level == "write" || level == "admin" || !write)
                    });
                    let wanted = one_of.iter().map(|(name, write)| format!("{name}={}", level(*write)));
                    let wanted = wanted.collect::<Vec<_>>().join("; ");
                    let refused = || not_by("integration").with("x-accepted-github-permissions", wanted);
                    if granted { Ok(()) } else { Err(refused()) }
                }
                _ if role_of(state, who.login(), owner, repo) >= role => Ok(()),
                _ => Err(not_by("personal access token")),
            }
        }
        (Needs::ChecksOfApps, Who::User { .. }) => {
            visible(state, who, owner, repo)?;
            Err(Answer::error(403, "You must authenticate via a GitHub App."))
        }
        (Needs::ChecksOfApps, _) => {
            permit(state, who, Needs::Repository(&[("checks", true)], Permission::Write), owner, repo)
        }
    }
}

/// What a person may do in a repository. Everybody may read a public one.
pub(crate) fn role_of(state: &State, login: &str, owner: &str, repo: &str) -> Permission {
    let Some(repository) = state.repository(owner, repo) else { return Permission::None };
    let given = repository.collaborators.iter().find(|(known, _)| known.eq_ignore_ascii_case(login));
    match given {
        _ if repository.owner.eq_ignore_ascii_case(login) => Permission::Admin,
        Some((_, permission)) => *permission,
        None if repository.private => Permission::None,
        None => Permission::Read,
    }
}

fn visible(state: &State, who: &Who, owner: &str, repo: &str) -> Result<(), Answer> {
    let repository = state.repository(owner, repo).ok_or_else(Answer::not_found)?;
    let seen = match who {
        Who::Installation { id, only, .. } => {
            let account = state.installations.iter().find(|known| known.id == *id).map(|known| known.account.as_str());
            account.is_some_and(|account| account.eq_ignore_ascii_case(owner))
                && only.as_ref().is_none_or(|only| only.contains(&repository.id))
        }
        _ => role_of(state, who.login(), owner, repo) > Permission::None,
    };
    if seen { Ok(()) } else { Err(Answer::not_found()) }
}

fn level(write: bool) -> &'static str {
    if write { "write" } else { "read" }
}

fn not_by(whom: &str) -> Answer {
    Answer::error(403, &format!("Resource not accessible by {whom}"))
}
