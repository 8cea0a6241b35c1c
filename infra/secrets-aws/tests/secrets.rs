//! Secrets out of Moto, and out of a service that refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use autopr_core::clock::Clock;
use autopr_core::secrets::{Address, Reference, Values};
use autopr_core::yaml::Diagnostic;
use autopr_secrets_aws::{Cached, SecretsManager};
use autopr_services::{Fault, FaultProxy, Moto};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_secretsmanager::primitives::Blob;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use insta::assert_snapshot;
use jiff::Timestamp;
use secrecy::ExposeSecret;

const DATABASE: &str =
    r#"{"username":"autopr_admin","password":"hunter2","host":"db","port":5432,"database":"autopr","nothing":null}"#;

const TTL: Duration = Duration::from_secs(300);

fn client(endpoint: &str) -> Client {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint)
        .build();
    Client::from_conf(config)
}

async fn create(client: &Client, name: &str, text: &str) -> String {
    client.create_secret().name(name).secret_string(text).send().await.unwrap().arn.unwrap()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap().unwrap()
}

/// The references of a variable `FIRST`, `SECOND` and so on for each address.
fn references(addresses: &[&str]) -> Vec<Reference> {
    let reference = |(index, text): (usize, &&str)| Reference {
        address: address(text),
        setting: format!("setting.{index}"),
        origin: format!("environment variable V{index}"),
    };
    addresses.iter().enumerate().map(reference).collect()
}

fn value<'v>(values: &'v Values, text: &str) -> &'v str {
    values.get(&address(text)).expect("a value").expose_secret()
}

fn told(mistakes: &[Diagnostic]) -> String {
    mistakes.iter().map(|mistake| format!("{mistake}\n")).collect()
}

#[tokio::test]
async fn secrets_are_had_by_name_and_resource_name_whole_and_by_key() {
    let moto = Moto::start();
    let client = client(&moto.endpoint());
    create(&client, "autopr/prod/database", DATABASE).await;
    let url = "postgresql://autopr:hunter2@db/autopr";
    let arn = create(&client, "autopr/prod/url", url).await;
    let by_arn = format!("aws-sm://{arn}");
    let addresses = [
        "aws-sm://autopr/prod/database",
        "aws-sm://autopr/prod/database#password",
        "aws-sm://autopr/prod/database#port",
        "aws-sm://autopr/prod/url",
        &by_arn,
    ];
    let values = SecretsManager::new(client).fetch(&references(&addresses)).await.unwrap();
    assert_eq!(addresses.map(|text| value(&values, text)), [DATABASE, "hunter2", "5432", url, url]);
}

#[tokio::test]
async fn every_mistake_is_told_at_once_with_the_setting_the_secret_and_the_fix() {
    let moto = Moto::start();
    let client = client(&moto.endpoint());
    create(&client, "autopr/prod/database", DATABASE).await;
    create(&client, "autopr/prod/word", "hunter2").await;
    client.create_secret().name("autopr/prod/binary").secret_binary(Blob::new(*b"hunter2")).send().await.unwrap();
    let references = references(&[
        "aws-sm://autopr/prod/missing",
        "aws-sm://autopr/prod/database#url",
        "aws-sm://autopr/prod/database#nothing",
        "aws-sm://autopr/prod/word#key",
        "aws-sm://autopr/prod/binary",
        "aws-sm://arn:aws:secretsmanager:us-east-1:123456789012:secret:autopr/prod/word-AbCdEf",
        "aws-sm://autopr/prod/word",
    ]);
    let mistakes = SecretsManager::new(client).fetch(&references).await.unwrap_err();
    assert!(!format!("{mistakes:?}").contains("hunter2"));
    assert_snapshot!(told(&mistakes), @"
    environment variable V0: setting.0: there is no secret autopr/prod/missing in eu-west-1; create it there, or correct its name or the region (AWS_REGION)
    environment variable V1: setting.1: the secret autopr/prod/database has no key `url`; add the key to the secret, or name one that it has
    environment variable V2: setting.2: the secret autopr/prod/database has no key `nothing`; add the key to the secret, or name one that it has
    environment variable V3: setting.3: the secret autopr/prod/word is not a JSON object, so that it has no key `key`; leave out #key, or keep a JSON object in the secret
    environment variable V4: setting.4: the secret autopr/prod/binary is binary; keep it as text
    environment variable V5: setting.5: the secret arn:aws:secretsmanager:us-east-1:123456789012:secret:autopr/prod/word-AbCdEf lies in us-east-1, and eu-west-1 is asked; set AWS_REGION to us-east-1, or replicate the secret and name the replica
    ");
}

#[tokio::test]
async fn a_region_without_the_secret_is_named() {
    let moto = Moto::start();
    create(&client(&moto.endpoint()), "autopr/prod/word", "hunter2").await;
    let config = client(&moto.endpoint()).config().to_builder().region(Region::new("eu-central-1")).build();
    let manager = SecretsManager::new(Client::from_conf(config));
    let mistakes = manager.fetch(&references(&["aws-sm://autopr/prod/word"])).await.unwrap_err();
    assert_snapshot!(told(&mistakes), @"environment variable V0: setting.0: there is no secret autopr/prod/word in eu-central-1; create it there, or correct its name or the region (AWS_REGION)");
}

/// A service that answers everything with that error and counts how often it was asked.
async fn refusing(status: StatusCode, code: &'static str) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let answer = move |State(asked): State<Arc<AtomicUsize>>| async move {
        asked.fetch_add(1, Ordering::SeqCst);
        (
            status,
            [("content-type", "application/x-amz-json-1.1")],
            format!(r#"{{"__type":"{code}","Message":"hunter2"}}"#),
        )
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(asked.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (endpoint, asked)
}

#[tokio::test]
async fn what_the_service_refuses_is_told_with_the_permission_that_is_missing() {
    let mut lines = String::new();
    for (status, code, times) in [
        (400, "AccessDeniedException", 1),
        (400, "DecryptionFailure", 1),
        (400, "InvalidRequestException", 1),
        (400, "UnrecognizedClientException", 1),
        (400, "the words of a secret", 1),
        (500, "InternalServiceError", 3),
    ] {
        let (endpoint, asked) = refusing(StatusCode::from_u16(status).unwrap(), code).await;
        let manager = SecretsManager::new(client(&endpoint));
        let mistakes = manager.fetch(&references(&["aws-sm://autopr/prod/database#url"])).await.unwrap_err();
        assert_eq!(asked.load(Ordering::SeqCst), times, "{code}");
        lines.push_str(&told(&mistakes));
    }
    assert!(!lines.contains("hunter2"));
    assert_snapshot!(lines, @"
    environment variable V0: setting.0: access to the secret autopr/prod/database in eu-west-1 is denied; allow secretsmanager:GetSecretValue on it to the role this runs as, and kms:Decrypt on its key if that is one of yours
    environment variable V0: setting.0: the secret autopr/prod/database in eu-west-1 can't be decrypted; allow kms:Decrypt on its key to the role this runs as, and see that the key is enabled
    environment variable V0: setting.0: the secret autopr/prod/database in eu-west-1 has no value now; restore it if it is marked for deletion, or give it a value
    environment variable V0: setting.0: the secret autopr/prod/database can't be read: AWS does not accept the credentials in eu-west-1; check the credentials, the clock and the region
    environment variable V0: setting.0: the secret autopr/prod/database in eu-west-1 can't be read: no error code (HTTP 400); look the code up in the reference of GetSecretValue; HTTP 5xx passes by itself
    environment variable V0: setting.0: the secret autopr/prod/database in eu-west-1 can't be read: InternalServiceError (HTTP 500); look the code up in the reference of GetSecretValue; HTTP 5xx passes by itself
    ");
}

#[tokio::test]
async fn a_secret_is_asked_for_once_however_many_settings_name_it() {
    let (endpoint, asked) = refusing(StatusCode::BAD_REQUEST, "ResourceNotFoundException").await;
    let addresses = ["aws-sm://a#x", "aws-sm://a#y", "aws-sm://a", "aws-sm://b"];
    let mistakes = SecretsManager::new(client(&endpoint)).fetch(&references(&addresses)).await.unwrap_err();
    assert_eq!((mistakes.len(), asked.load(Ordering::SeqCst)), (4, 2));
}

#[tokio::test]
async fn a_service_that_nobody_reaches_is_told_with_the_region() {
    let nobody = format!("http://127.0.0.1:{}", autopr_services::free_port());
    let manager = SecretsManager::new(client(&nobody));
    let mistakes = manager.fetch(&references(&["aws-sm://autopr/prod/database"])).await.unwrap_err();
    assert_snapshot!(told(&mistakes), @"environment variable V0: setting.0: the secret autopr/prod/database can't be asked for: AWS Secrets Manager in eu-west-1 can't be reached; check the region (AWS_REGION), and that this network reaches the service: a VPC needs an endpoint for it, or a way out");
}

#[tokio::test]
async fn without_credentials_or_region_the_message_says_so() {
    let config = || aws_sdk_secretsmanager::Config::builder().behavior_version(BehaviorVersion::latest());
    let none = config().region(Region::new("eu-west-1")).endpoint_url("http://127.0.0.1:9").build();
    let no_region = config().credentials_provider(Credentials::new("test", "test", None, None, "test")).build();
    let mut lines = String::new();
    for config in [none, no_region] {
        let manager = SecretsManager::new(Client::from_conf(config));
        lines.push_str(&told(&manager.fetch(&references(&["aws-sm://a"])).await.unwrap_err()));
    }
    assert_snapshot!(lines, @"
    environment variable V0: setting.0: the secret a can't be asked for: no request could be sent to eu-west-1; run with a role, or with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    environment variable V0: setting.0: the secret a can't be asked for: no region is set; set AWS_REGION
    ");
}

#[tokio::test]
async fn a_rotation_is_seen_after_the_time_to_live_and_an_outage_is_not() {
    let moto = Moto::start();
    let proxy = FaultProxy::start(&moto.address());
    let direct = client(&moto.endpoint());
    create(&direct, "autopr/prod/word", "first").await;
    let clock = Clock::manual(Timestamp::UNIX_EPOCH);
    let Clock::Manual(hands) = &clock else { panic!("a manual clock") };
    let manager = SecretsManager::new(client(&format!("http://{}", proxy.address())));
    let word = "aws-sm://autopr/prod/word";
    let cached = Cached::start(manager, references(&[word]), TTL, clock.clone()).await.unwrap();
    let now = async || {
        let snapshot = cached.current().await;
        (value(&snapshot.values, word).to_owned(), snapshot.version)
    };
    let rotate = async |text: &str| {
        direct.put_secret_value().secret_id("autopr/prod/word").secret_string(text).send().await.unwrap();
    };

    rotate("second").await;
    hands.advance(TTL - Duration::from_secs(1));
    assert_eq!(now().await, ("first".to_owned(), 1), "they are not asked for before their time");
    hands.advance(Duration::from_secs(1));
    assert_eq!(now().await, ("second".to_owned(), 2));
    hands.advance(TTL);
    assert_eq!(now().await, ("second".to_owned(), 2), "nothing has changed");

    rotate("third").await;
    proxy.set(Fault::Refuse);
    hands.advance(TTL);
    assert_eq!(now().await, ("second".to_owned(), 2), "the old ones stay");
    proxy.set(Fault::Pass);
    assert_eq!(now().await, ("second".to_owned(), 2), "the service is left alone for a moment");
    hands.advance(Duration::from_secs(30));
    assert_eq!(now().await, ("third".to_owned(), 3));

    rotate("fourth").await;
    proxy.set(Fault::Blackhole);
    hands.advance(TTL);
    let (waited, ()) = tokio::join!(now(), async { hands.advance(Duration::from_secs(1)) });
    assert_eq!(waited, ("third".to_owned(), 3), "nobody waits for long");
    proxy.set(Fault::Pass);
    hands.advance(TTL);
    assert_eq!(now().await, ("fourth".to_owned(), 4));
}

#[tokio::test]
async fn without_its_secrets_nothing_starts() {
    let moto = Moto::start();
    let manager = SecretsManager::new(client(&moto.endpoint()));
    let clock = Clock::manual(Timestamp::UNIX_EPOCH);
    let started = Cached::start(manager.clone(), references(&["aws-sm://missing"]), TTL, clock.clone()).await;
    assert_eq!(started.err().map(|mistakes| mistakes.len()), Some(1));
    let none = Cached::start(manager, Vec::new(), TTL, clock).await.unwrap();
    assert_eq!(none.current().await.version, 1);
}
