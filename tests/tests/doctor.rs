//! `autopr doctor` looks into set-ups: one where everything works, one where nothing does, and some in between.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use autopr_e2e::autopr;
use autopr_e2e::server::{SECRET, Server, Setup, block_on, scripted_model};
use autopr_fakes::github::{FakeGitHub, Installed, NewRepository};
use autopr_fakes::model::{Reply, ScriptedModel, Vendor};
use autopr_services::{Certificate, PgBouncer, Postgres, Redis, RedisOptions, free_port};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tempfile::TempDir;

fn github() -> (FakeGitHub, Installed) {
    let github = FakeGitHub::start();
    github.add_repository(NewRepository::new("acme", "shop"));
    let app = github.install_app("acme");
    (github, app)
}

/// What `autopr doctor` is run with.
struct Case {
    folder: TempDir,
    env: BTreeMap<String, String>,
}

impl Case {
    fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("settings.yaml"), settings).expect("the settings are written");
        Self { folder, env: BTreeMap::new() }.set("GITHUB_WEBHOOK_SECRET", SECRET)
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn app(self, app: &Installed) -> Self {
        self.set("GITHUB_APP_ID", &app.app_id.to_string()).set("GITHUB_APP_PRIVATE_KEY", &app.private_key)
    }

    /// The exit code and what was printed.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = autopr();
        command.args(["--config", "settings.yaml"]).args(arguments).envs(&self.env).current_dir(self.folder.path());
        let output = command.output().expect("autopr runs");
        let told = String::from_utf8(output.stdout).expect("text");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        for (name, secret) in self.env.iter().filter(|(name, _)| name.contains("SECRET") || name.contains("KEY")) {
            assert!(!told.contains(secret.as_str()), "{name} is told:\n{told}");
        }
        (output.status.code(), told)
    }

    fn json(&self, arguments: &[&str]) -> (Option<i32>, Report) {
        let (code, told) = self.run(&[&["doctor", "--json"], arguments].concat());
        (code, Report(serde_json::from_str(&told).expect("JSON")))
    }
}

struct Report(Value);

impl Report {
    fn checks(&self) -> &[Value] {
        self.0["checks"].as_array().expect("checks")
    }

    /// The check of that name that came out like that.
    fn check(&self, name: &str, status: &str) -> &Value {
        let found = self.checks().iter().find(|check| check["check"] == name && check["status"] == status);
        found.unwrap_or_else(|| panic!("{name} is not {status}:\n{:#}", self.0))
    }

    fn found(&self, name: &str, status: &str) -> String {
        self.check(name, status)["found"].as_str().expect("words").to_owned()
    }

    /// The names of the checks that came out like that.
    fn those(&self, status: &str) -> Vec<&str> {
        let like_that = self.checks().iter().filter(|check| check["status"] == status);
        like_that.filter_map(|check| check["check"].as_str()).collect()
    }
}

fn model_settings(model: &ScriptedModel) -> String {
    format!(
        "llm: {{ providers: {{ openai: {{ base_url: \"{}\", model: m-1, price: {{ input: 2, output: 8 }} }} }} }}\n",
        model.base_url(Vendor::OpenAi)
    )
}

#[test]
fn a_healthy_set_up_is_found_healthy() {
    let (github, app) = github();
    let model = scripted_model();
    let redis = Redis::start(RedisOptions::default());
    let database = Postgres::shared().create_database(&format!("healthy_{}", std::process::id()));
    let setup = Setup::app(&github, &app).set("DATABASE_URL", &database).set("REDIS_URL", &redis.url());
    let server = Server::start(setup);
    github.send_webhooks_to(&server.webhook(), SECRET);
    assert_eq!(block_on(github.deliver_ping()).status_code, 202);

    let port = |address: &str| address.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).expect("a port");
    let settings = format!(
        "server: {{ host: 127.0.0.1, port: {} }}\nmonitoring: {{ metrics_port: {} }}\ngithub: {{ base_url: {} }}\n{}",
        port(&server.url("")),
        port(server.metrics_address()),
        github.url(),
        model_settings(&model)
    );
    let case = Case::new(&settings).app(&app).set("OPENAI_API_KEY", "key-of-openai");
    let case = case.set("DATABASE_URL", &database).set("REDIS_URL", &redis.url());
    let (code, report) = case.json(&[]);
    assert_eq!((code, &report.0["status"]), (Some(0), &Value::from("ok")), "{:#}", report.0);
    assert_eq!(report.those("skipped"), ["webhook.certificate"], "{:#}", report.0);
    let names = [
        "settings",
        "workflows",
        "database.server",
        "database.migrations",
        "database.latency",
        "database.pool",
        "database.clock",
        "queue.round_trip",
        "queue.waiting",
        "queue.dead",
        "redis.server",
        "redis.latency",
        "redis.memory",
        "github.credentials",
        "github.clock",
        "github.permissions",
        "github.events",
        "github.installations",
        "github.rate_limit",
        "webhook.url",
        "webhook.content_type",
        "webhook.verification",
        "webhook.secret",
        "webhook.deliveries",
        "model.openai",
        "server.health",
        "server.metrics",
    ];
    assert_eq!(report.those("ok"), names);
    assert!(report.check("database.latency", "ok")["values"]["latency_ms"].as_f64().is_some_and(|taken| taken > 0.0));
    assert_eq!(report.check("database.pool", "ok")["values"]["pool"], 62);
    assert!(report.found("model.openai", "ok").ends_with("it cost $0.00036"), "{:#}", report.0);
    assert_eq!(model.violations(), Vec::<String>::new());
    assert_eq!(github.violations(), Vec::<String>::new());
    // Looking changes nothing: what was put on the queue was never there for anybody.
    assert_eq!(messages(&database), "0");

    let (code, told) = case.run(&["doctor", "--no-models"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.ends_with("\n0 failed, 0 warnings, 26 ok, 2 skipped\n"), "{told}");
    assert_eq!(model.count(), 1, "it was not asked again");
}

/// How many messages there are.
fn messages(database: &str) -> String {
    autopr_services::psql(database, "SELECT count(*) FROM messages").expect("the table")
}

/// What is wrong in the broken set-up: the check that tells, how it comes out, words of what was found, and words of the fix.
const FAULTS: [(&str, &str, &str, &str); 13] = [
    ("settings", "failed", "max_concurent", "max_concurrent"),
    ("database.migrations", "failed", "3 heads", "autopr migrate"),
    ("database.pool", "failed", "may open 1042 connections", "database.pool_size"),
    ("queue.dead", "warning", "2 messages are set aside", "autopr messages list"),
    ("redis.server", "failed", "redis://", "REDIS_URL"),
    ("github.clock", "failed", "behind GitHub's", "NTP"),
    ("github.permissions", "failed", "checks: write (only read)", "set checks: write"),
    ("github.events", "failed", "check_run", "subscribe to check_run"),
    ("webhook.url", "warning", "/hooks", "end with /webhooks/github"),
    ("webhook.verification", "failed", "insecure_ssl", "enable SSL verification"),
    ("webhook.deliveries", "failed", "1 of the last 1", "let GitHub reach the server"),
    ("model.openai", "failed", "does not accept", "OPENAI_API_KEY"),
    ("server.metrics", "warning", "no metrics", "monitoring.enable_metrics: true"),
];

#[test]
fn thirteen_faults_at_once_are_all_told_with_their_fixes() {
    let (github, app) = github();
    let model = scripted_model();
    model.by_default(Reply::error(401, "invalid_api_key"));
    let postgres = Postgres::shared();
    let name = format!("broken_{}", std::process::id());
    let database = postgres.create_database(&name).replace("autopr@", "autopr:hunter2@");
    let nobody = free_port();
    let settings = format!(
        "server: {{ host: 127.0.0.1, port: {nobody} }}\nmonitoring: {{ enable_metrics: false, metrics_port: 0 }}\n\
         workflow: {{ max_concurent: 4 }}\ndatabase: {{ pool_size: 1000, migrate_on_start: false }}\n\
         github: {{ base_url: {} }}\n{}",
        github.url(),
        model_settings(&model)
    );
    let case = Case::new(&settings).app(&app).set("OPENAI_API_KEY", "key-of-openai");
    let case = case.set("DATABASE_URL", &database).set("REDIS_URL", &format!("redis://127.0.0.1:{nobody}/0"));

    // An older version had the database, and could not deal with two messages.
    migrated(case.folder.path(), &database);
    postgres.psql(&name, "DELETE FROM _sqlx_migrations WHERE version = 3");
    postgres.psql(
        &name,
        "INSERT INTO messages (body, turn, available_at, dead_reason)
         SELECT 'x', 0, now(), 'taken 10 times' FROM generate_series(1, 2)",
    );
    github.change_app(
        &app,
        &[
            ("checks", "read"),
            ("contents", "read"),
            ("issues", "write"),
            ("metadata", "read"),
            ("pull_requests", "write"),
        ],
        &["pull_request", "issue_comment"],
    );
    github.send_webhooks_to(&format!("http://127.0.0.1:{nobody}/hooks"), SECRET);
    github.send_webhooks_to_any_certificate();
    block_on(github.deliver_ping());
    github.advance(Duration::from_secs(120));

    let (code, report) = case.json(&[]);
    assert_eq!(code, Some(1), "{:#}", report.0);
    for (name, status, found, fix) in FAULTS {
        let check = report.check(name, status);
        let has = |key: &str, words: &str| check[key].as_str().is_some_and(|text| text.contains(words));
        assert!(has("found", found), "{found:?} is not in {check:#}");
        assert!(has("fix", fix), "{fix:?} is not in {check:#}");
    }
    // Nobody runs; besides, nothing else is wrong.
    let expected = FAULTS.iter().filter(|fault| fault.1 == "failed").count();
    assert_eq!(report.those("failed").len(), expected, "{:#}", report.0);
    assert_eq!(report.those("warning").len(), FAULTS.len() - expected + 1, "{:#}", report.0);
    report.check("server.health", "warning");

    let (code, told) = case.run(&["doctor"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    for (name, status, found, fix) in FAULTS {
        let mut lines = told.lines();
        let line = lines.find(|line| line.starts_with(status) && line.contains(name) && line.contains(found));
        assert!(line.is_some(), "{name} is not in:\n{told}");
        let fixed = lines.next().is_some_and(|line| line.trim_start().starts_with("fix: ") && line.contains(fix));
        assert!(fixed, "the fix of {name} is not in:\n{told}");
    }
    insta::assert_snapshot!(steady(
        &told,
        &[(&nobody.to_string(), "PORT"), (&name, "DATABASE"), (&postgres.address(), "POSTGRES")]
    ));
}

/// The output without what differs from run to run.
fn steady(told: &str, names: &[(&str, &str)]) -> String {
    let mut told = told.to_owned();
    for (from, to) in names {
        told = told.replace(from, to);
    }
    let numbers =
        regex::Regex::new(r"\d+(\.\d+)? ms|\d+\.\d s|1[12]\d s|PostgreSQL [\d.]+|autopr-\d+").expect("a pattern");
    let told = numbers.replace_all(&told, "N").into_owned();
    let left = regex::Regex::new(r"\d+ of 5000").expect("a pattern");
    left.replace_all(&told, "N of 5000").into_owned()
}

fn migrated(folder: &Path, database: &str) {
    let output =
        autopr().arg("migrate").env("DATABASE_URL", database).current_dir(folder).output().expect("autopr runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn settings_that_cannot_be_read_are_told_and_nothing_else_is_looked_at() {
    let case = Case::new("server: {\n  port: 80\ngithub: [\n");
    let (code, report) = case.json(&[]);
    assert_eq!(code, Some(2), "{:#}", report.0);
    let mistake = report.check("settings", "failed");
    assert!(mistake["values"]["source"].as_str().is_some_and(|place| place.starts_with("settings.yaml:")), "{mistake}");
    assert!(mistake["fix"].is_string(), "{mistake}");
    assert_eq!(report.those("skipped"), ["others"]);
    assert!(!case.folder.path().join("autopr.db").exists());

    // Which file is meant?
    let nameless = Case::new("").set("AUTOPR_ENV", "prod");
    let mut command = autopr();
    let output = command.arg("doctor").envs(&nameless.env).current_dir(nameless.folder.path()).output();
    let output = output.expect("autopr runs");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));

    fs::remove_file(case.folder.path().join("settings.yaml")).expect("the file is there");
    let (code, told) = case.run(&["doctor"]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("the configuration file can't be read") && told.contains("fix: name a YAML file"), "{told}");
}

#[test]
fn a_setting_that_is_wrong_keeps_its_own_check_from_judging_a_default() {
    let (github, app) = github();
    let settings = format!("github: {{ base_url: {} }}\n", github.url());
    let case = Case::new(&settings).app(&app).set("DATABASE_URL", "mysql://somewhere");
    let (code, report) = case.json(&["--no-models"]);
    assert_eq!(code, Some(1), "{:#}", report.0);
    assert!(report.found("settings", "failed").contains("database.url"), "{:#}", report.0);
    assert!(report.found("database.server", "skipped").contains("database.url"), "{:#}", report.0);
    report.check("github.credentials", "ok");
}

#[test]
fn a_file_of_sqlite_and_a_token_are_looked_into() {
    let github = FakeGitHub::start();
    github.add_repository(NewRepository::new("acme", "shop"));
    let settings =
        format!("github: {{ base_url: {} }}\nserver: {{ port: 0 }}\nmonitoring: {{ metrics_port: 0 }}\n", github.url());
    let case = Case::new(&settings).set("GITHUB_TOKEN", &github.token("dev"));
    let (code, report) = case.json(&[]);
    assert_eq!(code, Some(0), "{:#}", report.0);
    assert!(report.found("database.server", "ok").ends_with("is not there yet; the first start makes it"));
    assert!(report.found("github.credentials", "ok").contains("dev"), "{:#}", report.0);
    report.check("models", "skipped");
    assert!(!case.folder.path().join("autopr.db").exists(), "looking makes nothing");

    migrated(case.folder.path(), "sqlite://autopr.db");
    let (code, report) = case.json(&[]);
    assert_eq!(code, Some(0), "{:#}", report.0);
    for name in ["database.server", "database.migrations", "database.journal", "queue.round_trip", "queue.dead"] {
        report.check(name, "ok");
    }

    let elsewhere = case.set("DATABASE_URL", "sqlite:///proc/autopr.db");
    let (code, report) = elsewhere.json(&[]);
    assert_eq!(code, Some(1), "{:#}", report.0);
    assert!(report.found("database.server", "failed").contains("/proc can't be written to"), "{:#}", report.0);
}

#[test]
fn behind_a_pooler_and_with_few_rights_what_can_be_told_is_told() {
    let github = FakeGitHub::start();
    let less = [("checks", "write"), ("contents", "read"), ("metadata", "read"), ("pull_requests", "write")];
    let app = github.install_app_with("acme", &less);
    github.suspend(github.install_also(&app, "globex").installation_id);
    let postgres = Postgres::shared();
    let name = format!("pooled_{}", std::process::id());
    let direct = postgres.create_database(&name);
    let bouncer = PgBouncer::start(postgres, 4);
    let rights = "user few on >hunter2 ~autopr:1:* +getrange +set +del +ping".to_owned();
    let redis = Redis::start(RedisOptions { settings: vec![rights], ..RedisOptions::default() });
    let settings = format!("github: {{ base_url: {} }}\ndatabase: {{ pooler: transaction }}\n", github.url());
    let case = Case::new(&settings).app(&app).set("DATABASE_URL", &bouncer.url(&name));
    let case = case.set("REDIS_URL", &format!("redis://few:hunter2@{}/0", redis.address()));
    migrated(case.folder.path(), &direct);

    let (code, report) = case.json(&["--no-models"]);
    assert_eq!(code, Some(1), "{:#}", report.0);
    assert!(!report.0.to_string().contains("hunter2"), "{:#}", report.0);
    assert!(report.found("database.pool", "ok").contains("to a pooler"), "{:#}", report.0);
    for name in ["database.server", "database.migrations", "database.clock", "queue.round_trip", "redis.latency"] {
        report.check(name, "ok");
    }
    assert!(report.found("redis.server", "ok").ends_with("may not ask for its version"), "{:#}", report.0);
    report.check("redis.memory", "skipped");
    // The App asks for everything; one account has not granted it all, another has suspended it.
    report.check("github.permissions", "ok");
    let behind = report.check("github.permissions", "failed");
    assert_eq!(behind["found"], "acme has not granted issues: write");
    assert_eq!(report.found("github.installations", "warning"), "suspended for globex");
    // Nothing has been set up at GitHub.
    assert_eq!(report.found("webhook.url", "failed"), "the App has no webhook URL");
    assert_eq!(report.found("webhook.deliveries", "warning"), "GitHub has delivered nothing yet");
}

#[test]
fn the_public_address_is_asked_for_its_certificate() {
    for (certificate, status, words) in [
        (Certificate::for_loopback(), "ok", "its certificate is good for"),
        (Certificate::that_has_ended(), "failed", "certificate"),
    ] {
        let (github, app) = github();
        let address = answer_with(&certificate);
        github.send_webhooks_to(&format!("https://{address}/webhooks/github"), SECRET);
        let case = Case::new(&format!("github: {{ base_url: {} }}\n", github.url())).app(&app);
        let trusted = case.folder.path().join("authority.pem");
        fs::write(&trusted, &certificate.authority).expect("the authority is written");
        let case = case.set("SSL_CERT_FILE", trusted.to_str().expect("a path"));
        let (_, report) = case.json(&["--no-models"]);
        assert!(report.found("webhook.certificate", status).contains(words), "{:#}", report.0);
    }
}

/// A server that answers one request with this certificate; its address.
fn answer_with(certificate: &Certificate) -> String {
    let chain = vec![CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("TLS").with_no_client_auth().with_single_cert(chain, key).expect("a certificate");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        let connection = rustls::ServerConnection::new(Arc::new(config)).expect("TLS");
        let mut stream = rustls::StreamOwned::new(connection, stream);
        // A client that does not trust the certificate goes away.
        if stream.read(&mut [0; 4096]).is_ok() {
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"));
        }
    });
    address
}
