//! What processes share to save work. Nothing depends on it: a result is the same with a cache that forgets everything.

use std::time::Duration;

use async_trait::async_trait;

/// Keeps values for a while, perhaps shared by several processes. It never fails: a value that can't be had, or is not
/// byte for byte what was put, is one that was never put.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The value put under the key, unless it was forgotten meanwhile.
    async fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps the value under the key for that time, in place of an older one.
    async fn put(&self, key: &str, value: Vec<u8>, keep: Duration);

    /// Forgets the value of the key.
    async fn remove(&self, key: &str);
}

/// The cache that forgets everything.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoCache;

#[async_trait]
impl Cache for NoCache {
    async fn get(&self, _key: &str) -> Option<Vec<u8>> {
        None
    }

    async fn put(&self, _key: &str, _value: Vec<u8>, _keep: Duration) {}

    async fn remove(&self, _key: &str) {}
}
