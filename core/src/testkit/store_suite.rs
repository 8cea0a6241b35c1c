//! The contract of [`Store`] as a test: every implementation runs all of it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::sample::{commit, event, opened, start};
use crate::clock::after;
use crate::event::{Event, PullRequestAction};
use crate::execution::{ExecutionStatus, StepRecord, StepStatus};
use crate::fault::FaultKind;
use crate::ids::{DeliveryId, ExecutionId, PrNumber, RepoName};
use crate::model_chain::MicroUsd;
use crate::ports::Store;
use crate::ports::forge::{EffectKind, Marker, Remote};
use crate::ports::operations::{Filter, Operations};
use crate::ports::store::{
    Accepted, AuditEntry, Backlog, BudgetLine, CallId, CallOutcome, Claim, Head, Intent, Lease, NewCall, NewExecution,
    Purged, Reservation, Retention, Settle, SettledCall, Spending, Standing, State, Trace, Update,
};
use crate::workflow::Definition;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Runs the whole suite; `fresh` makes an empty store for each part. Returns how many parts there are.
pub async fn run<S, F>(fresh: impl Fn() -> F) -> usize
where
    S: Store + 'static,
    F: Future<Output = Arc<S>>,
{
    let mut parts = 0;
    macro_rules! parts {
        ($($part:ident),+ $(,)?) => {$(
            let store: Arc<dyn Store> = fresh().await;
            store.register(&[workflow(true), workflow(false)], start()).await.expect("register");
            $part(store).await;
            parts += 1;
        )+};
    }
    parts!(
        a_delivery_is_accepted_once,
        deliveries_at_the_same_moment_are_accepted_once,
        one_worker_holds_an_execution,
        a_lost_lease_records_nothing,
        records_read_back,
        an_unknown_execution_is_no_error,
        the_first_memo_stays,
        an_effect_is_told_by_its_history,
        money_is_set_aside_and_booked,
        a_call_of_a_dead_worker_is_closed_as_lost,
        the_latest_event_supersedes,
        a_late_event_is_born_superseded,
        what_had_begun_to_publish_gets_its_place_back,
        an_execution_joins_a_group_while_it_runs,
        a_group_without_latest_wins_takes_turns,
        the_sweep_finds_what_nobody_is_at,
        what_was_heard_of_is_told_from_what_was_not,
        repositories_are_listed_by_name,
        messages_are_delivered_until_settled,
        lanes_take_turns,
        one_worker_leads,
        odd_texts_read_back,
        a_changed_definition_leaves_executions_alone,
    );
    parts
}

/// Runs the part of the suite that operators rely on; `fresh` makes an empty store for each part. Returns how many parts
/// there are.
pub async fn operations<S, F>(fresh: impl Fn() -> F) -> usize
where
    S: Operations + 'static,
    F: Future<Output = Arc<S>>,
{
    let mut parts = 0;
    macro_rules! parts {
        ($($part:ident),+ $(,)?) => {$(
            let store = fresh().await;
            store.register(&[workflow(true), workflow(false)], start()).await.expect("register");
            $part(&*store).await;
            parts += 1;
        )+};
    }
    parts!(
        executions_are_listed_newest_first,
        what_is_old_or_too_many_is_purged,
        dead_messages_are_redriven_or_discarded,
        the_audit_log_keeps_an_entry_once,
    );
    parts
}

fn workflow(latest_wins: bool) -> Arc<Definition> {
    let name = if latest_wins { "newest" } else { "queue" };
    let yaml = format!(
        "name: {name}\non: {{ pull_request: [opened, synchronize] }}\n\
        concurrency: {{ group: \"{name}/${{repo}}/${{number}}\", latest_wins: {latest_wins} }}\n\
        steps:\n  - {{ id: fetch, uses: fetch }}\n  - {{ id: analyse, uses: analyse, needs: [fetch] }}\n"
    );
    Arc::new(Definition::parse("suite.yaml", &yaml).expect("the suite's workflow"))
}

fn execution(event: &Event, latest_wins: bool) -> NewExecution {
    let definition = workflow(latest_wins);
    let group = definition.group(event).expect("the suite's group");
    NewExecution { id: ExecutionId::new(), definition, group }
}

async fn accept(store: &dyn Store, event: &Event, latest_wins: bool) -> ExecutionId {
    let new = execution(event, latest_wins);
    let accepted = store.accept(event, std::slice::from_ref(&new), start()).await.expect("accept");
    assert!(accepted.fresh);
    new.id
}

async fn claim(store: &dyn Store, id: ExecutionId, now: Timestamp) -> Lease {
    match store.claim(id, "worker", now, after(now, MINUTE)).await.expect("claim") {
        Claim::Acquired(execution, lease) => {
            assert_eq!(execution.id, id);
            assert_eq!(execution.status, ExecutionStatus::Running);
            lease
        }
        other => panic!("not claimed: {other:?}"),
    }
}

fn update(state: State, steps: Vec<StepRecord>) -> Update {
    Update { steps, state, active: SECOND, now: after(start(), SECOND) }
}

async fn status(store: &dyn Store, id: ExecutionId) -> ExecutionStatus {
    store.execution(id).await.expect("execution").expect("there").status
}

async fn a_delivery_is_accepted_once(store: Arc<dyn Store>) {
    let event = opened("d-1");
    let first = execution(&event, true);
    let accepted = store.accept(&event, std::slice::from_ref(&first), start()).await.expect("accept");
    assert_eq!(accepted, Accepted { fresh: true, live: vec![first.id] });
    let second = execution(&event, true);
    let again = store.accept(&event, std::slice::from_ref(&second), start()).await.expect("accept");
    assert_eq!(again, Accepted { fresh: false, live: vec![first.id] }, "the executions made then, not new ones");
    assert!(store.execution(second.id).await.expect("execution").is_none());
    let lease = claim(&*store, first.id, start()).await;
    let done = State::Finished(ExecutionStatus::Succeeded, None);
    store.record(&lease, &update(done, vec![])).await.expect("record");
    let late = store.accept(&event, &[second], start()).await.expect("accept");
    assert_eq!(late, Accepted { fresh: false, live: vec![] });
}

async fn deliveries_at_the_same_moment_are_accepted_once(store: Arc<dyn Store>) {
    let event = opened("d-1");
    let tries = (0..20).map(|_| {
        let (store, event) = (store.clone(), event.clone());
        tokio::spawn(async move { store.accept(&event, &[execution(&event, true)], start()).await.expect("accept") })
    });
    let answers = futures_util::future::join_all(tries).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("accept")).collect();
    assert_eq!(answers.iter().filter(|answer| answer.fresh).count(), 1);
    assert!(answers.iter().all(|answer| answer.live == answers[0].live && answer.live.len() == 1), "{answers:?}");
}

async fn one_worker_holds_an_execution(store: Arc<dyn Store>) {
    let id = accept(&*store, &opened("d-1"), true).await;
    let lease = claim(&*store, id, start()).await;
    let other = store.claim(id, "other", start(), after(start(), MINUTE)).await.expect("claim");
    assert!(matches!(other, Claim::Held), "{other:?}");
    let later = after(start(), MINUTE);
    assert_eq!(store.renew(&lease, after(later, MINUTE)).await.expect("renew"), Standing::Current);
    assert!(matches!(store.claim(id, "other", later, after(later, MINUTE)).await.expect("claim"), Claim::Held));
    let much_later = after(later, MINUTE);
    let taken = claim(&*store, id, much_later).await;
    assert!(taken.fence > lease.fence, "every claim raises the fence");
}

async fn a_lost_lease_records_nothing(store: Arc<dyn Store>) {
    let id = accept(&*store, &opened("d-1"), true).await;
    let lost = claim(&*store, id, start()).await;
    let held = claim(&*store, id, after(start(), MINUTE)).await;
    let marker = Marker("m".to_owned());
    let remote = Remote { id: "1".to_owned(), url: None };
    let done = State::Finished(ExecutionStatus::Succeeded, None);
    let kinds = [
        store.renew(&lost, after(start(), 9 * MINUTE)).await.expect_err("renew").kind,
        store.record(&lost, &update(done, vec![])).await.expect_err("record").kind,
        store.put_memo(&lost, "k", b"v").await.expect_err("put_memo").kind,
        store
            .begin_effect(&lost, EffectKind::Review, &marker, start(), after(start(), 9 * MINUTE))
            .await
            .expect_err("begin_effect")
            .kind,
        store.finish_effect(&lost, &marker, &remote, start()).await.expect_err("finish_effect").kind,
    ];
    assert_eq!(kinds, [FaultKind::LeaseLost; 5]);
    assert_eq!(status(&*store, id).await, ExecutionStatus::Running);
    assert_eq!(store.memo(id, "k").await.expect("memo"), None);
    assert_eq!(
        store
            .begin_effect(&held, EffectKind::Review, &marker, start(), after(start(), 9 * MINUTE))
            .await
            .expect("effect"),
        Intent::Fresh
    );
}

async fn records_read_back(store: Arc<dyn Store>) {
    let id = accept(&*store, &opened("d-1"), true).await;
    let before = store.execution(id).await.expect("execution").expect("there");
    assert_eq!((before.status, before.event.clone()), (ExecutionStatus::Queued, opened("d-1")));
    assert_eq!(before.steps, [StepRecord::pending("fetch"), StepRecord::pending("analyse")]);
    assert_eq!(before.concurrency_group.as_deref(), Some("newest/acme/shop/7"));
    let lease = claim(&*store, id, start()).await;
    let step = StepRecord {
        status: StepStatus::Failed,
        attempt: 2,
        interruptions: 1,
        waits: 3,
        not_before: Some(after(start(), MINUTE)),
        output: Some(json!({ "k": [1, "ü"] })),
        error: Some("no".to_owned()),
        started_at: Some(start()),
        finished_at: Some(after(start(), SECOND)),
        ..StepRecord::pending("fetch")
    };
    store.record(&lease, &update(State::Running, vec![step.clone()])).await.expect("record");
    let running = store.execution(id).await.expect("execution").expect("there");
    assert_eq!((running.status, &running.steps[0]), (ExecutionStatus::Running, &step));
    assert_eq!((running.active, running.resumed_at), (SECOND, Some(after(start(), SECOND))));
    let until = after(start(), MINUTE);
    store.record(&lease, &update(State::Parked(until), vec![])).await.expect("record");
    let parked = store.execution(id).await.expect("execution").expect("there");
    assert_eq!((parked.status, parked.not_before, parked.resumed_at), (ExecutionStatus::Parked, Some(until), None));
    let early = store.claim(id, "w", start(), until).await.expect("claim");
    assert!(matches!(early, Claim::Parked(time) if time == until), "{early:?}");
    let lease = claim(&*store, id, until).await;
    let failed = State::Finished(ExecutionStatus::Failed, Some("because".to_owned()));
    store.record(&lease, &update(failed, vec![])).await.expect("record");
    let done = store.execution(id).await.expect("execution").expect("there");
    assert_eq!((done.status, done.error.as_deref()), (ExecutionStatus::Failed, Some("because")));
    let late = store.claim(id, "w", until, after(until, MINUTE)).await.expect("claim");
    assert!(matches!(late, Claim::Finished(ExecutionStatus::Failed)), "{late:?}");
    assert_eq!(store.backlog().await.expect("backlog"), Backlog::default());
}

async fn an_unknown_execution_is_no_error(store: Arc<dyn Store>) {
    let id = ExecutionId::new();
    assert!(matches!(store.claim(id, "w", start(), after(start(), MINUTE)).await.expect("claim"), Claim::Unknown));
    assert!(store.execution(id).await.expect("execution").is_none());
    assert_eq!(store.memo(id, "k").await.expect("memo"), None);
}

async fn the_first_memo_stays(store: Arc<dyn Store>) {
    let id = accept(&*store, &opened("d-1"), true).await;
    let lease = claim(&*store, id, start()).await;
    let bytes = [0_u8, 255, 10, 13];
    store.put_memo(&lease, "k", &bytes).await.expect("put_memo");
    store.put_memo(&lease, "k", b"second").await.expect("put_memo");
    store.put_memo(&lease, "empty", b"").await.expect("put_memo");
    assert_eq!(store.memo(id, "k").await.expect("memo"), Some(bytes.to_vec()));
    assert_eq!(store.memo(id, "empty").await.expect("memo"), Some(vec![]));
    assert_eq!(store.memo(id, "other").await.expect("memo"), None);
}

async fn an_effect_is_told_by_its_history(store: Arc<dyn Store>) {
    let id = accept(&*store, &opened("d-1"), true).await;
    let lease = claim(&*store, id, start()).await;
    let (marker, other) = (Marker("m".to_owned()), Marker("n".to_owned()));
    let begin = |marker: Marker| {
        let (store, lease) = (store.clone(), lease.clone());
        async move {
            store
                .begin_effect(&lease, EffectKind::Check, &marker, start(), after(start(), 9 * MINUTE))
                .await
                .expect("begin_effect")
        }
    };
    assert_eq!(begin(marker.clone()).await, Intent::Fresh);
    assert_eq!(begin(marker.clone()).await, Intent::Uncertain);
    assert_eq!(store.backlog().await.expect("backlog").open_effects, 1);
    let remote = Remote { id: "9".to_owned(), url: Some("https://example.com/9".to_owned()) };
    store.finish_effect(&lease, &marker, &remote, start()).await.expect("finish_effect");
    assert_eq!(begin(marker).await, Intent::Done(remote));
    assert_eq!(begin(other).await, Intent::Fresh, "another marker is another effect");
}

fn call(amount: u64, limits: [u64; 2]) -> NewCall {
    let line = |(scope, limit): (&str, u64)| BudgetLine { scope: scope.to_owned(), limit: MicroUsd(limit) };
    let budgets = [("execution/e", limits[0]), ("day/2026-11-22", limits[1])].map(line).to_vec();
    NewCall { provider: "scripted".to_owned(), model: "script-1".to_owned(), amount: MicroUsd(amount), budgets }
}

fn settled(outcome: CallOutcome, cost: u64, memo: Option<(&str, &[u8])>) -> SettledCall {
    let memo = memo.map(|(key, value)| (key.to_owned(), value.to_vec()));
    SettledCall { outcome, input_tokens: 7, output_tokens: 3, cost: MicroUsd(cost), latency: SECOND, memo }
}

async fn spending(store: &dyn Store) -> [(u64, u64); 2] {
    let mut amounts = [(0, 0); 2];
    for (amount, scope) in amounts.iter_mut().zip(["execution/e", "day/2026-11-22"]) {
        let Spending { reserved, spent } = store.spending(scope).await.expect("spending");
        *amount = (reserved.0, spent.0);
    }
    amounts
}

async fn reserve(store: &dyn Store, lease: &Lease, call: &NewCall) -> CallId {
    match store.reserve(lease, call, start()).await.expect("reserve") {
        Reservation::Granted(id) => id,
        exhausted @ Reservation::Exhausted { .. } => panic!("{exhausted:?}"),
    }
}

async fn money_is_set_aside_and_booked(store: Arc<dyn Store>) {
    let store = store.as_ref();
    let id = accept(store, &opened("d-1"), true).await;
    let lease = claim(store, id, start()).await;
    let first = reserve(store, &lease, &call(60, [100, 1000])).await;
    assert_eq!(spending(store).await, [(60, 0), (60, 0)]);
    let refused = store.reserve(&lease, &call(41, [100, 1000]), start()).await.expect("reserve");
    assert_eq!(refused, Reservation::Exhausted { scope: "execution/e".to_owned(), left: MicroUsd(40) });
    let refused = store.reserve(&lease, &call(40, [100, 99]), start()).await.expect("reserve");
    assert_eq!(refused, Reservation::Exhausted { scope: "day/2026-11-22".to_owned(), left: MicroUsd(39) });
    assert_eq!(spending(store).await, [(60, 0), (60, 0)], "a refusal sets nothing aside");
    let second = reserve(store, &lease, &call(40, [100, 1000])).await;
    let answered = settled(CallOutcome::Answered, 25, Some(("answer", b"kept")));
    store.settle_call(&lease, first, &answered, start()).await.expect("settle");
    assert_eq!(spending(store).await, [(40, 25), (40, 25)]);
    assert_eq!(store.memo(id, "answer").await.expect("memo").as_deref(), Some(b"kept".as_slice()));
    store.settle_call(&lease, first, &settled(CallOutcome::Failed, 99, None), start()).await.expect("again");
    assert_eq!(spending(store).await, [(40, 25), (40, 25)], "a call is closed once");
    assert_eq!(store.backlog().await.expect("backlog").open_calls, 1);
    store.settle_call(&lease, second, &settled(CallOutcome::Failed, 0, None), start()).await.expect("settle");
    assert_eq!(spending(store).await, [(0, 25), (0, 25)]);
    let calls = store.calls(id).await.expect("calls");
    let shown: Vec<_> = calls.iter().map(|call| (call.id, call.outcome, call.input_tokens, call.cost.0)).collect();
    let expected = [(first, Some(CallOutcome::Answered), 7, 25), (second, Some(CallOutcome::Failed), 7, 0)];
    assert_eq!(shown, expected);
    assert_eq!(
        (calls[0].provider.as_str(), calls[0].model.as_str(), calls[0].output_tokens),
        ("scripted", "script-1", 3)
    );
}

async fn a_call_of_a_dead_worker_is_closed_as_lost(store: Arc<dyn Store>) {
    let store = store.as_ref();
    let id = accept(store, &opened("d-1"), true).await;
    let dead = claim(store, id, start()).await;
    let lost = reserve(store, &dead, &call(60, [1000, 1000])).await;
    store.requeue_due(start(), MINUTE, 10).await.expect("sweep");
    assert_eq!(spending(store).await, [(60, 0), (60, 0)], "its worker may still be at it");
    let later = after(start(), MINUTE * 2);
    assert_eq!(store.requeue_due(later, MINUTE, 10).await.expect("sweep"), [(id, opened("d-1").repository)]);
    assert_eq!(spending(store).await, [(0, 60), (0, 60)], "it may have been paid");
    let late = store.settle_call(&dead, lost, &settled(CallOutcome::Answered, 5, Some(("k", b"v"))), later).await;
    assert_eq!(late.expect_err("the lease is lost").kind, FaultKind::LeaseLost);
    let refused = store.reserve(&dead, &call(1, [1000, 1000]), later).await;
    assert_eq!(refused.expect_err("the lease is lost").kind, FaultKind::LeaseLost);
    assert_eq!(spending(store).await, [(0, 60), (0, 60)]);
    assert_eq!(store.memo(id, "k").await.expect("memo"), None);
    assert_eq!(store.calls(id).await.expect("calls")[0].outcome, Some(CallOutcome::Lost));
}

async fn the_latest_event_supersedes(store: Arc<dyn Store>) {
    let waiting = accept(&*store, &opened("d-1"), true).await;
    let pushed = event("d-2", PullRequestAction::Synchronize, commit('c'), after(start(), SECOND));
    let running = accept(&*store, &pushed, true).await;
    assert_eq!(status(&*store, waiting).await, ExecutionStatus::Superseded, "nobody held it: it ends at once");
    let lease = claim(&*store, running, start()).await;
    let marker = Marker("m".to_owned());
    store
        .begin_effect(&lease, EffectKind::Review, &marker, start(), after(start(), 9 * MINUTE))
        .await
        .expect("begin_effect");
    let again = event("d-3", PullRequestAction::Synchronize, commit('d'), after(start(), 2 * SECOND));
    let newest = accept(&*store, &again, true).await;
    assert_eq!(status(&*store, running).await, ExecutionStatus::Running, "its worker is told");
    assert_eq!(store.renew(&lease, after(start(), MINUTE)).await.expect("renew"), Standing::Superseded);
    let recorded = store.record(&lease, &update(State::Running, vec![])).await.expect("record");
    assert_eq!(recorded, Standing::Superseded);
    let refused = store
        .begin_effect(&lease, EffectKind::Check, &Marker("n".to_owned()), start(), after(start(), 9 * MINUTE))
        .await;
    assert_eq!(refused.expect_err("refused").kind, FaultKind::Superseded);
    let uncertain = store.begin_effect(&lease, EffectKind::Review, &marker, start(), after(start(), 9 * MINUTE)).await;
    assert_eq!(uncertain.expect_err("refused").kind, FaultKind::Superseded);
    claim(&*store, newest, start()).await;
}

async fn an_execution_joins_a_group_while_it_runs(store: Arc<dyn Store>) {
    let store = store.as_ref();
    let outside = |event: &Event| NewExecution { group: None, ..execution(event, true) };
    let first = accept(store, &opened("d-1"), true).await;
    let (older, newer) = (opened("d-2"), Event { at: after(opened("d-3").at, MINUTE), ..opened("d-3") });
    let (late, next) = (outside(&older), outside(&newer));
    for (event, new) in [(&older, &late), (&newer, &next)] {
        store.accept(event, std::slice::from_ref(new), start()).await.expect("accept");
    }
    let status = |id| async move { store.execution(id).await.expect("read").expect("there").status };
    assert_eq!(status(first).await, ExecutionStatus::Queued, "those outside of the group change nothing");
    let group = execution(&newer, true).group.expect("a group");
    let lease = claim(store, next.id, start()).await;
    for _ in 0..2 {
        assert_eq!(store.join(&lease, &group, start()).await.expect("join"), Standing::Current);
        assert_eq!(status(first).await, ExecutionStatus::Superseded);
    }
    let lease = claim(store, late.id, start()).await;
    assert_eq!(store.join(&lease, &group, start()).await.expect("join"), Standing::Superseded);
    assert_eq!(store.renew(&lease, after(start(), MINUTE)).await.expect("renew"), Standing::Superseded);
    assert_eq!(status(next.id).await, ExecutionStatus::Running);
    let lost = Lease { fence: lease.fence + 1, ..lease };
    assert_eq!(store.join(&lost, &group, start()).await.expect_err("not held").kind, FaultKind::LeaseLost);
}

async fn a_late_event_is_born_superseded(store: Arc<dyn Store>) {
    let newer = event("d-2", PullRequestAction::Synchronize, commit('c'), after(start(), SECOND));
    let newest = accept(&*store, &newer, true).await;
    let late = execution(&opened("d-1"), true);
    let accepted = store.accept(&opened("d-1"), std::slice::from_ref(&late), start()).await.expect("accept");
    assert_eq!(accepted, Accepted { fresh: true, live: vec![] });
    assert_eq!(status(&*store, late.id).await, ExecutionStatus::Superseded);
    assert_eq!(status(&*store, newest).await, ExecutionStatus::Queued);
    let elsewhere = Event { number: crate::ids::PrNumber(8), ..opened("d-3") };
    let other = accept(&*store, &elsewhere, true).await;
    assert_eq!(status(&*store, other).await, ExecutionStatus::Queued, "another pull request is another group");
}

async fn what_had_begun_to_publish_gets_its_place_back(store: Arc<dyn Store>) {
    let store = store.as_ref();
    let pushed = |delivery: &str, head| event(delivery, PullRequestAction::Synchronize, commit(head), start());
    let stand_in = |about: &str, at| Event { delivery: DeliveryId::stand_in(about), at, ..pushed("d-0", 'c') };
    let accept_new = async |event: &Event, now| {
        let new = execution(event, true);
        let accepted = store.accept(event, std::slice::from_ref(&new), now).await.expect("accept");
        assert!(accepted.fresh);
        (new.id, accepted.live)
    };
    let published = accept(store, &pushed("d-1", 'c'), true).await;
    let lease = claim(store, published, start()).await;
    let marker = Marker("m".to_owned());
    let (review, until) = (EffectKind::Review, after(start(), MINUTE));
    store.begin_effect(&lease, review, &marker, start(), until).await.expect("begin_effect");
    // An older push of the same second takes its place, then another one: the first of them had published nothing.
    let idle = accept(store, &pushed("d-2", 'd'), true).await;
    let (other, _) = accept_new(&pushed("d-3", 'e'), start()).await;
    let state = async |id| {
        let execution = store.execution(id).await.expect("execution").expect("there");
        (execution.status, execution.superseded)
    };
    assert_eq!(state(published).await, (ExecutionStatus::Running, true));

    let (early, live) = accept_new(&stand_in("early", start()), start()).await;
    assert_eq!(live, [early], "it is held: nobody knows yet how it ends");
    let later = after(start(), 2 * MINUTE);
    let newest = accept(store, &Event { at: later, ..pushed("d-4", 'f') }, true).await;
    let (late, live) = accept_new(&stand_in("late", start()), later).await;
    assert_eq!((live, state(late).await.0), (vec![], ExecutionStatus::Superseded), "an event after it comes first");
    assert_eq!(state(published).await.0, ExecutionStatus::Running);

    let last = stand_in("last", after(later, MINUTE));
    let (unused, live) = accept_new(&last, later).await;
    assert_eq!(live, [published]);
    assert_eq!(store.execution(unused).await.expect("execution"), None, "no new one is needed");
    assert_eq!(state(published).await, (ExecutionStatus::Queued, false));
    for gone in [idle, other, early, newest] {
        assert_eq!(state(gone).await.0, ExecutionStatus::Superseded);
    }
    assert_eq!(store.renew(&lease, after(later, MINUTE)).await.expect_err("lost").kind, FaultKind::LeaseLost);
    let lease = claim(store, published, later).await;
    let intent = store.begin_effect(&lease, review, &marker, later, after(later, MINUTE)).await.expect("begin_effect");
    assert_eq!(intent, Intent::Uncertain, "it knows what it had begun");

    // With a failed step it could only fail.
    let failed = StepRecord { status: StepStatus::Failed, ..StepRecord::pending("fetch") };
    let ended = State::Finished(ExecutionStatus::Superseded, None);
    store.record(&lease, &update(ended, vec![failed])).await.expect("record");
    let (fresh, live) = accept_new(&stand_in("failed", after(later, MINUTE)), later).await;
    assert_eq!(live, [fresh]);
    // Nor is there anything to give back where nothing was published.
    store.accept(&pushed("d-5", 'a'), &[execution(&pushed("d-5", 'a'), true)], later).await.expect("accept");
    let (fresh, live) = accept_new(&stand_in("nothing", after(later, MINUTE)), later).await;
    assert_eq!(live, [fresh]);
}

async fn a_group_without_latest_wins_takes_turns(store: Arc<dyn Store>) {
    let first = accept(&*store, &opened("d-1"), false).await;
    let second = accept(&*store, &opened("d-2"), false).await;
    let group = "queue/acme/shop/7";
    let blocked = store.claim(second, "w", start(), after(start(), MINUTE)).await.expect("claim");
    assert!(matches!(blocked, Claim::Blocked), "{blocked:?}");
    assert_eq!(store.next_in_group(group).await.expect("next"), Some(first));
    let lease = claim(&*store, first, start()).await;
    assert_eq!(store.next_in_group(group).await.expect("next"), None, "the first is running");
    let done = State::Finished(ExecutionStatus::Succeeded, None);
    store.record(&lease, &update(done, vec![])).await.expect("record");
    assert_eq!(store.next_in_group(group).await.expect("next"), Some(second));
    claim(&*store, second, start()).await;
    // One that was made before but accepted after, by a process whose clock is behind.
    let late = NewExecution { id: first_id(), ..execution(&opened("d-3"), false) };
    store.accept(&opened("d-3"), std::slice::from_ref(&late), start()).await.expect("accept");
    let blocked = store.claim(late.id, "w", start(), after(start(), MINUTE)).await.expect("claim");
    assert!(matches!(blocked, Claim::Blocked), "{blocked:?}");
}

/// An identity that sorts before all that are made.
fn first_id() -> ExecutionId {
    "00000000-0000-7000-8000-000000000001".parse().expect("an id")
}

async fn the_sweep_finds_what_nobody_is_at(store: Arc<dyn Store>) {
    let ids = [
        accept(&*store, &Event { number: crate::ids::PrNumber(1), ..opened("d-1") }, true).await,
        accept(&*store, &Event { number: crate::ids::PrNumber(2), ..opened("d-2") }, true).await,
        accept(&*store, &Event { number: crate::ids::PrNumber(3), ..opened("d-3") }, true).await,
    ];
    let [queued, running, parked] = ids;
    claim(&*store, running, start()).await;
    let lease = claim(&*store, parked, start()).await;
    let until = after(start(), 5 * SECOND);
    store.record(&lease, &update(State::Parked(until), vec![])).await.expect("record");
    let due = |now| {
        let store = store.clone();
        async move { store.requeue_due(now, 2 * MINUTE, 10).await.expect("requeue_due") }
    };
    assert!(due(after(start(), SECOND)).await.is_empty(), "nothing is due yet");
    let of = |id| [(id, opened("d-1").repository)];
    assert_eq!(due(until).await, of(parked), "its time has come");
    assert!(due(until).await.is_empty(), "once is enough");
    assert_eq!(due(after(start(), MINUTE)).await, of(running), "its lease has run out");
    assert_eq!(due(after(start(), 2 * MINUTE)).await, of(queued), "its message was lost");
    assert_eq!(store.backlog().await.expect("backlog").queued, 3);
    assert_eq!(store.requeue_due(after(start(), 9 * MINUTE), MINUTE, 2).await.expect("requeue_due").len(), 2);
}

async fn what_was_heard_of_is_told_from_what_was_not(store: Arc<dyn Store>) {
    let queued = accept(&*store, &opened("d-1"), true).await;
    let next = event("d-2", PullRequestAction::Synchronize, commit('c'), after(start(), SECOND));
    accept(&*store, &next, true).await;
    assert_eq!(status(&*store, queued).await, ExecutionStatus::Superseded, "its head was seen all the same");
    let nobody_asked = event("d-3", PullRequestAction::Synchronize, commit('d'), after(start(), MINUTE));
    store.accept(&nobody_asked, &[], start()).await.expect("accept");
    let headless = Event { head: None, number: PrNumber(9), ..opened("d-4") };
    accept(&*store, &headless, true).await;
    let head = |repository: &str, number, digit| {
        let repository = RepoName::new(repository).expect("a name");
        Some(Head { repository, number: PrNumber(number), commit: commit(digit), superseded: true })
    };
    let standing = |digit| head("acme/shop", 7, digit).map(|head| Head { superseded: false, ..head });
    let trace = |delivery: &str, head| Trace { delivery: DeliveryId::new(delivery).expect("a delivery id"), head };
    let heard = [
        trace("d-1", None),
        trace("d-3", None),
        trace("d-1", head("acme/shop", 7, 'e')),
        trace("x-1", head("acme/shop", 7, 'b')),
        trace("x-2", head("acme/shop", 7, 'c')),
        trace("x-2", standing('c')),
    ];
    let unheard = [
        trace("x-3", None),
        trace("D-1", None),
        trace("x-4", head("acme/shop", 7, 'd')),
        trace("x-5", head("acme/shop", 8, 'b')),
        trace("x-6", head("acme/shops", 7, 'b')),
        trace("x-7", head("acme/shop", 9, 'b')),
        trace("x-7", head("acme/shop", 9, 'b')),
        trace("x-8", standing('b')),
    ];
    let mixed: Vec<_> = unheard[..3].iter().chain(&heard).chain(&unheard[3..]).cloned().collect();
    assert_eq!(store.unheard(&mixed).await.expect("unheard"), unheard, "in the order asked, each as often as asked");
    assert!(store.unheard(&heard).await.expect("unheard").is_empty());
    // It comes to its end before it is told that its place was taken.
    let done =
        accept(&*store, &event("d-5", PullRequestAction::Synchronize, commit('f'), after(start(), MINUTE)), true).await;
    let lease = claim(&*store, done, start()).await;
    let newest = after(start(), 2 * MINUTE);
    accept(&*store, &event("d-6", PullRequestAction::Synchronize, commit('a'), newest), true).await;
    assert_eq!(store.unheard(&[trace("x-9", standing('f'))]).await.expect("unheard").len(), 1);
    let succeeded = update(State::Finished(ExecutionStatus::Succeeded, None), vec![]);
    assert_eq!(store.record(&lease, &succeeded).await.expect("record"), Standing::Superseded);
    assert!(store.unheard(&[trace("x-9", standing('f'))]).await.expect("unheard").is_empty());
    assert!(store.unheard(&[]).await.expect("unheard").is_empty());
}

async fn repositories_are_listed_by_name(store: Arc<dyn Store>) {
    assert!(store.repositories(None, 10).await.expect("repositories").is_empty());
    for (number, name) in ["acme/shop", "Acme/till", "acme/a_b", "acme/a-b", "acme/shop"].into_iter().enumerate() {
        let repository = RepoName::new(name).expect("a name");
        accept(&*store, &Event { repository, ..opened(&format!("d-{number}")) }, true).await;
    }
    let ignored = Event { repository: RepoName::new("acme/unwanted").expect("a name"), ..opened("d-9") };
    store.accept(&ignored, &[], start()).await.expect("accept");
    let list = |after: Option<&str>, limit| {
        let (store, after) = (store.clone(), after.map(|name| RepoName::new(name).expect("a name")));
        async move {
            let names = store.repositories(after.as_ref(), limit).await.expect("repositories");
            names.into_iter().map(String::from).collect::<Vec<_>>()
        }
    };
    assert_eq!(list(None, 10).await, ["Acme/till", "acme/a-b", "acme/a_b", "acme/shop"]);
    assert_eq!(list(None, 2).await, ["Acme/till", "acme/a-b"]);
    assert_eq!(list(Some("acme/a-b"), 1).await, ["acme/a_b"]);
    assert_eq!(list(Some("acme/a-c"), 9).await, ["acme/a_b", "acme/shop"], "the one behind need not exist");
    assert!(list(Some("acme/shop"), 9).await.is_empty());
    assert!(list(None, 0).await.is_empty());
}

async fn messages_are_delivered_until_settled(store: Arc<dyn Store>) {
    for body in ["one", "two", "three"] {
        store.enqueue(body, None, start()).await.expect("enqueue");
    }
    let until = after(start(), MINUTE);
    let taken = store.receive(2, start(), until).await.expect("receive");
    let bodies: Vec<_> = taken.iter().map(|message| (message.body.as_str(), message.receive_count)).collect();
    assert_eq!(bodies, [("one", 1), ("two", 1)]);
    let rest = store.receive(5, start(), until).await.expect("receive");
    assert_eq!(rest.len(), 1, "what is taken is hidden");
    store.settle(taken[0].id, &Settle::Done).await.expect("settle");
    store.settle(taken[1].id, &Settle::Again(start())).await.expect("settle");
    store.settle(rest[0].id, &Settle::Dead("poison".to_owned())).await.expect("settle");
    let again = store.receive(5, start(), until).await.expect("receive");
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].body.as_str(), again[0].receive_count), ("two", 2));
    let backlog = store.backlog().await.expect("backlog");
    assert_eq!((backlog.messages, backlog.dead, backlog.next_due), (1, 1, Some(until)));
    assert_eq!(store.receive(5, until, after(until, MINUTE)).await.expect("receive").len(), 1, "never settled");
}

async fn lanes_take_turns(store: Arc<dyn Store>) {
    let put = |body: &'static str, lane: Option<&'static str>| {
        let store = store.clone();
        async move { store.enqueue(body, lane, start()).await.expect("enqueue") }
    };
    for body in ["noisy 1", "noisy 2", "noisy 3", "noisy 4"] {
        put(body, Some("acme/noisy")).await;
    }
    put("quiet 1", Some("acme/quiet")).await;
    put("quiet 2", Some("acme/quiet")).await;
    put("urgent", None).await;
    let until = after(start(), MINUTE);
    let take = |limit| {
        let store = store.clone();
        async move {
            let taken = store.receive(limit, start(), until).await.expect("receive");
            taken.into_iter().map(|message| message.body).collect::<Vec<_>>()
        }
    };
    assert_eq!(take(3).await, ["noisy 1", "quiet 1", "urgent"]);
    put("third 1", Some("acme/third")).await;
    assert_eq!(
        take(3).await,
        ["third 1", "noisy 2", "quiet 2"],
        "whoever comes new does not wait behind the noisy one"
    );
    assert_eq!(take(9).await, ["noisy 3", "noisy 4"]);
}

async fn one_worker_leads(store: Arc<dyn Store>) {
    let until = after(start(), MINUTE);
    let lead = |worker: &'static str, now| {
        let store = store.clone();
        async move { store.lead("sweep", worker, now, after(now, MINUTE)).await.expect("lead") }
    };
    assert!(lead("a", start()).await);
    assert!(!lead("b", start()).await);
    assert!(lead("a", after(start(), SECOND)).await, "it keeps what it has");
    assert!(!lead("b", until).await, "the term was extended");
    assert!(lead("b", after(until, SECOND)).await);
    assert!(!lead("a", after(until, SECOND)).await);
    assert!(store.lead("other", "a", start(), until).await.expect("lead"), "another task has a leader of its own");
}

async fn odd_texts_read_back(store: Arc<dyn Store>) {
    let id = accept(&*store, &opened("d-1"), true).await;
    let lease = claim(&*store, id, start()).await;
    let odd = "\u{0}'\"\\ \u{1F600}\u{202E}".to_owned();
    let step = StepRecord {
        status: StepStatus::Failed,
        output: Some(json!({ "odd": odd })),
        error: Some(odd.clone()),
        told: Some(odd.clone()),
        ..StepRecord::pending("fetch")
    };
    let failed = State::Finished(ExecutionStatus::Failed, Some(odd.clone()));
    store.record(&lease, &update(failed, vec![step])).await.expect("record");
    let done = store.execution(id).await.expect("execution").expect("there");
    assert_eq!(done.steps[0].output, Some(json!({ "odd": odd })));
    // Some databases keep no zero bytes: they become a sign that stands for what can't be shown.
    let shown = odd.replace('\0', "\u{FFFD}");
    for text in [done.steps[0].error.clone(), done.steps[0].told.clone(), done.error] {
        assert_eq!(text.expect("a text").replace('\0', "\u{FFFD}"), shown);
    }
}

async fn a_changed_definition_leaves_executions_alone(store: Arc<dyn Store>) {
    let id = accept(&*store, &opened("d-1"), true).await;
    let changed = "name: newest\non: { manual: true }\nsteps: [{ id: other, uses: fetch }]\n";
    let changed = Arc::new(Definition::parse("changed.yaml", changed).expect("a workflow"));
    store.register(&[changed], after(start(), SECOND)).await.expect("register");
    let execution = store.execution(id).await.expect("execution").expect("there");
    assert_eq!(*execution.definition, *workflow(true));
}

/// Accepts an event of a pull request of its own at `time`, and lets its execution come to its end if `done`.
async fn past(store: &dyn Store, number: u64, latest_wins: bool, time: Timestamp, done: bool) -> ExecutionId {
    let event = Event { number: crate::ids::PrNumber(number), ..opened(&format!("d-{number}")) };
    let new = execution(&event, latest_wins);
    store.accept(&event, std::slice::from_ref(&new), time).await.expect("accept");
    if done {
        let lease = claim(store, new.id, time).await;
        let done = State::Finished(ExecutionStatus::Succeeded, None);
        let update = Update { steps: vec![StepRecord::pending("fetch")], state: done, active: SECOND, now: time };
        store.put_memo(&lease, "k", b"v").await.expect("put_memo");
        store.record(&lease, &update).await.expect("record");
    }
    new.id
}

async fn executions_are_listed_newest_first(store: &dyn Operations) {
    let mut ids = Vec::new();
    for number in 1..=5 {
        ids.push(past(store, number, number % 2 == 0, start(), number < 4).await);
    }
    ids.reverse();
    let list = |filter: Filter, before, limit| async move {
        let listed = store.executions(&filter, before, limit).await.expect("executions");
        listed.into_iter().map(|summary| summary.id).collect::<Vec<_>>()
    };
    assert_eq!(list(Filter::default(), None, 10).await, ids);
    assert_eq!(list(Filter::default(), None, 2).await, ids[..2]);
    assert_eq!(list(Filter::default(), Some(ids[1]), 2).await, ids[2..4]);
    let status = Filter { status: Some(ExecutionStatus::Queued), ..Filter::default() };
    assert_eq!(list(status, None, 10).await, ids[..2]);
    let workflow = Filter { workflow: Some("newest".to_owned()), ..Filter::default() };
    assert_eq!(list(workflow.clone(), None, 10).await, [ids[1], ids[3]]);
    let both = Filter { status: Some(ExecutionStatus::Succeeded), ..workflow };
    assert_eq!(list(both, None, 10).await, [ids[3]]);
    let elsewhere = Filter { repository: Some("acme/other".parse().expect("a name")), ..Filter::default() };
    assert!(list(elsewhere, None, 10).await.is_empty());
    let here = Filter { repository: Some("acme/shop".parse().expect("a name")), ..Filter::default() };
    let first = &store.executions(&here, None, 10).await.expect("executions")[4];
    let shown = (first.workflow.as_str(), first.number.0, first.status, first.created_at, first.completed_at);
    assert_eq!(shown, ("queue", 1, ExecutionStatus::Succeeded, start(), Some(start())));
    assert_eq!(first.head, opened("d-1").head);
}

async fn what_is_old_or_too_many_is_purged(store: &dyn Operations) {
    const DAY: Duration = Duration::from_secs(86_400);
    let now = after(start(), 100 * DAY);
    let old = past(store, 1, true, start(), true).await;
    let old_but_live = past(store, 2, true, start(), false).await;
    let mut recent = Vec::new();
    for number in 3..=7 {
        recent.push(past(store, number, true, after(start(), 99 * DAY), true).await);
    }
    let other = past(store, 8, false, after(start(), 99 * DAY), true).await;
    let retention = Retention { executions: 3, age: 90 * DAY };
    let first = store.purge(&retention, now, 2).await.expect("purge");
    assert_eq!((first.executions, first.deliveries), (2, 2), "in small batches");
    assert!(store.execution(old).await.expect("execution").is_none(), "the oldest first");
    assert_eq!(store.memo(old, "k").await.expect("memo"), None, "and what belongs to it");
    let second = store.purge(&retention, now, 10).await.expect("purge");
    assert_eq!((second.executions, second.deliveries), (1, 0));
    assert_eq!(store.purge(&retention, now, 10).await.expect("purge"), Purged::default());
    let kept = store.executions(&Filter::default(), None, 10).await.expect("executions");
    let kept: Vec<_> = kept.into_iter().map(|summary| summary.id).collect();
    assert_eq!(kept, [other, recent[4], recent[3], recent[2], old_but_live], "what is not at its end stays");
    let trace = |number| {
        let repository = opened("d-1").repository;
        let head = Head { repository, number: PrNumber(number), commit: commit('b'), superseded: false };
        Trace { delivery: DeliveryId::new("another").expect("a delivery id"), head: Some(head) }
    };
    let [aged, surplus] = [trace(1), trace(3)];
    let unheard = store.unheard(&[aged.clone(), surplus]).await.expect("unheard");
    assert_eq!(unheard, [aged], "that there was an execution is known as long as its delivery");
}

fn note(key: &str) -> AuditEntry {
    AuditEntry {
        key: key.to_owned(),
        at: start(),
        actor: "cli:root".to_owned(),
        origin: "host".to_owned(),
        action: "message.redrive".to_owned(),
        subject: "message 1".to_owned(),
        detail: None,
    }
}

async fn dead_messages_are_redriven_or_discarded(store: &dyn Operations) {
    for body in ["one", "two", "three"] {
        store.enqueue(body, Some("acme/shop"), start()).await.expect("enqueue");
    }
    let until = after(start(), MINUTE);
    let taken = store.receive(3, start(), until).await.expect("receive");
    for message in &taken[..2] {
        store.settle(message.id, &Settle::Dead("poison".to_owned())).await.expect("settle");
    }
    let dead = store.dead_messages(0, 10).await.expect("dead");
    let shown: Vec<_> =
        dead.iter().map(|dead| (dead.body.as_str(), dead.receive_count, dead.reason.as_str())).collect();
    assert_eq!(shown, [("one", 1, "poison"), ("two", 1, "poison")]);
    assert_eq!(store.dead_messages(dead[0].id, 10).await.expect("dead"), dead[1..]);
    assert!(!store.redrive(taken[2].id, &note("no")).await.expect("redrive"), "it is not set aside");
    assert!(!store.discard(taken[2].id, &note("no")).await.expect("discard"), "it is not set aside");
    assert!(store.redrive(dead[0].id, &note("first")).await.expect("redrive"));
    assert!(!store.redrive(dead[0].id, &note("again")).await.expect("redrive"));
    assert!(store.discard(dead[1].id, &note("second")).await.expect("discard"));
    assert!(store.dead_messages(0, 10).await.expect("dead").is_empty());
    let again = store.receive(3, start(), until).await.expect("receive");
    assert_eq!((again.len(), again[0].body.as_str(), again[0].receive_count), (1, "one", 1), "as if it were new");
    let log = store.audit_log(None, 10).await.expect("audit log");
    assert_eq!(log.iter().map(|(_, entry)| entry.key.as_str()).collect::<Vec<_>>(), ["second", "first"]);
}

async fn the_audit_log_keeps_an_entry_once(store: &dyn Operations) {
    let full = AuditEntry { detail: Some("a\u{0}b".to_owned()), ..note("b") };
    for entry in [&note("a"), &full, &note("a")] {
        store.audit(entry).await.expect("audit");
    }
    let log = store.audit_log(None, 10).await.expect("audit log");
    assert_eq!(log.len(), 2);
    assert_eq!(log[1].1, note("a"));
    assert_eq!(log[0].1.detail.as_deref().map(|text| text.replace('\0', "\u{FFFD}")), Some("a\u{FFFD}b".to_owned()));
    assert_eq!(store.audit_log(Some(log[0].0), 10).await.expect("audit log"), log[1..]);
    assert_eq!(store.audit_log(None, 1).await.expect("audit log"), log[..1]);
}
