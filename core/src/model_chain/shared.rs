//! What processes that share a cache tell each other: until when a provider is left alone. Lost or wrong, it changes how
//! often a provider is asked and nothing else.

use jiff::Timestamp;

use super::Link;
use super::breaker::LONGEST_TOLD;
use crate::clock::between;
use crate::ports::Cache;

impl Link {
    /// Takes over what other processes said, now and then.
    pub(super) async fn listen(&self, cache: &dyn Cache, now: Timestamp) {
        if !self.breaker.listens(now) {
            return;
        }
        let said = cache.get(&self.key()).await;
        let until = said.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok());
        self.breaker.heard(until, now);
    }

    /// Says until when the provider is left alone.
    pub(super) async fn say(&self, cache: &dyn Cache, until: Timestamp, now: Timestamp) {
        let keep = between(now, until).min(LONGEST_TOLD);
        cache.put(&self.key(), until.to_string().into_bytes(), keep).await;
    }

    /// Says that the provider answers again.
    pub(super) async fn take_back(&self, cache: &dyn Cache) {
        cache.remove(&self.key()).await;
    }

    fn key(&self) -> String {
        format!("breaker:{}", self.name())
    }
}
