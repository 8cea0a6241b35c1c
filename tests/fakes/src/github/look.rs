//! What a test looks at afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::FakeGitHub;
use super::record::Request;
use super::state::{Pull, Repository, State};
use super::written::{CheckRun, Comment, Delivery, Review, Status};

impl FakeGitHub {
    /// The reviews of a pull request, the first first.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn reviews(&self, owner: &str, repo: &str, number: u64) -> Vec<Review> {
        self.with_pull(owner, repo, number, |_, pull| pull.reviews.clone())
    }

    /// The conversation of a pull request.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn comments(&self, owner: &str, repo: &str, number: u64) -> Vec<Comment> {
        self.with_pull(owner, repo, number, |_, pull| pull.comments.clone())
    }

    /// The labels of a pull request.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn labels(&self, owner: &str, repo: &str, number: u64) -> Vec<String> {
        self.with_pull(owner, repo, number, |_, pull| pull.labels.clone())
    }

    /// The description of a pull request, empty when there is none.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn description(&self, owner: &str, repo: &str, number: u64) -> String {
        self.with_pull(owner, repo, number, |_, pull| pull.body.clone().unwrap_or_default())
    }

    /// The head commit of a pull request.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn head(&self, owner: &str, repo: &str, number: u64) -> String {
        self.with_pull(owner, repo, number, |_, pull| pull.head().to_owned())
    }

    /// The base commit of a pull request.
    ///
    /// # Panics
    ///
    /// When there is no such pull request.
    pub fn base(&self, owner: &str, repo: &str, number: u64) -> String {
        self.with_pull(owner, repo, number, |_, pull| pull.base().to_owned())
    }

    /// The check runs of a repository, the first first.
    ///
    /// # Panics
    ///
    /// When there is no such repository.
    pub fn check_runs(&self, owner: &str, repo: &str) -> Vec<CheckRun> {
        repository(&self.shared.state(), owner, repo).checks.clone()
    }

    /// The commit statuses of a repository, the first first.
    ///
    /// # Panics
    ///
    /// When there is no such repository.
    pub fn statuses(&self, owner: &str, repo: &str) -> Vec<Status> {
        repository(&self.shared.state(), owner, repo).statuses.clone()
    }

    /// The webhooks sent, the first first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.state().deliveries.clone()
    }

    /// Every request that came, in the order they came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.record().requests.clone()
    }

    /// How many requests came, those for installation tokens not counted.
    pub fn calls(&self) -> usize {
        self.shared.record().requests.iter().filter(|request| !request.is_token_request()).count()
    }

    /// How many requests for installation tokens came.
    pub fn token_requests(&self) -> usize {
        self.shared.record().requests.iter().filter(|request| request.is_token_request()).count()
    }

    /// Forgets the requests that came so far; rules that were broken stay known.
    pub fn forget_requests(&self) {
        self.shared.record().forget();
    }

    /// The rules that were broken, each with the request that broke it.
    pub fn violations(&self) -> Vec<String> {
        self.shared.record().violations.clone()
    }

    /// Forgets the rules that were broken, for a test that breaks one on purpose, and gives them.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.record().violations)
    }

    /// Everything that should not be at the end of a test: broken rules, check runs never completed, reviews and
    /// comments that were written twice, and planned faults and holds that no request met.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.violations();
        let unmet = self.shared.knobs().unmet();
        problems.extend(unmet.into_iter().map(|planned| format!("no request met what was planned for {planned}")));
        let state = self.shared.state();
        for repository in &state.repositories {
            let name = format!("{}/{}", repository.owner, repository.name);
            let open = repository.checks.iter().filter(|check| check.status != "completed");
            problems.extend(open.map(|check| format!("{name}: check run {} is still {}", check.name, check.status)));
            let checks = repository.checks.iter().filter(|check| !check.external_id.is_empty());
            let checks = checks.map(|check| format!("{} {} {}", check.name, check.head_sha, check.external_id));
            problems.extend(twice(checks).map(|which| format!("{name}: check run made twice: {which}")));
            let statuses = repository.statuses.iter().filter(|status| status.target_url.is_some());
            let statuses = statuses.map(|status| {
                let url = status.target_url.as_deref().unwrap_or_default();
                format!("{} {} {} {url}", status.context, status.sha, status.state)
            });
            problems.extend(twice(statuses).map(|which| format!("{name}: status written twice: {which}")));
            let latest: BTreeMap<_, _> =
                repository.statuses.iter().map(|status| ((&status.sha, &status.context), &status.state)).collect();
            let pending = latest.into_iter().filter(|(_, state)| *state == "pending");
            problems.extend(pending.map(|((_, context), _)| format!("{name}: status {context} is still pending")));
            for pull in &repository.pulls {
                let at = format!("{name}#{}", pull.number);
                let reviews = pull.reviews.iter().flat_map(|review| marked(&review.author, &review.body));
                problems.extend(twice(reviews).map(|marker| format!("{at}: review written twice: {marker}")));
                let comments = pull.comments.iter().flat_map(|comment| marked(&comment.author, &comment.body));
                problems.extend(twice(comments).map(|marker| format!("{at}: comment written twice: {marker}")));
            }
        }
        problems
    }

    /// Asserts that there are no [problems](Self::problems).
    ///
    /// # Panics
    ///
    /// When there are; the message lists them.
    pub fn assert_clean(&self) {
        let problems = self.problems();
        assert!(problems.is_empty(), "GitHub would not be content:\n- {}", problems.join("\n- "));
    }

    fn with_pull<T>(&self, owner: &str, repo: &str, number: u64, look: impl FnOnce(&Repository, &Pull) -> T) -> T {
        let state = self.shared.state();
        let repository = repository(&state, owner, repo);
        let pull = repository.pull(number);
        look(repository, pull.unwrap_or_else(|| panic!("there is no pull request {owner}/{repo}#{number}")))
    }
}

pub(super) fn repository<'a>(state: &'a State, owner: &str, repo: &str) -> &'a Repository {
    state.repository(owner, repo).unwrap_or_else(|| panic!("there is no repository {owner}/{repo}"))
}

/// The hidden markers in a text, each with its author: HTML comments, which nobody sees.
fn marked(author: &str, body: &str) -> BTreeSet<String> {
    let parts = body.split("<!--").skip(1).filter_map(|rest| rest.split_once("-->"));
    parts.map(|(marker, _)| format!("{author} {}", marker.trim())).collect()
}

/// Those that come more than once.
fn twice(all: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(one, _)| one)
}
