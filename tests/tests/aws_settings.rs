//! From the secrets of the deployment guide to the settings of a process that serves.

use autopr_core::yaml;
use autopr_runtime::settings::{Connection, Format, Needs, Secret, Settings, Source, show};
use autopr_secrets_aws::SecretsManager;
use autopr_services::Moto;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use insta::assert_snapshot;

/// A region with the secrets of the guide; the database's in that shape.
async fn region(moto: &Moto, database: &str) -> SecretsManager {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(moto.endpoint());
    let client = Client::from_conf(config.build());
    for (name, text) in [
        ("autopr/prod/database", database),
        ("autopr/prod/github-token", "ghp_hunter2"),
        ("autopr/prod/openai-api-key", "sk-hunter2"),
        ("autopr/prod/webhook", r#"{"secret":"hunter2"}"#),
    ] {
        client.create_secret().name(name).secret_string(text).send().await.unwrap();
    }
    SecretsManager::new(client)
}

fn source(variables: &[(&str, &str)]) -> (tempfile::TempDir, Source) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("configs")).unwrap();
    let file = "\
environment: production
llm: { providers: { openai: { api_key: aws-sm://autopr/prod/openai-api-key, model: m-1, price: free } } }
";
    std::fs::write(dir.path().join("configs/production.yaml"), file).unwrap();
    let variables = [&[("AUTOPR_ENV", "production")], variables].concat();
    let env = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let source = Source { env, dir: dir.path().to_owned(), ..Source::default() };
    (dir, source)
}

#[tokio::test]
async fn both_shapes_of_the_databases_secret_make_settings_that_serve() {
    let object = r#"{
    "username":"autopr_admin",
    "password":"hunter2",
    "host":"autopr-db.example.com",
    "port":5432,
    "database":"autopr"
  }"#;
    let url = "postgresql://autopr_admin:hunter2@autopr-db.example.com:5432/autopr";
    for database in [object, url] {
        let moto = Moto::start();
        let manager = region(&moto, database).await;
        let (_dir, source) = source(&[
            ("DATABASE_URL", "aws-sm://autopr/prod/database"),
            ("GITHUB_TOKEN", "aws-sm://autopr/prod/github-token"),
            ("GITHUB_WEBHOOK_SECRET", "aws-sm://autopr/prod/webhook#secret"),
        ]);
        let values = manager.fetch(&source.references()).await.unwrap();
        let source = source.resolved(&values);
        let loaded = Settings::load_for(&source, Needs::SERVE).unwrap_or_else(|invalid| panic!("{invalid}"));
        let settings = &loaded.settings;
        let Connection::Postgres(connection) = settings.database.connection() else { panic!("PostgreSQL") };
        assert_eq!(connection.expose(), url);
        let secret = |secret: Option<&Secret>| secret.map(|secret| secret.expose().to_owned()).unwrap_or_default();
        assert_eq!(secret(settings.github.token.as_ref()), "ghp_hunter2");
        assert_eq!(secret(settings.github.webhook_secrets.first()), "hunter2");
        assert_eq!(secret(settings.llm.providers["openai"].api_key.as_ref()), "sk-hunter2");
        let shown = format!("{}{source:?}{values:?}", show(&loaded, Format::Table).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn what_is_missing_is_told_before_anything_starts() {
    let moto = Moto::start();
    let manager = region(&moto, "postgresql://u:hunter2@h/d").await;
    let (_dir, source) = source(&[
        ("DATABASE_URL", "aws-sm://autopr/prod/database#url"),
        ("GITHUB_TOKEN", "aws-sm://autopr/prod/githubtoken"),
        ("GITHUB_WEBHOOK_SECRET", "aws-sm://autopr/prod/webhook#value"),
    ]);
    let mistakes = manager.fetch(&source.references()).await.unwrap_err();
    assert_snapshot!(yaml::render(&mistakes, |_| None), @"
    database.url: the secret autopr/prod/database is not a JSON object, so that it has no key `url`
     --> environment variable DATABASE_URL
      = fix: leave out #url, or keep a JSON object in the secret

    github.token: there is no secret autopr/prod/githubtoken in us-east-1
     --> environment variable GITHUB_TOKEN
      = fix: create it there, or correct its name or the region (AWS_REGION)

    github.webhook_secrets: the secret autopr/prod/webhook has no key `value`
     --> environment variable GITHUB_WEBHOOK_SECRET
      = fix: add the key to the secret, or name one that it has
    ");
    // Somewhere else than on AWS.
    let invalid = Settings::load_for(&source, Needs::SERVE).unwrap_err();
    assert_snapshot!(invalid.mistakes.iter().map(|mistake| format!("{mistake}\n")).collect::<String>(), @"
    configs/production.yaml:2:40: llm.providers.openai.api_key: aws-sm://autopr/prod/openai-api-key names a secret of AWS Secrets Manager, which this program does not read; set the value itself, or mount it as a file and name that with NAME_FILE
    environment variable DATABASE_URL: database.url: aws-sm://autopr/prod/database#url names a secret of AWS Secrets Manager, which this program does not read; set the value itself, or mount it as a file and name that with NAME_FILE
    environment variable GITHUB_TOKEN: github.token: aws-sm://autopr/prod/githubtoken names a secret of AWS Secrets Manager, which this program does not read; set the value itself, or mount it as a file and name that with NAME_FILE
    environment variable GITHUB_WEBHOOK_SECRET: github.webhook_secrets: aws-sm://autopr/prod/webhook#value names a secret of AWS Secrets Manager, which this program does not read; set the value itself, or mount it as a file and name that with NAME_FILE
    ");
}
