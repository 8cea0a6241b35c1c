//! A range of a git repository as what a pull request is made from.

use std::path::Path;

use autopr_core::analysis;
use autopr_core::diff::Diff;
use autopr_core::fault::Fault;
use autopr_core::ids::CommitSha;
use autopr_core::ports::Forge;
use autopr_core::ports::forge::PullRequest;
use autopr_core::repo_config;
use autopr_e2e::server::block_on;
use autopr_fakes::github::NewPull;
use autopr_local_git::{LocalGit, RangeSpec};
use bytes::Bytes;

/// What a pull request is made from.
pub(crate) struct Change {
    /// What was chosen, for a person.
    pub(crate) description: String,
    pull: PullRequest,
    diff: Bytes,
    at_base: Vec<(String, Bytes)>,
    at_head: Vec<(String, Bytes)>,
}

impl Change {
    /// Reads a range of a repository.
    pub(crate) fn read(repository: &Path, range: &RangeSpec) -> Result<Self, String> {
        block_on(read(repository, range)).map_err(|fault| fault.to_string())
    }

    /// The head commit.
    pub(crate) fn head(&self) -> &str {
        self.pull.head.as_str()
    }

    /// A unified diff.
    pub(crate) fn diff(&self) -> Bytes {
        self.diff.clone()
    }

    /// The pull request, not yet opened.
    pub(crate) fn pull(&self, title: &str, body: &str, branch: &str) -> NewPull {
        let mut pull = NewPull::new(title, self.diff()).body(body).base("main", self.pull.base.as_str());
        pull = pull.head(branch, self.head());
        for (path, content) in &self.at_base {
            pull = pull.file_at_base(path, content.clone());
        }
        for (path, content) in &self.at_head {
            pull = pull.file_at_head(path, content.clone());
        }
        pull
    }

    /// The subject and the body of the head commit's message.
    pub(crate) fn message(&self) -> (&str, &str) {
        (&self.pull.title, &self.pull.body)
    }
}

async fn read(repository: &Path, range: &RangeSpec) -> Result<Change, Fault> {
    let unwritable = |error| Fault::invalid("no temporary folder can be made").source(error);
    let outbox = tempfile::tempdir().map_err(unwritable)?;
    let git = LocalGit::open(repository, outbox.path()).await?;
    let description = git.resolve(range).await?.description;
    let pull = git.pull_request(&git.target()?).await?;
    let diff = git.diff(&pull).await?.text;
    let parsed = Diff::parse(&diff).map_err(|error| Fault::invalid(format!("the diff can't be read: {error}")))?;
    let wanted = [analysis::wants(&parsed), analysis::wants_size(&parsed)].concat();
    let at_base = contents(&git, &pull, &pull.base, &[repo_config::FILE_NAME.to_owned()]).await?;
    let at_head = contents(&git, &pull, &pull.head, &wanted).await?;
    Ok(Change { description, diff: diff.clone(), at_base, at_head, pull })
}

/// Those of the files that are there.
async fn contents(
    git: &LocalGit,
    pull: &PullRequest,
    commit: &CommitSha,
    paths: &[String],
) -> Result<Vec<(String, Bytes)>, Fault> {
    let mut contents = Vec::new();
    for path in paths {
        if let Some(content) = git.file(&pull.target, commit, path).await? {
            contents.push((path.clone(), content));
        }
    }
    Ok(contents)
}
