//! Logs, on standard error: standard output belongs to what a command was asked for.
//!
//! A line can be read alone and queried by its fields. Errors are logged once, where they are handled. Bodies, diffs,
//! prompts and secrets are never logged.

#[cfg(feature = "emf")]
mod emf;
#[cfg(feature = "prometheus")]
mod metrics;

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

#[cfg(feature = "emf")]
pub use emf::{Emf, NAMESPACE};
#[cfg(feature = "prometheus")]
pub use metrics::Metrics;

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging at `level` (`error`, `warn`, `info`, `debug`, `trace`) and above for this project's own crates, and
/// at `warn` for the libraries. Later calls change nothing.
///
/// # Errors
/// When `level` is none of these words.
pub fn start(level: &str, format: Format) -> Result<(), String> {
    let level: LevelFilter =
        level.parse().map_err(|_| format!("`{level}` is not a log level: use error, warn, info, debug or trace"))?;
    let filter = Targets::new().with_default(LevelFilter::WARN).with_target("autopr", level);
    let layer = match format {
        Format::Text => fmt::layer().with_writer(io::stderr).with_target(false).boxed(),
        Format::Json => fmt::layer().with_writer(io::stderr).json().flatten_event(true).boxed(),
    };
    // Only the first caller of a process decides; tests start many.
    drop(tracing_subscriber::registry().with(filter).with(layer).try_init());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_level_is_refused_with_the_choice() {
        assert_eq!(
            start("loud", Format::Text).unwrap_err(),
            "`loud` is not a log level: use error, warn, info, debug or trace"
        );
        assert!(start("INFO", Format::Json).is_ok());
    }
}
