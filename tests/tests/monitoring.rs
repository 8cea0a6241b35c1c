//! What watches the engine, on an engine that runs: Prometheus scrapes it by the configuration that is shipped, every
//! expression of the dashboard and every rule gives something, and the log has the fields that the log shippers read.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use autopr_e2e::server::{PATIENCE, block_on, scripted_model};
use autopr_e2e::workspace;
use autopr_e2e::world::{CLEAN, NAME, NOTHING, OWNER, World, risky};
use autopr_fakes::github::NewPull;
use autopr_fakes::model::{Reply, Vendor};
use autopr_services::{Postgres, Prometheus, Redis, RedisOptions};
use form_urlencoded::byte_serialize;
use serde_json::Value;

/// The rules that are shipped.
fn rules() -> Vec<PathBuf> {
    let folder = fs::read_dir(workspace().join("deploy/monitoring/rules")).expect("the rules");
    folder.map(|file| file.expect("a file").path()).collect()
}

/// The configuration that is shipped, but for the addresses and for the time between two looks.
fn configuration(engine: &str) -> String {
    let shipped = fs::read_to_string(workspace().join("deploy/monitoring/prometheus.yml")).expect("the configuration");
    let places = "    dns_sd_configs:\n      - names: [autopr]\n        type: A\n        port: 9090\n        refresh_interval: 15s\n";
    let changes = [
        (places, format!("    static_configs:\n      - targets: [\"{engine}\"]\n")),
        ("_interval: 15s", "_interval: 1s".to_owned()),
        ("alertmanager:9093", "127.0.0.1:9".to_owned()),
        ("node-exporter:9100", "127.0.0.1:9".to_owned()),
    ];
    changes.iter().fold(shipped, |text, (from, to)| {
        assert!(text.contains(from), "the configuration has no longer\n{from}");
        text.replace(from, to)
    })
}

/// What Prometheus answers to a request.
fn get(prometheus: &Prometheus, path: &str) -> Value {
    let answer = reqwest::blocking::get(prometheus.url(path)).expect("Prometheus answers");
    let answer: Value = answer.json().expect("JSON");
    assert_eq!(answer["status"], "success", "{path}: {answer}");
    answer["data"].clone()
}

/// The values of an expression, without those that are no numbers.
fn values(prometheus: &Prometheus, expression: &str) -> Vec<f64> {
    let expression: String = byte_serialize(expression.as_bytes()).collect();
    let data = get(prometheus, &format!("/api/v1/query?query={expression}"));
    let series = data["result"].as_array().expect("series");
    let value = |one: &Value| one["value"][1].as_str().and_then(|text| text.parse::<f64>().ok());
    series.iter().filter_map(value).filter(|value| value.is_finite()).collect()
}

/// Waits until an expression has a value that will do.
fn until(prometheus: &Prometheus, what: &str, expression: &str, will_do: impl Fn(f64) -> bool) {
    let begun = Instant::now();
    while !values(prometheus, expression).into_iter().any(&will_do) {
        assert!(begun.elapsed() < PATIENCE, "{what}: nothing comes of {expression}\n{}", prometheus.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Each panel's title with one of its expressions; those of the variables and annotations too. Variables are filled in as
/// Grafana does when nothing is chosen.
fn expressions() -> Vec<(String, String)> {
    let text = fs::read_to_string(workspace().join("docs/monitoring/grafana-dashboard.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let panels = list(&dashboard["panels"]);
    let panels = panels.iter().flat_map(|panel| {
        list(&panel["targets"]).into_iter().map(|target| (text(&panel["title"]), text(&target["expr"])))
    });
    let annotations = list(&dashboard["annotations"]["list"]);
    let annotations = annotations.iter().map(|one| (text(&one["name"]), text(&one["expr"])));
    let variables = list(&dashboard["templating"]["list"]);
    let variables = variables.iter().filter(|one| one["type"] == "query").map(|one| {
        let query = text(&one["query"]["query"]);
        let labelled = query.strip_prefix("label_values(").and_then(|rest| rest.rsplit_once(", "));
        (text(&one["name"]), labelled.expect("the values of a label").0.to_owned())
    });
    let filled = |expression: String| {
        expression.replace("$__rate_interval", "5m").replace("$job", "(autopr)").replace("$instance", ".*")
    };
    panels.chain(annotations).chain(variables).map(|(title, expression)| (title, filled(expression))).collect()
}

#[test]
fn every_expression_gives_something_on_an_engine_that_works() {
    let postgres = Postgres::shared();
    let url = postgres.create_database("monitored");
    let redis = Redis::start(RedisOptions::default());
    let model = scripted_model();
    model.by_default(Reply::answer(NOTHING));
    let world = World::new(&risky(), |setup| {
        setup.models(&model, &[Vendor::OpenAi]).set("DATABASE_URL", &url).set("REDIS_URL", &redis.url())
    });
    let prometheus = Prometheus::start(&configuration(world.server.metrics_address()), &rules());
    until(&prometheus, "the first look", r#"up{job="autopr"}"#, |up| up == 1.0);

    // Reviews with findings and without, a call of a model that fails, what nobody signed, a page that is not there, and a
    // message that nobody understands.
    model.then(Vendor::OpenAi, Reply::error(500, "server_error"));
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    // What happens before a counter is looked at for the first time is no increase.
    until(&prometheus, "the first review", "sum(autopr_executions_total)", |count| count == 1.0);
    until(&prometheus, "its time", "sum(autopr_execution_duration_seconds_count)", |count| count == 1.0);
    let second = world.github.open_pull(OWNER, NAME, NewPull::new("Count again", CLEAN.to_owned()).author("dev"));
    assert_eq!(block_on(world.github.deliver_pull_request(OWNER, NAME, second, "opened")).status_code, 202);
    world.server.finished(2);
    let http = reqwest::blocking::Client::new();
    let unsigned = http.post(world.server.webhook()).header("x-github-event", "pull_request").body("{}").send();
    assert_eq!(unsigned.expect("an answer").status(), 401);
    assert_eq!(world.server.get("/nothing/here").0, 404);
    let poison = "INSERT INTO messages (body, turn, available_at, receive_count) VALUES ('poison', 0, now(), 20)";
    postgres.psql("monitored", poison);

    // Prometheus has all of it once it has seen the message that was set aside.
    until(&prometheus, "the dead letter", r#"autopr_queue_depth{state="dead"}"#, |dead| dead == 1.0);
    until(&prometheus, "its alert", r#"ALERTS{alertname="AutoprDeadLetters", alertstate="firing"}"#, |one| one == 1.0);

    let expressions = expressions();
    assert!(expressions.len() >= 50, "{} expressions", expressions.len());
    for (title, expression) in &expressions {
        until(&prometheus, title, expression, |_| true);
    }
    // They tell what happened, not only something.
    for (what, expression, least) in [
        ("the calls of a model", "sum(autopr_llm_requests_total)", 3.0),
        ("of which one failed", r#"sum(autopr_llm_requests_total{outcome!="answered"})"#, 1.0),
        ("money", "sum(autopr_llm_cost_usd_total)", 0.000_72),
        ("and in the budget", r#"autopr_llm_daily_budget_usd{state="spent"}"#, 0.000_72),
        ("of a hundred dollars", r#"autopr_llm_daily_budget_usd{state="limit"}"#, 100.0),
        ("executions", r#"sum(autopr_executions_total{status="succeeded"})"#, 2.0),
        ("connections", "sum(autopr_db_pool_connections)", 1.0),
        ("of sixty", "autopr_db_pool_limit", 60.0),
        ("findings", "sum(autopr_review_findings_total)", 2.0),
    ] {
        until(&prometheus, what, expression, |value| value >= least);
    }

    // Every rule was understood, and what is recorded is there.
    let groups = get(&prometheus, "/api/v1/rules")["groups"].as_array().expect("groups").clone();
    let rules: Vec<Value> =
        groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default()).collect();
    assert!(rules.len() > 30, "{} rules", rules.len());
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        if rule["type"] == "recording" {
            until(&prometheus, "a recording rule", rule["name"].as_str().expect("a name"), |_| true);
        }
    }
    let firing = |rule: &&Value| rule["state"] == "firing";
    let firing: BTreeSet<_> = rules.iter().filter(firing).filter_map(|rule| rule["name"].as_str()).collect();
    assert_eq!(firing, ["AutoprDeadLetters"].into(), "nothing else is wrong");
}

#[test]
fn the_log_has_what_the_log_shippers_read() {
    let world = World::new(CLEAN, |setup| setup);
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    let log = world.server.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect();
    let has = |field: &str| lines.iter().any(|line| line.get(field).is_some());
    for line in &lines {
        for field in ["timestamp", "level", "message", "target"] {
            assert!(line[field].is_string(), "{field} in {line}");
        }
        let timestamp = line["timestamp"].as_str().expect("text");
        // As Go reads 2006-01-02T15:04:05.999999Z: whatever the number of digits behind the point.
        assert!(timestamp.parse::<jiff::Timestamp>().is_ok() && timestamp.ends_with('Z'), "{timestamp}");
    }

    let shipped = |name: &str| {
        let path = workspace().join("deploy/monitoring/logs").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    // `name = "field",` in the block of expressions.
    let alloy = shipped("config.alloy");
    let block = alloy.split("expressions = {").nth(1).and_then(|rest| rest.split('}').next()).expect("expressions");
    let of_alloy: Vec<&str> = block.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(of_alloy.len(), 6, "{of_alloy:?}");
    // `from: autopr.field` and `field: autopr.field`.
    let filebeat = shipped("filebeat.yml");
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let of_filebeat: Vec<&str> =
        filebeat.split(": autopr.").skip(1).filter_map(|rest| rest.split(ends).next()).collect();
    assert_eq!(of_filebeat, ["timestamp", "level", "target", "request_id"]);
    for field in of_alloy.iter().chain(&of_filebeat) {
        assert!(has(field), "no line has {field}:\n{log}");
    }
}
