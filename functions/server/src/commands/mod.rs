//! What the commands do: one file each.

pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod executions;
pub(crate) mod messages;
pub(crate) mod migrate;
pub(crate) mod review;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod workflows;

use std::path::PathBuf;
use std::process::ExitCode;

use autopr_runtime::settings::{ConfigFile, Loaded, Settings, Source};

/// The review, or a check, found something.
pub(crate) const FOUND: u8 = 1;

/// The input can't be used.
pub(crate) const UNUSABLE: u8 = 2;

/// The review did not come to its end.
pub(crate) const INCOMPLETE: u8 = 3;

/// Stopped by the user (128 and the signal's number, as shells report it).
pub(crate) const INTERRUPTED: u8 = 130;

/// Stopped by its supervisor.
pub(crate) const TERMINATED: u8 = 143;

/// Stopped because the terminal went away.
pub(crate) const HUNG_UP: u8 = 129;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the user reads.
    pub(crate) text: String,
    /// What the shell sees.
    pub(crate) code: ExitCode,
}

impl Failure {
    pub(crate) fn new(code: u8, error: impl ToString) -> Self {
        Self { text: error.to_string(), code: ExitCode::from(code) }
    }

    /// The input can't be used, for the reason given.
    pub(crate) fn unusable(error: impl ToString) -> Self {
        Self::new(UNUSABLE, error)
    }
}

pub(crate) type Done = Result<ExitCode, Failure>;

/// Where settings come from; without a file named by the user, the one of the environment.
fn source(config: Option<PathBuf>) -> Result<Source, Failure> {
    source_of(config.map_or(ConfigFile::OfEnvironment, ConfigFile::Named))
}

fn source_of(config: ConfigFile) -> Result<Source, Failure> {
    autopr_runtime::source(config).map_err(|error| Failure::unusable(format!("can't tell the current folder: {error}")))
}

fn settings(config: Option<PathBuf>) -> Result<Loaded, Failure> {
    Settings::load(&source(config)?).map_err(Failure::unusable)
}

/// The settings of a command that runs in a folder of somebody else's: only a file named by the user is read.
fn settings_in_foreign_folder(config: Option<PathBuf>) -> Result<Loaded, Failure> {
    Settings::load(&source_of(config.map_or(ConfigFile::None, ConfigFile::Named))?).map_err(Failure::unusable)
}

/// Runs a command that waits for a database.
fn block_on(command: impl Future<Output = Done>) -> Done {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::unusable(format!("can't start the async runtime: {error}")))?;
    let done = runtime.block_on(command);
    runtime.shutdown_background();
    done
}

/// Who runs this command, for the audit log.
fn actor() -> String {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    format!("cli:{}", user.as_deref().unwrap_or("unknown"))
}

/// The machine this runs on, for the audit log.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map_or_else(|| "unknown".to_owned(), |name| name.trim().to_owned())
}
