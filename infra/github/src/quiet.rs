//! Until when GitHub wants no requests, for all who ask as the same one: in this process, and in others that share a
//! cache. Without the cache, or with something else in it, a few more requests are refused and nothing else.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use autopr_core::clock::{Clock, after, between};
use autopr_core::fault::{Fault, FaultKind, Retry};
use autopr_core::ports::Cache;
use autopr_core::ports::cache::NoCache;
use autopr_core::ports::forge::Target;
use jiff::Timestamp;

use crate::answer::Answer;
use crate::operation::Operation;

/// The longest that is kept to without asking GitHub anew: its allowances are renewed each hour.
const LONGEST: Duration = Duration::from_secs(3600);

/// How often other processes are listened to at most.
const LISTENS: Duration = Duration::from_secs(1);

/// The times until which GitHub wants no requests.
pub(crate) struct Quiet {
    clock: Clock,
    cache: Arc<dyn Cache>,
    /// A digest of GitHub's address and of who asks there.
    scope: String,
    known: Mutex<HashMap<String, Known>>,
}

/// What is known of one installation, or of the token.
#[derive(Default)]
struct Known {
    until: Option<Timestamp>,
    /// When other processes were last listened to.
    listened_at: Option<Timestamp>,
}

impl fmt::Debug for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quiet")
    }
}

impl Quiet {
    /// Nothing is known yet.
    pub(crate) fn new(clock: Clock, scope: String) -> Self {
        Self { clock, cache: Arc::new(NoCache), scope, known: Mutex::default() }
    }

    /// The same, which tells others there.
    pub(crate) fn shared_in(self, cache: Arc<dyn Cache>) -> Self {
        Self { cache, ..self }
    }

    /// A fault that asks to wait, while GitHub wants no requests from the target's installation.
    pub(crate) async fn admits(&self, target: &Target, operation: Operation) -> Result<(), Fault> {
        let (key, now) = (self.key(target), self.clock.now());
        let until = match self.until(&key, now) {
            Some(until) => until,
            None => self.heard(&key, now).await,
        };
        let Some(until) = until.filter(|until| now < *until) else { return Ok(()) };
        // Whole seconds, as GitHub's own hints are.
        let wait = Duration::from_secs(between(now, after(until, Duration::from_nanos(999_999_999))).as_secs());
        let context =
            format!("{}: GitHub asked for fewer requests for another {} s", operation.doing(), wait.as_secs());
        Err(Fault::new(FaultKind::Limited, context).retry(Retry::After(wait)))
    }

    /// Takes from an answer whether GitHub wants no more requests for a while.
    pub(crate) async fn learn(&self, target: &Target, answer: &Answer) {
        let Some(pause) = answer.pause() else { return };
        let (key, now) = (self.key(target), self.clock.now());
        let pause = pause.min(LONGEST);
        let until = after(now, pause);
        {
            let mut known = self.known();
            let known = known.entry(key.clone()).or_default();
            if known.until.is_some_and(|known| until <= known) {
                return;
            }
            known.until = Some(until);
        }
        self.cache.put(&key, until.to_string().into_bytes(), pause).await;
    }

    /// What this process knows; none when it is time to listen to others.
    fn until(&self, key: &str, now: Timestamp) -> Option<Option<Timestamp>> {
        let mut known = self.known();
        let known = known.entry(key.to_owned()).or_default();
        let lately = known.listened_at.is_some_and(|at| at <= now && between(at, now) < LISTENS);
        if lately || known.until.is_some_and(|until| now < until) {
            return Some(known.until);
        }
        known.listened_at = Some(now);
        None
    }

    /// What other processes said.
    async fn heard(&self, key: &str, now: Timestamp) -> Option<Timestamp> {
        let said = self.cache.get(key).await?;
        let until: Timestamp = std::str::from_utf8(&said).ok()?.parse().ok()?;
        if until <= now || after(now, LONGEST) < until {
            return None;
        }
        self.known().entry(key.to_owned()).or_default().until = Some(until);
        Some(until)
    }

    fn key(&self, target: &Target) -> String {
        let installation =
            target.installation.map_or_else(|| "-".to_owned(), |installation| installation.0.to_string());
        format!("quiet:{}:{installation}", self.scope)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
