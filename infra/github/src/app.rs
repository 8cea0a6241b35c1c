//! A GitHub App: its signed claim to be itself, and the tokens of its installations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{HeaderValue, Method, StatusCode};
use autopr_core::clock::{Clock, after};
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::{InstallationId, RepoName};
use autopr_core::ports::forge::Target;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::auth::bearer;
use crate::http::{Http, Request};
use crate::operation::Operation;

/// How long before its end a token is no longer used: longer than any request takes.
const MARGIN: Duration = Duration::from_secs(300);

/// How long the installation of a repository is remembered.
const HOME: Duration = Duration::from_secs(600);

/// The App, and what GitHub gave it.
#[derive(Debug)]
pub(crate) struct App {
    id: u64,
    key: EncodingKey,
    clock: Clock,
    /// One token for each installation. Whoever renews one holds its lock, so that it is asked for once.
    tokens: Mutex<HashMap<InstallationId, Arc<Slot>>>,
    homes: Cache<RepoName, InstallationId>,
}

type Slot = tokio::sync::Mutex<Option<Held>>;

/// A token in use.
#[derive(Debug)]
struct Held {
    header: HeaderValue,
    expires_at: Timestamp,
}

/// The claims GitHub wants ("Generating a JSON Web Token for a GitHub App").
#[derive(Serialize)]
struct Claims {
    iss: String,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Token {
    token: SecretString,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Installation {
    id: InstallationId,
}

impl App {
    /// Checks that the key can sign.
    pub(crate) fn new(id: u64, private_key: &SecretString, clock: Clock) -> Result<Self, Fault> {
        let pem = private_key.expose_secret().replace("\\n", "\n");
        // The reason is left out: it could quote the key.
        let unusable = || {
            Fault::invalid(
                "`github.app.private_key` (GITHUB_APP_PRIVATE_KEY) is not an RSA private key in PEM form: give the whole \
                 .pem file from the App's settings page, from its BEGIN line to its END line",
            )
        };
        let key = EncodingKey::from_rsa_pem(pem.trim().as_bytes()).map_err(|_| unusable())?;
        let homes = Cache::builder().max_capacity(10_000).time_to_live(HOME).build();
        let app = Self { id, key, clock, tokens: Mutex::default(), homes };
        app.claim().map_err(|_| unusable())?;
        Ok(app)
    }

    /// The header by which the App itself is known. It holds for nine minutes, of the ten GitHub allows, and from a minute
    /// ago, in case our clock is ahead.
    pub(crate) fn claim(&self) -> Result<HeaderValue, Fault> {
        let now = self.clock.now().as_second();
        let claims = Claims { iss: self.id.to_string(), iat: now - 60, exp: now + 540 };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map_err(|_| Fault::new(FaultKind::Bug, "signing the App's token failed"))?;
        bearer(&token)
    }

    /// The header by which the App acts on this target; another one than `refused`, which GitHub no longer took.
    pub(crate) async fn token(
        &self,
        http: &Http,
        target: &Target,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue, Fault> {
        let installation = match target.installation {
            Some(installation) => installation,
            None => self.home(http, &target.repository).await?,
        };
        let token = self.installation_token(http, installation, refused).await;
        if token.as_ref().is_err_and(|fault| fault.kind == FaultKind::NotFound) {
            self.homes.invalidate(&target.repository).await;
        }
        token
    }

    /// Sends a request about an installation itself. A token that GitHub no longer accepts is renewed once.
    pub(crate) async fn send(
        &self,
        http: &Http,
        installation: InstallationId,
        request: &Request,
    ) -> Result<Answer, Fault> {
        let header = self.installation_token(http, installation, None).await?;
        let answer = http.send(request, &header).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let header = self.installation_token(http, installation, Some(&header)).await?;
        http.send(request, &header).await
    }

    /// The header by which the App acts in an installation; another one than `refused`.
    async fn installation_token(
        &self,
        http: &Http,
        installation: InstallationId,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue, Fault> {
        let slot = Arc::clone(self.slots().entry(installation).or_default());
        let mut held = slot.lock().await;
        held.take_if(|held| Some(&held.header) == refused);
        if let Some(held) = held.as_ref().filter(|held| after(self.clock.now(), MARGIN) < held.expires_at) {
            return Ok(held.header.clone());
        }
        let id = installation.0.to_string();
        let path = ["app", "installations", &id, "access_tokens"];
        let request = Request::write(Operation::InstallationToken, Method::POST, path, &serde_json::json!({}))?;
        let answer = http.send(&request, &self.claim()?).await?;
        let Token { token, expires_at } = answer.json()?;
        let header = bearer(token.expose_secret())?;
        *held = Some(Held { header: header.clone(), expires_at });
        Ok(header)
    }

    /// The installation a repository belongs to.
    async fn home(&self, http: &Http, repository: &RepoName) -> Result<InstallationId, Fault> {
        if let Some(known) = self.homes.get(repository).await {
            return Ok(known);
        }
        let (owner, name) = repository.as_str().split_once('/').unwrap_or_default();
        let request = Request::get(Operation::Installation, ["repos", owner, name, "installation"]);
        let answer = http.send(&request, &self.claim()?).await?;
        if answer.status == StatusCode::NOT_FOUND {
            let missing = format!("the GitHub App is not installed on {repository}: install it there");
            return Err(Fault::new(FaultKind::NotFound, missing));
        }
        let Installation { id } = answer.json()?;
        self.homes.insert(repository.clone(), id).await;
        Ok(id)
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<InstallationId, Arc<Slot>>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
