//! What GitHub told before, where every process that asks as the same one finds it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderValue;
use autopr_core::ports::Cache;
use autopr_core::ports::cache::NoCache;
use autopr_core::ports::forge::Target;
use bytes::Bytes;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::settings::{Credentials, Settings};

/// How long something is kept that stays true, or that is only used after GitHub was asked whether it still is.
pub(crate) const LONG: Duration = Duration::from_secs(24 * 3600);

/// How long it is kept that something is not there: GitHub says the same of what it does not show to us, or not yet.
pub(crate) const ABSENT: Duration = Duration::from_secs(600);

/// What was told, by whom and to whom.
pub(crate) struct Remembered {
    cache: Arc<dyn Cache>,
    /// A digest of GitHub's address and of who asks there.
    scope: String,
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered")
    }
}

impl Remembered {
    /// Remembers nothing, until [`Remembered::kept_in`] tells where.
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        };
        add(settings.base_url.as_str().trim_end_matches('/').as_bytes());
        match &settings.credentials {
            // Another token may open other repositories. Nothing leads back from the digest to it.
            Credentials::Token(token) => add(token.expose_secret().trim().as_bytes()),
            Credentials::App { id, .. } => add(format!("app {id}").as_bytes()),
        }
        Self { cache: Arc::new(NoCache), scope: hex::encode(&digest.finalize()[..16]) }
    }

    /// The same, kept there.
    pub(crate) fn kept_in(self, cache: Arc<dyn Cache>) -> Self {
        Self { cache, ..self }
    }

    /// The key of something in the target's repository, as the target's installation sees it.
    pub(crate) fn key(&self, word: &str, target: &Target, what: impl fmt::Display) -> String {
        let installation =
            target.installation.map_or_else(|| "-".to_owned(), |installation| installation.0.to_string());
        format!("{word}:{}:{installation}:{}:{what}", self.scope, target.repository)
    }

    /// What was kept, if anything; the outer none when nothing is known, the inner when it is known not to be there.
    pub(crate) async fn get(&self, key: &str) -> Option<Option<Bytes>> {
        let bytes = Bytes::from(self.cache.get(key).await?);
        match bytes.first()? {
            0 if bytes.len() == 1 => Some(None),
            1 => Some(Some(bytes.slice(1..))),
            _ => None,
        }
    }

    /// Keeps what was told, or that it is not there.
    pub(crate) async fn put(&self, key: &str, told: Option<&[u8]>) {
        let (bytes, keep) = match told {
            Some(told) => ([&[1], told].concat(), LONG),
            None => (vec![0], ABSENT),
        };
        self.cache.put(key, bytes, keep).await;
    }

    /// What was told last, with the entity tag by which GitHub can be asked whether it still holds.
    pub(crate) async fn tagged(&self, key: &str) -> Option<(HeaderValue, Bytes)> {
        let bytes = Bytes::from(self.cache.get(key).await?);
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let end = 2 + usize::from(u16::from_le_bytes(*length));
        let tag = HeaderValue::from_bytes(rest.get(..end - 2)?).ok()?;
        Some((tag, bytes.slice(end..)))
    }

    /// Keeps what was told together with its entity tag.
    pub(crate) async fn put_tagged(&self, key: &str, tag: &HeaderValue, told: &[u8]) {
        let Ok(length) = u16::try_from(tag.len()) else { return };
        self.cache.put(key, [&length.to_le_bytes(), tag.as_bytes(), told].concat(), LONG).await;
    }
}
