//! A forge in memory that shows what was written to it, doubles included.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::fault::{Fault, FaultKind};
use crate::ids::{CommentId, CommitSha, RepoName};
use crate::ports::Forge;
use crate::ports::forge::{
    Cursor, DeliveryTry, EffectKind, Marker, OpenPull, Page, Patch, Permission, Place, PullRequest, Reaction, Remote,
    Target,
};
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
    comments: Vec<(Marker, String)>,
    description: Option<String>,
    reactions: BTreeSet<(u64, &'static str)>,
    permissions: BTreeMap<String, Permission>,
    diffs_read: usize,
    listed: Listed,
}

/// What the forge's listings show, and what was asked of them.
#[derive(Debug, Default)]
struct Listed {
    deliveries: Vec<DeliveryTry>,
    redelivered: Vec<u64>,
    places: Option<Vec<Place>>,
    open: Vec<(RepoName, OpenPull)>,
    per_page: usize,
    remaining: Option<u64>,
    asked: Vec<String>,
    refused: BTreeMap<String, FaultKind>,
}

impl Listed {
    /// Notes the request; fails if it is to be refused.
    fn ask(&mut self, what: &str, from: usize) -> Result<(), Fault> {
        self.asked.push(if from == 0 { what.to_owned() } else { format!("{what} from {from}") });
        match self.refused.get(what) {
            Some(kind) => Err(Fault::new(*kind, format!("{what} is refused"))),
            None => Ok(()),
        }
    }

    fn page<T: Clone>(&self, all: &[T], from: usize) -> Page<T> {
        let size = self.per_page.max(1);
        let items = all.iter().skip(from).take(size).cloned().collect();
        let next = (from + size < all.len()).then(|| Cursor((from + size).to_string()));
        Page { items, next, requests: 1, remaining: self.remaining }
    }
}

/// How many entries of a listing a cursor leaves behind.
fn position(from: Option<&Cursor>) -> usize {
    from.and_then(|cursor| cursor.0.parse().ok()).unwrap_or(0)
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
            comments: Vec::new(),
            description: None,
            reactions: BTreeSet::new(),
            permissions: BTreeMap::new(),
            diffs_read: 0,
            listed: Listed { per_page: 100, ..Listed::default() },
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

    /// Every comment posted to the conversation, in order.
    pub fn comments(&self) -> Vec<String> {
        self.state().comments.iter().map(|(_, body)| body.clone()).collect()
    }

    /// The section put below the description.
    pub fn description(&self) -> Option<String> {
        self.state().description.clone()
    }

    /// The labels of the pull request.
    pub fn labels(&self) -> Vec<String> {
        self.state().pull.labels.clone()
    }

    /// The reactions left, as the number of the comment and a word.
    pub fn reactions(&self) -> Vec<(u64, &'static str)> {
        self.state().reactions.iter().copied().collect()
    }

    /// Says what an account may do; without that it may read.
    pub fn permit(&self, login: &str, permission: Permission) {
        self.state().permissions.insert(login.to_owned(), permission);
    }

    /// How often the diff was read.
    pub fn diffs_read(&self) -> usize {
        self.state().diffs_read
    }

    /// Adds a try to deliver a webhook to the forge's list of them.
    pub fn tried(&self, entry: DeliveryTry) {
        self.state().listed.deliveries.push(entry);
    }

    /// The numbers of the tries that were asked for again, in order.
    pub fn redelivered(&self) -> Vec<u64> {
        self.state().listed.redelivered.clone()
    }

    /// Says where the engine is installed; without that the forge does not tell.
    pub fn install(&self, places: impl IntoIterator<Item = Place>) {
        self.state().listed.places = Some(places.into_iter().collect());
    }

    /// Adds an open pull request to the listing of a repository, or shows it as it is now.
    pub fn list_open(&self, repository: &RepoName, pull: OpenPull) {
        let open = &mut self.state().listed.open;
        open.retain(|(at, known)| (at, known.number) != (repository, pull.number));
        open.push((repository.clone(), pull));
    }

    /// Shows so many entries on a page of a listing, and so many requests left with each.
    pub fn page_size(&self, per_page: usize, remaining: Option<u64>) {
        let listed = &mut self.state().listed;
        (listed.per_page, listed.remaining) = (per_page, remaining);
    }

    /// Refuses a listing: `deliveries`, `places` or the name of a repository.
    pub fn refuse_listing(&self, what: &str, kind: FaultKind) {
        self.state().listed.refused.insert(what.to_owned(), kind);
    }

    /// Which listings were asked for since the last time: `deliveries`, `places` or the name of a repository, and
    /// behind how many entries.
    pub fn listings(&self) -> Vec<String> {
        std::mem::take(&mut self.state().listed.asked)
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

    async fn diff(&self, _pull: &PullRequest) -> Result<Patch, Fault> {
        let mut state = self.state();
        state.diffs_read += 1;
        Ok(Patch { text: state.diff.clone(), left_out: Vec::new() })
    }

    async fn file(&self, _target: &Target, commit: &CommitSha, path: &str) -> Result<Option<Bytes>, Fault> {
        Ok(self.state().files.get(&(commit.clone(), path.to_owned())).cloned())
    }

    async fn file_size(&self, target: &Target, commit: &CommitSha, path: &str) -> Result<Option<u64>, Fault> {
        Ok(self.file(target, commit, path).await?.map(|content| content.len() as u64))
    }

    async fn find(
        &self,
        _target: &Target,
        head: Option<&CommitSha>,
        kind: EffectKind,
        marker: &Marker,
    ) -> Result<Option<Remote>, Fault> {
        let state = self.state();
        let position = match kind {
            EffectKind::Review => state.reviews.iter().position(|(posted, _)| posted == marker),
            // A check hangs on a commit and is found there only.
            EffectKind::Check => {
                state.checks.iter().position(|(posted, check)| posted == marker && Some(&check.head) == head)
            }
            EffectKind::Comment => state.comments.iter().position(|(posted, _)| posted == marker),
            EffectKind::Description | EffectKind::Labels | EffectKind::Reaction => None,
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

    async fn permission(&self, _target: &Target, login: &str) -> Result<Permission, Fault> {
        Ok(self.state().permissions.get(login).copied().unwrap_or(Permission::Read))
    }

    async fn create_comment(&self, _target: &Target, marker: &Marker, body: &str) -> Result<Remote, Fault> {
        let mut state = self.state();
        state.comments.push((marker.clone(), body.to_owned()));
        Ok(remote(EffectKind::Comment, state.comments.len() - 1))
    }

    async fn describe(&self, _target: &Target, section: &str) -> Result<Remote, Fault> {
        self.state().description = Some(section.to_owned());
        Ok(remote(EffectKind::Description, 0))
    }

    async fn add_labels(&self, _target: &Target, labels: &[String]) -> Result<Remote, Fault> {
        let mut state = self.state();
        for label in labels {
            if !state.pull.labels.contains(label) {
                state.pull.labels.push(label.clone());
            }
        }
        Ok(remote(EffectKind::Labels, 0))
    }

    async fn react(&self, _target: &Target, comment: CommentId, reaction: Reaction) -> Result<Remote, Fault> {
        let word = match reaction {
            Reaction::Eyes => "eyes",
            Reaction::ThumbsUp => "+1",
            Reaction::ThumbsDown => "-1",
            Reaction::Confused => "confused",
        };
        self.state().reactions.insert((comment.0, word));
        Ok(remote(EffectKind::Reaction, 0))
    }

    async fn deliveries(&self, from: Option<&Cursor>) -> Result<Page<DeliveryTry>, Fault> {
        let listed = &mut self.state().listed;
        listed.ask("deliveries", position(from))?;
        let mut newest_first = listed.deliveries.clone();
        newest_first.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.number)));
        Ok(listed.page(&newest_first, position(from)))
    }

    async fn redeliver(&self, number: u64) -> Result<(), Fault> {
        self.state().listed.redelivered.push(number);
        Ok(())
    }

    async fn places(&self, from: Option<&Cursor>) -> Result<Option<Page<Place>>, Fault> {
        let listed = &mut self.state().listed;
        let Some(places) = listed.places.clone() else { return Ok(None) };
        listed.ask("places", position(from))?;
        Ok(Some(listed.page(&places, position(from))))
    }

    async fn open_pull_requests(&self, place: &Place, from: Option<&Cursor>) -> Result<Page<OpenPull>, Fault> {
        let listed = &mut self.state().listed;
        listed.ask(place.repository.as_str(), position(from))?;
        let here = listed.open.iter().filter(|(repository, _)| *repository == place.repository);
        let mut newest_first: Vec<_> = here.map(|(_, pull)| pull.clone()).collect();
        newest_first.sort_by_key(|pull| std::cmp::Reverse((pull.updated_at, pull.number)));
        Ok(listed.page(&newest_first, position(from)))
    }
}

fn remote(kind: EffectKind, position: usize) -> Remote {
    Remote { id: format!("{}-{position}", kind.as_str()), url: None }
}
