//! A forge in memory that shows what was written to it, doubles included.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::fault::{Fault, FaultKind};
use crate::ids::CommitSha;
use crate::ports::Forge;
use crate::ports::forge::{EffectKind, Marker, PullRequest, Remote, Target};
use crate::review::{Check, Review};

/// A [`Forge`] with one pull request.
#[derive(Debug)]
pub struct FakeForge {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pull: PullRequest,
    diff: Bytes,
    files: BTreeMap<(CommitSha, String), Bytes>,
    reviews: Vec<(Marker, Review)>,
    checks: Vec<(Marker, Check)>,
    diffs_read: usize,
}

impl FakeForge {
    /// A forge with this pull request and its diff.
    pub fn new(pull: PullRequest, diff: impl Into<Bytes>) -> Self {
        let state = State {
            pull,
            diff: diff.into(),
            files: BTreeMap::new(),
            reviews: Vec::new(),
            checks: Vec::new(),
            diffs_read: 0,
        };
        Self { state: Mutex::new(state) }
    }

    /// Puts a file into a commit.
    pub fn put_file(&self, commit: &CommitSha, path: &str, content: impl Into<Bytes>) {
        self.state().files.insert((commit.clone(), path.to_owned()), content.into());
    }

    /// Moves the pull request's head, as a push does.
    pub fn push(&self, head: CommitSha) {
        self.state().pull.head = head;
    }

    /// Every review posted, in order.
    pub fn reviews(&self) -> Vec<Review> {
        self.state().reviews.iter().map(|(_, review)| review.clone()).collect()
    }

    /// Every check posted, in order.
    pub fn checks(&self) -> Vec<Check> {
        self.state().checks.iter().map(|(_, check)| check.clone()).collect()
    }

    /// How often the diff was read.
    pub fn diffs_read(&self) -> usize {
        self.state().diffs_read
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Forge for FakeForge {
    async fn pull_request(&self, target: &Target) -> Result<PullRequest, Fault> {
        let pull = self.state().pull.clone();
        if pull.target == *target {
            return Ok(pull);
        }
        Err(Fault::new(FaultKind::NotFound, format!("no pull request {} in {}", target.number, target.repository)))
    }

    async fn diff(&self, _pull: &PullRequest) -> Result<Bytes, Fault> {
        let mut state = self.state();
        state.diffs_read += 1;
        Ok(state.diff.clone())
    }

    async fn file(&self, _target: &Target, commit: &CommitSha, path: &str) -> Result<Option<Bytes>, Fault> {
        Ok(self.state().files.get(&(commit.clone(), path.to_owned())).cloned())
    }

    async fn file_size(&self, target: &Target, commit: &CommitSha, path: &str) -> Result<Option<u64>, Fault> {
        Ok(self.file(target, commit, path).await?.map(|content| content.len() as u64))
    }

    async fn find(&self, _target: &Target, kind: EffectKind, marker: &Marker) -> Result<Option<Remote>, Fault> {
        let state = self.state();
        let position = match kind {
            EffectKind::Review => state.reviews.iter().position(|(posted, _)| posted == marker),
            EffectKind::Check => state.checks.iter().position(|(posted, _)| posted == marker),
        };
        Ok(position.map(|position| remote(kind, position)))
    }

    async fn create_review(&self, _target: &Target, marker: &Marker, review: &Review) -> Result<Remote, Fault> {
        let mut state = self.state();
        state.reviews.push((marker.clone(), review.clone()));
        Ok(remote(EffectKind::Review, state.reviews.len() - 1))
    }

    async fn create_check(&self, _target: &Target, marker: &Marker, check: &Check) -> Result<Remote, Fault> {
        let mut state = self.state();
        state.checks.push((marker.clone(), check.clone()));
        Ok(remote(EffectKind::Check, state.checks.len() - 1))
    }
}

fn remote(kind: EffectKind, position: usize) -> Remote {
    Remote { id: format!("{}-{position}", kind.as_str()), url: None }
}
