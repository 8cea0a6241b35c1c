//! One line of the log.

use std::collections::BTreeMap;
use std::iter::{once, zip};

use serde_json::{Value, json};

use super::NAMESPACE;
use super::recorder::{Labels, Sample};

/// The most values that stand behind one name in a line.
const MOST_VALUES: usize = 100;

/// The most metrics of a line.
const MOST_METRICS: usize = 100;

/// Writes the metrics of one set of labels: a line, or several when there is too much for one.
pub(super) fn write(
    text: &mut String,
    milliseconds: u64,
    labels: &Labels,
    samples: Vec<Sample>,
    properties: &[(&str, &str)],
) {
    for round in rounds(samples) {
        for part in round.chunks(MOST_METRICS) {
            text.push_str(&line(milliseconds, labels, part, properties));
            text.push('\n');
        }
    }
}

/// Splits distributions so that no part has too many values. The first round has all the metrics, later ones what was left.
fn rounds(mut samples: Vec<Sample>) -> Vec<Vec<Sample>> {
    let mut rounds = Vec::new();
    while !samples.is_empty() {
        let rest: Vec<Sample> = samples
            .iter_mut()
            .filter(|(_, values)| values.len() > MOST_VALUES)
            .map(|(name, values)| (name.clone(), values.split_off(MOST_VALUES)))
            .collect();
        rounds.push(std::mem::replace(&mut samples, rest));
    }
    rounds
}

fn line(milliseconds: u64, labels: &Labels, samples: &[Sample], properties: &[(&str, &str)]) -> String {
    let metrics: Vec<Value> = samples.iter().map(|(name, _)| json!({ "Name": name, "Unit": unit(name) })).collect();
    let dimensions: Vec<&String> = labels.keys().collect();
    let directive = json!({ "Dimensions": [dimensions], "Metrics": metrics, "Namespace": NAMESPACE });
    let about = json!({ "CloudWatchMetrics": [directive], "Timestamp": milliseconds });
    let values = samples.iter().map(|(_, values)| match values[..] {
        [one] => json!(one),
        _ => json!(values),
    });
    let names = samples.iter().map(|(name, _)| name.as_str());
    // Later ones replace earlier ones: nothing that a property is called takes the place of a value.
    let members: BTreeMap<&str, Value> = properties
        .iter()
        .map(|(name, value)| (*name, json!(value)))
        .chain(labels.iter().map(|(name, value)| (name.as_str(), json!(dimension(value)))))
        .chain(zip(names, values))
        .chain(once(("_aws", about)))
        .collect();
    json!(members).to_string()
}

/// CloudWatch drops a metric of which a dimension is empty.
fn dimension(value: &str) -> &str {
    if value.trim().is_empty() { "none" } else { value }
}

/// The unit by the end of a metric's name, out of those CloudWatch knows. It has none for money.
pub(super) fn unit(name: &str) -> &'static str {
    let stem = name.strip_suffix("_total").unwrap_or(name);
    let ends = |suffix: &str| stem.ends_with(suffix);
    match () {
        () if ends("_seconds") => "Seconds",
        () if ends("_milliseconds") => "Milliseconds",
        () if ends("_bytes") => "Bytes",
        () if ends("_usd") || ends("_ratio") => "None",
        () => "Count",
    }
}
