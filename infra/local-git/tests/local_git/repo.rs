//! A real repository in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use autopr_core::fault::Fault;
use autopr_core::ids::CommitSha;
use autopr_core::ports::Forge;
use autopr_core::ports::forge::PullRequest;
use autopr_local_git::{LocalGit, RangeSpec, ResolvedRange};
use tempfile::TempDir;

pub(crate) struct Repo {
    pub(crate) path: PathBuf,
    pub(crate) folder: TempDir,
}

impl Repo {
    pub(crate) fn new() -> Self {
        Self::with_format("sha1")
    }

    pub(crate) fn with_format(object_format: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app");
        fs::create_dir(&path).unwrap();
        let repo = Self { path, folder };
        repo.git(&["init", "-q", "-b", "main", &format!("--object-format={object_format}")]);
        repo
    }

    /// A repository with `main` (commits one, two) and, checked out, `topic` (three, four) from one.
    pub(crate) fn with_topic() -> Self {
        let repo = Self::new();
        repo.commit("one", &[("a.txt", "a\n")]);
        repo.git(&["checkout", "-q", "-b", "topic"]);
        repo.commit("three\n\nWhy three.\n\nMore.\n", &[("b.txt", "b\n")]);
        repo.commit("four", &[("c.txt", "c\n")]);
        repo.git(&["checkout", "-q", "main"]);
        repo.commit("two", &[("a.txt", "a\nmain only\n")]);
        repo.git(&["checkout", "-q", "topic"]);
        repo
    }

    /// A second folder that makes a clone, worktree and so on possible beside the repository.
    pub(crate) fn beside(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn commit(&self, message: &str, files: &[(&str, &str)]) -> CommitSha {
        for (path, content) in files {
            self.write(path, content);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.id("HEAD")
    }

    pub(crate) fn id(&self, name: &str) -> CommitSha {
        CommitSha::new(self.git(&["rev-parse", name])).unwrap()
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.path, args)
    }

    pub(crate) async fn open(&self) -> Result<LocalGit, Fault> {
        self.open_at(&self.path).await
    }

    pub(crate) async fn open_at(&self, path: &Path) -> Result<LocalGit, Fault> {
        LocalGit::open(path, &self.folder.path().join("outbox")).await
    }

    pub(crate) async fn resolve(&self, spec: &RangeSpec) -> Result<ResolvedRange, Fault> {
        self.open().await?.resolve(spec).await
    }
}

/// Resolves a range and reads what the engine reads.
pub(crate) async fn read(local: &LocalGit, spec: &RangeSpec) -> Result<(PullRequest, String), Fault> {
    local.resolve(spec).await?;
    let pull = local.pull_request(&local.target()?).await?;
    let diff = local.diff(&pull).await?;
    Ok((pull, String::from_utf8_lossy(&diff.text).into_owned()))
}

/// The paths that a diff's headers name, new side.
pub(crate) fn paths(diff: &str) -> Vec<&str> {
    diff.lines().filter_map(|line| line.strip_prefix("diff --git ")?.split(" b/").nth(1)).collect()
}

pub(crate) fn range(text: &str) -> RangeSpec {
    text.parse().unwrap()
}

pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ann Author")
        .env("GIT_AUTHOR_EMAIL", "ann@example.org")
        .env("GIT_COMMITTER_NAME", "Carl Committer")
        .env("GIT_COMMITTER_EMAIL", "carl@example.org")
        .env("GIT_AUTHOR_DATE", "2026-11-01T10:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-11-01T10:00:00Z")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
