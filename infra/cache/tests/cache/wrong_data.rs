//! What is in Redis and was not put there by us is not there.

use std::time::Duration;

use autopr_cache::Cache;
use autopr_core::ports::Cache as _;
use autopr_services::Redis;

use crate::setup::{cache, plain};

const KEEP: Duration = Duration::from_secs(600);
const VALUE: &[u8] = b"the value that was put";

/// Puts a value, changes what is in Redis, and looks: there is nothing, and the next put mends it.
async fn check(redis: &Redis, cache: &Cache, change: &[&str]) {
    cache.put("k:one", VALUE.to_vec(), KEEP).await;
    assert_eq!(cache.get("k:one").await.as_deref(), Some(VALUE));
    let done = redis.run(change);
    assert!(!done.contains("ERR"), "{change:?}: {done}");
    assert_eq!(cache.get("k:one").await, None, "{change:?}");
    cache.put("k:one", VALUE.to_vec(), KEEP).await;
    assert_eq!(cache.get("k:one").await.as_deref(), Some(VALUE), "{change:?}");
    redis.run(&["flushall"]);
}

#[tokio::test]
async fn wrong_data_is_nothing() {
    let redis = plain();
    let cache = cache(&redis);
    check(&redis, &cache, &["set", "autopr:1:k:one", "garbage"]).await;
    check(&redis, &cache, &["set", "autopr:1:k:one", ""]).await;
    check(&redis, &cache, &["append", "autopr:1:k:one", "x"]).await;
    check(&redis, &cache, &["setrange", "autopr:1:k:one", "0", "autopr2"]).await;
    check(&redis, &cache, &["setrange", "autopr:1:k:one", "50", "X"]).await;
    for script in [
        "return redis.call('set', KEYS[1], string.sub(redis.call('get', KEYS[1]), 1, -2))",
        "redis.call('del', KEYS[1]); return redis.call('rpush', KEYS[1], 'a', 'list')",
        "redis.call('del', KEYS[1]); return redis.call('hset', KEYS[1], 'a', 'hash')",
    ] {
        check(&redis, &cache, &["eval", script, "1", "autopr:1:k:one"]).await;
    }
}

#[tokio::test]
async fn the_value_of_another_key_is_nothing() {
    let redis = plain();
    let cache = cache(&redis);
    cache.put("k:other", b"another value".to_vec(), KEEP).await;
    check(&redis, &cache, &["copy", "autopr:1:k:other", "autopr:1:k:one", "replace"]).await;
}

#[tokio::test]
async fn a_large_thing_of_somebody_else_is_not_read_whole() {
    let redis = plain();
    let cache = cache(&redis);
    // 64 MiB of zeros, which Redis makes by itself.
    check(&redis, &cache, &["setrange", "autopr:1:k:one", "67108863", "x"]).await;
    let stats = redis.run(&["info", "stats"]);
    let sent = stats.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:")).expect("a figure");
    assert!(sent.trim().parse::<u64>().expect("a number") < 8 * 1024 * 1024, "{sent}");
}

#[tokio::test]
async fn a_value_beyond_the_bound_is_not_kept_nor_the_one_before_it() {
    let redis = plain();
    let cache = cache(&redis);
    cache.put("k:one", VALUE.to_vec(), KEEP).await;
    cache.put("k:one", vec![0; 4 * 1024 * 1024 + 1], KEEP).await;
    assert_eq!(cache.get("k:one").await, None);
    let just = vec![1; 4 * 1024 * 1024];
    cache.put("k:one", just.clone(), KEEP).await;
    assert!(cache.get("k:one").await == Some(just));
}
