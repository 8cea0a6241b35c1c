//! Metrics, kept in the process and shown in Prometheus' text format.

use autopr_core::telemetry::LLM_COST;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// The limits of the buckets that times are sorted into, in seconds: from a webhook's milliseconds to a model's minutes.
const SECONDS: [f64; 16] =
    [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0];

/// What was recorded since the start. Cloning shares it.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts to record. To be called once in a process.
    ///
    /// # Errors
    /// When metrics are recorded already.
    pub fn start() -> Result<Self, BuildError> {
        let builder =
            PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
        let handle = builder.install_recorder()?;
        autopr_core::telemetry::describe();
        Ok(Self(handle))
    }

    /// Everything in Prometheus' text format (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
    pub fn render(&self) -> String {
        self.upkeep();
        // The recorder's counters hold whole numbers only, so dollars are kept as a gauge that only rises.
        let kept = format!("# TYPE {LLM_COST} gauge\n");
        self.0.render().replace(&kept, &format!("# TYPE {LLM_COST} counter\n"))
    }

    /// The same as OpenMetrics text (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
    pub fn render_open(&self) -> String {
        open(&self.render())
    }

    /// Sorts what histograms have gathered into their buckets. It grows until then, so this is to be called every few
    /// seconds where nobody may call [`Metrics::render`].
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }

    /// The content type of [`Metrics::render`].
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// The content type of [`Metrics::render_open`], without its parameters.
    pub const OPEN_TYPE: &str = "application/openmetrics-text";

    /// The content type of [`Metrics::render_open`].
    pub const OPEN_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

/// From Prometheus' text format to OpenMetrics: there a counter's family is named without the suffix that its samples
/// have, no line is empty, and the last one says that it is the last.
fn open(text: &str) -> String {
    let mut open = String::with_capacity(text.len() + 6);
    for line in text.lines().filter(|line| !line.is_empty()) {
        let described = ["# HELP ", "# TYPE "].into_iter().find_map(|keyword| {
            let (name, rest) = line.strip_prefix(keyword)?.split_once(' ')?;
            Some((keyword, name.strip_suffix("_total")?, rest))
        });
        match described {
            Some((keyword, name, rest)) => open.push_str(&format!("{keyword}{name} {rest}\n")),
            None => open.extend([line, "\n"]),
        }
    }
    open.push_str("# EOF\n");
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_name_counters_without_their_suffix() {
        let text = "# HELP a_total Help.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n\n# TYPE d gauge\nd 2\n\n";
        let expect = "# HELP a Help.\n# TYPE a counter\na_total{b=\"c\"} 1\n# TYPE d gauge\nd 2\n# EOF\n";
        assert_eq!(open(text), expect);
    }
}
