//! Redis is away, dies, hangs and comes back: that costs time and changes nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_cache::{Cache, RedisSettings};
use autopr_core::ports::Cache as _;
use autopr_services::{Fault, FaultProxy, Redis, RedisOptions, free_port};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::setup::{cache, plain, settings, until_it_works};

const KEEP: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_redis_that_was_never_there_costs_nothing_but_the_work() {
    let cache = Cache::redis(&settings(&format!("redis://127.0.0.1:{}/0", free_port()))).expect("a cache");
    let begun = Instant::now();
    for _ in 0..100 {
        cache.put("k:one", b"v".to_vec(), KEEP).await;
        assert_eq!(cache.get("k:one").await, None);
        cache.remove("k:one").await;
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let fault = cache.check().await.expect_err("nobody is there").to_string();
    assert!(fault.contains("refused"), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_is_missed_and_used_again_after_its_restart() {
    let mut redis = plain();
    let cache = cache(&redis);
    for _ in 0..3 {
        until_it_works(&cache).await;
        redis.kill();
        let begun = Instant::now();
        for _ in 0..20 {
            assert_eq!(cache.get("k:again").await, None);
            cache.put("k:again", b"v".to_vec(), KEEP).await;
        }
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        redis.restart();
    }
    until_it_works(&cache).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_is_waited_for_once() {
    let redis = plain();
    let timeout = Duration::from_millis(300);
    let slow = RedisSettings { timeout, pause: Duration::from_secs(60), ..settings(&redis.url()) };
    let cache = Arc::new(Cache::redis(&slow).expect("a cache"));
    until_it_works(&cache).await;
    redis.pause();
    let begun = Instant::now();
    let together: Vec<_> = (0..50)
        .map(|_| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { cache.get("k:again").await })
        })
        .collect();
    for one in together {
        assert_eq!(one.await.expect("an answer"), None);
    }
    for _ in 0..100 {
        assert_eq!(cache.get("k:again").await, None);
        cache.put("k:again", b"v".to_vec(), KEEP).await;
    }
    let taken = begun.elapsed();
    redis.resume();
    assert!(taken >= timeout && taken < timeout * 5, "{taken:?}");
    assert!(cache.check().await.is_ok(), "a check asks whatever was before");
    until_it_works(&cache).await;
}

/// The numbers Redis has given to connections that are not from its own command line.
fn connections(redis: &Redis) -> Vec<String> {
    let list = redis.run(&["client", "list"]);
    let ours = list.lines().filter(|line| !line.contains("cmd=client"));
    ours.map(|line| line.split(' ').next().expect("its number").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_an_answer_is_not_used_again() {
    let redis = plain();
    let proxy = FaultProxy::start(&redis.address());
    let timeout = Duration::from_millis(500);
    let one = RedisSettings { max_connections: 1, timeout, ..settings(&redis.url_through(&proxy.address())) };
    let cache = Cache::redis(&one).expect("a cache");
    until_it_works(&cache).await;
    let before = connections(&redis);
    assert_eq!(before.len(), 1, "{before:?}");
    proxy.set(Fault::Blackhole);
    assert_eq!(cache.get("k:again").await, None);
    proxy.set(Fault::Pass);
    until_it_works(&cache).await;
    let after = connections(&redis);
    assert!(!after.is_empty() && after.last() != before.last(), "{before:?} {after:?}");
}

#[tokio::test]
async fn a_connection_that_was_closed_is_replaced_at_once() {
    let mut redis = plain();
    // One connection, so that it is this one, and no second chance after a failure.
    let one = RedisSettings { max_connections: 1, pause: Duration::from_secs(3600), ..settings(&redis.url()) };
    let cache = Cache::redis(&one).expect("a cache");
    for _ in 0..3 {
        cache.put("k:one", b"v".to_vec(), KEEP).await;
        assert_eq!(cache.get("k:one").await.as_deref(), Some(&b"v"[..]));
        assert_eq!(redis.run(&["client", "kill", "type", "normal"]), "1");
    }
    assert_eq!(cache.get("k:one").await.as_deref(), Some(&b"v"[..]));
    redis.restart();
    assert_eq!(cache.get("k:one").await, None);
    cache.put("k:one", b"v".to_vec(), KEEP).await;
    assert_eq!(cache.get("k:one").await.as_deref(), Some(&b"v"[..]));
}

#[tokio::test]
async fn a_full_redis_takes_nothing_and_still_answers() {
    let settings_of_redis = ["maxmemory-policy noeviction".to_owned()].to_vec();
    let redis = Redis::start(RedisOptions { settings: settings_of_redis, ..RedisOptions::default() });
    let cache = cache(&redis);
    cache.put("k:before", b"v".to_vec(), KEEP).await;
    redis.run(&["config", "set", "maxmemory", "1"]);
    cache.put("k:after", b"v".to_vec(), KEEP).await;
    assert_eq!(cache.get("k:before").await.as_deref(), Some(&b"v"[..]), "one refusal is no outage");
    assert_eq!(cache.get("k:after").await, None);
}

#[test]
fn what_becomes_of_requests_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut redis = plain();
            let cache = cache(&redis);
            cache.get("k:one").await;
            cache.put("k:one", b"v".to_vec(), KEEP).await;
            cache.get("k:one").await;
            redis.run(&["set", "autopr:1:k:one", "garbage"]);
            cache.get("k:one").await;
            cache.put("octo/demo", b"v".to_vec(), KEEP).await;
            cache.get("octo/demo").await;
            redis.kill();
            cache.get("k:one").await;
            cache.put("k:one", b"v".to_vec(), KEEP).await;
        });
    });
    let text = handle.render();
    let mut lines: Vec<_> = text.lines().filter(|line| line.starts_with("autopr_")).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "autopr_cache_requests_total{cache=\"k\",result=\"error\"} 3",
            "autopr_cache_requests_total{cache=\"k\",result=\"hit\"} 1",
            "autopr_cache_requests_total{cache=\"k\",result=\"miss\"} 1",
            "autopr_cache_requests_total{cache=\"other\",result=\"hit\"} 1",
        ]
    );
}
