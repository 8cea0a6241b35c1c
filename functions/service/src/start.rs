//! How a process starts and what it ends with.

use std::process::ExitCode;

use autopr_runtime::settings::{LogFormat, Settings};
use autopr_telemetry::Format;

use crate::process::Failed;
use crate::signals::Stopped;

/// What a process ends with that its user has interrupted (128 and the signal's number, as shells report it).
const INTERRUPTED: u8 = 130;

/// What a program ends with that can't be used as it was asked to.
const UNUSABLE: u8 = 2;

/// Starts logging at `level` in the format of the settings.
///
/// # Errors
/// When the level is none.
pub fn start_logging(settings: &Settings, level: &str) -> Result<(), String> {
    let format = match settings.logging.format {
        LogFormat::Json => Format::Json,
        LogFormat::Text => Format::Text,
    };
    autopr_telemetry::start(level, format)
}

/// From now on logs a panic as a line like the others. Its text is left out: it may quote what was being worked on.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked: this is a mistake in the program");
    }));
}

/// Runs a process to its end, on as many threads as there are processors.
///
/// # Errors
/// When it can't start.
pub fn ends(process: impl Future<Output = Result<Stopped, Failed>>) -> Result<Stopped, Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failed::Runtime)?;
    let stopped = runtime.block_on(process);
    // A name that is still being looked up, or a body that is still being read, must not hold up the end.
    runtime.shutdown_background();
    stopped
}

/// What a process ends with that was stopped by a signal.
pub fn exit_code(stopped: Stopped) -> ExitCode {
    match stopped {
        Stopped::Interrupted => ExitCode::from(INTERRUPTED),
        // What supervisors ask for is no failure.
        Stopped::Terminated => ExitCode::SUCCESS,
    }
}

/// What somebody asks of a program that has settings and no other arguments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asked {
    /// To do its work.
    Run,
    /// Whether the one that runs on this machine is healthy.
    Health,
    /// Something that was answered; this is what it ends with.
    Answered(ExitCode),
}

/// What the command line of such a program asks for. Its help and its version are answered here, and what it does not know.
pub fn asked(name: &str, version: &str, about: &str) -> Asked {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => Asked::Run,
        ["health"] => Asked::Health,
        ["--version" | "-V"] => {
            println!("{name} {version}");
            Asked::Answered(ExitCode::SUCCESS)
        }
        ["--help" | "-h"] => {
            println!(
                "{about}\n\nUsage: {name}          runs until a signal stops it; settings come from the environment and from\n\
                 {:indent$}configs/<AUTOPR_ENV>.yaml\n       {name} health   asks the one that runs here for its health\n\n\
                 Exit codes: 0 done or terminated, 1 not healthy, 2 it can't start, 130 interrupted",
                "",
                indent = name.len() + 18,
            );
            Asked::Answered(ExitCode::SUCCESS)
        }
        [first, ..] => {
            eprintln!("{name}: unexpected argument {first:?}; try {name} --help");
            Asked::Answered(ExitCode::from(UNUSABLE))
        }
    }
}
