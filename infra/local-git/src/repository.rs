//! Finding the repository, and asking it what names mean. These are the only runs of git that read its configuration.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use autopr_core::fault::Fault;
use autopr_core::ids::CommitSha;
use tokio::process::Command;

use crate::git::{Git, Output, complaint, run, shown, told};

/// The most that git prints about names.
const LIMIT: u64 = 1024 * 1024;

/// Variables of the caller that decide which configuration of his own applies and, within a git hook, where the objects
/// and the index under way are.
const KEPT: [&str; 11] = [
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_",
    "GIT_CONFIG_VALUE_",
    "GIT_EXEC_PATH",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
];

/// A repository git agreed to open.
#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) git: Git,
    /// The path it was asked for by.
    pub(crate) path: PathBuf,
    /// Its own git directory: that of the worktree where there are several.
    pub(crate) git_dir: PathBuf,
    /// Where its objects are.
    pub(crate) objects: PathBuf,
    /// Its index, or the one a commit under way uses. It may not exist.
    pub(crate) index: PathBuf,
    /// `sha1` or `sha256`.
    pub(crate) object_format: String,
    /// True when history was cut off by a shallow clone.
    pub(crate) shallow: bool,
}

impl Repository {
    /// Finds the repository that holds `path`, as git does: upwards from a folder within.
    pub(crate) async fn discover(git: Git, path: &Path) -> Result<Self, Fault> {
        if !tokio::fs::metadata(path).await.is_ok_and(|facts| facts.is_dir()) {
            return Err(told(format!("`{}` is not a folder: name a git repository with --repo", shown(path))));
        }
        let mut command = hardened(&git);
        if let Some(index) = std::env::var_os("GIT_INDEX_FILE") {
            command.env("GIT_INDEX_FILE", index);
        }
        command.arg("-C").arg(path).args([
            "rev-parse",
            "--path-format=absolute",
            "--git-dir",
            "--git-path",
            "objects",
            "--git-path",
            "index",
            "--show-object-format",
            "--is-shallow-repository",
        ]);
        let output = run(command, "git rev-parse", LIMIT).await?;
        if !output.success {
            return Err(refused(path, &output.stderr));
        }
        let lines: Vec<&[u8]> = output.stdout.split(|byte| *byte == b'\n').collect();
        let [git_dir, objects, index, object_format, shallow, b""] = lines[..] else {
            return Err(match lines.first() {
                // An older git prints an option it does not know as if it were a file.
                Some(line) if line.starts_with(b"--") => told("this git is too old: install git 2.31 or newer"),
                _ => told(format!("git gave an unexpected answer about `{}`", shown(path))),
            });
        };
        let git_dir = as_path(git_dir);
        let index = as_path(index);
        let own_index = index.parent() == Some(&git_dir) && tokio::fs::try_exists(&index).await.unwrap_or(false);
        Ok(Self {
            git,
            path: path.to_owned(),
            index: if own_index { index } else { git_dir.join("index") },
            git_dir,
            objects: as_path(objects),
            object_format: String::from_utf8_lossy(object_format).into_owned(),
            shallow: shallow == b"true",
        })
    }

    /// The id of the tree without files, which git knows without storing it.
    pub(crate) fn empty_tree(&self) -> Result<CommitSha, Fault> {
        let id = match self.object_format.as_str() {
            "sha1" => "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            "sha256" => "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
            other => return Err(told(format!("`{}` has objects of an unknown format `{other}`", shown(&self.path)))),
        };
        object_id(id.as_bytes())
    }

    /// Runs a git command that looks names up. `args` must not hold a text of the user that begins with a dash.
    pub(crate) async fn ask(&self, args: &[&str]) -> Result<Output, Fault> {
        let mut command = hardened(&self.git);
        command.arg("-C").arg(&self.git_dir).arg("--git-dir").arg(&self.git_dir).args(args);
        run(command, &format!("git {}", args.first().unwrap_or(&"")), LIMIT).await
    }
}

/// Checks and wraps an object id that git printed.
pub(crate) fn object_id(id: &[u8]) -> Result<CommitSha, Fault> {
    CommitSha::new(String::from_utf8_lossy(id))
        .map_err(|error| Fault::invalid("git printed an unexpected id").source(error))
}

/// A command for which nothing that a repository's configuration can name is run.
fn hardened(git: &Git) -> Command {
    let mut command = git.command(&KEPT);
    for setting in [
        "core.fsmonitor=false",
        "core.hooksPath=/dev/null",
        "core.pager=cat",
        "core.sshCommand=false",
        "core.gitProxy=false",
        "credential.helper=",
        "gpg.program=false",
        "log.showSignature=false",
        "protocol.allow=never",
    ] {
        command.args(["-c", setting]);
    }
    command
}

/// Why git would not open the repository at `path`, and what to do.
fn refused(path: &Path, stderr: &str) -> Fault {
    let path = shown(path);
    told(if stderr.contains("dubious ownership") {
        let owned = stderr.split('\'').nth(1).map_or(path.clone(), |owned| shown(Path::new(owned)));
        format!(
            "`{owned}` belongs to another user, so git does not open it: if you trust it, run `git config --global \
             --add safe.directory '{owned}'`"
        )
    } else if stderr.contains("safe.bareRepository") {
        format!("`{path}` is a bare repository, which your git setting safe.bareRepository=explicit does not open")
    } else if stderr.contains("not a git repository") {
        format!("`{path}` is not in a git repository: name one with --repo")
    } else {
        format!("git does not open `{path}`: {}", complaint(stderr))
    })
}

fn as_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do() {
        let check = |stderr: &str| refused(Path::new("/srv/app"), stderr).to_string();
        insta::assert_snapshot!(
            check("fatal: detected dubious ownership in repository at '/srv/app'\nTo add an exception ...\n"),
            @"`/srv/app` belongs to another user, so git does not open it: if you trust it, run `git config --global --add safe.directory '/srv/app'`"
        );
        insta::assert_snapshot!(
            check("fatal: not a git repository (or any of the parent directories): .git\n"),
            @"`/srv/app` is not in a git repository: name one with --repo"
        );
        insta::assert_snapshot!(
            check("fatal: bad config line 1 in file \u{1b}[2J.git/config\n"),
            @r"git does not open `/srv/app`: bad config line 1 in file \u{1b}[2J.git/config"
        );
    }
}
