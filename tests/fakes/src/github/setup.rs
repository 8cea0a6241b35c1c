//! Makes and changes repositories and pull requests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::FakeGitHub;
use super::new::{NewPull, NewRepository};
use super::state::{Permission, Pull, Repository, Revision, State, commit_id};
use super::written::Comment;

impl FakeGitHub {
    /// Makes a repository.
    pub fn add_repository(&self, new: NewRepository) {
        let mut state = self.shared.state();
        let id = state.id();
        let first = commit_id(&format!("{}/{} first", new.owner, new.name));
        state.repositories.push(Repository {
            id,
            owner: new.owner,
            name: new.name,
            former: Vec::new(),
            private: new.private,
            branches: BTreeMap::from([(new.branch.clone(), first.clone())]),
            default_branch: new.branch,
            collaborators: new.collaborators,
            commits: BTreeMap::from([(first, new.files)]),
            comparisons: BTreeMap::new(),
            labels: BTreeMap::new(),
            pulls: Vec::new(),
            checks: Vec::new(),
            statuses: Vec::new(),
        });
    }

    /// Opens a pull request and gives its number.
    ///
    /// # Panics
    ///
    /// When there is no such repository.
    pub fn open_pull(&self, owner: &str, repo: &str, new: NewPull) -> u64 {
        let now = self.shared.clock.now();
        let mut state = self.shared.state();
        let id = state.id();
        let repository = repository_mut(&mut state, owner, repo);
        let number =
            new.number.unwrap_or_else(|| repository.pulls.iter().map(|pull| pull.number).max().unwrap_or(0) + 1);
        let base_ref = if new.base.0.is_empty() { repository.default_branch.clone() } else { new.base.0 };
        let there = repository.branches.get(&base_ref).cloned().unwrap_or_default();
        let base = new.base.1.unwrap_or_else(|| there.clone());
        let mut files =
            repository.commits.get(&base).or_else(|| repository.commits.get(&there)).cloned().unwrap_or_default();
        files.extend(new.base_files);
        repository.branches.insert(base_ref.clone(), base.clone());
        repository.commits.insert(base.clone(), files.clone());
        let text = String::from_utf8_lossy(&new.diff);
        let head = new.head.1.unwrap_or_else(|| commit_id(&format!("{owner}/{repo}#{number} {text}")));
        files.extend(new.head_files);
        repository.branches.insert(new.head.0.clone(), head.clone());
        repository.commits.insert(head.clone(), files);
        for label in &new.labels {
            repository.labels.entry(label.clone()).or_insert(id + 500_000);
        }
        repository.pulls.push(Pull {
            id,
            number,
            title: new.title,
            body: new.body,
            author: new.author,
            base_ref,
            head_ref: new.head.0,
            fork: new.fork,
            draft: new.draft,
            open: true,
            labels: new.labels,
            revisions: vec![Revision { base, head, diff: new.diff }],
            comments: Vec::new(),
            reviews: Vec::new(),
            diff_too_large: false,
            without_patch: BTreeSet::new(),
            created: now,
            updated: now,
        });
        number
    }

    /// Pushes to a pull request: its head is now this commit, and this the whole diff from its base. Files given
    /// replace those of the commit before. The diff of the push alone can be told with [`Self::add_comparison`].
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn push(
        &self,
        owner: &str,
        repo: &str,
        number: u64,
        head: &str,
        diff: impl Into<Bytes>,
        files: &[(&str, &str)],
    ) {
        let now = self.shared.clock.now();
        let mut state = self.shared.state();
        let repository = repository_mut(&mut state, owner, repo);
        let pull = pull_mut(repository, number);
        let (base, before, branch) = (pull.base().to_owned(), pull.head().to_owned(), pull.head_ref.clone());
        pull.revisions.push(Revision { base, head: head.to_owned(), diff: diff.into() });
        pull.updated = now;
        let mut content = repository.commits.get(&before).cloned().unwrap_or_default();
        content.extend(files.iter().map(|(path, text)| ((*path).to_owned(), Bytes::from((*text).to_owned()))));
        repository.commits.insert(head.to_owned(), content);
        repository.branches.insert(branch, head.to_owned());
    }

    /// Tells the diff between two commits that is not that of a pull request.
    ///
    /// # Panics
    ///
    /// When there is no such repository.
    pub fn add_comparison(&self, owner: &str, repo: &str, base: &str, head: &str, diff: impl Into<Bytes>) {
        let mut state = self.shared.state();
        let repository = repository_mut(&mut state, owner, repo);
        for sha in [base, head] {
            repository.commits.entry(sha.to_owned()).or_default();
        }
        repository.comparisons.insert((base.to_owned(), head.to_owned()), diff.into());
    }

    /// Puts a file into the commit at the tip of a branch.
    ///
    /// # Panics
    ///
    /// When there is no such repository or branch.
    pub fn put_file(&self, owner: &str, repo: &str, branch: &str, path: &str, content: impl Into<Bytes>) {
        let mut state = self.shared.state();
        let repository = repository_mut(&mut state, owner, repo);
        let sha = repository.branches.get(branch).cloned();
        let files = sha.and_then(|sha| repository.commits.get_mut(&sha));
        let files = files.unwrap_or_else(|| panic!("{owner}/{repo} has no branch {branch}"));
        files.insert(path.to_owned(), content.into());
    }

    /// Gives an account a role in a repository.
    ///
    /// # Panics
    ///
    /// When there is no such repository.
    pub fn set_permission(&self, owner: &str, repo: &str, login: &str, permission: Permission) {
        repository_mut(&mut self.shared.state(), owner, repo).collaborators.insert(login.to_owned(), permission);
    }

    /// Gives a repository another name: GitHub leads from the old one to the new one by redirects.
    ///
    /// # Panics
    ///
    /// When there is no such repository.
    pub fn rename_repository(&self, owner: &str, repo: &str, name: &str) {
        let mut state = self.shared.state();
        let repository = repository_mut(&mut state, owner, repo);
        let former = std::mem::replace(&mut repository.name, name.to_owned());
        repository.former.push((repository.owner.clone(), former));
    }

    /// Opens or closes a pull request, or makes it a draft or ready.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn set_pull_state(&self, owner: &str, repo: &str, number: u64, open: bool, draft: bool) {
        let mut state = self.shared.state();
        let pull = pull_mut(repository_mut(&mut state, owner, repo), number);
        (pull.open, pull.draft) = (open, draft);
    }

    /// Says that nothing about a pull request has changed for this long.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn set_at_rest(&self, owner: &str, repo: &str, number: u64, since: Duration) {
        let now = self.shared.clock.now();
        let mut state = self.shared.state();
        let pull = pull_mut(repository_mut(&mut state, owner, repo), number);
        pull.updated = now.checked_sub(since).unwrap_or(now);
        pull.created = pull.created.min(pull.updated);
    }

    /// Makes GitHub refuse to show this pull request's diff as too large; the listing of files still works.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn refuse_diff(&self, owner: &str, repo: &str, number: u64) {
        pull_mut(repository_mut(&mut self.shared.state(), owner, repo), number).diff_too_large = true;
    }

    /// Leaves the lines of this file out of the listing of files, as GitHub does with large ones.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn leave_out_patch(&self, owner: &str, repo: &str, number: u64, path: &str) {
        pull_mut(repository_mut(&mut self.shared.state(), owner, repo), number).without_patch.insert(path.to_owned());
    }

    /// Writes a comment into the conversation as this account and gives its number.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn write_comment(&self, owner: &str, repo: &str, number: u64, login: &str, body: &str) -> u64 {
        let now = self.shared.clock.now();
        let mut state = self.shared.state();
        let id = state.id();
        pull_mut(repository_mut(&mut state, owner, repo), number).comments.push(Comment {
            id,
            author: login.to_owned(),
            body: body.to_owned(),
            reactions: Vec::new(),
            reaction_ids: Vec::new(),
            created: now,
            updated: now,
        });
        id
    }
}

fn repository_mut<'a>(state: &'a mut State, owner: &str, repo: &str) -> &'a mut Repository {
    state.repository_mut(owner, repo).unwrap_or_else(|| panic!("there is no repository {owner}/{repo}"))
}

fn pull_mut(repository: &mut Repository, number: u64) -> &mut Pull {
    repository.pull_mut(number).unwrap_or_else(|| panic!("there is no pull request {number}"))
}
