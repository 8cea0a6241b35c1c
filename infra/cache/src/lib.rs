//! What processes keep to save work: the port [`autopr_core::ports::Cache`], in the memory of one process or in a Redis
//! that several share.
//!
//! A cache never changes a result. In Redis every value carries a digest of itself and its key, so that whatever else is
//! found there counts as nothing; so does every error and every answer that does not come in time. After one of those
//! Redis is left alone for a while, so that it is waited for once in a few seconds and not by everyone. Nothing is
//! connected before it is needed: a process starts whether or not Redis is there.
//!
//! No credential is ever put here. File contents and answers of models are, in the clear: Redis must be as private as the
//! database is.

mod envelope;
mod inspect;
mod key;
mod line;
mod memory;
mod outage;
mod settings;
mod shared;

use std::time::Duration;

use async_trait::async_trait;
use autopr_core::fault::Fault;
use autopr_core::ports;
use autopr_core::telemetry::{CACHE_ERROR, CACHE_HIT, CACHE_MISS, cache_asked};

use crate::memory::Memory;
use crate::shared::{Looked, Shared};

pub use inspect::{RedisState, inspect};
pub use settings::RedisSettings;

/// A cache of either form.
pub struct Cache(Form);

enum Form {
    Memory(Memory),
    Redis(Box<Shared>),
}

impl Cache {
    /// A cache in the memory of this process that takes about `room` bytes at most.
    pub fn memory(room: u64) -> Self {
        Self(Form::Memory(Memory::new(room)))
    }

    /// A cache in Redis. Nothing is connected yet, so that it need not be there.
    ///
    /// # Errors
    /// A fault of kind `Invalid` that names the setting when the address or its file of certificates can't be used.
    pub fn redis(settings: &RedisSettings) -> Result<Self, Fault> {
        Ok(Self(Form::Redis(Box::new(Shared::new(settings)?))))
    }

    /// Asks Redis for a sign of life. A cache in memory is always well.
    ///
    /// # Errors
    /// A fault of kind `Unavailable` when Redis does not answer.
    pub async fn check(&self) -> Result<(), Fault> {
        match &self.0 {
            Form::Memory(_) => Ok(()),
            Form::Redis(shared) => shared.check().await,
        }
    }
}

#[async_trait]
impl ports::Cache for Cache {
    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let looked = match &self.0 {
            Form::Memory(memory) => memory.get(key).await.map_or(Looked::Nothing, Looked::Found),
            Form::Redis(shared) => shared.get(key).await,
        };
        let (result, value) = match looked {
            Looked::Found(value) => (CACHE_HIT, Some(value)),
            Looked::Nothing => (CACHE_MISS, None),
            Looked::Failed => (CACHE_ERROR, None),
        };
        cache_asked(key::word(key), result);
        value
    }

    async fn put(&self, key: &str, value: Vec<u8>, keep: Duration) {
        match &self.0 {
            Form::Memory(memory) => memory.put(key, value, keep).await,
            Form::Redis(shared) => {
                if !shared.put(key, &value, keep).await {
                    cache_asked(key::word(key), CACHE_ERROR);
                }
            }
        }
    }

    async fn remove(&self, key: &str) {
        match &self.0 {
            Form::Memory(memory) => memory.remove(key).await,
            Form::Redis(shared) => {
                if !shared.remove(key).await {
                    cache_asked(key::word(key), CACHE_ERROR);
                }
            }
        }
    }
}
