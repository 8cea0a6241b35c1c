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

    /// Sorts what histograms have gathered into their buckets. It grows until then, so this is to be called every few
    /// seconds where nobody may call [`Metrics::render`].
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }

    /// The content type of [`Metrics::render`].
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
}
