//! Whether anything was lost or doubled: what GitHub shows, and what the database says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::world::{OWNER, REPOSITORIES, World, locked};
use super::{Plan, Report, storm};

/// At most so many histories are told.
const HISTORIES: usize = 5;

type Pull = (&'static str, u64);

/// Compares what is there with what was asked for.
pub(super) fn judge(world: &World, plan: &Plan, stormed: Duration, begun: Instant, settled: Duration) -> Report {
    let tally = &world.tally;
    let mut judge = Judge { world, report: Report::default(), blamed: BTreeSet::new() };
    judge.outcomes();
    judge.pulls();
    judge.books();
    judge.rest();
    let blamed = std::mem::take(&mut judge.blamed);
    let mut report = judge.report;
    for pull in blamed.into_iter().take(HISTORIES) {
        report.violations.push(history(world, pull));
    }
    report.seed = plan.seed;
    report.pulls = locked(&world.pulls).len();
    report.deliveries = tally.acknowledged();
    report.attempts = tally.attempts.load(Ordering::SeqCst);
    report.repeated = tally.repeated.load(Ordering::SeqCst);
    report.faults = locked(&tally.faults).clone();
    report.kills = tally.of_kind(storm::KILL);
    report.times = [stormed, settled, begun.elapsed()];
    report
}

struct Judge<'w> {
    world: &'w World,
    report: Report,
    blamed: BTreeSet<Pull>,
}

impl Judge<'_> {
    fn violated(&mut self, what: String) {
        self.report.violations.push(what);
    }

    fn lost(&mut self, pull: Pull, what: String) {
        self.report.lost += 1;
        self.blamed.insert(pull);
        self.violated(format!("lost: {what}"));
    }

    fn doubled(&mut self, pull: Pull, what: String) {
        self.report.doubled += 1;
        self.blamed.insert(pull);
        self.violated(format!("doubled: {what}"));
    }

    /// Every acknowledged delivery led to one outcome of the workflow it asked for.
    fn outcomes(&mut self) {
        let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let rows = self.world.books.rows(
            "SELECT e.delivery_id, w.name, e.status, e.head_sha
                FROM workflow_executions e JOIN workflows w ON w.id = e.workflow_id",
        );
        let mut heads = BTreeSet::new();
        for row in rows {
            let [delivery, workflow, status, head] = row.try_into().expect("four columns");
            heads.insert(head);
            *self.report.executions.entry(status.clone()).or_default() += 1;
            found.entry(delivery).or_default().push((workflow, status));
        }
        let acknowledged = locked(&self.world.tally.acknowledged).clone();
        for (delivery, told) in &acknowledged {
            let pull = (told.repository, told.number);
            match found.get(delivery).map(Vec::as_slice) {
                // It came when its stand-in had been accepted: that one's execution is its outcome.
                None | Some([]) if told.head.as_ref().is_some_and(|head| heads.contains(head)) => {
                    self.report.stood_in_for += 1;
                }
                None | Some([]) => self.lost(pull, format!("delivery {delivery} of {pull:?} has no execution")),
                Some([(workflow, status)]) => {
                    if workflow != told.workflow {
                        self.violated(format!("delivery {delivery} of {pull:?} led to {workflow}"));
                    }
                    if matches!(status.as_str(), "queued" | "running" | "parked") {
                        self.lost(pull, format!("the execution for delivery {delivery} of {pull:?} is {status}"));
                    }
                }
                Some(several) => self.doubled(pull, format!("delivery {delivery} of {pull:?} led to {several:?}")),
            }
        }
        let stands_in = |delivery: &str| delivery.starts_with("reconcile-");
        for delivery in found.keys().filter(|id| !acknowledged.contains_key(*id) && !stands_in(id)) {
            self.violated(format!("delivery {delivery} was not acknowledged, or nobody sent it"));
        }
    }

    /// What a person sees on each pull request.
    fn pulls(&mut self) {
        let github = &self.world.forge.github;
        for problem in github.problems() {
            // Faults that were planned for a request which met another before.
            if !problem.starts_with("no request met") {
                self.violated(format!("GitHub: {problem}"));
            }
        }
        // Its answer may come from the cache, so that there need not be a call.
        let reviewed = self
            .world
            .books
            .rows("SELECT execution_id FROM execution_steps WHERE step_id = 'review' AND status = 'succeeded'");
        let reviewed: BTreeSet<_> = reviewed.into_iter().flatten().collect();
        let checks = REPOSITORIES.map(|name| (name, github.check_runs(OWNER, name)));
        let checks: BTreeMap<_, _> = checks.into_iter().collect();
        for pull in locked(&self.world.pulls).clone() {
            let (repository, number) = pull;
            let head = github.head(OWNER, repository, number);
            let mut reviews: BTreeMap<String, usize> = BTreeMap::new();
            for review in github.reviews(OWNER, repository, number) {
                *reviews.entry(review.commit_id).or_default() += 1;
            }
            self.report.reviewed += reviews.len();
            for (commit, count) in reviews.iter().filter(|(_, count)| **count > 1) {
                self.doubled(pull, format!("{count} reviews of {pull:?} at {commit}"));
            }
            let asked = locked(&self.world.tally.acknowledged);
            let asked = asked.values().filter(|told| (told.repository, told.number) == pull);
            let asked = asked.filter(|told| told.workflow == "command").count();
            let comments = github.comments(OWNER, repository, number);
            let answers = comments.iter().filter(|comment| comment.author != "dev").count();
            if answers > asked {
                self.doubled(pull, format!("{answers} answers to {asked} requests for help in {pull:?}"));
            }
            if answers < asked {
                self.lost(pull, format!("{answers} answers to {asked} requests for help in {pull:?}"));
            }
            if !checks[repository].iter().any(|check| check.head_sha == head) {
                self.lost(pull, format!("nothing is said of the head {head} of {pull:?}"));
            }
            for check in &checks[repository] {
                let green = check.conclusion.as_deref() == Some("success");
                let of_this = check.head_sha == head;
                if green && of_this && !reviews.contains_key(&head) {
                    self.blamed.insert(pull);
                    self.violated(format!("{pull:?} is green at {head} without a review"));
                }
            }
        }
        for (repository, checks) in checks {
            let mut heads: BTreeMap<_, usize> = BTreeMap::new();
            for check in checks {
                let execution = check.external_id.split(':').find(|part| part.len() == 36).unwrap_or_default();
                if check.conclusion.as_deref() == Some("success") && !reviewed.contains(execution) {
                    let (head, id) = (&check.head_sha, &check.external_id);
                    self.violated(format!("{repository}: {head} is green, and no model reviewed it: {id}"));
                }
                *heads.entry((check.name, check.head_sha)).or_default() += 1;
            }
            for ((name, head), count) in heads.into_iter().filter(|(_, count)| *count > 1) {
                self.report.doubled += 1;
                self.violated(format!("doubled: {count} checks {name} at {head} of {repository}"));
            }
        }
    }

    /// Nothing is held, hidden or half done, and the sums agree.
    fn books(&mut self) {
        let none = [
            (
                "leases of executions that are over",
                "SELECT id, status, lease_owner FROM workflow_executions WHERE lease_until IS NOT NULL
                    AND status NOT IN ('queued', 'running', 'parked')",
            ),
            ("messages", "SELECT id, receive_count, dead_reason, body FROM messages"),
            (
                // One that failed or was superseded may never have learned whether its write arrived.
                "effects of executions that succeeded whose end is not known",
                "SELECT e.id, f.marker FROM execution_effects f JOIN workflow_executions e ON e.id = f.execution_id
                    WHERE f.state = 'intent' AND e.status = 'succeeded'",
            ),
            ("budgets with money set aside", "SELECT scope, reserved FROM budget_reservations WHERE reserved <> 0"),
            (
                "budgets that do not agree with the calls",
                "WITH costs AS (SELECT scope, sum(cost_microusd) AS cost FROM llm_calls, unnest(budgets) AS scope
                    GROUP BY scope)
                SELECT scope, b.spent, c.cost FROM budget_reservations b FULL JOIN costs c USING (scope)
                    WHERE COALESCE(b.spent, 0) <> COALESCE(c.cost, 0)",
            ),
            (
                "steps that run in executions that are over",
                "SELECT e.id, e.status, s.step_id FROM execution_steps s
                    JOIN workflow_executions e ON e.id = s.execution_id
                    WHERE s.status = 'running' AND e.status NOT IN ('queued', 'running', 'parked', 'superseded')",
            ),
        ];
        for (what, sql) in none {
            let rows = self.world.books.rows(sql);
            if !rows.is_empty() {
                let first: Vec<_> = rows.iter().take(5).map(|row| row.join(" ")).collect();
                self.violated(format!("{} {what}, such as {first:?}", rows.len()));
            }
        }
        let number = |sql: &str| -> usize { self.world.books.rows(sql)[0][0].parse().expect("a number") };
        let kept = number("SELECT count(*) FROM llm_calls WHERE outcome = 'answered'");
        let memos = number("SELECT count(*) FROM execution_memos WHERE key LIKE 'completion:%'");
        let given = self.world.models.answers();
        self.report.answers = (kept, given);
        // Those that came from the cache are kept and not paid.
        if kept > memos {
            self.violated(format!("{kept} answers were paid and {memos} kept"));
        }
        if kept > given {
            self.violated(format!("{kept} answers were paid and {given} given"));
        }
    }

    fn rest(&mut self) {
        let complaints = std::mem::take(&mut *locked(&self.world.tally.complaints));
        let violations = self.world.models.model.violations();
        self.report.violations.extend(complaints);
        self.report.violations.extend(violations.into_iter().map(|violation| format!("model: {violation}")));
    }
}

/// Everything that is known of a pull request.
fn history(world: &World, (repository, number): Pull) -> String {
    let github = &world.forge.github;
    let books = &world.books;
    let executions = format!(
        "SELECT e.id, w.name, e.status, e.attempt, e.fence, e.delivery_id, e.head_sha, e.event_at, e.created_at, e.started_at,
            e.completed_at, e.superseded_by, e.error_message
        FROM workflow_executions e JOIN workflows w ON w.id = e.workflow_id
        WHERE e.repository = '{OWNER}/{repository}' AND e.pull_request = {number} ORDER BY e.id"
    );
    let of_these = format!(
        "JOIN workflow_executions e ON e.id = t.execution_id
        WHERE e.repository = '{OWNER}/{repository}' AND e.pull_request = {number} ORDER BY e.id"
    );
    let steps = format!(
        "SELECT e.id, t.step_id, t.status, t.attempt, t.interruptions, t.waits, t.started_at, t.finished_at, t.error
        FROM execution_steps t {of_these}, t.started_at"
    );
    let effects =
        format!("SELECT e.id, t.marker, t.state, t.remote_id, t.updated_at FROM execution_effects t {of_these}");
    let mut text = format!("the history of {repository}#{number}, by the replicas' clocks\n");
    for (name, sql) in [("executions", executions), ("steps", steps), ("effects", effects)] {
        text.push_str(&format!("{name}:\n"));
        for row in books.rows(&sql) {
            text.push_str(&format!("  {}\n", row.join(" | ")));
        }
    }
    let marker = |body: &str| {
        let marker = body.split("<!--").nth(1).and_then(|rest| rest.split("-->").next());
        marker.unwrap_or_default().trim().to_owned()
    };
    text.push_str("reviews:\n");
    for review in github.reviews(OWNER, repository, number) {
        text.push_str(&format!("  {} {} {}\n", review.id, review.commit_id, marker(&review.body)));
    }
    text.push_str("checks:\n");
    for check in github.check_runs(OWNER, repository) {
        if check.head_sha == github.head(OWNER, repository, number) {
            text.push_str(&format!("  {} {} {:?} {}\n", check.id, check.head_sha, check.conclusion, check.external_id));
        }
    }
    text.push_str("comments:\n");
    for comment in github.comments(OWNER, repository, number) {
        text.push_str(&format!("  {} {} {}\n", comment.id, comment.author, marker(&comment.body)));
    }
    text.push_str("deliveries:\n");
    let id = format!("\"number\":{number},");
    for delivery in github.deliveries() {
        let body = String::from_utf8_lossy(&delivery.body);
        if body.contains(&id) && body.contains(&format!("\"{OWNER}/{repository}\"")) {
            let action = delivery.action.unwrap_or_default();
            text.push_str(&format!("  {} {} {action} -> {}\n", delivery.guid, delivery.event, delivery.status_code));
        }
    }
    text
}
