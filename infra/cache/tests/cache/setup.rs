//! What the tests share.

use std::time::{Duration, Instant};

use autopr_cache::{Cache, RedisSettings};
use autopr_core::ports::Cache as _;
use autopr_services::{Redis, RedisOptions};

/// How long a command may take in these tests: far longer than Redis needs on a busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);

/// How long Redis is left alone after a failure in these tests.
pub(crate) const PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn plain() -> Redis {
    Redis::start(RedisOptions::default())
}

pub(crate) fn settings(url: &str) -> RedisSettings {
    RedisSettings { url: url.into(), ssl: false, timeout: TIMEOUT, max_connections: 50, pause: PAUSE }
}

pub(crate) fn cache(redis: &Redis) -> Cache {
    Cache::redis(&settings(&redis.url())).expect("a cache")
}

/// Puts a value and gets it, again and again until it comes back.
pub(crate) async fn until_it_works(cache: &Cache) {
    let begun = Instant::now();
    loop {
        cache.put("k:again", b"v".to_vec(), Duration::from_secs(60)).await;
        if cache.get("k:again").await.as_deref() == Some(b"v") {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the cache does not recover");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
