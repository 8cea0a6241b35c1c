//! The configuration files that ship are valid, and production's has the values that the deployment guide names.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Runs `autopr` in the workspace with nothing in its environment but what an installation sets.
fn autopr(environment: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_autopr"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .env_clear()
        .env("AUTOPR_ENV", environment)
        .envs([("GITHUB_TOKEN", "t"), ("GITHUB_WEBHOOK_SECRET", "s"), ("OPENAI_API_KEY", "k")])
        .args(arguments)
        .output()
        .expect("autopr runs")
}

/// The settings that a file holds itself, by their keys.
fn told_by(environment: &str, file: &str) -> BTreeMap<String, Value> {
    let output = autopr(environment, &["--config", file, "config", "show", "--json"]);
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    let shown: BTreeMap<String, Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let of_file = shown.into_iter().filter(|(_, shown)| shown["origin"]["type"] == "file");
    of_file.map(|(key, shown)| (key, shown["value"].clone())).collect()
}

#[test]
fn every_file_is_valid() {
    let files = [
        ("development", "configs/development.yaml"),
        ("staging", "configs/staging.yaml"),
        ("production", "configs/production.yaml"),
        ("production", "deploy/compose/autopr.yaml"),
    ];
    for (environment, file) in files {
        let output = autopr(environment, &["--config", file, "config", "check"]);
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(told.contains(environment) && told.contains(file), "{told}");
        // The same file is found by the environment's name alone.
        if file.starts_with("configs/") {
            assert_eq!(autopr(environment, &["config", "check"]).stdout, output.stdout);
        }
    }
}

#[test]
fn production_has_the_values_of_the_guide() {
    let guide = [
        ("github.timeout", json!(30)),
        ("github.base_url", json!("https://api.github.com")),
        ("llm.default_provider", json!("openai")),
        ("llm.fallback_order", json!(["openai", "anthropic", "mistral"])),
        ("llm.max_tokens", json!(4000)),
        ("llm.temperature", json!(0.7)),
        ("llm.timeout", json!(60)),
        ("llm.max_retries", json!(3)),
        ("workflow.max_concurrent", json!(10)),
        ("workflow.timeout", json!(300)),
        ("workflow.retry_attempts", json!(3)),
        ("workflow.retry_delay", json!(5)),
        ("workflow.enable_parallel_execution", json!(true)),
        ("database.pool_size", json!(20)),
        ("database.max_overflow", json!(40)),
        ("database.pool_timeout", json!(30)),
        ("database.pool_recycle", json!(3600)),
        ("database.echo", json!(false)),
        ("redis.timeout", json!(5)),
        ("redis.max_connections", json!(50)),
        ("redis.ssl", json!(true)),
        ("monitoring.enable_metrics", json!(true)),
        ("monitoring.metrics_port", json!(9090)),
        ("monitoring.enable_tracing", json!(true)),
        ("logging.level", json!("INFO")),
        ("logging.format", json!("json")),
        ("logging.enable_audit", json!(true)),
    ];
    let told = told_by("production", "configs/production.yaml");
    for (key, value) in guide {
        assert_eq!(told.get(key), Some(&value), "{key}");
    }
}

/// What production sets staging sets too, so that nothing is tried for the first time in production.
#[test]
fn staging_rehearses_all_that_production_sets() {
    let (staging, production) =
        (told_by("staging", "configs/staging.yaml"), told_by("production", "configs/production.yaml"));
    let missing: Vec<_> = production.keys().filter(|key| !staging.contains_key(*key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
