//! Runs the `git` program: no shell, a clean environment, a time-out and a limit on what it may print.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use autopr_core::fault::{Fault, FaultKind};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

/// How long one run of git may take. A diff of a very large range takes seconds.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(60);

/// What git may say about an error before the rest is dropped.
const STDERR_LIMIT: u64 = 16 * 1024;

/// The git program.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    program: PathBuf,
}

/// What a run of git left.
pub(crate) struct Output {
    /// True when it ended with exit code 0.
    pub(crate) success: bool,
    /// What it printed.
    pub(crate) stdout: Vec<u8>,
    /// What it complained about; untrusted text.
    pub(crate) stderr: String,
}

impl Git {
    /// Finds git in the absolute folders of `PATH`. A relative one such as `.` could lie within the repository.
    pub(crate) fn find() -> Result<Self, Fault> {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("git"))
            .find(|program| program.is_file())
            .map(Self::at)
            .ok_or_else(|| told("git is not in PATH: install git 2.31 or newer"))
    }

    /// Uses the program at this path.
    pub(crate) fn at(program: PathBuf) -> Self {
        Self { program }
    }

    /// A command without any `GIT_*` variable of the caller's environment but those named, and with all that could
    /// prompt, page, fetch, lock or translate switched off.
    pub(crate) fn command(&self, keep: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars_os().filter(|(name, _)| is_git_variable(name)) {
            if !keep.iter().any(|kept| name == *kept || is_numbered(&name, kept)) {
                command.env_remove(name);
            }
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env_remove("SSH_ASKPASS")
            .args(["--no-pager", "--literal-pathspecs"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// Runs the command to its end. `what` names it in errors; more than `limit` bytes of output is an error.
pub(crate) async fn run(mut command: Command, what: &str, limit: u64) -> Result<Output, Fault> {
    let work = async {
        let mut child = command.spawn().map_err(|error| told(format!("{what} could not be started: {error}")))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr) = tokio::try_join!(read(out, limit), read(err, STDERR_LIMIT))
            .map_err(|error| Fault::unavailable(format!("reading the output of {what}")).source(error))?;
        if stdout.len() as u64 > limit {
            return Err(told(format!("{what} printed more than {} MiB: review a smaller range", limit >> 20)));
        }
        let status =
            child.wait().await.map_err(|error| Fault::unavailable(format!("waiting for {what}")).source(error))?;
        Ok(Output { success: status.success(), stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    };
    timeout(TIME_LIMIT, work).await.unwrap_or_else(|_| Err(too_slow(what)))
}

/// The fault of a run that took longer than [`TIME_LIMIT`].
pub(crate) fn too_slow(what: &str) -> Fault {
    let text = format!("{what} took longer than {} seconds", TIME_LIMIT.as_secs());
    Fault::new(FaultKind::Timeout, text.clone()).user(text)
}

/// A fault whose text is written for the person at the command line.
pub(crate) fn told(text: impl Into<String>) -> Fault {
    let text = text.into();
    Fault::invalid(text.clone()).user(text)
}

/// The first line of what git complained about, without its `fatal:` and without control characters.
pub(crate) fn complaint(stderr: &str) -> String {
    let line = stderr
        .lines()
        .find(|line| line.starts_with("fatal: ") || line.starts_with("error: "))
        .or_else(|| stderr.lines().next())
        .unwrap_or("no reason given");
    let line = line.trim_start_matches("fatal: ").trim_start_matches("error: ");
    line.chars().take(300).flat_map(char::escape_debug).collect::<String>().replace("\\'", "'")
}

/// A path as it may appear in a message.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Reads to the end, or to one byte past the limit, so that the caller can tell. The rest is left in the pipe; the
/// child is killed when it is dropped.
async fn read(stream: Option<impl AsyncRead + Unpin>, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(limit + 1).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

fn is_git_variable(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"GIT_")
}

/// True when `kept` ends in an underscore and `name` is one of its numbered variables, such as `GIT_CONFIG_KEY_0`.
fn is_numbered(name: &OsString, kept: &str) -> bool {
    kept.ends_with('_') && name.as_encoded_bytes().starts_with(kept.as_bytes())
}
