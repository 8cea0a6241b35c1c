//! What processes share to save work. Nothing depends on it: a result is the same with a cache that forgets everything.

use std::time::Duration;

use async_trait::async_trait;

/// Keeps values for a while, perhaps shared by several processes. It never fails: a value that can't be had, or is not
/// byte for byte what was put, is one that was never put.
///
/// A key begins with a word of ours and a colon, such as `file:`, which says what is kept under it and by which metrics
/// count. It names all that the value depends on, and as whom it was read: nobody is shown by way of the cache what their
/// own credentials do not open. A credential is no value and no part of a key.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The value put under the key, unless it was forgotten meanwhile.
    async fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps the value under the key for that time, in place of an older one. A value too large to be kept is not.
    async fn put(&self, key: &str, value: Vec<u8>, keep: Duration);

    /// Forgets the value of the key, if the cache can be reached.
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
