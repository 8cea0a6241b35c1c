//! A cache in memory whose contents a test can see and change.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::clock::{Clock, after};
use crate::ports::Cache;

/// A [`Cache`] without bounds.
#[derive(Debug)]
pub struct MemoryCache {
    clock: Clock,
    entries: Mutex<BTreeMap<String, (Vec<u8>, Timestamp)>>,
}

impl MemoryCache {
    /// An empty cache that goes by this clock.
    pub fn new(clock: Clock) -> Self {
        Self { clock, entries: Mutex::default() }
    }

    /// The keys with the times until which their values are kept.
    pub fn keys(&self) -> Vec<(String, Timestamp)> {
        self.entries().iter().map(|(key, (_, until))| (key.clone(), *until)).collect()
    }

    /// Puts these bytes in the place of every value.
    pub fn spoil(&self, bytes: &[u8]) {
        self.entries().values_mut().for_each(|(value, _)| *value = bytes.to_vec());
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.entries().clear();
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, (Vec<u8>, Timestamp)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let now = self.clock.now();
        self.entries().get(key).filter(|(_, until)| now < *until).map(|(value, _)| value.clone())
    }

    async fn put(&self, key: &str, value: Vec<u8>, keep: Duration) {
        let until = after(self.clock.now(), keep);
        self.entries().insert(key.to_owned(), (value, until));
    }

    async fn remove(&self, key: &str) {
        self.entries().remove(key);
    }
}
