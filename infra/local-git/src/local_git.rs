//! [`LocalGit`], the local counterpart of a forge.

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::{CommentId, CommitSha, PrNumber, RepoName};
use autopr_core::ports::Forge;
use autopr_core::ports::forge::{
    Cursor, DeliveryTry, EffectKind, Marker, OpenPull, Page, Patch, Permission, Place, PullRequest, Reaction, Remote,
    Target,
};
use autopr_core::review::{Check, Review};
use bytes::Bytes;

use crate::clean_room::CleanRoom;
use crate::git::{Git, shown, told};
use crate::objects::Objects;
use crate::outbox::Outbox;
use crate::range::{self, RangeSpec, ResolvedRange};
use crate::repository::Repository;

/// A local git repository as the place where one pull request lives: a range of its commits, or its index. Reads come
/// from git, writes go to the outbox. Share it with an [`Arc`].
#[derive(Debug)]
pub struct LocalGit {
    repository: Repository,
    room: CleanRoom,
    objects: Objects,
    outbox: Arc<Outbox>,
    range: Mutex<Option<ResolvedRange>>,
}

impl LocalGit {
    /// Opens the repository that holds the folder `repo`: its top level, a folder below it, a worktree or a bare
    /// repository. `outbox` is made when it does not exist; it must not lie within a repository that others write to.
    ///
    /// # Errors
    /// A [`Fault`] for a person to read when git is missing or too old, the folder is in no repository or git refuses
    /// it, or the outbox can't be written.
    pub async fn open(repo: &Path, outbox: &Path) -> Result<Self, Fault> {
        Self::open_with(blocking(Git::find).await?, repo, outbox).await
    }

    async fn open_with(git: Git, repo: &Path, outbox: &Path) -> Result<Self, Fault> {
        let repository = Repository::discover(git, repo).await?;
        let folder = outbox.to_owned();
        let unwritable = told(format!("the folder `{}` can't be written", shown(outbox)));
        blocking(move || {
            let prepare = || {
                let outbox = Outbox::open(&folder)?;
                let room = CleanRoom::build(&repository, outbox.folder())?;
                Ok::<_, std::io::Error>((outbox, room))
            };
            let (outbox, room) = prepare().map_err(|error| unwritable.source(error))?;
            let outbox = Arc::new(outbox);
            Ok(Self { repository, room, objects: Objects::default(), outbox, range: Mutex::default() })
        })
        .await
    }

    /// Finds out what `spec` means here, and makes it the pull request that [`Forge::pull_request`] tells of.
    ///
    /// # Errors
    /// A [`Fault`] for a person to read when a revision is unknown or ambiguous, the two have no common ancestor, or a
    /// shallow clone lacks what is needed.
    pub async fn resolve(&self, spec: &RangeSpec) -> Result<ResolvedRange, Fault> {
        let range = range::resolve(spec, &self.repository, &self.room, &self.objects).await?;
        *self.range.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(range.clone());
        Ok(range)
    }

    /// How the engine addresses this repository: `local/` and the name of its folder, number zero.
    ///
    /// # Errors
    /// A [`Fault`] when that name is longer than a repository's may be.
    pub fn target(&self) -> Result<Target, Fault> {
        let top = match self.repository.git_dir.file_name() {
            Some(name) if name == ".git" => self.repository.git_dir.parent(),
            _ => Some(self.repository.git_dir.as_path()),
        };
        let name = top.and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let name: String = name.chars().map(|c| if c.is_control() || c.is_whitespace() { '-' } else { c }).collect();
        let name = if name.is_empty() { "root" } else { name.trim_end_matches(".git") };
        let repository = RepoName::new(format!("local/{name}"))
            .map_err(|error| Fault::invalid("naming the repository").source(error))?;
        Ok(Target { repository, number: PrNumber(0), installation: None })
    }

    /// The review that was posted, or found already posted, last.
    ///
    /// # Errors
    /// A [`Fault`] when its file can't be read.
    pub async fn review(&self) -> Result<Option<Review>, Fault> {
        let outbox = Arc::clone(&self.outbox);
        blocking(move || outbox.last(EffectKind::Review)).await
    }

    /// The check that was posted, or found already posted, last.
    ///
    /// # Errors
    /// A [`Fault`] when its file can't be read.
    pub async fn check(&self) -> Result<Option<Check>, Fault> {
        let outbox = Arc::clone(&self.outbox);
        blocking(move || outbox.last(EffectKind::Check)).await
    }
}

impl LocalGit {
    /// The object of a regular file in a commit, or in the index.
    async fn object_of(&self, commit: &CommitSha, path: &str) -> Result<Option<String>, Fault> {
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Ok(None);
        }
        if *commit != CommitSha::zero() {
            return self.objects.find(&self.room, commit.as_str(), path).await;
        }
        let entry = self.room.index_entry(path).await?;
        Ok(entry.filter(|entry| entry.mode.starts_with("100")).map(|entry| entry.id))
    }
}

#[async_trait]
impl Forge for LocalGit {
    async fn pull_request(&self, target: &Target) -> Result<PullRequest, Fault> {
        if *target != self.target()? {
            let other = format!("no pull request {} in {} here", target.number, target.repository);
            return Err(Fault::new(FaultKind::NotFound, other));
        }
        let range = self.range.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        let range = range.ok_or_else(|| Fault::new(FaultKind::NotFound, "no range was chosen yet"))?;
        let ResolvedRange { base, head, title, body, author, description: _ } = range;
        let (target, labels) = (target.clone(), Vec::new());
        Ok(PullRequest { target, title, body, author, base, head, draft: false, labels, changed_at: None })
    }

    async fn diff(&self, pull: &PullRequest) -> Result<Patch, Fault> {
        let staged = pull.head == CommitSha::zero();
        let diff = self.room.diff(&pull.base, (!staged).then_some(&pull.head)).await?;
        match staged.then(|| unmerged(&diff)).flatten() {
            Some(path) => {
                Err(told(format!("`{path}` has unresolved conflicts in the index: resolve and `git add` it")))
            }
            None => Ok(Patch { text: diff.into(), left_out: Vec::new() }),
        }
    }

    async fn file(&self, _: &Target, commit: &CommitSha, path: &str) -> Result<Option<Bytes>, Fault> {
        match self.object_of(commit, path).await? {
            Some(id) => Ok(Some(self.objects.blob(&self.room, &id).await?.into())),
            None => Ok(None),
        }
    }

    async fn file_size(&self, _: &Target, commit: &CommitSha, path: &str) -> Result<Option<u64>, Fault> {
        match self.object_of(commit, path).await? {
            Some(id) => self.objects.size(&self.room, &id).await.map(Some),
            None => Ok(None),
        }
    }

    async fn find(
        &self,
        _: &Target,
        _: Option<&CommitSha>,
        kind: EffectKind,
        marker: &Marker,
    ) -> Result<Option<Remote>, Fault> {
        let (outbox, marker) = (Arc::clone(&self.outbox), marker.clone());
        blocking(move || Ok(outbox.find(kind, &marker))).await
    }

    async fn create_review(&self, target: &Target, marker: &Marker, review: &Review) -> Result<Remote, Fault> {
        let (outbox, target, marker, review) =
            (Arc::clone(&self.outbox), target.clone(), marker.clone(), review.clone());
        blocking(move || outbox.post(EffectKind::Review, &target, &marker, &review)).await
    }

    async fn create_check(&self, target: &Target, marker: &Marker, check: &Check) -> Result<Remote, Fault> {
        let (outbox, target, marker, check) = (Arc::clone(&self.outbox), target.clone(), marker.clone(), check.clone());
        blocking(move || outbox.post(EffectKind::Check, &target, &marker, &check)).await
    }

    async fn permission(&self, _: &Target, _: &str) -> Result<Permission, Fault> {
        // Whoever runs the program on their own repository may do everything.
        Ok(Permission::Write)
    }

    async fn create_comment(&self, _: &Target, _: &Marker, _: &str) -> Result<Remote, Fault> {
        Err(no_conversation())
    }

    async fn describe(&self, _: &Target, _: &str) -> Result<Remote, Fault> {
        Err(no_conversation())
    }

    async fn add_labels(&self, _: &Target, _: &[String]) -> Result<Remote, Fault> {
        Err(no_conversation())
    }

    async fn react(&self, _: &Target, _: CommentId, _: Reaction) -> Result<Remote, Fault> {
        Err(no_conversation())
    }

    async fn deliveries(&self, _: Option<&Cursor>) -> Result<Page<DeliveryTry>, Fault> {
        Ok(Page::default())
    }

    async fn redeliver(&self, _: u64) -> Result<(), Fault> {
        Err(Fault::new(FaultKind::NotFound, "a local repository delivers no webhooks"))
    }

    async fn places(&self, _: Option<&Cursor>) -> Result<Option<Page<Place>>, Fault> {
        Ok(Some(Page::default()))
    }

    async fn open_pull_requests(&self, _: &Place, _: Option<&Cursor>) -> Result<Page<OpenPull>, Fault> {
        Ok(Page::default())
    }
}

fn no_conversation() -> Fault {
    told("a range of a local repository has no description, comments or labels: use a workflow that reviews".to_owned())
}

/// Runs file work where it holds up no other task.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Fault::new(FaultKind::Bug, "work on files ended early").source(error)))
}

/// The first path that `git diff-index` reports as unmerged instead of printing a diff of it.
fn unmerged(diff: &[u8]) -> Option<String> {
    diff.split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"* Unmerged path "))
        .map(|path| String::from_utf8_lossy(path).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Opens a repository with a program in git's place.
    async fn open_with(program: &str) -> Result<LocalGit, Fault> {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join("git");
        fs::write(&git, format!("#!/bin/sh\n{program}\n")).unwrap();
        fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
        let repo = folder.path().join("repo");
        let made = std::process::Command::new("git").args(["init", "-q"]).arg(&repo).status().unwrap();
        assert!(made.success());
        LocalGit::open_with(Git::at(git), &repo, &folder.path().join("outbox")).await
    }

    #[tokio::test]
    async fn the_stand_in_opens_a_repository() {
        open_with("exec git \"$@\"").await.unwrap();
    }

    #[tokio::test]
    async fn an_old_git_is_refused() {
        let fault =
            open_with("echo --path-format=absolute; echo .git; echo --is-shallow-repository").await.unwrap_err();
        insta::assert_snapshot!(fault, @"this git is too old: install git 2.31 or newer");
    }

    #[tokio::test]
    async fn the_repository_of_another_user_is_refused_with_the_way_out() {
        let fault = open_with(
            "GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec git \"$@\"",
        )
        .await
        .unwrap_err()
        .to_string();
        assert!(fault.contains("belongs to another user"), "{fault}");
        assert!(fault.contains("/repo'`") && fault.contains("git config --global --add safe.directory '/"), "{fault}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_git_that_hangs_is_given_up() {
        let fault = open_with("exec sleep 1000").await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Timeout);
        insta::assert_snapshot!(fault, @"git rev-parse took longer than 60 seconds");
    }

    #[tokio::test]
    async fn a_git_that_never_stops_printing_is_stopped() {
        let fault = open_with("exec yes").await.unwrap_err();
        insta::assert_snapshot!(fault, @"git rev-parse printed more than 1 MiB: review a smaller range");
    }

    #[tokio::test]
    async fn an_outbox_that_cannot_be_made_is_named() {
        let fault = LocalGit::open(Path::new("."), Path::new("/dev/null/outbox")).await.unwrap_err();
        insta::assert_snapshot!(fault, @"the folder `/dev/null/outbox` can't be written: Not a directory (os error 20)");
    }
}
