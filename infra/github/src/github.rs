//! [`GitHub`], the forge.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use autopr_core::clock::Clock;
use autopr_core::fault::Fault;
use autopr_core::ids::{CommentId, CommitSha};
use autopr_core::ports::forge::{
    Cursor, DeliveryTry, EffectKind, Marker, OpenPull, Page, Patch, Permission, Place, PullRequest, Reaction, Remote,
    Target,
};
use autopr_core::ports::{Cache, Forge};
use autopr_core::review::{Check, Review};
use bytes::Bytes;
use serde::Deserialize;

use crate::api::Api;
use crate::auth::Auth;
use crate::checks::{self, Checks};
use crate::http::{Http, Request};
use crate::operation::Operation;
use crate::quiet::Quiet;
use crate::remembered::Remembered;
use crate::settings::Settings;
use crate::{contents, conversation, diff, missed, pull, review};

/// GitHub as a forge. It keeps tokens, so share one with an [`std::sync::Arc`].
#[derive(Debug)]
pub struct GitHub {
    pub(crate) api: Api,
    checks: Checks,
    remembered: Remembered,
}

/// As whom GitHub knows us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account, such as `octocat`, or `autopr[bot]` for an App.
    pub login: String,
    /// What the App was given, such as `checks` to `write`; empty for a token, of which GitHub does not tell.
    pub permissions: BTreeMap<String, String>,
    /// The events the App is told of; empty for a token.
    pub events: Vec<String>,
}

/// What `/user` or `/app` says.
#[derive(Deserialize)]
pub(crate) struct Oneself {
    login: Option<String>,
    slug: Option<String>,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    #[serde(default)]
    events: Vec<String>,
}

impl From<Oneself> for Identity {
    fn from(Oneself { login, slug, permissions, events }: Oneself) -> Self {
        let bot = slug.map(|slug| format!("{slug}[bot]"));
        Self { login: login.or(bot).unwrap_or_default(), permissions, events }
    }
}

impl GitHub {
    /// Prepares the client; nothing is asked yet.
    ///
    /// # Errors
    /// A fault of kind `Invalid` that names the setting when the base URL, the token or the App's key can't be used.
    pub fn new(settings: Settings) -> Result<Self, Fault> {
        Self::with_clock(settings, Clock::System)
    }

    /// [`GitHub::new`] with a clock of the caller's, by which the tokens of an App are renewed.
    ///
    /// # Errors
    /// Those of [`GitHub::new`].
    pub fn with_clock(settings: Settings, clock: Clock) -> Result<Self, Fault> {
        let auth = Auth::new(&settings.credentials, clock.clone())?;
        let remembered = Remembered::new(&settings);
        let quiet = Quiet::new(clock, remembered.scope().to_owned());
        let web = checks::web(&settings.base_url);
        let http = Http::new(settings.base_url, settings.timeout)?;
        let checks = Checks { name: settings.check_name, web, refused: Mutex::default() };
        Ok(Self { api: Api { http, auth, quiet }, checks, remembered })
    }

    /// The same client, which keeps there what it read, so that it need not ask again and others who have the same
    /// credentials need not ask at all, nor run into a limit that is known. Tokens are not kept there.
    #[must_use]
    pub fn with_cache(self, cache: Arc<dyn Cache>) -> Self {
        let api = Api { quiet: self.api.quiet.shared_in(cache.clone()), ..self.api };
        Self { api, remembered: self.remembered.kept_in(cache), ..self }
    }

    /// Asks GitHub who we are, in one request: the way to find out whether it can be reached and takes the credentials.
    /// The token of a GitHub Actions workflow belongs to no account and is refused here, though it works otherwise.
    ///
    /// # Errors
    /// The fault of that request.
    pub async fn check(&self) -> Result<Identity, Fault> {
        let path = match &self.api.auth {
            Auth::Token(_) => "user",
            Auth::App(_) => "app",
        };
        let header = self.api.auth.own_header()?;
        let answer = self.api.http.send(&Request::get(Operation::Identity, [path]), &header).await?;
        Ok(answer.json::<Oneself>()?.into())
    }
}

#[async_trait]
impl Forge for GitHub {
    async fn pull_request(&self, target: &Target) -> Result<PullRequest, Fault> {
        Ok(pull::get(&self.api, &self.remembered, target).await?.told(target))
    }

    async fn diff(&self, pull: &PullRequest) -> Result<Patch, Fault> {
        diff::get(&self.api, &self.remembered, pull).await
    }

    async fn file(&self, target: &Target, commit: &CommitSha, path: &str) -> Result<Option<Bytes>, Fault> {
        contents::file(&self.api, &self.remembered, target, commit, path).await
    }

    async fn file_size(&self, target: &Target, commit: &CommitSha, path: &str) -> Result<Option<u64>, Fault> {
        contents::size(&self.api, &self.remembered, target, commit, path).await
    }

    async fn permission(&self, target: &Target, login: &str) -> Result<Permission, Fault> {
        conversation::permission(&self.api, target, login).await
    }

    async fn find(
        &self,
        target: &Target,
        head: Option<&CommitSha>,
        kind: EffectKind,
        marker: &Marker,
    ) -> Result<Option<Remote>, Fault> {
        match (kind, head) {
            (EffectKind::Review, _) => review::find(&self.api, target, marker).await,
            (EffectKind::Check, Some(head)) => self.checks.find(&self.api, target, head, marker).await,
            (EffectKind::Check, None) => {
                let now = pull::get(&self.api, &self.remembered, target).await?.head.sha;
                self.checks.find(&self.api, target, &now, marker).await
            }
            (EffectKind::Comment, _) => conversation::find_comment(&self.api, target, marker).await,
            (EffectKind::Description | EffectKind::Labels | EffectKind::Reaction, _) => Ok(None),
        }
    }

    async fn create_review(&self, target: &Target, marker: &Marker, review: &Review) -> Result<Remote, Fault> {
        review::create(&self.api, target, marker, review).await
    }

    async fn create_check(&self, target: &Target, marker: &Marker, check: &Check) -> Result<Remote, Fault> {
        self.checks.create(&self.api, target, marker, check).await
    }

    async fn create_comment(&self, target: &Target, marker: &Marker, body: &str) -> Result<Remote, Fault> {
        conversation::comment(&self.api, target, marker, body).await
    }

    async fn describe(&self, target: &Target, section: &str) -> Result<Remote, Fault> {
        pull::describe(&self.api, &self.remembered, target, section).await
    }

    async fn add_labels(&self, target: &Target, labels: &[String]) -> Result<Remote, Fault> {
        conversation::add_labels(&self.api, target, labels).await
    }

    async fn react(&self, target: &Target, comment: CommentId, reaction: Reaction) -> Result<Remote, Fault> {
        conversation::react(&self.api, target, comment, reaction).await
    }

    async fn deliveries(&self, from: Option<&Cursor>) -> Result<Page<DeliveryTry>, Fault> {
        missed::deliveries(&self.api, from).await
    }

    async fn redeliver(&self, number: u64) -> Result<(), Fault> {
        missed::redeliver(&self.api, number).await
    }

    async fn places(&self, from: Option<&Cursor>) -> Result<Option<Page<Place>>, Fault> {
        missed::places(&self.api, from).await
    }

    async fn open_pull_requests(&self, place: &Place, from: Option<&Cursor>) -> Result<Page<OpenPull>, Fault> {
        missed::open_pull_requests(&self.api, place, from).await
    }
}
