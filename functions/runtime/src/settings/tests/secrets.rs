//! What an operator sees who keeps values in AWS Secrets Manager.

use autopr_core::secrets::{Address, Values};
use insta::assert_snapshot;

use super::super::*;
use super::Given;

/// The secrets of an installation, by their addresses.
fn given_secrets(secrets: &[(&str, &str)]) -> Values {
    let mut values = Values::default();
    for (address, value) in secrets {
        values.insert(Address::parse(address).unwrap().unwrap(), (*value).into());
    }
    values
}

/// Every setting that names a secret, as `setting < origin: address`.
fn references(given: &Given) -> String {
    let mut lines: Vec<_> = given
        .source
        .references()
        .iter()
        .map(|reference| format!("{} < {}: {}\n", reference.setting, reference.origin, reference.address))
        .collect();
    lines.sort();
    lines.concat()
}

fn resolved(mut given: Given, secrets: &[(&str, &str)]) -> Given {
    given.source = given.source.resolved(&given_secrets(secrets));
    given
}

/// The lines of `config show` whose values come out of secrets.
fn shown(loaded: &Loaded) -> String {
    let table = show(loaded, Format::Table).unwrap();
    let lines = table.lines().filter(|line| line.contains("aws-sm://"));
    lines.map(|line| format!("{}\n", line.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
}

const FILE: &str = "\
database: { url: \"aws-sm://autopr/prod/database\" }
github:
  app: { id: aws-sm://autopr/app#id, private_key: aws-sm://autopr/app#key }
  webhook_secrets: [aws-sm://autopr/hook, older]
llm: { providers: { openai: { api_key: aws-sm://autopr/prod/openai-api-key } } }
";

#[test]
fn settings_of_the_environment_and_of_the_file_name_secrets() {
    let given = Given::env(&[
        ("REDIS_URL", "aws-sm://autopr/redis#url"),
        ("GITHUB_WEBHOOK_SECRET", "aws-sm://autopr/hook#new, aws-sm://autopr/hook#old"),
        ("AUTOPR_API_KEYS", "ci=aws-sm://autopr/keys#ci,ops=typed"),
        ("GITHUB_TOKEN_FILE", "token"),
        ("AUTOPR_HOST", "127.0.0.1"),
    ])
    .file("token", "aws-sm://autopr/prod/github-token\n")
    .file("configs/development.yaml", FILE);
    // What the environment takes the place of is not fetched.
    assert_snapshot!(references(&given), @r"
    database.url < configs/development.yaml:1:18: aws-sm://autopr/prod/database
    github.app.id < configs/development.yaml:3:14: aws-sm://autopr/app#id
    github.app.private_key < configs/development.yaml:3:51: aws-sm://autopr/app#key
    github.token < environment variable GITHUB_TOKEN_FILE, file token: aws-sm://autopr/prod/github-token
    github.webhook_secrets < environment variable GITHUB_WEBHOOK_SECRET: aws-sm://autopr/hook#new
    github.webhook_secrets < environment variable GITHUB_WEBHOOK_SECRET: aws-sm://autopr/hook#old
    llm.providers.openai.api_key < configs/development.yaml:5:40: aws-sm://autopr/prod/openai-api-key
    redis.url < environment variable REDIS_URL: aws-sm://autopr/redis#url
    server.api_keys < environment variable AUTOPR_API_KEYS: aws-sm://autopr/keys#ci
    ");
    let given = resolved(
        given,
        &[
            (
                "aws-sm://autopr/prod/database",
                r#"{"username":"autopr_admin","password":"hunter2","host":"db","port":5432,"database":"autopr"}"#,
            ),
            ("aws-sm://autopr/app#id", "17"),
            ("aws-sm://autopr/app#key", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"),
            ("aws-sm://autopr/prod/github-token", "hunter2\n"),
            ("aws-sm://autopr/hook#new", "hunter2"),
            ("aws-sm://autopr/hook#old", "hunter3"),
            ("aws-sm://autopr/prod/openai-api-key", "hunter2"),
            ("aws-sm://autopr/redis#url", "rediss://:hunter2@cache:6379/0"),
            ("aws-sm://autopr/keys#ci", "hunter2=="),
        ],
    );
    let loaded = given.load();
    let settings = &loaded.settings;
    let Connection::Postgres(url) = settings.database.connection() else { panic!("PostgreSQL") };
    assert_eq!(url.expose(), "postgresql://autopr_admin:hunter2@db:5432/autopr");
    assert_eq!(settings.github.app.id, Some(17));
    assert_eq!(settings.github.token.as_ref().unwrap().expose(), "hunter2");
    let secrets: Vec<_> = settings.github.webhook_secrets.iter().map(Secret::expose).collect();
    assert_eq!(secrets, ["hunter2", "hunter3"]);
    let keys: Vec<_> = settings.server.api_keys.iter().map(|(name, key)| (&**name, key.expose())).collect();
    assert_eq!(keys, [("ci", "hunter2=="), ("ops", "typed")]);
    assert_snapshot!(shown(&loaded), @"
    database.host ******** configs/development.yaml:1:18 (aws-sm://autopr/prod/database)
    database.name ******** configs/development.yaml:1:18 (aws-sm://autopr/prod/database)
    database.password ******** configs/development.yaml:1:18 (aws-sm://autopr/prod/database)
    database.port ******** configs/development.yaml:1:18 (aws-sm://autopr/prod/database)
    database.username ******** configs/development.yaml:1:18 (aws-sm://autopr/prod/database)
    github.app.id ******** configs/development.yaml:3:14 (aws-sm://autopr/app#id)
    github.app.private_key ******** configs/development.yaml:3:51 (aws-sm://autopr/app#key)
    github.token ******** environment variable GITHUB_TOKEN_FILE, file token (aws-sm://autopr/prod/github-token)
    github.webhook_secrets [********, ********] environment variable GITHUB_WEBHOOK_SECRET (aws-sm://autopr/hook#new, aws-sm://autopr/hook#old)
    llm.providers.openai.api_key ******** configs/development.yaml:5:40 (aws-sm://autopr/prod/openai-api-key)
    redis.url rediss://:********@cache:6379/0 environment variable REDIS_URL (aws-sm://autopr/redis#url)
    server.api_keys.ci ******** environment variable AUTOPR_API_KEYS (aws-sm://autopr/keys#ci)
    server.api_keys.ops ******** environment variable AUTOPR_API_KEYS (aws-sm://autopr/keys#ci)
    ");
    let json = show(&loaded, Format::Json).unwrap();
    assert!(json.contains(r#""address": "aws-sm://autopr/redis#url""#), "{json}");
    let all = format!("{json}{:?}", given.source);
    assert!(!all.contains("hunter"), "{all}");
    assert_snapshot!(check(&given.source).text, @"settings are valid: development, from configs/development.yaml and 5 environment variables");
}

#[test]
fn a_list_in_the_file_may_name_some() {
    let file = "github: { webhook_secrets: [aws-sm://autopr/hook, older] }\n";
    let given = Given::env(&[]).file("configs/development.yaml", file);
    assert_snapshot!(references(&given), @"github.webhook_secrets[0] < configs/development.yaml:1:11: aws-sm://autopr/hook");
    let loaded = resolved(given, &[("aws-sm://autopr/hook", "newer")]).load();
    let secrets: Vec<_> = loaded.settings.github.webhook_secrets.iter().map(Secret::expose).collect();
    assert_eq!(secrets, ["newer", "older"]);
}

#[test]
fn the_database_comes_out_of_both_shapes_of_a_secret_and_out_of_single_keys() {
    let connection = |given: Given, secrets: &[(&str, &str)]| {
        let loaded = resolved(given, secrets).load();
        match loaded.settings.database.connection() {
            Connection::Sqlite(path) => path.display().to_string(),
            Connection::Postgres(url) => url.expose().to_owned(),
        }
    };
    let env = || Given::env(&[("DATABASE_URL", "aws-sm://db")]);
    assert_eq!(connection(env(), &[("aws-sm://db", "postgresql://u:p@h/d\n")]), "postgresql://u:p@h/d");
    let object = r#"{"username":"u","password":"p@","engine":"postgres","host":"h","port":"5433","dbname":"d"}"#;
    assert_eq!(connection(env(), &[("aws-sm://db", object)]), "postgresql://u:p%40@h:5433/d");
    let below = "database: { url: \"sqlite://below.db\" }\n";
    assert_eq!(
        connection(env().file("configs/development.yaml", below), &[("aws-sm://db", object)]),
        "postgresql://u:p%40@h:5433/d"
    );
    let file = |text: &str| Given::env(&[]).file("configs/development.yaml", text);
    assert_eq!(
        connection(file("database: { url: aws-sm://db }\n"), &[("aws-sm://db", object)]),
        "postgresql://u:p%40@h:5433/d"
    );
    // What the service keeps for a database it manages has no more than these two.
    let parts = "\
database: { host: h, name: d, username: \"aws-sm://rds!db-1#username\", password: \"aws-sm://rds!db-1#password\" }
";
    assert_eq!(
        connection(file(parts), &[("aws-sm://rds!db-1#username", "u"), ("aws-sm://rds!db-1#password", "p")]),
        "postgresql://u:p@h:5432/d"
    );
    // The environment counts more, and then the secret is not needed.
    let given = Given::env(&[("DATABASE_URL", "sqlite://mine.db")]).file("configs/development.yaml", parts);
    assert_eq!(references(&given), "");
    assert_eq!(connection(given, &[]), "mine.db");
}

#[test]
fn a_secret_that_nobody_fetched_is_a_mistake_that_names_the_setting() {
    let given = Given::env(&[
        ("GITHUB_TOKEN", "aws-sm://autopr/prod/github-token"),
        ("REDIS_URL", "aws-sm://"),
        ("GITHUB_WEBHOOK_SECRET", "new,aws-sm://old#"),
    ])
    .file("configs/development.yaml", FILE);
    assert_snapshot!(given.mistakes(), @"
    configs/development.yaml:1:18: database.url: aws-sm://autopr/prod/database names a secret of AWS Secrets Manager, which this program does not read; set the value itself, or mount it as a file and name that with NAME_FILE
    configs/development.yaml:3:14: github.app.id: aws-sm://autopr/app#id names a secret of AWS Secrets Manager, which this program does not read; set the value itself, or mount it as a file and name that with NAME_FILE
    configs/development.yaml:3:51: github.app.private_key: aws-sm://autopr/app#key names a secret of AWS Secrets Manager, which this program does not read; set the value itself, or mount it as a file and name that with NAME_FILE
    configs/development.yaml:5:40: llm.providers.openai.api_key: aws-sm://autopr/prod/openai-api-key names a secret of AWS Secrets Manager, which this program does not read; set the value itself, or mount it as a file and name that with NAME_FILE
    environment variable REDIS_URL: redis.url: 9 characters that begin like a secret's address are none: the secret's name is missing; write aws-sm://NAME, or aws-sm://NAME#KEY when the secret is a JSON object
    environment variable GITHUB_TOKEN: github.token: aws-sm://autopr/prod/github-token names a secret of AWS Secrets Manager, which this program does not read; set the value itself, or mount it as a file and name that with NAME_FILE
    environment variable GITHUB_WEBHOOK_SECRET: github.webhook_secrets: 13 characters that begin like a secret's address are none: nothing follows the #; write aws-sm://NAME, or aws-sm://NAME#KEY when the secret is a JSON object
    ");
}

#[test]
fn what_a_secret_holds_is_never_told_by_a_mistake() {
    let given = Given::env(&[
        ("DATABASE_URL", "aws-sm://db"),
        ("GITHUB_TOKEN", "aws-sm://object"),
        ("GITHUB_APP_ID", "aws-sm://word"),
        ("OPENAI_API_KEY", "aws-sm://empty"),
        ("MAX_CONCURRENT_WORKFLOWS", "aws-sm://word"),
        ("WORKFLOW_TIMEOUT", "aws-sm://number"),
        ("DEFAULT_LLM_PROVIDER", "aws-sm://word"),
        ("AUTOPR_HOST", "aws-sm://word"),
        ("AUTOPR_LOG_LEVEL", "aws-sm://word"),
        ("AUTOPR_API_KEYS", "aws-sm://word"),
    ])
    .file(
        "configs/development.yaml",
        "redis: { url: aws-sm://word }
llm: { providers: { mine: { kind: aws-sm://word, price: aws-sm://word } } }
server: { port: aws-sm://word }
",
    );
    let object = r#"{"host":"hunter2","port":"hunter2","password":["hunter2"]}"#;
    let given = resolved(
        given,
        &[
            ("aws-sm://db", object),
            ("aws-sm://object", r#"{"token":"hunter2"}"#),
            ("aws-sm://word", "hunter2"),
            ("aws-sm://empty", "\n"),
            ("aws-sm://number", "424242"),
        ],
    );
    let invalid = Settings::load(&given.source).unwrap_err();
    let all = format!("{}{invalid:?}{}", given.mistakes(), check(&given.source).text);
    assert!(!all.contains("hunter") && !all.contains("4242"), "{all}");
    assert_snapshot!(given.mistakes(), @"
    environment variable AUTOPR_API_KEYS (aws-sm://word): server.api_keys: entry 1 has no `=`; write name=key,name=key
    environment variable DATABASE_URL (aws-sm://db): database.url: `password` in the JSON object must be text or a number
    environment variable GITHUB_TOKEN: github.token: aws-sm://object holds a JSON object; name the key that is meant: aws-sm://NAME#KEY
    environment variable OPENAI_API_KEY: llm.providers.openai.api_key: aws-sm://empty is empty; give the secret a value
    configs/development.yaml:1:15 (aws-sm://word): redis.url: the value does not have the expected form; write redis://:PASSWORD@HOST:PORT/NUMBER or rediss://…
    configs/development.yaml:2:35 (aws-sm://word): llm.providers.mine.kind: expected one of `openai`, `anthropic`, `mistral`, `azure_openai`, `gemini`, `ollama`, found text; write one of these
    configs/development.yaml:2:57 (aws-sm://word): llm.providers.mine.price: expected `free`, found text; write free, or input: and output: with US dollars per million tokens
    configs/development.yaml:3:17 (aws-sm://word): server.port: expected a whole number, found text; write a whole number such as 8080
    environment variable AUTOPR_HOST (aws-sm://word): server.host: the value is not an IP address; write an IP address such as 0.0.0.0 or 127.0.0.1
    environment variable AUTOPR_LOG_LEVEL (aws-sm://word): logging.level: the value does not have the expected form; use TRACE, DEBUG, INFO, WARN or ERROR
    environment variable GITHUB_APP_ID (aws-sm://word): github.app.id: expected a whole number, found text; write a whole number
    environment variable MAX_CONCURRENT_WORKFLOWS (aws-sm://word): workflow.max_concurrent: expected a whole number, found text; write a whole number such as 10
    environment variable WORKFLOW_TIMEOUT (aws-sm://number): workflow.timeout: the number is out of range: it must be from 1 to 86400; the default is 300
    ");
    // Keys without their name, which end as many do.
    for key in ["hunter2=", "hunter2==", "HUNTER2=x", "a=hunter2,hunter-2="] {
        let given = resolved(Given::env(&[("AUTOPR_API_KEYS", "aws-sm://keys")]), &[("aws-sm://keys", key)]);
        let mistakes = given.mistakes();
        assert!(mistakes.contains("is not name=key") && !mistakes.to_lowercase().contains("hunter"), "{mistakes}");
    }
    let given = Given::env(&[("DATABASE_URL", "aws-sm://db")]);
    let given = resolved(given, &[("aws-sm://db", r#"{"host":"h","port":"hunter2","dbname":"d"}"#)]);
    assert_snapshot!(given.mistakes(), @"environment variable DATABASE_URL (aws-sm://db): database.port: expected a whole number, found text; write a whole number");
}

#[test]
fn secrets_of_the_file_that_a_process_has_no_use_for_are_neither_asked_for_nor_missed() {
    let file = FILE.replace("id: aws-sm://autopr/app#id", "id: 17");
    let mut given = Given::env(&[]).file("configs/development.yaml", &file);
    given.source.unused = &["github", "llm.providers", "server"];
    assert_snapshot!(references(&given), @"database.url < configs/development.yaml:1:18: aws-sm://autopr/prod/database");
    let given = resolved(given, &[("aws-sm://autopr/prod/database", "postgresql://db/autopr")]);
    let loaded = Settings::load_for(&given.source, Needs::NOTHING).unwrap();
    assert_eq!(loaded.settings.github.app.id, None, "half of an App is none");
    assert!(loaded.settings.github.webhook_secrets.is_empty());
    assert!(loaded.settings.llm.usable().is_empty());
}
