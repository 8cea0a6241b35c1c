//! The cache of one process.

use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;

/// What an entry takes beside its key and value, about.
const ENTRY: usize = 200;

/// Keeps values in memory, within a bound. What was asked for least is forgotten first.
pub(crate) struct Memory {
    entries: Cache<String, Entry>,
}

#[derive(Clone)]
struct Entry {
    value: std::sync::Arc<[u8]>,
    keep: Duration,
}

/// Each entry lives as long as it was put for.
struct OwnTime;

impl Expiry<String, Entry> for OwnTime {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.keep)
    }

    fn expire_after_update(&self, _: &String, entry: &Entry, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(entry.keep)
    }
}

impl Memory {
    /// An empty cache that takes about this many bytes at most.
    pub(crate) fn new(room: u64) -> Self {
        let weigher =
            |key: &String, entry: &Entry| u32::try_from(key.len() + entry.value.len() + ENTRY).unwrap_or(u32::MAX);
        let entries = Cache::builder().weigher(weigher).max_capacity(room).expire_after(OwnTime).build();
        Self { entries }
    }

    pub(crate) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.entries.get(key).await.map(|entry| entry.value.to_vec())
    }

    pub(crate) async fn put(&self, key: &str, value: Vec<u8>, keep: Duration) {
        self.entries.insert(key.to_owned(), Entry { value: value.into(), keep }).await;
    }

    pub(crate) async fn remove(&self, key: &str) {
        self.entries.invalidate(key).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_stays_within_its_bound() {
        let memory = Memory::new(100_000);
        for number in 0..1000 {
            memory.put(&format!("k:{number}"), vec![0; 1000], Duration::from_secs(600)).await;
        }
        memory.entries.run_pending_tasks().await;
        let held = memory.entries.weighted_size();
        assert!((50_000..=100_000).contains(&held), "{held}");
        memory.put("k:large", vec![0; 200_000], Duration::from_secs(600)).await;
        memory.entries.run_pending_tasks().await;
        assert_eq!(memory.get("k:large").await, None, "what has no room is not kept");
    }
}
