//! A limit that one request ran into is kept to by all that ask as the same one.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::Clock;
use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ports::{Cache, Forge};
use autopr_core::testkit::{MemoryCache, sample};
use autopr_github::GitHub;
use serde_json::json;

use crate::server::{Server, installed, pull, pull_json, reply, settings, target, with};

/// A GitHub whose allowance of the hour is used up at the first request.
async fn used_up() -> Server {
    let first = std::sync::atomic::AtomicBool::new(true);
    Server::start(move |_| {
        if first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            let headers = [("retry-after", "600"), ("x-ratelimit-remaining", "0")];
            return with(403, &headers, json!({ "message": "API rate limit exceeded" }).to_string());
        }
        reply(200, pull_json('a'))
    })
    .await
}

fn forge(server: &Server, clock: &Clock, cache: Arc<dyn Cache>) -> GitHub {
    GitHub::with_clock(settings(&server.url), clock.clone()).unwrap().with_cache(cache)
}

async fn refused(forge: &GitHub) -> u64 {
    let fault = forge.pull_request(&target()).await.unwrap_err();
    let (FaultKind::Limited, Retry::After(wait)) = (fault.kind, fault.retry) else { panic!("{fault}") };
    wait.as_secs()
}

#[tokio::test]
async fn nobody_asks_until_the_time_has_come() {
    let (server, clock) = (used_up().await, Clock::manual(sample::start()));
    let cache = Arc::new(MemoryCache::new(clock.clone()));
    let (one, two) = (forge(&server, &clock, cache.clone()), forge(&server, &clock, cache));
    assert_eq!(refused(&one).await, 600);
    clock.sleep(Duration::from_secs(100)).await;
    assert_eq!((refused(&one).await, refused(&two).await), (500, 500), "this process, and another");
    assert_eq!(server.asked().len(), 1);
    two.pull_request(&installed(5)).await.unwrap();
    assert_eq!(server.asked().len(), 2, "another installation has an allowance of its own");
    clock.sleep(Duration::from_secs(500)).await;
    assert_eq!(one.pull_request(&target()).await.unwrap(), pull('a'));
    assert_eq!(two.pull_request(&target()).await.unwrap(), pull('a'));
}

#[tokio::test]
async fn what_is_lost_or_wrong_in_the_cache_costs_requests_and_nothing_else() {
    for wrong in [None, Some("garbage"), Some("9999-01-01T00:00:00Z"), Some("1970-01-01T00:00:00Z")] {
        let (server, clock) = (used_up().await, Clock::manual(sample::start()));
        let cache = Arc::new(MemoryCache::new(clock.clone()));
        let (one, two) = (forge(&server, &clock, cache.clone()), forge(&server, &clock, cache.clone()));
        assert_eq!(refused(&one).await, 600);
        match wrong {
            None => cache.clear(),
            Some(wrong) => cache.spoil(wrong.as_bytes()),
        }
        assert_eq!(two.pull_request(&target()).await.unwrap(), pull('a'), "{wrong:?}");
        assert_eq!(refused(&one).await, 600, "what a process was told itself it does not forget");
        assert_eq!(server.asked().len(), 2);
    }
}
