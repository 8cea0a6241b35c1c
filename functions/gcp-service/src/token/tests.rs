//! Tokens that are trusted, and all the others.

use autopr_fakes::google::FakeGoogle;
use serde_json::{Value, json};

use super::*;
use crate::keys::Keys;

const AUDIENCE: &str = "https://gcp-service-xyz.a.run.app";
const ACCOUNT: &str = "pusher@acme-prod.iam.gserviceaccount.com";

fn wanted() -> Wanted {
    Wanted { audience: AUDIENCE.to_owned(), service_account: ACCOUNT.to_owned() }
}

/// What is said of tokens whose claims were changed.
struct Judge {
    google: FakeGoogle,
    key: DecodingKey,
}

impl Judge {
    async fn new() -> Self {
        let google = FakeGoogle::start();
        let key = Keys::new(google.keys_url()).unwrap().get("key-1").await.unwrap();
        Self { google, key }
    }

    fn judge(&self, change: impl FnOnce(&mut Value)) -> Result<(), Untrusted> {
        let mut claims = FakeGoogle::claims(AUDIENCE, ACCOUNT);
        change(&mut claims);
        check(&self.google.sign(&claims), &self.key, &wanted(), Timestamp::now())
    }
}

#[tokio::test]
async fn only_what_google_says_of_that_account_to_us_is_trusted() {
    let judge = Judge::new().await;
    assert_eq!(judge.judge(|_| {}), Ok(()));
    assert_eq!(judge.judge(|claims| claims["iss"] = json!("accounts.google.com")), Ok(()));
    let one = |name: &'static str, value: Value| judge.judge(move |claims| claims[name] = value);
    assert_eq!(one("iss", json!("https://accounts.google.com.example.com")), Err(Untrusted::Issuer));
    assert_eq!(one("iss", json!("https://securetoken.google.com/acme")), Err(Untrusted::Issuer));
    assert_eq!(one("aud", json!("https://other.a.run.app")), Err(Untrusted::Audience));
    assert_eq!(one("aud", json!(format!("{AUDIENCE}/"))), Err(Untrusted::Audience));
    // Google's tokens are for one audience.
    assert_eq!(one("aud", json!([AUDIENCE, "https://other.a.run.app"])), Err(Untrusted::Signature));
    assert_eq!(one("email", json!("other@acme-prod.iam.gserviceaccount.com")), Err(Untrusted::Account));
    assert_eq!(one("email_verified", json!(false)), Err(Untrusted::Account));
    for name in ["iss", "aud", "exp", "iat", "email", "email_verified"] {
        let removed = judge.judge(|claims| drop(claims.as_object_mut().unwrap().remove(name)));
        assert_eq!(removed, Err(Untrusted::Signature), "{name}");
    }
}

#[tokio::test]
async fn a_token_holds_from_its_beginning_to_its_end_give_or_take_half_a_minute() {
    let judge = Judge::new().await;
    let now = Timestamp::now();
    let token = judge.google.sign(&FakeGoogle::claims(AUDIENCE, ACCOUNT));
    let at = |seconds: i64| {
        let when = Timestamp::from_second(now.as_second() + seconds).unwrap();
        check(&token, &judge.key, &wanted(), when)
    };
    assert_eq!(at(-60), Err(Untrusted::Early));
    assert_eq!(at(-20), Ok(()));
    assert_eq!(at(3600 + 20), Ok(()));
    assert_eq!(at(3600 + 60), Err(Untrusted::Expired));
}

#[tokio::test]
async fn a_signature_of_anybody_else_is_none() {
    let (judge, other) = (Judge::new().await, FakeGoogle::start());
    let claims = FakeGoogle::claims(AUDIENCE, ACCOUNT);
    let judged = |token: &str| check(token, &judge.key, &wanted(), Timestamp::now());
    // The same name of a key, and another key.
    assert_eq!(judged(&other.sign(&claims)), Err(Untrusted::Signature));
    let good = judge.google.sign(&claims);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (_, others) = other.sign(&claims).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    for signature in ["", "AAAA", &others] {
        assert_eq!(judged(&format!("{signed}.{signature}")), Err(Untrusted::Signature), "{signature}");
    }
}

#[tokio::test]
async fn the_algorithm_is_not_the_tokens_to_choose() {
    let judge = Judge::new().await;
    let claims = FakeGoogle::claims(AUDIENCE, ACCOUNT);
    for algorithm in ["none", "None", "HS256", "RS384", "RS512", "PS256", "ES256", "EdDSA"] {
        let token = judge.google.sign_as(&json!({ "alg": algorithm, "kid": "key-1" }), &claims);
        assert_eq!(key_of(&token), Err(Untrusted::Malformed), "{algorithm}");
        assert_eq!(check(&token, &judge.key, &wanted(), Timestamp::now()), Err(Untrusted::Signature), "{algorithm}");
    }
}

#[test]
fn what_names_no_key_is_no_token() {
    let google = FakeGoogle::start();
    let claims = FakeGoogle::claims(AUDIENCE, ACCOUNT);
    assert_eq!(key_of(&google.sign(&claims)), Ok("key-1".to_owned()));
    for bad in ["", "a.b.c", "e30.e30.", &google.sign_as(&json!({ "alg": "RS256" }), &claims)] {
        assert_eq!(key_of(bad), Err(Untrusted::Malformed), "{bad}");
    }
}
