//! Metrics without a scraper: lines in CloudWatch's embedded metric format, out of which CloudWatch makes metrics when it
//! takes in a function's log.
//!
//! The format is specified in
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//! The names are those of [`autopr_core::telemetry`], labels become dimensions. What CloudWatch gets are changes: it adds
//! them up over all environments of a function.

mod line;
mod recorder;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use metrics::SetRecorderError;

use recorder::Gathered;

/// The namespace that all metrics stand in.
pub const NAMESPACE: &str = "AutoPR";

/// What was recorded since the last [`Emf::flush`]. Cloning shares it.
#[derive(Clone, Default)]
pub struct Emf(Arc<Gathered>);

impl Emf {
    /// Starts to record. To be called once in a process.
    ///
    /// # Errors
    /// When metrics are recorded already.
    pub fn start() -> Result<Self, SetRecorderError<Arc<Gathered>>> {
        let emf = Self::default();
        metrics::set_global_recorder(Arc::clone(&emf.0))?;
        Ok(emf)
    }

    /// Writes what was recorded since the last time to standard output, one line for each set of labels. To be called at
    /// the end of every invocation: an environment that is frozen afterwards may never be thawed.
    ///
    /// Properties can be searched for in the log and make no metrics of their own, so that they may name a request, which
    /// no label may.
    ///
    /// # Errors
    /// When standard output takes nothing; what was to be written is lost.
    pub fn flush(&self, properties: &[(&str, &str)]) -> io::Result<()> {
        self.write(SystemTime::now(), properties, &mut io::stdout().lock())
    }

    /// [`Emf::flush`] at another time and to another place.
    ///
    /// # Errors
    /// When `out` takes nothing; what was to be written is lost.
    pub fn write(&self, now: SystemTime, properties: &[(&str, &str)], out: &mut impl Write) -> io::Result<()> {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let mut text = String::new();
        for (labels, samples) in self.0.take() {
            line::write(&mut text, milliseconds, &labels, samples, properties);
        }
        // At once: the lines of a process's log may come from several threads.
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

#[cfg(test)]
mod tests;
