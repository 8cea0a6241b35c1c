//! What the tests of the whole share: the built binary and repositories to run it on. It panics where a test should fail.

pub mod aws;
pub mod azure;
pub mod gcp;
pub mod queues;
pub mod server;
pub mod torture;
pub mod world;

use std::error::Error;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use std::{env, fs};

use autopr_core::clock::{Clock, FastClock};
use serde_json::Value;
use tempfile::TempDir;

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// The `autopr` binary of this build.
pub fn autopr() -> Command {
    let mut command = Command::new(binary());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("NO_COLOR", "1");
    command
}

/// Where the `autopr` binary of this build lies.
pub fn binary() -> PathBuf {
    built("autopr")
}

/// Where a binary of this build lies. In the folder that `AUTOPR_TEST_PROGRAMS` names, if there is one, something of that name
/// takes its place, such as what runs it in a container.
pub fn built(name: &str) -> PathBuf {
    let other = env::var_os("AUTOPR_TEST_PROGRAMS").map(|folder| Path::new(&folder).join(name));
    if let Some(other) = other.filter(|other| other.exists()) {
        return other;
    }
    let this = std::env::current_exe().expect("the path of this program");
    // Tests lie in `deps/` of the folder that has the binaries.
    let beside = this.with_file_name(name);
    let above = this.parent().and_then(Path::parent).expect("a build folder").join(name);
    let found = [&beside, &above].into_iter().find(|path| path.exists()).cloned();
    found.unwrap_or_else(|| panic!("{} is not built: run scripts/test, or cargo build -p {name}", above.display()))
}

/// The clock that the variables of a binary for tests describe: `AUTOPR_FAST_START` is the moment the clocks of all processes
/// agreed with the machine's, in RFC 3339; `AUTOPR_FAST_TIMES` how many times as fast they run since, and
/// `AUTOPR_FAST_AHEAD` by how many seconds this one is ahead besides.
///
/// # Errors
/// When one of them is missing or none of these.
pub fn fast_clock() -> Result<Clock, Box<dyn Error>> {
    Ok(Clock::Fast(FastClock {
        start: env::var("AUTOPR_FAST_START")?.parse()?,
        times: env::var("AUTOPR_FAST_TIMES")?.parse()?,
        ahead: Duration::from_secs(env::var("AUTOPR_FAST_AHEAD")?.parse()?),
    }))
}

/// Runs git in a folder, without the user's configuration; its standard output.
pub fn git<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Vec<u8> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")])
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A repository in a temporary folder.
pub struct Repository {
    folder: TempDir,
}

impl Default for Repository {
    fn default() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        git(folder.path(), ["init", "--quiet", "--initial-branch=main"]);
        Self { folder }
    }
}

impl Repository {
    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, content).expect("the file is written");
        self
    }

    /// Commits everything.
    pub fn commit(&self, message: &str) -> &Self {
        git(self.path(), ["add", "--all"]);
        git(self.path(), ["commit", "--quiet", "--allow-empty", "-m", message]);
        self
    }

    /// Runs `autopr review` on it.
    pub fn review<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        autopr().arg("review").arg("--repo").arg(self.path()).args(arguments).output().expect("autopr runs")
    }

    /// The findings of `autopr review`, each `path:line rule severity`, the side where it is not the new one.
    pub fn findings<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Vec<String> {
        let output = self.review(
            arguments
                .into_iter()
                .map(|a| a.as_ref().to_owned())
                .chain([OsStr::new("--format").to_owned(), OsStr::new("json").to_owned()]),
        );
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|code| code < 2), "autopr review failed: {stderr}");
        let review: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let findings = review["findings"].as_array().expect("a list of findings");
        findings.iter().map(described).collect()
    }
}

fn described(finding: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let location = &finding["location"];
    let place = match location {
        Value::Null => "-".to_owned(),
        _ => format!("{}:{}", text(&location["path"]), location["start_line"]),
    };
    format!("{place} {} {}", text(&finding["rule"]), text(&finding["severity"]))
}
