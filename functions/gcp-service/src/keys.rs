//! The keys that Google signs tokens with. They are kept as long as their server says and then fetched again, which the
//! change of a key needs no restart for. A token that names an unknown key has them fetched too, but not more often than
//! every ten seconds, however many come.
//!
//! The verifier of `google-cloud-auth` 1.18 does neither: it keeps a key for an hour whatever the server says, fetches the keys
//! for every name it does not know, without a time-out, and fails the requests that come meanwhile.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use autopr_core::fault::{Fault, FaultKind};
use jsonwebtoken::DecodingKey;
use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};
use reqwest::redirect;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long fetching them may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long they are left alone after they were asked for in vain, or for a key that is not among them.
const PAUSE: Duration = Duration::from_secs(10);

/// How long they are kept when their server does not say.
const USUAL: Duration = Duration::from_secs(3600);

/// The longest they are kept.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How long they are used beyond their time while their server does not answer: a pushed message is refused without them,
/// and what is refused too often becomes a dead letter.
const STALE: Duration = Duration::from_secs(3600);

/// The most bytes of their document: Google's has some 2 KiB.
const MOST_BYTES: usize = 256 * 1024;

/// The keys of one server.
pub(crate) struct Keys {
    client: reqwest::Client,
    url: String,
    known: RwLock<Known>,
    /// When they were last asked for. Whoever fetches them holds it, so that they are fetched once.
    asked: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, DecodingKey>,
    until: Option<Instant>,
}

/// Why there is no key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// There is none of that name.
    Unknown,
    /// The keys can't be fetched: another time there may be one.
    Unavailable,
}

/// A JSON Web Key Set (RFC 7517). Keys of other kinds may be in it.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kid: Option<String>,
    kty: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Keys {
    /// The keys at that address. Nothing is fetched yet.
    pub(crate) fn new(url: &str) -> Result<Self, Fault> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("autopr/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .build();
        let bug = |error| Fault::new(FaultKind::Bug, "can't set up the HTTP client for keys").source(error);
        let client = client.map_err(bug)?;
        Ok(Self { client, url: url.to_owned(), known: RwLock::default(), asked: Mutex::default() })
    }

    /// The key of that name.
    pub(crate) async fn get(&self, name: &str) -> Result<DecodingKey, NoKey> {
        if let Some(key) = self.look(name, Duration::ZERO) {
            return Ok(key);
        }
        let mut asked = self.asked.lock().await;
        // Another request may have fetched them while this one waited.
        if let Some(key) = self.look(name, Duration::ZERO) {
            return Ok(key);
        }
        if asked.is_none_or(|asked| asked.elapsed() >= PAUSE) {
            *asked = Some(Instant::now());
            match self.fetch().await {
                Ok(known) => *self.known.write().unwrap_or_else(PoisonError::into_inner) = known,
                Err(why) => tracing::warn!(why, "the keys that tokens are signed with can't be fetched"),
            }
        }
        drop(asked);
        match self.look(name, STALE) {
            Some(key) => Ok(key),
            None if self.is_fresh() => Err(NoKey::Unknown),
            None => Err(NoKey::Unavailable),
        }
    }

    /// The key of that name, if the keys are not older than that beyond their time.
    fn look(&self, name: &str, beyond: Duration) -> Option<DecodingKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.until.filter(|until| Instant::now() < *until + beyond).and_then(|_| known.keys.get(name).cloned())
    }

    fn is_fresh(&self) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.until.is_some_and(|until| Instant::now() < until)
    }

    /// Fetches them. What goes wrong is told without what came back.
    async fn fetch(&self) -> Result<Known, String> {
        let unreached = |error: reqwest::Error| match error.is_timeout() {
            true => "no answer in time".to_owned(),
            false => "their server can't be reached".to_owned(),
        };
        let mut answer = self.client.get(&self.url).send().await.map_err(unreached)?;
        if !answer.status().is_success() {
            return Err(format!("HTTP {}", answer.status().as_u16()));
        }
        let kept = kept(answer.headers());
        let mut body = Vec::new();
        while let Some(bytes) = answer.chunk().await.map_err(unreached)? {
            body.extend_from_slice(&bytes);
            if body.len() > MOST_BYTES {
                return Err(format!("more than {MOST_BYTES} bytes"));
            }
        }
        let wrong = |error: serde_json::Error| format!("no key set: wrong at column {}", error.column());
        let document: Document = serde_json::from_slice(&body).map_err(wrong)?;
        let keys: HashMap<_, _> = document.keys.iter().filter_map(usable).collect();
        match keys.is_empty() {
            true => Err("no key of RS256 is among them".to_owned()),
            false => Ok(Known { keys, until: Some(Instant::now() + kept) }),
        }
    }
}

/// A key that RS256 can be checked with, and its name.
fn usable(key: &Key) -> Option<(String, DecodingKey)> {
    let signs = key.kty == "RSA"
        && key.alg.as_deref().is_none_or(|alg| alg == "RS256")
        && key.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
    let (n, e) = (key.n.as_deref()?, key.e.as_deref()?);
    let key = key.kid.clone().filter(|_| signs).zip(DecodingKey::from_rsa_components(n, e).ok())?;
    Some(key)
}

/// How long an answer may be kept (RFC 9111): its `max-age` less the time that it has lain in caches on its way.
fn kept(headers: &HeaderMap) -> Duration {
    let text = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let max_age = text(CACHE_CONTROL).flat_map(|value| value.split(',')).find_map(|directive| {
        let (name, value) = directive.trim().split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| value.trim_matches('"').parse::<u64>().ok()).flatten()
    });
    let age = text(AGE).next().and_then(|age| age.trim().parse::<u64>().ok()).unwrap_or(0);
    let kept = max_age.map_or(USUAL, |max_age| Duration::from_secs(max_age.saturating_sub(age)));
    kept.clamp(PAUSE, LONGEST)
}

#[cfg(test)]
mod tests;
