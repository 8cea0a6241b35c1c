//! The contract of [`Cache`] as a test: every implementation runs all of it.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ports::Cache;

/// Long enough for every test.
const LONG: Duration = Duration::from_secs(600);

/// Runs the whole contract against caches made by `fresh`, each empty. Returns how many parts there were.
pub async fn run<C, F>(fresh: impl Fn() -> F) -> usize
where
    C: Cache + 'static,
    F: Future<Output = C>,
{
    values_come_back_as_they_were(&fresh().await).await;
    keys_are_told_apart(&fresh().await).await;
    what_is_newer_takes_the_place(&fresh().await).await;
    each_value_has_its_time(&fresh().await).await;
    a_value_is_whole_while_many_write(Arc::new(fresh().await)).await;
    5
}

async fn values_come_back_as_they_were<C: Cache>(cache: &C) {
    assert_eq!(cache.get("k:absent").await, None);
    let large = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
    for value in [Vec::new(), b"\0".to_vec(), b"text\r\n".to_vec(), vec![0xff; 300], large] {
        cache.put("k:one", value.clone(), LONG).await;
        assert!(cache.get("k:one").await.as_ref() == Some(&value), "{} bytes", value.len());
    }
    cache.put("k:ever", b"v".to_vec(), Duration::MAX).await;
    assert_eq!(cache.get("k:ever").await.as_deref(), Some(&b"v"[..]));
}

async fn keys_are_told_apart<C: Cache>(cache: &C) {
    let long = "x".repeat(10_000);
    let keys = [
        String::new(),
        ":".to_owned(),
        "k:a".to_owned(),
        "k:a ".to_owned(),
        "k:a\n".to_owned(),
        "k:A".to_owned(),
        "k:ä".to_owned(),
        "k:{a}".to_owned(),
        "k:a\0b".to_owned(),
        "l:a".to_owned(),
        format!("k:{long}a"),
        format!("k:{long}b"),
        format!("k:{long}"),
    ];
    for key in &keys {
        cache.put(key, format!("value of {key}").into_bytes(), LONG).await;
    }
    for key in &keys {
        let value = cache.get(key).await.expect("it was put");
        assert!(value == format!("value of {key}").as_bytes(), "{} bytes of key", key.len());
    }
    cache.remove(&keys[2]).await;
    for key in &keys {
        assert_eq!(cache.get(key).await.is_some(), *key != keys[2], "{} bytes of key", key.len());
    }
}

async fn what_is_newer_takes_the_place<C: Cache>(cache: &C) {
    cache.remove("k:one").await;
    cache.put("k:one", b"first".to_vec(), LONG).await;
    cache.put("k:one", b"second".to_vec(), LONG).await;
    assert_eq!(cache.get("k:one").await.as_deref(), Some(&b"second"[..]));
    cache.remove("k:one").await;
    assert_eq!(cache.get("k:one").await, None);
    cache.put("k:one", b"third".to_vec(), LONG).await;
    assert_eq!(cache.get("k:one").await.as_deref(), Some(&b"third"[..]));
}

async fn each_value_has_its_time<C: Cache>(cache: &C) {
    let short = Duration::from_millis(30);
    cache.put("k:short", b"v".to_vec(), short).await;
    cache.put("k:long", b"v".to_vec(), LONG).await;
    cache.put("k:longer", b"v".to_vec(), short).await;
    cache.put("k:longer", b"v".to_vec(), LONG).await;
    cache.put("k:shorter", b"v".to_vec(), LONG).await;
    cache.put("k:shorter", b"v".to_vec(), short).await;
    cache.put("k:none", b"v".to_vec(), LONG).await;
    cache.put("k:none", b"v".to_vec(), Duration::ZERO).await;
    assert_eq!(cache.get("k:none").await, None, "neither the value of no time nor the one before it");
    let begun = Instant::now();
    while cache.get("k:short").await.is_some() || cache.get("k:shorter").await.is_some() {
        assert!(begun.elapsed() < Duration::from_secs(10), "values outlive their time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(cache.get("k:long").await.is_some() && cache.get("k:longer").await.is_some());
}

async fn a_value_is_whole_while_many_write<C: Cache + 'static>(cache: Arc<C>) {
    let tasks: Vec<_> = (0..16_u8)
        .map(|writer| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move {
                for round in 0..20_usize {
                    cache.put("k:one", vec![writer; 1000 + round], LONG).await;
                    let value = cache.get("k:one").await.expect("nobody removes it");
                    assert!(value.len() >= 1000 && value.iter().all(|byte| *byte == value[0]));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a writer");
    }
}
