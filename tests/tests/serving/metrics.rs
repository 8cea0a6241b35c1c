//! `/metrics`: in the form Prometheus reads, under the names that are declared, and without anything personal.

use std::collections::{BTreeMap, BTreeSet};

use autopr_core::telemetry;
use autopr_e2e::server::{block_on, scripted_model};
use autopr_fakes::model::{Reply, Vendor};

use super::*;

/// A family of metrics as its lines tell.
#[derive(Debug, Default)]
struct Family {
    help: Option<String>,
    kind: Option<String>,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads Prometheus' text format strictly: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
fn parse(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let (keyword, rest) = comment.split_once(' ').expect("a keyword");
            let (name, text) = rest.split_once(' ').expect("a name and a text");
            let family = families.entry(name.to_owned()).or_default();
            assert!(family.samples.is_empty(), "{name}: said before its samples");
            let slot = match keyword {
                "HELP" => &mut family.help,
                "TYPE" => &mut family.kind,
                other => panic!("{other} is no keyword"),
            };
            assert!(slot.replace(text.to_owned()).is_none(), "{name} has one {keyword}");
            continue;
        }
        let sample = sample(line);
        assert!(seen.insert((sample.name.clone(), sample.labels.clone())), "{line}: said once");
        let family = family_of(&sample.name, &families).unwrap_or_else(|| panic!("{line}: its type is told before"));
        families.get_mut(&family).expect("known").samples.push(sample);
    }
    families
}

fn family_of(name: &str, families: &BTreeMap<String, Family>) -> Option<String> {
    let is = |name: &str, kind: &str| families.get(name).is_some_and(|family| family.kind.as_deref() == Some(kind));
    let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
    match of_histogram.filter(|name| is(name, "histogram")) {
        Some(histogram) => Some(histogram.to_owned()),
        None => (is(name, "counter") || is(name, "gauge")).then(|| name.to_owned()),
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect("a value");
    let value = if value == "+Inf" { f64::INFINITY } else { value.parse().expect("a number") };
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').expect("labels end")),
        None => (series, ""),
    };
    let is_name = |name: &str| {
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    assert!(is_name(name), "{name}");
    let labels = labels.split("\",").filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once("=\"").expect("a label");
        let value = value.strip_suffix('"').unwrap_or(value);
        assert!(is_name(name) && !value.contains(['"', '\\', '\n']), "{line}");
        (name.to_owned(), value.to_owned())
    });
    Sample { name: name.to_owned(), labels: labels.collect(), value }
}

impl Family {
    fn check(&self, name: &str) {
        assert!(self.help.as_ref().is_some_and(|help| help.ends_with('.')), "{name} has a help text");
        let kind = self.kind.as_deref().unwrap_or_else(|| panic!("{name} has a type"));
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        assert!(!self.samples.is_empty(), "{name} has samples");
        if kind == "histogram" {
            self.check_histogram(name);
        }
        for sample in self.samples.iter().filter(|_| kind == "counter") {
            assert!(sample.value >= 0.0, "{name} counts up");
        }
    }

    /// The buckets rise up to the one without end, which holds the count.
    fn check_histogram(&self, name: &str) {
        let mut series: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for sample in &self.samples {
            let mut labels = sample.labels.clone();
            if sample.name.ends_with("_bucket") {
                let bound = labels.remove("le").expect("a bound");
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a number") };
                series.entry(labels).or_default().push((bound, sample.value));
            } else if sample.name.ends_with("_count") {
                counts.insert(labels, sample.value);
            }
        }
        assert_eq!(series.len(), counts.len(), "{name}");
        for (labels, buckets) in &series {
            assert!(buckets.len() > 5, "{name} has buckets of its own");
            assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{name}: {buckets:?}");
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, counts[labels])), "{name}");
        }
    }
}

/// The metrics of the product's contract, with their labels.
const CONTRACT: [(&str, &[&str]); 25] = [
    ("autopr_http_requests_total", &["route", "method", "status"]),
    ("autopr_http_request_duration_seconds", &["route"]),
    ("autopr_webhook_deliveries_total", &["event", "outcome"]),
    ("autopr_queue_messages_total", &["queue", "outcome"]),
    ("autopr_queue_oldest_message_age_seconds", &["queue"]),
    ("autopr_queue_depth", &["queue", "state"]),
    ("autopr_executions_total", &["workflow", "status"]),
    ("autopr_executions_running", &[]),
    ("autopr_executions_open", &["state"]),
    ("autopr_execution_duration_seconds", &["workflow", "status"]),
    ("autopr_step_duration_seconds", &["action", "outcome"]),
    ("autopr_llm_requests_total", &["provider", "model", "outcome"]),
    ("autopr_llm_request_duration_seconds", &["provider", "model"]),
    ("autopr_llm_tokens_total", &["provider", "model", "direction"]),
    ("autopr_llm_cost_usd_total", &["provider", "model"]),
    ("autopr_llm_daily_budget_usd", &["state"]),
    ("autopr_llm_breaker_open", &["provider"]),
    ("autopr_db_pool_connections", &["state"]),
    ("autopr_db_pool_limit", &[]),
    ("autopr_db_query_duration_seconds", &["query"]),
    ("autopr_cache_requests_total", &["cache", "result"]),
    ("autopr_github_requests_total", &["operation", "status"]),
    ("autopr_github_rate_limit_remaining", &[]),
    ("autopr_github_reconciled_total", &["action"]),
    ("autopr_review_findings_total", &["severity", "source"]),
];

#[test]
fn metrics_are_in_prometheus_form_and_hold_nothing_personal() {
    let (github, app) = github();
    let model = scripted_model();
    model.by_default(Reply::answer(r#"{"findings":[]}"#));
    let server = Server::start(Setup::app(&github, &app).models(&model, &[Vendor::OpenAi]));
    github.send_webhooks_to(&server.webhook(), SECRET);
    let number = open_pull(&github);
    block_on(github.deliver_ping());
    let first = block_on(github.deliver_pull_request("acme", "shop", number, "opened"));
    block_on(github.redeliver(first.id));
    server.finished(1);
    // What strangers send may not make new series.
    let http = reqwest::blocking::Client::new();
    for path in ["/canary-path", "/api/canary", "/"] {
        http.get(server.url(path)).send().expect("an answer");
    }
    let method = reqwest::Method::from_bytes(b"CANARY").expect("a method");
    http.request(method, server.url("/api/health")).send().expect("an answer");
    http.post(server.webhook()).header("x-github-event", "canary_event").send().expect("an answer");

    let text = server.metrics();
    let families = parse(&text);
    for (name, family) in &families {
        family.check(name);
        let contract = CONTRACT.iter().find(|(known, _)| known == name);
        let (_, labels) = contract.unwrap_or_else(|| panic!("{name} is not in the contract"));
        for sample in &family.samples {
            let given = sample.labels.keys().map(String::as_str).filter(|label| *label != "le");
            assert_eq!(given.collect::<BTreeSet<_>>(), labels.iter().copied().collect(), "{name}");
        }
    }
    let canaries = ["acme", "shop", "dev", "canary", "CANARY", &*number.to_string(), &*first.guid];
    for sample in families.values().flat_map(|family| &family.samples) {
        for (label, value) in sample.labels.iter().filter(|(label, _)| *label != "le") {
            assert!(!canaries.contains(&&**value), "{}: {label} is {value}", sample.name);
        }
    }
    let lower = text.to_lowercase();
    for canary in ["acme", "canary"] {
        assert!(!lower.contains(canary), "{canary} is in\n{text}");
    }
    let sum = |name: &str, label: &str, value: &str| -> f64 {
        let family = families.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        let meant = |sample: &&Sample| sample.labels.get(label).is_some_and(|given| given == value);
        family.samples.iter().filter(meant).map(|sample| sample.value).sum()
    };
    assert_eq!(sum("autopr_webhook_deliveries_total", "outcome", "queued"), 1.0);
    assert_eq!(sum("autopr_webhook_deliveries_total", "outcome", "duplicate"), 1.0);
    assert_eq!(sum("autopr_webhook_deliveries_total", "outcome", "ignored"), 1.0);
    assert_eq!(sum("autopr_webhook_deliveries_total", "outcome", "unverified"), 1.0);
    assert_eq!(sum("autopr_http_requests_total", "route", "none"), 3.0);
    assert_eq!(sum("autopr_http_requests_total", "method", "other"), 1.0);
    // 100 tokens read at 2 dollars for a million, 20 written at 8.
    assert_eq!(sum("autopr_llm_cost_usd_total", "provider", "openai"), 0.00036);
}

#[test]
fn open_metrics_are_given_to_whom_accepts_them() {
    let (github, server) = server();
    block_on(github.deliver_ping());
    let address = server.logged("its address", |line| {
        (line["message"] == "metrics").then(|| line["address"].as_str().expect("an address").to_owned())
    });
    let http = reqwest::blocking::Client::new();
    let get = |accept: &str| {
        let answer = http.get(format!("http://{address}/metrics")).header("accept", accept).send().expect("metrics");
        let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
        (kind, answer.text().expect("text"))
    };
    // What Prometheus sends.
    let (kind, open) =
        get("application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(open.ends_with("\n# EOF\n") && !open.contains("\n\n"), "{open}");
    assert!(open.contains("# TYPE autopr_webhook_deliveries counter\nautopr_webhook_deliveries_total{"), "{open}");
    let (kind, text) = get("*/*");
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    parse(&text);
}

#[test]
fn every_declared_name_is_in_the_contract() {
    let declared = telemetry::NAMES;
    for name in declared {
        assert!(CONTRACT.iter().any(|(known, _)| known == name), "{name}");
    }
    let product = CONTRACT.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>();
    assert_eq!(declared.len(), product.len(), "what is promised is declared");
}
