//! Keys that are fetched, kept and fetched again.

use autopr_fakes::google::FakeGoogle;
use reqwest::header::HeaderValue;

use super::*;

/// Lets time pass without waiting for it.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_after_their_time() {
    let google = FakeGoogle::start();
    google.keep_for(600);
    let keys = Keys::new(google.keys_url()).unwrap();
    assert_eq!(google.fetches(), 0);
    for _ in 0..5 {
        assert!(keys.get("key-1").await.is_ok());
    }
    assert_eq!(google.fetches(), 1);
    pass(Duration::from_secs(300)).await;
    assert!(keys.get("key-1").await.is_ok());
    assert_eq!(google.fetches(), 1);
    pass(Duration::from_secs(301)).await;
    assert!(keys.get("key-1").await.is_ok());
    assert_eq!(google.fetches(), 2);
}

#[tokio::test]
async fn a_key_that_has_changed_is_fetched_at_its_first_token() {
    let google = FakeGoogle::start();
    let keys = Keys::new(google.keys_url()).unwrap();
    assert!(keys.get("key-1").await.is_ok());
    google.rename_key("key-2");
    pass(PAUSE).await;
    assert!(keys.get("key-2").await.is_ok());
    assert_eq!(google.fetches(), 2);
    // The old one is gone with that.
    assert_eq!(keys.get("key-1").await.err(), Some(NoKey::Unknown));
}

#[tokio::test]
async fn unknown_names_do_not_have_the_keys_fetched_each_time() {
    let google = FakeGoogle::start();
    let keys = Keys::new(google.keys_url()).unwrap();
    assert!(keys.get("key-1").await.is_ok());
    for index in 0..50 {
        assert_eq!(keys.get(&format!("made-up-{index}")).await.err(), Some(NoKey::Unknown));
    }
    assert_eq!(google.fetches(), 1);
    pass(PAUSE).await;
    for index in 0..50 {
        assert_eq!(keys.get(&format!("made-up-{index}")).await.err(), Some(NoKey::Unknown));
    }
    assert_eq!(google.fetches(), 2);
    assert!(keys.get("key-1").await.is_ok());
}

#[tokio::test]
async fn while_their_server_is_down_the_old_keys_hold_for_an_hour() {
    let google = FakeGoogle::start();
    google.keep_for(60);
    let keys = Keys::new(google.keys_url()).unwrap();
    google.is_down(true);
    assert_eq!(keys.get("key-1").await.err(), Some(NoKey::Unavailable));
    assert_eq!(keys.get("key-1").await.err(), Some(NoKey::Unavailable));
    assert_eq!(google.fetches(), 1);
    google.is_down(false);
    pass(PAUSE).await;
    assert!(keys.get("key-1").await.is_ok());
    google.is_down(true);
    pass(Duration::from_secs(61)).await;
    assert!(keys.get("key-1").await.is_ok());
    // Whether this one is Google's can't be told.
    assert_eq!(keys.get("key-2").await.err(), Some(NoKey::Unavailable));
    pass(STALE).await;
    assert_eq!(keys.get("key-1").await.err(), Some(NoKey::Unavailable));
}

#[tokio::test]
async fn a_key_of_another_kind_is_none() {
    let google = FakeGoogle::start();
    let keys = Keys::new(google.keys_url()).unwrap();
    assert_eq!(keys.get("other").await.err(), Some(NoKey::Unknown));
}

#[test]
fn an_answer_says_how_long_it_may_be_kept() {
    let check = |cache_control: &str, age: &str, expect: u64| {
        let mut headers = HeaderMap::new();
        for (name, text) in [(CACHE_CONTROL, cache_control), (AGE, age)] {
            if !text.is_empty() {
                headers.insert(name, HeaderValue::from_str(text).unwrap());
            }
        }
        assert_eq!(kept(&headers), Duration::from_secs(expect), "{cache_control} {age}");
    };
    check("public, max-age=19800, must-revalidate, no-transform", "", 19_800);
    check("public, max-age=19800, must-revalidate, no-transform", "800", 19_000);
    check("Max-Age=60", "", 60);
    check("max-age=\"60\"", "", 60);
    check("", "", 3600);
    check("no-cache", "", 3600);
    check("max-age=soon", "", 3600);
    check("max-age=0", "", 10);
    check("max-age=60", "600", 10);
    check("max-age=99999999", "", 86_400);
}
