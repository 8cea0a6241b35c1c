//! What an operator sees who sets things, rightly and wrongly.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use super::*;

mod secrets;
mod serving;

/// A folder with a configuration file and a set of variables.
struct Given {
    dir: tempfile::TempDir,
    source: Source,
}

impl Given {
    fn env(variables: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let env = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let source = Source { env, config: ConfigFile::OfEnvironment, dir: dir.path().to_owned(), ..Source::default() };
        Self { dir, source }
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn load(&self) -> Loaded {
        Settings::load(&self.source).unwrap_or_else(|invalid| panic!("{invalid}"))
    }

    fn mistakes(&self) -> String {
        let invalid = Settings::load(&self.source).unwrap_err();
        invalid.mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn nothing_set_means_the_documented_defaults() {
    let loaded = Given::env(&[]).load();
    assert_snapshot!(show(&loaded, Format::Table).unwrap(), @"
    KEY                                  VALUE                                       ORIGIN
    database.echo                        false                                       default
    database.host                        (not set)                                   default
    database.max_overflow                40                                          default
    database.migrate_on_start            true                                        default
    database.name                        (not set)                                   default
    database.password                    (not set)                                   default
    database.pool_recycle                3600                                        default
    database.pool_size                   20                                          default
    database.pool_timeout                30                                          default
    database.pooler                      none                                        default
    database.port                        (not set)                                   default
    database.url                         sqlite://autopr.db                          default
    database.username                    (not set)                                   default
    environment                          development                                 default
    github.app.id                        (not set)                                   default
    github.app.private_key               (not set)                                   default
    github.base_url                      https://api.github.com                      default
    github.reconcile.deliveries          true                                        default
    github.reconcile.interval            300                                         default
    github.reconcile.max_requests        50                                          default
    github.reconcile.pull_requests       true                                        default
    github.timeout                       30                                          default
    github.token                         (not set)                                   default
    github.webhook_secrets               []                                          default
    llm.budget.daily_usd                 100.0                                       default
    llm.budget.per_execution_usd         1.0                                         default
    llm.budget.per_repository_daily_usd  20.0                                        default
    llm.default_provider                 openai                                      default
    llm.fallback_order                   [openai, anthropic, mistral]                default
    llm.max_retries                      3                                           default
    llm.max_tokens                       4000                                        default
    llm.patience                         21600                                       default
    llm.providers                        (none)                                      default
    llm.temperature                      0.7                                         default
    llm.timeout                          60                                          default
    logging.enable_audit                 false                                       default
    logging.format                       text                                        default
    logging.level                        INFO                                        default
    monitoring.enable_metrics            true                                        default
    monitoring.enable_tracing            false                                       default
    monitoring.metrics_port              9090                                        default
    push.audience                        (not set)                                   default
    push.keys_url                        https://www.googleapis.com/oauth2/v3/certs  default
    push.service_account                 (not set)                                   default
    push.timeout                         300                                         default
    redis.max_connections                50                                          default
    redis.ssl                            false                                       default
    redis.timeout                        5                                           default
    redis.url                            (not set)                                   default
    server.api_keys                      (none)                                      default
    server.host                          0.0.0.0                                     default
    server.port                          8080                                        default
    workflow.directory                   (not set)                                   default
    workflow.enable_parallel_execution   true                                        default
    workflow.history.days                90                                          default
    workflow.history.executions          1000                                        default
    workflow.max_concurrent              10                                          default
    workflow.retry_attempts              3                                           default
    workflow.retry_delay                 5                                           default
    workflow.timeout                     300                                         default
    ");
}

#[test]
fn later_layers_win_and_each_value_knows_its_origin() {
    let given = Given::env(&[
        ("AUTOPR_ENV", "staging"),
        ("MAX_CONCURRENT_WORKFLOWS", "7"),
        ("PORT", "9000"),
        ("GITHUB_TOKEN_FILE", "token"),
        ("REDIS_URL", ""),
    ])
    .file("token", "ghp_secret\n")
    .file("configs/staging.yaml", "environment: staging\nworkflow:\n  max_concurrent: 3\n  timeout: 60\n");
    let loaded = given.load();
    let settings = &loaded.settings;
    assert_eq!(settings.environment, Environment::Staging);
    assert_eq!(settings.github.token.as_ref().unwrap().expose(), "ghp_secret");
    assert!(settings.redis.url.is_none());
    let told = |path: &str, value: String| format!("{path} = {value} ({})\n", loaded.origin(path));
    let lines = [
        told("workflow.max_concurrent", settings.workflow.max_concurrent.to_string()),
        told("workflow.timeout", settings.workflow.timeout.0.to_string()),
        told("workflow.retry_attempts", settings.workflow.retry_attempts.to_string()),
        told("server.port", settings.server.port.to_string()),
        told("github.token", format!("{:?}", settings.github.token)),
    ];
    assert_snapshot!(lines.concat(), @r"
    workflow.max_concurrent = 7 (environment variable MAX_CONCURRENT_WORKFLOWS)
    workflow.timeout = 60 (configs/staging.yaml:4:12)
    workflow.retry_attempts = 3 (default)
    server.port = 9000 (environment variable PORT)
    github.token = Some(********) (environment variable GITHUB_TOKEN_FILE, file token)
    ");
    let both = Given::env(&[("PORT", "9000"), ("AUTOPR_PORT", "8000")]).load();
    assert_eq!(both.settings.server.port, 8000);
}

#[test]
fn five_different_mistakes_are_all_named_with_origin_and_fix() {
    let given =
        Given::env(&[("MAX_CONCURRENT_WORKFLOWS", "many"), ("GITHUB_APP_ID", "17"), ("AUTOPR_LOGLEVEL", "INFO")]).file(
            "configs/development.yaml",
            "\
workflow:
  tiemout: 300
  retry_attempts: 0
logging:
  format: jsn
llm:
  fallback_order: [openai, antropic]
",
        );
    assert_snapshot!(given.mistakes(), @r"
    configs/development.yaml:2:3: workflow.tiemout: unknown key `tiemout`; did you mean `timeout`?
    configs/development.yaml:3:19: workflow.retry_attempts: 0 is out of range: it must be from 1 to 20; write how often a step is tried in all; 1 means no second try
    configs/development.yaml:5:11: logging.format: expected one of `text`, `json`, found text `jsn`; did you mean `json`?
    environment variable AUTOPR_LOGLEVEL: unknown name; did you mean AUTOPR_LOG_LEVEL?
    environment variable MAX_CONCURRENT_WORKFLOWS: workflow.max_concurrent: expected a whole number, found text `many`; write a whole number such as 10
    environment variable GITHUB_APP_ID: github.app.id: the App has no private key; set GITHUB_APP_PRIVATE_KEY or github.app.private_key
    configs/development.yaml:7:28: llm.fallback_order[1]: there is no provider `antropic`; did you mean `anthropic`?
    ");
    let checked = check(&given.source);
    assert!(!checked.valid);
    assert_snapshot!(checked.text, @r"
    workflow.tiemout: unknown key `tiemout`
     --> configs/development.yaml:2:3
      |
    2 |   tiemout
      |   ^^^^^^^
      = fix: did you mean `timeout`?

    workflow.retry_attempts: 0 is out of range: it must be from 1 to 20
     --> configs/development.yaml:3:19
      |
    3 |   retry_attempts: 0
      |                   ^
      = fix: write how often a step is tried in all; 1 means no second try

    logging.format: expected one of `text`, `json`, found text `jsn`
     --> configs/development.yaml:5:11
      |
    5 |   format: jsn
      |           ^^^
      = fix: did you mean `json`?

    unknown name
     --> environment variable AUTOPR_LOGLEVEL
      = fix: did you mean AUTOPR_LOG_LEVEL?

    workflow.max_concurrent: expected a whole number, found text `many`
     --> environment variable MAX_CONCURRENT_WORKFLOWS
      = fix: write a whole number such as 10

    github.app.id: the App has no private key
     --> environment variable GITHUB_APP_ID
      = fix: set GITHUB_APP_PRIVATE_KEY or github.app.private_key

    llm.fallback_order[1]: there is no provider `antropic`
     --> configs/development.yaml:7:28
      = fix: did you mean `anthropic`?

    7 mistakes in the settings
    ");
}

#[test]
fn the_files_that_ship_are_valid() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for environment in Environment::ALL {
        let env = [("AUTOPR_ENV".to_owned(), environment.to_string())].into();
        let loaded =
            Settings::load(&Source { env, config: ConfigFile::OfEnvironment, dir: dir.clone(), ..Source::default() })
                .unwrap();
        assert_eq!(loaded.settings.environment, environment);
        assert_eq!(loaded.file, Some(format!("configs/{environment}.yaml")));
        assert_eq!(loaded.origin("workflow.max_concurrent").to_string().split(':').next(), loaded.file.as_deref());
    }
}

#[test]
fn a_file_that_is_asked_for_must_exist_and_another_need_not() {
    assert!(check(&Given::env(&[]).source).valid);
    let mut given = Given::env(&[]);
    given.source.config = ConfigFile::Named("mine.yaml".into());
    assert_snapshot!(given.mistakes(), @"mine.yaml: the configuration file can't be read: No such file or directory (os error 2); name a YAML file that exists");
    let given = given.file("mine.yaml", "environment: development\n");
    assert_snapshot!(check(&given.source).text, @"settings are valid: development, from mine.yaml and 0 environment variables");
    assert_snapshot!(Given::env(&[("AUTOPR_ENV", "../../etc/passwd")]).mistakes(), @"environment variable AUTOPR_ENV: environment: expected one of `development`, `staging`, `production`, found text `../../etc/passwd`; write one of these");
}

#[test]
fn a_secret_file_must_be_readable_and_alone() {
    let given = Given::env(&[
        ("GITHUB_TOKEN", "ghp_one"),
        ("GITHUB_TOKEN_FILE", "token"),
        ("OPENAI_API_KEY_FILE", "missing"),
        ("MISTRAL_API_KEY_FILE", "empty"),
    ])
    .file("empty", "\n");
    assert_snapshot!(given.mistakes(), @r"
    environment variable GITHUB_TOKEN_FILE: github.token: GITHUB_TOKEN is set too; keep one of them
    environment variable OPENAI_API_KEY_FILE, file missing: llm.providers.openai.api_key: the file can't be read: No such file or directory (os error 2)
    environment variable MISTRAL_API_KEY_FILE, file empty: llm.providers.mistral.api_key: the file is empty
    ");
}

#[test]
fn the_database_is_named_by_an_address_or_by_its_parts() {
    let connection = |variables: &[(&str, &str)], file: &str| {
        let loaded = Given::env(variables).file("configs/development.yaml", file).load();
        match loaded.settings.database.connection() {
            Connection::Sqlite(path) => path.display().to_string(),
            Connection::Postgres(url) => url.expose().to_owned(),
        }
    };
    assert_eq!(connection(&[], ""), "autopr.db");
    assert_eq!(connection(&[("DATABASE_URL", "sqlite:///var/lib/a.db?mode=rw")], ""), "/var/lib/a.db");
    let parts = "database: { host: db, username: app, password: \"p@ss/1\", name: autopr }";
    assert_eq!(connection(&[], parts), "postgresql://app:p%40ss%2F1@db:5432/autopr");
    assert_eq!(connection(&[("DATABASE_URL", "sqlite://x.db")], parts), "x.db");
    let json = r#"{"username":"u","password":"p","host":"h","port":5433,"database":"d","engine":"postgres"}"#;
    assert_eq!(
        connection(&[("DATABASE_URL", json)], "database: { url: \"sqlite://y.db\" }"),
        "postgresql://u:p@h:5433/d"
    );
    let json = r#"{"url":"postgresql://u:p@h/d","host":"h"}"#;
    assert_eq!(connection(&[("DATABASE_URL", json)], ""), "postgresql://u:p@h/d");

    let mistakes = |variables: &[(&str, &str)], file: &str| {
        Given::env(variables).file("configs/development.yaml", file).mistakes()
    };
    assert_snapshot!(mistakes(&[("DATABASE_URL", "mysql://u:hunter2@h/d")], ""), @"environment variable DATABASE_URL: database.url: the value does not have the expected form; write sqlite://PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME");
    assert_snapshot!(mistakes(&[("DATABASE_URL", "{hunter2")], ""), @"environment variable DATABASE_URL: database.url: begins like a JSON object but is none, at column 2");
    assert_snapshot!(mistakes(&[], "database: { url: \"sqlite://a.db\", host: h, name: n }"), @"configs/development.yaml:1:41: database.host: database.url is set too; keep the address or its parts, not both");
    assert_snapshot!(mistakes(&[], "database: { port: 5432, password: hunter2 }"), @r"
    configs/development.yaml:1:19: database.port: it counts only beside database.host; add `host:` or put it into database.url
    configs/development.yaml:1:35: database.password: it counts only beside database.host; add `host:` or put it into database.url
    ");
    assert_snapshot!(mistakes(&[], "database: { host: h, password: hunter2 }"), @r"
    configs/development.yaml:1:19: database.host: the key `database.name` is missing; add `name:` with the database's name
    configs/development.yaml:1:32: database.password: the key `database.username` is missing; add `username:`
    ");
    assert_snapshot!(mistakes(&[], "database:\n  url:\n"), @"configs/development.yaml:2:3: database.url: the database is not named; set database.url, or database.host and its kin");
}

#[test]
fn what_belongs_together_is_checked_together() {
    let mistakes = |file: &str| Given::env(&[]).file("configs/development.yaml", file).mistakes();
    assert_snapshot!(mistakes("llm: { default_provider: opnai, providers: { mine: { base_url: \"http://x/v1\" } } }"), @r"
    configs/development.yaml:1:26: llm.default_provider: there is no provider `opnai`; did you mean `openai`?
    configs/development.yaml:1:46: llm.providers.mine: `mine` is a name of your own, so the key `kind` is missing; add `kind: openai` if it speaks OpenAI's interface, as most servers do
    ");
    assert_snapshot!(mistakes("llm: { providers: { mine: { price: cheap } } }"), @"configs/development.yaml:1:36: llm.providers.mine.price: expected `free`, found text `cheap`; write free, or input: and output: with US dollars per million tokens");
    assert_snapshot!(mistakes("github: { app: { id: 1, private_key: hunter2 }, webhook_secrets: [a, b, c] }"), @r"
    configs/development.yaml:1:49: github.webhook_secrets: the list has 3 entries, more than 2
    configs/development.yaml:1:38: github.app.private_key: this is not a private key in PEM form; paste the whole file GitHub gave, from -----BEGIN on
    ");
    assert_snapshot!(mistakes("server: { host: example.com, port: 9090 }"), @r"
    configs/development.yaml:1:17: server.host: `example.com` is not an IP address; write an IP address such as 0.0.0.0 or 127.0.0.1
    configs/development.yaml:1:36: server.port: 9090 is also monitoring.metrics_port; choose another port for one of them
    ");
    assert_snapshot!(Given::env(&[("AUTOPR_PORT", "tcp://10.0.0.7:80")]).mistakes(), @"environment variable AUTOPR_PORT: server.port: Kubernetes has set this for a service called autopr; set enableServiceLinks: false");
    assert_snapshot!(mistakes("monitoring: { metrics_port: 8080 }"), @"configs/development.yaml:1:29: monitoring.metrics_port: 8080 is also server.port; choose another port for one of them");
    let own = "llm: { default_provider: mine, providers: { mine: { kind: openai, base_url: \"http://x/v1\", price: free } } }";
    assert!(check(&Given::env(&[]).file("configs/development.yaml", own).source).valid);
}

#[test]
fn api_keys_and_webhook_secrets_come_as_lists() {
    let settings =
        Given::env(&[("AUTOPR_API_KEYS", "ci=one, ops=two=2"), ("GITHUB_WEBHOOK_SECRET", "new, old")]).load().settings;
    let keys: Vec<_> = settings.server.api_keys.iter().map(|(name, key)| format!("{name}:{}", key.expose())).collect();
    assert_eq!(keys, ["ci:one", "ops:two=2"]);
    let secrets: Vec<_> = settings.github.webhook_secrets.iter().map(Secret::expose).collect();
    assert_eq!(secrets, ["new", "old"]);
    assert_snapshot!(Given::env(&[("AUTOPR_API_KEYS", "hunter2"), ("GITHUB_WEBHOOK_SECRET", "hunter3,,")]).mistakes(), @r"
    environment variable AUTOPR_API_KEYS: server.api_keys: entry 1 has no `=`; write name=key,name=key
    environment variable GITHUB_WEBHOOK_SECRET: github.webhook_secrets: the list has 3 entries, more than 2
    environment variable GITHUB_WEBHOOK_SECRET: github.webhook_secrets[1]: the text is empty; give it a value or remove the key
    environment variable GITHUB_WEBHOOK_SECRET: github.webhook_secrets[2]: the text is empty; give it a value or remove the key
    ");
}

#[test]
fn no_secret_is_ever_shown() {
    let pem = "-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE KEY-----";
    let file = "\
database: { url: \"postgresql://app:hunter2@db/autopr?password=hunter2\" }
redis:
  url: rediss://:hunter2@cache:6379/0
server: { api_keys: { ci: hunter2 } }
llm: { providers: { openai: { api_key: hunter2, model: m } } }
";
    let given = Given::env(&[
        ("GITHUB_TOKEN", "hunter2"),
        ("GITHUB_APP_ID", "1"),
        ("GITHUB_APP_PRIVATE_KEY", pem),
        ("GITHUB_WEBHOOK_SECRET_FILE", "hook"),
        ("ANTHROPIC_API_KEY", "hunter2"),
    ])
    .file("hook", "hunter2\n")
    .file("configs/development.yaml", file);
    let loaded = given.load();
    assert_eq!(loaded.settings.github.app.private_key.as_ref().unwrap().expose().lines().count(), 3);
    let table = show(&loaded, Format::Table).unwrap();
    let json = show(&loaded, Format::Json).unwrap();
    let all = format!("{table}{json}{loaded:?}{:?}", given.source);
    assert!(!all.contains("hunter2"), "{all}");
    let secret = |line: &&str| line.contains("****");
    assert_snapshot!(table.lines().filter(secret).map(|line| format!("{}\n", line.trim_end())).collect::<String>(), @r"
    database.url                         postgresql://app:********@db/autopr?password=********  configs/development.yaml:1:18
    github.app.private_key               ********                                               environment variable GITHUB_APP_PRIVATE_KEY
    github.token                         ********                                               environment variable GITHUB_TOKEN
    github.webhook_secrets               [********]                                             environment variable GITHUB_WEBHOOK_SECRET_FILE, file hook
    llm.providers.anthropic.api_key      ********                                               environment variable ANTHROPIC_API_KEY
    llm.providers.openai.api_key         ********                                               configs/development.yaml:5:40
    redis.url                            rediss://:********@cache:6379/0                        configs/development.yaml:3:8
    server.api_keys.ci                   ********                                               configs/development.yaml:4:27
    ");

    // The same values where they are wrong: beside, below, instead of and under the wrong name.
    let wrong = "\
database: { url: \"postgresql:/app:hunter2@db\", pool_size: no, pasword: hunter2 }
redis: rediss://:hunter2@cache
github: { token: [hunter2], tokn: hunter2, app: { id: x, private_key: { pem: hunter2 } } }
server: { api_keys: hunter2, port: 80800 }
llm: { providers: { openai: hunter2, mine: { api_key: [hunter2], price: x } } }
environment: { hunter: 2 }
";
    let given = Given::env(&[
        ("DATABASE_URL", "{\"password\": [\"hunter2\"]}"),
        ("REDIS_URL", "http://hunter2"),
        ("AUTOPR_API_KEYS", "hunter2"),
        ("GITHUB_APP_PRIVATE_KEY", "hunter2"),
    ])
    .file("configs/development.yaml", wrong);
    let invalid = Settings::load(&given.source).unwrap_err();
    let all = format!("{}{invalid:?}{}", given.mistakes(), check(&given.source).text);
    assert!(!all.contains("hunter2"), "{all}");
    assert_snapshot!(given.mistakes(), @r"
    configs/development.yaml:1:18: database.url: the value does not have the expected form; write sqlite://PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME
    configs/development.yaml:1:59: database.pool_size: expected a whole number, found text `no`; write a whole number such as 20
    configs/development.yaml:1:63: database.pasword: unknown key `pasword`; did you mean `password`?
    configs/development.yaml:2:8: redis: expected a mapping, found text; write its keys on indented lines below `redis:`
    configs/development.yaml:3:11: github.token: expected text, found a list; write text
    configs/development.yaml:3:29: github.tokn: unknown key `tokn`; did you mean `token`?
    configs/development.yaml:3:55: github.app.id: expected a whole number, found text `x`; write a whole number
    configs/development.yaml:3:58: github.app.private_key: expected text, found a mapping; write text
    configs/development.yaml:4:21: server.api_keys: expected a mapping, found text; write its keys on indented lines below `api_keys:`
    configs/development.yaml:4:36: server.port: 80800 is out of range: it must be from 0 to 65535; the default is 8080
    configs/development.yaml:5:29: llm.providers.openai: expected a mapping, found text; write its keys on indented lines below `openai:`
    configs/development.yaml:5:46: llm.providers.mine.api_key: expected text, found a list; write text
    configs/development.yaml:5:73: llm.providers.mine.price: expected `free`, found text `x`; write free, or input: and output: with US dollars per million tokens
    configs/development.yaml:6:1: environment: expected one of `development`, `staging`, `production`, found a mapping; write one of these
    environment variable AUTOPR_API_KEYS: server.api_keys: entry 1 has no `=`; write name=key,name=key
    environment variable DATABASE_URL: database.url: `password` in the JSON object must be text or a number
    environment variable REDIS_URL: redis.url: the value does not have the expected form; write redis://:PASSWORD@HOST:PORT/NUMBER or rediss://…
    ");
    let broken = Given::env(&[]).file("configs/development.yaml", "github: { token: \"hunter2 }\n");
    assert!(!check(&broken.source).text.contains("hunter2"));
}

#[test]
fn the_schema_describes_every_key() {
    let schema: serde_json::Value = serde_json::from_str(&schema().unwrap()).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], "AutoPR Engine settings");
    fn undescribed(schema: &serde_json::Value, found: &mut Vec<String>) {
        if let Some(properties) = schema["properties"].as_object() {
            found.extend(
                properties.iter().filter(|(_, key)| key.get("description").is_none()).map(|(name, _)| name.clone()),
            );
        }
        schema.as_object().into_iter().flat_map(|map| map.values()).for_each(|inner| undescribed(inner, found));
    }
    let mut found = Vec::new();
    undescribed(&schema, &mut found);
    assert_eq!(found, Vec::<String>::new());
    // An editor lets a secret's name stand where an address belongs.
    let redis = schema["$defs"]["Redis"]["properties"]["url"]["pattern"].as_str();
    assert_eq!(redis, Some("^rediss?://[^/]|^aws-sm://."));
}
