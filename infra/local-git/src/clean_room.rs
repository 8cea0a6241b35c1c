//! The clean room: a git directory of our own that borrows a repository's objects. Git reads content in it as if the
//! repository had no configuration, attributes, hooks, remotes, replacements or grafts, so none of them can run a program
//! or change what a diff looks like.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use autopr_core::fault::Fault;
use autopr_core::ids::CommitSha;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::process::Command;

use crate::git::{Git, complaint, run, told};
use crate::repository::Repository;

/// The largest diff that is read into memory.
const DIFF_LIMIT: u64 = 256 * 1024 * 1024;

/// The most that a listing of index entries may be.
const LISTING_LIMIT: u64 = 64 * 1024 * 1024;

/// A place to run git in that no repository configures.
#[derive(Debug)]
pub(crate) struct CleanRoom {
    git: Git,
    git_dir: PathBuf,
    objects: PathBuf,
    index: PathBuf,
}

/// An entry of the index.
pub(crate) struct IndexEntry {
    /// The mode as git prints it, such as `100644`.
    pub(crate) mode: String,
    /// The object.
    pub(crate) id: String,
}

impl CleanRoom {
    /// Makes the room below `folder`, or finds the one made before for this repository. Blocks.
    pub(crate) fn build(repository: &Repository, folder: &Path) -> io::Result<Self> {
        let key = Sha256::digest(repository.git_dir.as_os_str().as_encoded_bytes());
        let name = format!("clean-{}-{}", repository.object_format, hex::encode(&key[..8]));
        let git_dir = folder.join(name);
        fs::create_dir_all(git_dir.join("refs"))?;
        fs::create_dir_all(git_dir.join("info"))?;
        keep(&git_dir.join("HEAD"), "ref: refs/heads/none\n")?;
        // A `.gitattributes` file in the index could still hide files from the diff; this takes precedence.
        keep(&git_dir.join("info/attributes"), "* !diff\n")?;
        keep(&git_dir.join("config"), &configuration(&repository.object_format))?;
        link_shared_index(&repository.git_dir, &git_dir)?;
        Ok(Self {
            git: repository.git.clone(),
            git_dir,
            objects: repository.objects.clone(),
            index: repository.index.clone(),
        })
    }

    /// A git command in the room.
    pub(crate) fn command(&self) -> Command {
        let mut command = self.git.command(&["GIT_EXEC_PATH", "GIT_ALTERNATE_OBJECT_DIRECTORIES"]);
        command
            .env("GIT_DIR", &self.git_dir)
            .env("GIT_OBJECT_DIRECTORY", &self.objects)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .current_dir(&self.git_dir);
        command
    }

    /// The diff from a tree to another, or to the index when there is no `new`.
    pub(crate) async fn diff(&self, old: &CommitSha, new: Option<&CommitSha>) -> Result<Vec<u8>, Fault> {
        let mut command = self.command();
        match new {
            Some(_) => command.args(["diff-tree", "-r"]),
            None => command.env("GIT_INDEX_FILE", &self.index).args(["diff-index", "--cached"]),
        };
        command.args(FORMAT).arg(old.as_str()).args(new.map(CommitSha::as_str)).arg("--");
        let output = run(command, "git diff", DIFF_LIMIT).await?;
        if output.success {
            return Ok(output.stdout);
        }
        Err(told(format!(
            "git could not print the diff: {}; a partial clone may lack objects (`git fetch --refetch --no-filter` \
             brings them), a damaged repository shows in `git fsck`",
            complaint(&output.stderr)
        )))
    }

    /// The entry of the index at `path`; none when there is none or it has conflicts.
    pub(crate) async fn index_entry(&self, path: &str) -> Result<Option<IndexEntry>, Fault> {
        let mut command = self.command();
        command.env("GIT_INDEX_FILE", &self.index).args(["ls-files", "--stage", "-z", "--", path]);
        let output = run(command, "git ls-files", LISTING_LIMIT).await?;
        if !output.success {
            return Err(told(format!("git could not read the index: {}", complaint(&output.stderr))));
        }
        // A folder's path lists all files in it, so the path is compared.
        let entry = output.stdout.split(|byte| *byte == 0).find_map(|line| {
            let (facts, name) = std::str::from_utf8(line).ok()?.split_once('\t')?;
            let mut facts = facts.split(' ');
            let (mode, id, stage) = (facts.next()?, facts.next()?, facts.next()?);
            (name == path && stage == "0").then(|| IndexEntry { mode: mode.to_owned(), id: id.to_owned() })
        });
        Ok(entry)
    }
}

/// How a diff is printed, whatever git's defaults are.
const FORMAT: [&str; 14] = [
    "--patch",
    "--full-index",
    "--find-renames",
    "-l1000",
    "--unified=3",
    "--inter-hunk-context=0",
    "--diff-algorithm=default",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
    "--ignore-submodules=none",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
];

/// Links the shared part of a split index into the room, where git looks for it.
fn link_shared_index(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if name.as_encoded_bytes().starts_with(b"sharedindex.") {
            match symlink(from.join(&name), to.join(&name)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// The room's configuration: the object format and nothing else.
fn configuration(object_format: &str) -> String {
    match object_format {
        "sha1" => "[core]\n\trepositoryformatversion = 0\n\tbare = true\n".to_owned(),
        other => {
            format!("[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = {other}\n")
        }
    }
}

/// Makes sure that a file has this content; other processes see the old or the new one, never half.
fn keep(path: &Path, content: &str) -> io::Result<()> {
    if fs::read(path).is_ok_and(|found| found == content.as_bytes()) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
