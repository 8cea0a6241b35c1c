//! What the fake GitHub knows: repositories, pull requests and what was written to them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;

use super::written::{CheckRun, Comment, Delivery, Review, Status};
use super::{diff, digest};

/// What an account may do in a repository, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Not even see it, when it is private.
    None,
    /// Look.
    Read,
    /// Sort issues and pull requests.
    Triage,
    /// Change code.
    Write,
    /// Change some settings.
    Maintain,
    /// Everything.
    Admin,
}

impl Permission {
    /// GitHub's name of the role.
    pub(crate) fn role(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }

    /// GitHub's older word, which knows neither triage nor maintain.
    pub(crate) fn legacy(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read | Self::Triage => "read",
            Self::Write | Self::Maintain => "write",
            Self::Admin => "admin",
        }
    }
}

/// Everything, behind one lock.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) repositories: Vec<Repository>,
    pub(crate) apps: Vec<App>,
    pub(crate) installations: Vec<Installation>,
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) hook: Hook,
    last_id: u64,
}

impl State {
    /// A number not given before.
    pub(crate) fn id(&mut self) -> u64 {
        self.last_id += 1;
        1000 + self.last_id
    }

    pub(crate) fn repository(&self, owner: &str, name: &str) -> Option<&Repository> {
        self.repositories.iter().find(|known| known.is(owner, name))
    }

    pub(crate) fn repository_mut(&mut self, owner: &str, name: &str) -> Option<&mut Repository> {
        self.repositories.iter_mut().find(|known| known.is(owner, name))
    }
}

/// How webhooks are set up on an App's settings page. There is one for all Apps here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hook {
    pub(crate) url: Option<String>,
    pub(crate) form: bool,
    pub(crate) secret: bool,
    pub(crate) any_certificate: bool,
}

/// A GitHub App.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) id: u64,
    pub(crate) slug: String,
    /// The key its tokens must be signed with, as PEM.
    pub(crate) public_key: String,
    /// What it asks those for who install it: permission to level.
    pub(crate) permissions: BTreeMap<String, String>,
    /// What it wants to be told of.
    pub(crate) events: Vec<String>,
}

/// An App installed for an account.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    pub(crate) id: u64,
    pub(crate) app: u64,
    pub(crate) account: String,
    /// What it was granted: permission to level.
    pub(crate) permissions: BTreeMap<String, String>,
    pub(crate) suspended: bool,
}

/// Who a token stands for.
#[derive(Debug, Clone)]
pub(crate) enum Token {
    /// A person's.
    Personal { login: String },
    /// An installation's, until it ends.
    Installation { id: u64, until: Timestamp, permissions: BTreeMap<String, String>, only: Option<BTreeSet<u64>> },
}

/// A repository and all that hangs on it.
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) owner: String,
    pub(crate) name: String,
    /// Names it had before, from which GitHub leads to the one it has.
    pub(crate) former: Vec<(String, String)>,
    pub(crate) private: bool,
    pub(crate) default_branch: String,
    pub(crate) collaborators: BTreeMap<String, Permission>,
    pub(crate) branches: BTreeMap<String, String>,
    pub(crate) commits: BTreeMap<String, BTreeMap<String, Bytes>>,
    /// Diffs between commits that are not those of a pull request.
    pub(crate) comparisons: BTreeMap<(String, String), Bytes>,
    pub(crate) labels: BTreeMap<String, u64>,
    pub(crate) pulls: Vec<Pull>,
    pub(crate) checks: Vec<CheckRun>,
    pub(crate) statuses: Vec<Status>,
}

impl Repository {
    fn is(&self, owner: &str, name: &str) -> bool {
        self.owner.eq_ignore_ascii_case(owner) && self.name.eq_ignore_ascii_case(name)
    }

    pub(crate) fn pull(&self, number: u64) -> Option<&Pull> {
        self.pulls.iter().find(|pull| pull.number == number)
    }

    pub(crate) fn pull_mut(&mut self, number: u64) -> Option<&mut Pull> {
        self.pulls.iter_mut().find(|pull| pull.number == number)
    }

    /// The commit a branch, a pull request's ref or a commit id names. A fork's prefix is ignored.
    pub(crate) fn commit(&self, name: &str) -> Option<String> {
        let name = name.rsplit_once(':').map_or(name, |(_, branch)| branch);
        let branch = name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("heads/")).unwrap_or(name);
        if let Some(sha) = self.branches.get(branch) {
            return Some(sha.clone());
        }
        let pulled = name.strip_prefix("refs/").unwrap_or(name).strip_prefix("pull/");
        if let Some(number) = pulled.and_then(|rest| rest.strip_suffix("/head")).and_then(|text| text.parse().ok()) {
            return self.pull(number).map(|pull| pull.head().to_owned());
        }
        let known = |sha: &&String| sha.as_str() == name || (name.len() >= 7 && sha.starts_with(name));
        self.commits.keys().find(known).cloned()
    }

    /// The diff between two commits, if the fake was told of it.
    pub(crate) fn compared(&self, base: &str, head: &str) -> Option<Bytes> {
        if base == head {
            return Some(Bytes::new());
        }
        let told = self.comparisons.get(&(base.to_owned(), head.to_owned()));
        told.cloned().or_else(|| {
            let mut revisions = self.pulls.iter().flat_map(|pull| &pull.revisions);
            revisions.find(|known| known.base == base && known.head == head).map(|known| known.diff.clone())
        })
    }
}

/// What a pull request proposed between two pushes.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) base: String,
    pub(crate) head: String,
    pub(crate) diff: Bytes,
}

impl Revision {
    pub(crate) fn files(&self) -> Vec<diff::File> {
        diff::parse(&self.diff)
    }
}

/// A pull request.
pub(crate) struct Pull {
    pub(crate) id: u64,
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) author: String,
    pub(crate) base_ref: String,
    pub(crate) head_ref: String,
    /// The owner of the fork it comes from, if it does.
    pub(crate) fork: Option<String>,
    pub(crate) draft: bool,
    pub(crate) open: bool,
    pub(crate) labels: Vec<String>,
    /// From the first push to the last; never empty.
    pub(crate) revisions: Vec<Revision>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) reviews: Vec<Review>,
    /// True when GitHub refuses to show the diff because of its size.
    pub(crate) diff_too_large: bool,
    /// Paths whose lines are left out of the listing of files.
    pub(crate) without_patch: BTreeSet<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

impl Pull {
    pub(crate) fn current(&self) -> &Revision {
        &self.revisions[self.revisions.len() - 1]
    }

    pub(crate) fn head(&self) -> &str {
        &self.current().head
    }

    pub(crate) fn base(&self) -> &str {
        &self.current().base
    }

    /// What it proposed when this was its head.
    pub(crate) fn revision(&self, head: &str) -> Option<&Revision> {
        self.revisions.iter().rev().find(|revision| revision.head == head)
    }
}

/// A commit id that stands for some content.
pub(crate) fn commit_id(of: &str) -> String {
    digest(of.as_bytes())[..40].to_owned()
}
