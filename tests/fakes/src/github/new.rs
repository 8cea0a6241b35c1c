//! Repositories and pull requests to be made.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::state::Permission;

/// A repository to be made.
#[derive(Debug, Clone)]
pub struct NewRepository {
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) private: bool,
    pub(super) branch: String,
    pub(super) files: BTreeMap<String, Bytes>,
    pub(super) collaborators: BTreeMap<String, Permission>,
}

impl NewRepository {
    /// A public repository whose default branch, `main`, is empty.
    pub fn new(owner: &str, name: &str) -> Self {
        Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
            private: false,
            branch: "main".to_owned(),
            files: BTreeMap::new(),
            collaborators: BTreeMap::new(),
        }
    }

    /// Makes it private.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Names its default branch.
    #[must_use]
    pub fn default_branch(mut self, name: &str) -> Self {
        name.clone_into(&mut self.branch);
        self
    }

    /// Puts a file on its default branch.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Bytes>) -> Self {
        self.files.insert(path.to_owned(), content.into());
        self
    }

    /// Gives an account a role in it.
    #[must_use]
    pub fn collaborator(mut self, login: &str, permission: Permission) -> Self {
        self.collaborators.insert(login.to_owned(), permission);
        self
    }
}

/// A pull request to be made from a diff.
#[derive(Debug, Clone)]
pub struct NewPull {
    pub(super) number: Option<u64>,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) author: String,
    pub(super) base: (String, Option<String>),
    pub(super) head: (String, Option<String>),
    pub(super) fork: Option<String>,
    pub(super) diff: Bytes,
    pub(super) base_files: BTreeMap<String, Bytes>,
    pub(super) head_files: BTreeMap<String, Bytes>,
    pub(super) draft: bool,
    pub(super) labels: Vec<String>,
}

impl NewPull {
    /// A pull request by `contributor` with this title and this unified diff, as `git diff` prints it, from base to
    /// head. The listing of files is computed from the diff.
    pub fn new(title: &str, diff: impl Into<Bytes>) -> Self {
        Self {
            number: None,
            title: title.to_owned(),
            body: None,
            author: "contributor".to_owned(),
            base: (String::new(), None),
            head: ("feature".to_owned(), None),
            fork: None,
            diff: diff.into(),
            base_files: BTreeMap::new(),
            head_files: BTreeMap::new(),
            draft: false,
            labels: Vec::new(),
        }
    }

    /// Numbers it; otherwise it gets the next number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.number = Some(number);
        self
    }

    /// Describes it.
    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self
    }

    /// Says who opened it.
    #[must_use]
    pub fn author(mut self, login: &str) -> Self {
        login.clone_into(&mut self.author);
        self
    }

    /// Names the branch it is to be merged into and the commit there; otherwise the default branch as it is.
    #[must_use]
    pub fn base(mut self, branch: &str, sha: &str) -> Self {
        self.base = (branch.to_owned(), Some(sha.to_owned()));
        self
    }

    /// Names its branch and the commit there; otherwise `feature` and a commit made from the diff.
    #[must_use]
    pub fn head(mut self, branch: &str, sha: &str) -> Self {
        self.head = (branch.to_owned(), Some(sha.to_owned()));
        self
    }

    /// Says that it comes from this account's fork.
    #[must_use]
    pub fn from_fork(mut self, owner: &str) -> Self {
        self.fork = Some(owner.to_owned());
        self
    }

    /// Puts a file into the base commit, besides those of the branch.
    #[must_use]
    pub fn file_at_base(mut self, path: &str, content: impl Into<Bytes>) -> Self {
        self.base_files.insert(path.to_owned(), content.into());
        self
    }

    /// Puts a file into the head commit, in place of the base's.
    #[must_use]
    pub fn file_at_head(mut self, path: &str, content: impl Into<Bytes>) -> Self {
        self.head_files.insert(path.to_owned(), content.into());
        self
    }

    /// Makes it a draft.
    #[must_use]
    pub fn draft(mut self) -> Self {
        self.draft = true;
        self
    }

    /// Gives it a label.
    #[must_use]
    pub fn label(mut self, name: &str) -> Self {
        self.labels.push(name.to_owned());
        self
    }
}
