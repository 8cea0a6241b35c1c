//! Which commits to review: what was asked for, and what it means in this repository.

use std::str::FromStr;

use autopr_core::fault::Fault;
use autopr_core::ids::CommitSha;

use crate::clean_room::CleanRoom;
use crate::git::{complaint, shown, told};
use crate::objects::Objects;
use crate::repository::{Repository, object_id};

/// What to review, as asked for on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeSpec {
    /// What the current branch adds to the upstream's default branch; the last commit when it adds nothing.
    Default,
    /// What `head` adds to `base`. Like a pull request, and unlike `git diff A..B`, both `A..B` and `A...B` count from
    /// the merge base: what `base` got in the meantime is not part of the change.
    Between {
        /// A revision in any form git understands.
        base: String,
        /// Another.
        head: String,
    },
    /// What is in the index and not yet committed.
    Staged,
}

/// What a [`RangeSpec`] means in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedRange {
    /// The tree-ish the change is counted from: the merge base, or git's empty tree for a first commit.
    pub base: CommitSha,
    /// The commit under review; all zeros for the index.
    pub head: CommitSha,
    /// What was chosen, for a person: `main..HEAD (3 commits, merge base 1234567890)`.
    pub description: String,
    /// The subject of the head commit's message.
    pub(crate) title: String,
    /// The rest of that message.
    pub(crate) body: String,
    /// Who wrote it.
    pub(crate) author: String,
}

impl FromStr for RangeSpec {
    type Err = String;

    /// Reads `A..B`, `A...B` or `A` (up to `HEAD`); an end that is left out is `HEAD`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (base, head) = match text.split_once("..") {
            Some((base, head)) => (base, head.strip_prefix('.').unwrap_or(head)),
            None => (text, "HEAD"),
        };
        let [base, head] = [base, head].map(|end| if end.is_empty() { "HEAD" } else { end });
        if text.is_empty() {
            return Err("the range is empty: use A..B, or A for A..HEAD".to_owned());
        }
        if base.starts_with('-') || head.starts_with('-') || text.contains(char::is_control) {
            return Err(format!("`{}` is not a range: use A..B, or A for A..HEAD", text.escape_debug()));
        }
        Ok(Self::Between { base: base.to_owned(), head: head.to_owned() })
    }
}

/// Finds out what `spec` means.
pub(crate) async fn resolve(
    spec: &RangeSpec,
    repository: &Repository,
    room: &CleanRoom,
    objects: &Objects,
) -> Result<ResolvedRange, Fault> {
    let resolver = Resolver { repository, room, objects };
    match spec {
        RangeSpec::Default => resolver.default().await,
        RangeSpec::Between { base, head } => resolver.between(base, head).await,
        RangeSpec::Staged => resolver.staged().await,
    }
}

struct Resolver<'a> {
    repository: &'a Repository,
    room: &'a CleanRoom,
    objects: &'a Objects,
}

/// Two revisions as commits.
struct Ends {
    head: CommitSha,
    merge_base: Option<CommitSha>,
}

/// A commit's facts.
struct Commit {
    id: CommitSha,
    first_parent: Option<CommitSha>,
    title: String,
    body: String,
    author: String,
}

/// Where the upstream's default branch may be found, the best first.
const DEFAULT_BRANCHES: [&str; 5] = [
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
];

impl Resolver<'_> {
    async fn default(&self) -> Result<ResolvedRange, Fault> {
        let mut question = vec!["for-each-ref", "--format=%(refname)"];
        question.extend(DEFAULT_BRANCHES);
        let refs = self.repository.ask(&question).await?;
        let refs = String::from_utf8_lossy(&refs.stdout).into_owned();
        let branch = DEFAULT_BRANCHES.into_iter().find(|name| refs.lines().any(|line| line == *name));
        let ends = self.ends(branch.unwrap_or("HEAD"), "HEAD").await?;
        match (branch, &ends.merge_base) {
            (Some(branch), Some(base)) if *base != ends.head => {
                let name = branch.trim_start_matches("refs/remotes/").trim_start_matches("refs/heads/");
                self.counted(name, "HEAD", base.clone(), &ends.head).await
            }
            (Some(branch), None) if self.repository.shallow => Err(self.no_common_ancestor(branch, "HEAD")),
            _ => self.last_commit(&ends.head).await,
        }
    }

    async fn between(&self, base: &str, head: &str) -> Result<ResolvedRange, Fault> {
        let ends = self.ends(base, head).await?;
        match ends.merge_base {
            Some(merge_base) => self.counted(base, head, merge_base, &ends.head).await,
            None => Err(self.no_common_ancestor(base, head)),
        }
    }

    /// The head commit alone, against its first parent.
    async fn last_commit(&self, head: &CommitSha) -> Result<ResolvedRange, Fault> {
        let commit = self.commit(head.as_str()).await?;
        let (base, description) = match &commit.first_parent {
            Some(parent) => {
                if self.objects.read(self.room, parent.as_str()).await?.is_none() {
                    return Err(told(format!(
                        "this shallow clone lacks the commit before {}: fetch more history, for example with `git fetch \
                         --deepen=10`",
                        commit.id.short()
                    )));
                }
                (parent.clone(), format!("HEAD~1..HEAD (the last commit, {})", commit.id.short()))
            }
            None => (self.repository.empty_tree()?, format!("HEAD (the first commit, {})", commit.id.short())),
        };
        Ok(commit.up_to(base, description))
    }

    async fn staged(&self) -> Result<ResolvedRange, Fault> {
        let head = self.repository.ask(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).await?;
        let (base, against) = match head.stdout.split(|byte| *byte == b'\n').next() {
            Some(id) if head.success => {
                let id = object_id(id)?;
                let against = format!("HEAD ({})", id.short());
                (id, against)
            }
            _ => (self.repository.empty_tree()?, "nothing: there is no commit yet".to_owned()),
        };
        if head.success && !tokio::fs::try_exists(&self.repository.index).await.unwrap_or(false) {
            return Err(told(format!(
                "`{}` has no index, as in a bare repository: --staged needs a worktree",
                shown(&self.repository.path)
            )));
        }
        Ok(ResolvedRange {
            base,
            head: CommitSha::zero(),
            description: format!("staged changes against {against}"),
            title: "Staged changes".to_owned(),
            body: String::new(),
            author: String::new(),
        })
    }

    async fn counted(
        &self,
        base_name: &str,
        head_name: &str,
        base: CommitSha,
        head: &CommitSha,
    ) -> Result<ResolvedRange, Fault> {
        let exclude = format!("^{base}");
        let question = ["rev-list", "--count", head.as_str(), &exclude, "--"];
        let (commit, count) = tokio::try_join!(self.commit(head.as_str()), self.repository.ask(&question))?;
        let count = match String::from_utf8_lossy(&count.stdout).trim() {
            "1" => "1 commit".to_owned(),
            "" => return Err(told(format!("git could not count the commits: {}", complaint(&count.stderr)))),
            count => format!("{count} commits"),
        };
        let description = format!("{base_name}..{head_name} ({count}, merge base {})", base.short());
        Ok(commit.up_to(base, description))
    }

    /// Resolves two revisions and their merge base in one run: `A...B` prints B, A and, with a caret, every merge base.
    async fn ends(&self, base: &str, head: &str) -> Result<Ends, Fault> {
        let range = format!("{base}...{head}");
        let output = self.repository.ask(&["rev-parse", &range, "--"]).await?;
        if !output.success {
            return Err(self.unknown(base, head, &output.stderr).await?);
        }
        let mut lines = output.stdout.split(|byte| *byte == b'\n');
        let head = object_id(lines.next().unwrap_or_default())?;
        let merge_base = lines.find_map(|line| line.strip_prefix(b"^")).map(object_id).transpose()?;
        Ok(Ends { head, merge_base })
    }

    /// Which end of a range git does not know, and what to do.
    async fn unknown(&self, base: &str, head: &str, stderr: &str) -> Result<Fault, Fault> {
        for end in [base, head] {
            let commit = format!("{end}^{{commit}}");
            let output = self.repository.ask(&["rev-parse", "--verify", &commit]).await?;
            if output.success {
                continue;
            }
            return Ok(told(if output.stderr.contains("is ambiguous") {
                format!("`{end}` is ambiguous: several objects begin with it; give more digits")
            } else if end == "HEAD" {
                "the repository has no commit yet: commit first, or review what is staged with --staged".to_owned()
            } else if self.repository.shallow {
                format!(
                    "this shallow clone does not know the revision `{end}`: fetch more history, for example with `git \
                     fetch --unshallow`, or correct the range"
                )
            } else {
                format!("`{}` has no revision `{end}`: fetch it or correct the range", shown(&self.repository.path))
            }));
        }
        Ok(told(format!("git does not understand the range `{base}..{head}`: {}", complaint(stderr))))
    }

    fn no_common_ancestor(&self, base: &str, head: &str) -> Fault {
        told(if self.repository.shallow {
            format!(
                "in this shallow clone `{base}` and `{head}` have no common ancestor: fetch more history, for example \
                 with `git fetch --unshallow`"
            )
        } else {
            format!("`{base}` and `{head}` have no common ancestor: choose a range within one history")
        })
    }

    async fn commit(&self, id: &str) -> Result<Commit, Fault> {
        let name = format!("{id}^{{commit}}");
        let object = self.objects.read(self.room, &name).await?;
        let object = object.ok_or_else(|| told(format!("the repository lacks the commit {id}")))?;
        let text = String::from_utf8_lossy(&object.bytes);
        let (header, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let field = |name: &str| header.lines().find_map(|line| line.strip_prefix(name));
        let (title, body) = message.trim_start().split_once('\n').unwrap_or((message.trim_start(), ""));
        Ok(Commit {
            id: object_id(object.id.as_bytes())?,
            first_parent: field("parent ").map(|id| object_id(id.as_bytes())).transpose()?,
            title: title.trim().to_owned(),
            body: body.trim().to_owned(),
            author: field("author ").and_then(|line| line.split(" <").next()).unwrap_or_default().to_owned(),
        })
    }
}

impl Commit {
    fn up_to(self, base: CommitSha, description: String) -> ResolvedRange {
        let Self { id, title, body, author, .. } = self;
        ResolvedRange { base, head: id, description, title, body, author }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(base: &str, head: &str) -> Result<RangeSpec, String> {
        Ok(RangeSpec::Between { base: base.to_owned(), head: head.to_owned() })
    }

    #[test]
    fn a_range_is_read_like_a_pull_request() {
        assert_eq!("main..topic".parse(), between("main", "topic"));
        assert_eq!("main...topic".parse(), between("main", "topic"));
        assert_eq!("main".parse(), between("main", "HEAD"));
        assert_eq!("..topic".parse(), between("HEAD", "topic"));
        assert_eq!("v1.2..".parse(), between("v1.2", "HEAD"));
    }

    #[test]
    fn an_option_is_not_a_range() {
        for text in ["--output=/etc/passwd", "main..--upload-pack=x", "a\nb", ""] {
            assert!(text.parse::<RangeSpec>().is_err(), "{text:?}");
        }
        insta::assert_snapshot!(
            "-O/dev/null".parse::<RangeSpec>().unwrap_err(),
            @"`-O/dev/null` is not a range: use A..B, or A for A..HEAD"
        );
    }
}
