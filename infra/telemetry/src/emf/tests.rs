//! Lines as CloudWatch gets them.

use std::time::Duration;

use autopr_core::telemetry::{EXECUTIONS, EXECUTIONS_RUNNING, GITHUB_REMAINING, LLM_COST, NAMES, STEP_DURATION};
use insta::assert_snapshot;
use metrics::{counter, gauge, histogram, with_local_recorder};
use serde_json::{Value, json};

use super::*;

/// 2026-11-22 12:00 UTC.
const NOON: Duration = Duration::from_secs(1_795_348_800);

/// What is written for what `record` records.
fn lines(emf: &Emf, record: impl FnOnce()) -> String {
    with_local_recorder(&*emf.0, record);
    let mut out = Vec::new();
    emf.write(UNIX_EPOCH + NOON, &[("function", "aws-worker"), ("request_id", "r-1")], &mut out).expect("written");
    let text = String::from_utf8(out).expect("UTF-8");
    text.lines().for_each(satisfies_the_specification);
    text
}

/// What the specification asks of a document, in our words.
fn satisfies_the_specification(line: &str) {
    let word = |longest: u32| json!({ "type": "string", "minLength": 1, "maxLength": longest });
    let units = ["Seconds", "Milliseconds", "Bytes", "Count", "None"];
    let metric = json!({
        "type": "object",
        "required": ["Name"],
        "additionalProperties": false,
        "properties": { "Name": word(1024), "Unit": { "enum": units }, "StorageResolution": { "enum": [1, 60] } },
    });
    let directive = json!({
        "type": "object",
        "required": ["Namespace", "Dimensions", "Metrics"],
        "additionalProperties": false,
        "properties": {
            "Namespace": word(1024),
            "Dimensions": {
                "type": "array",
                "minItems": 1,
                "items": { "type": "array", "maxItems": 30, "items": word(250) },
            },
            "Metrics": { "type": "array", "minItems": 1, "maxItems": 100, "items": metric },
        },
    });
    let schema = json!({
        "type": "object",
        "required": ["_aws"],
        "properties": {
            "_aws": {
                "type": "object",
                "required": ["Timestamp", "CloudWatchMetrics"],
                "properties": {
                    "Timestamp": { "type": "integer", "minimum": 0 },
                    "CloudWatchMetrics": { "type": "array", "minItems": 1, "items": directive },
                },
            },
        },
    });
    let document: Value = serde_json::from_str(line).expect("JSON");
    let wrong: Vec<String> =
        jsonschema::validator_for(&schema).expect("a schema").iter_errors(&document).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}\n{line}");
    assert!(line.len() < 256 * 1024, "{} bytes", line.len());
    // What the directives name stands at the root: dimensions as text, metrics as numbers.
    for directive in document["_aws"]["CloudWatchMetrics"].as_array().expect("directives") {
        for dimension in
            directive["Dimensions"].as_array().expect("sets").iter().flat_map(|set| set.as_array().expect("a set"))
        {
            let value = document[dimension.as_str().expect("a name")].as_str().expect("text");
            assert!((1..=1024).contains(&value.len()), "{line}");
        }
        for metric in directive["Metrics"].as_array().expect("metrics") {
            let value = &document[metric["Name"].as_str().expect("a name")];
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            assert!((1..=100).contains(&values.len()) && values.iter().all(Value::is_number), "{line}");
        }
    }
}

#[test]
fn a_set_of_labels_is_a_line_with_its_metrics() {
    let written = lines(&Emf::default(), || {
        counter!(EXECUTIONS, "workflow" => "pr-review", "status" => "succeeded").increment(3);
        histogram!(STEP_DURATION, "action" => "review", "outcome" => "succeeded").record(1.5);
        histogram!(STEP_DURATION, "action" => "review", "outcome" => "succeeded").record(2.25);
        gauge!(LLM_COST, "provider" => "openai", "model" => "gpt").increment(0.015);
        gauge!(GITHUB_REMAINING).set(4987.0);
    });
    assert_snapshot!(written, @r#"
    {"_aws":{"CloudWatchMetrics":[{"Dimensions":[[]],"Metrics":[{"Name":"autopr_github_rate_limit_remaining","Unit":"Count"}],"Namespace":"AutoPR"}],"Timestamp":1795348800000},"autopr_github_rate_limit_remaining":4987.0,"function":"aws-worker","request_id":"r-1"}
    {"_aws":{"CloudWatchMetrics":[{"Dimensions":[["action","outcome"]],"Metrics":[{"Name":"autopr_step_duration_seconds","Unit":"Seconds"}],"Namespace":"AutoPR"}],"Timestamp":1795348800000},"action":"review","autopr_step_duration_seconds":[1.5,2.25],"function":"aws-worker","outcome":"succeeded","request_id":"r-1"}
    {"_aws":{"CloudWatchMetrics":[{"Dimensions":[["model","provider"]],"Metrics":[{"Name":"autopr_llm_cost_usd_total","Unit":"None"}],"Namespace":"AutoPR"}],"Timestamp":1795348800000},"autopr_llm_cost_usd_total":0.015,"function":"aws-worker","model":"gpt","provider":"openai","request_id":"r-1"}
    {"_aws":{"CloudWatchMetrics":[{"Dimensions":[["status","workflow"]],"Metrics":[{"Name":"autopr_executions_total","Unit":"Count"}],"Namespace":"AutoPR"}],"Timestamp":1795348800000},"autopr_executions_total":3.0,"function":"aws-worker","request_id":"r-1","status":"succeeded","workflow":"pr-review"}
    "#);
}

#[test]
fn only_what_has_changed_is_written_again() {
    let emf = Emf::default();
    let record = || {
        counter!(EXECUTIONS, "status" => "failed").increment(2);
        gauge!(LLM_COST).increment(0.5);
        gauge!(EXECUTIONS_RUNNING).set(4.0);
    };
    let value = |text: &str, name: &str| {
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.filter_map(|line| line[name].as_f64()).collect::<Vec<_>>()
    };
    lines(&emf, record);
    assert_eq!(lines(&emf, || ()), "");
    let again = lines(&emf, record);
    assert_eq!(value(&again, EXECUTIONS), [2.0], "a counter is told by what it rose");
    assert_eq!(value(&again, LLM_COST), [0.5], "money too");
    assert_eq!(value(&again, EXECUTIONS_RUNNING), [4.0], "a level as it is");
}

#[test]
fn nothing_is_lost_when_there_are_more_values_than_a_line_may_have() {
    let written = lines(&Emf::default(), || {
        for value in 0..250 {
            histogram!(STEP_DURATION).record(f64::from(value));
        }
        counter!(EXECUTIONS).increment(1);
    });
    let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let values: Vec<f64> = lines
        .iter()
        .flat_map(|line| line[STEP_DURATION].as_array().expect("values"))
        .map(|value| value.as_f64().expect("a number"))
        .collect();
    assert_eq!(values, (0..250).map(f64::from).collect::<Vec<_>>());
    assert_eq!(lines.iter().filter(|line| line.get(EXECUTIONS).is_some()).count(), 1, "the counter once");
}

#[test]
fn what_cloudwatch_would_drop_is_made_good() {
    let written = lines(&Emf::default(), || {
        counter!(EXECUTIONS, "status" => "").increment(1);
        // Labels win over properties, and no number is written that JSON does not know.
        counter!(EXECUTIONS, "function" => "label").increment(1);
        gauge!(GITHUB_REMAINING).set(f64::NAN);
        histogram!(STEP_DURATION).record(f64::INFINITY);
    });
    assert_snapshot!(written, @r#"
    {"_aws":{"CloudWatchMetrics":[{"Dimensions":[["function"]],"Metrics":[{"Name":"autopr_executions_total","Unit":"Count"}],"Namespace":"AutoPR"}],"Timestamp":1795348800000},"autopr_executions_total":1.0,"function":"label","request_id":"r-1"}
    {"_aws":{"CloudWatchMetrics":[{"Dimensions":[["status"]],"Metrics":[{"Name":"autopr_executions_total","Unit":"Count"}],"Namespace":"AutoPR"}],"Timestamp":1795348800000},"autopr_executions_total":1.0,"function":"aws-worker","request_id":"r-1","status":"none"}
    "#);
}

#[test]
fn every_metric_has_the_unit_of_its_name() {
    let units: String = NAMES.iter().map(|name| format!("{name} {}\n", line::unit(name))).collect();
    assert_snapshot!(units, @"
    autopr_http_requests_total Count
    autopr_http_request_duration_seconds Seconds
    autopr_webhook_deliveries_total Count
    autopr_queue_messages_total Count
    autopr_queue_oldest_message_age_seconds Seconds
    autopr_queue_depth Count
    autopr_executions_total Count
    autopr_executions_running Count
    autopr_executions_open Count
    autopr_execution_duration_seconds Seconds
    autopr_step_duration_seconds Seconds
    autopr_llm_requests_total Count
    autopr_llm_request_duration_seconds Seconds
    autopr_llm_tokens_total Count
    autopr_llm_cost_usd_total None
    autopr_llm_daily_budget_usd None
    autopr_llm_breaker_open Count
    autopr_db_pool_connections Count
    autopr_db_pool_limit Count
    autopr_db_query_duration_seconds Seconds
    autopr_github_requests_total Count
    autopr_github_rate_limit_remaining Count
    autopr_cache_requests_total Count
    autopr_github_reconciled_total Count
    autopr_review_findings_total Count
    ");
}
