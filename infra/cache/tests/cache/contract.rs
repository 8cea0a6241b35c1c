//! Every form keeps the contract of caches.

use std::sync::Arc;
use std::time::Duration;

use autopr_cache::{Cache, RedisSettings};
use autopr_core::ports::Cache as _;
use autopr_core::testkit::cache_suite;
use autopr_services::{Certificate, Redis, RedisOptions};

use crate::setup::{PAUSE, cache, plain, settings};

const USER: &str = "autopr";
const PASSWORD: &str = "p@ss:w/rd#?";

async fn check(redis: &Redis, settings: &RedisSettings) {
    let parts = cache_suite::run(|| async {
        redis.run(&["flushall"]);
        Cache::redis(settings).expect("a cache")
    });
    assert_eq!(parts.await, 5);
    Cache::redis(settings).expect("a cache").check().await.expect("Redis answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_contract() {
    let parts = cache_suite::run(|| async { Cache::memory(16 * 1024 * 1024) }).await;
    assert_eq!(parts, 5);
    Cache::memory(1).check().await.expect("memory is always well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_keeps_the_contract() {
    let redis = plain();
    check(&redis, &settings(&redis.url())).await;
    check(&redis, &RedisSettings { max_connections: 1, ..settings(&redis.url()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_with_tls_and_a_user_keeps_the_contract() {
    let certificate = Certificate::for_loopback();
    let authority = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(authority.path(), &certificate.authority).expect("written");
    let user = Some((USER.to_owned(), PASSWORD.to_owned()));
    let redis = Redis::start(RedisOptions { certificate: Some(certificate), user, ..RedisOptions::default() });
    let address = |scheme: &str, password: &str| {
        let authority = authority.path().display();
        format!("{scheme}://{USER}:{password}@{}/0?sslrootcert={authority}", redis.address())
    };
    let encoded = "p%40ss%3Aw%2Frd%23%3F";
    check(&redis, &settings(&address("rediss", encoded))).await;
    check(&redis, &RedisSettings { ssl: true, ..settings(&address("redis", encoded)) }).await;

    let stranger = settings(&format!("rediss://{USER}:{encoded}@{}/0", redis.address()));
    for refused in [settings(&address("rediss", "wrong")), stranger] {
        let cache = Cache::redis(&refused).expect("a cache");
        cache.put("k:one", b"v".to_vec(), Duration::from_secs(60)).await;
        assert_eq!(cache.get("k:one").await, None);
        let fault = cache.check().await.expect_err("it can't be used").to_string();
        assert!(fault.starts_with("asking Redis: ") && !fault.contains("p@ss") && !fault.contains("wrong"), "{fault}");
    }
}

#[tokio::test]
async fn a_user_who_may_do_little_else_is_enough() {
    let settings_of_redis = ["user narrow on >secret ~autopr:1:* resetchannels -@all +getrange +set +del +ping"];
    let settings_of_redis = settings_of_redis.map(str::to_owned).to_vec();
    let redis = Redis::start(RedisOptions { settings: settings_of_redis, ..RedisOptions::default() });
    let cache = Cache::redis(&settings(&format!("redis://narrow:secret@{}/0", redis.address()))).expect("a cache");
    cache.put("k:one", b"v".to_vec(), Duration::from_secs(60)).await;
    assert_eq!(cache.get("k:one").await.as_deref(), Some(&b"v"[..]));
    assert_eq!(redis.run(&["--raw", "keys", "*"]), "autopr:1:k:one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_what_they_put_over_few_connections() {
    let redis = plain();
    let (one, other) = (Arc::new(cache(&redis)), cache(&redis));
    let puts: Vec<_> = (0..200)
        .map(|number| {
            let one = Arc::clone(&one);
            tokio::spawn(async move { one.put(&format!("k:{number}"), vec![7; 100], PAUSE * 1000).await })
        })
        .collect();
    for put in puts {
        put.await.expect("put");
    }
    for number in 0..200 {
        assert_eq!(other.get(&format!("k:{number}")).await, Some(vec![7; 100]));
    }
    let clients = redis.run(&["client", "list"]);
    assert!(clients.lines().count() <= 4 + 4 + 1, "{clients}");
}
