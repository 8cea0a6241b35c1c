//! The engine over fakes: what someone would see at the forge, whatever happens on the way.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::{Clock, after};
use autopr_core::engine::{GRACE, Handled, Progress};
use autopr_core::event::{Event, EventKind, PullRequestAction};
use autopr_core::execution::{ExecutionStatus, StepStatus};
use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ids::{CommentId, ExecutionId, PrNumber};
use autopr_core::message::Message;
use autopr_core::ports::forge::Permission;
use autopr_core::ports::store::Backlog;
use autopr_core::ports::{Operations, Store};
use autopr_core::review::{Severity, Verdict};
use autopr_core::testkit::crash::Mishap;
use autopr_core::testkit::model::Answer;
use autopr_core::testkit::world::{ANSWER, World, chain};
use autopr_core::testkit::{Crasher, MemoryCache, MemoryStore, cache_suite, sample, store_suite, world};
use tokio_util::sync::CancellationToken;

const SECOND: Duration = Duration::from_secs(1);

fn fails(kind: FaultKind, retry: Retry) -> Answer {
    Answer::Fails(kind, retry)
}

fn answers() -> Answer {
    Answer::Text(ANSWER.to_owned())
}

fn a_world(script: impl IntoIterator<Item = Answer>) -> World {
    World::with_model(Arc::new(MemoryStore::default()), script)
}

/// Runs everything that is on the queue; returns how each execution ended, in the order they did.
async fn ends(world: &World) -> Vec<(ExecutionId, ExecutionStatus)> {
    let (engine, mut progress) = world.watched();
    world.run(&engine).await;
    let mut ends = Vec::new();
    while let Ok(progress) = progress.try_recv() {
        if let Progress::Finished(id, status) = progress {
            ends.push((id, status));
        }
    }
    assert_eq!(backlog(world).await, Backlog::default());
    ends
}

async fn backlog(world: &World) -> Backlog {
    world.edges.store.backlog().await.expect("backlog")
}

#[tokio::test]
async fn the_in_memory_store_keeps_the_contract() {
    let parts = store_suite::run(|| async { Arc::new(MemoryStore::default()) }).await
        + store_suite::operations(|| async { Arc::new(MemoryStore::default()) }).await;
    println!("store conformance, in memory: {parts} parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_of_tests_keeps_the_contract() {
    cache_suite::run(|| async { MemoryCache::new(Clock::System) }).await;
}

#[tokio::test]
async fn every_crash_failure_and_lost_lease_ends_the_same() {
    let tried = world::every_mishap(|| async { Arc::new(MemoryStore::default()) }).await;
    println!("mishaps, in memory: points {:?}, runs {:?}", tried.points, tried.runs);
    assert!(tried.points.values().all(|points| *points >= 20), "fewer points than records, memos and effects");
    let points: usize = tried.points.values().sum();
    assert!(tried.runs.values().all(|runs| *runs == points), "in memory every run passes the same points");
}

#[tokio::test]
async fn a_review_brings_together_analysers_and_model() {
    let world = a_world([answers()]);
    world.send(sample::opened("d-1")).await;
    assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::Succeeded)]));
    let [review] = &world.forge.reviews()[..] else { panic!("one review") };
    let said: Vec<_> = review
        .findings
        .iter()
        .map(|finding| {
            let line = finding.location.as_ref().map_or(0, |location| location.start);
            format!("{} {} line {line}: {}", finding.severity, finding.rule, finding.title)
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    high conflict/marker line 2: Merge conflict marker
    medium model/finding line 3: Copies each item
    low model/finding line 0: Made up
    low debug/leftover line 5: Debugging statement left behind: `dbg!`
    low model/finding line 8: A comment that says nothing
    ");
    let [check] = &world.forge.checks()[..] else { panic!("one check") };
    assert_eq!((check.verdict, &check.head), (Verdict::Failure, &sample::commit('b')));
    assert_eq!(review.coverage.models, ["scripted/script-1"]);
}

#[tokio::test]
async fn the_same_delivery_twice_is_reviewed_once() {
    let world = a_world([answers()]);
    world.send(sample::opened("d-1")).await;
    world.send(sample::opened("d-1")).await;
    assert_eq!(ends(&world).await.len(), 1);
    world.send(sample::opened("d-1")).await;
    assert_eq!(ends(&world).await.len(), 0);
    assert_eq!((world.forge.reviews().len(), world.model.prompts().len()), (1, 1));
}

#[tokio::test]
async fn a_failing_step_is_tried_again_and_a_short_wait_is_slept_through() {
    // The chain asks four times in place before the step fails.
    let down = || fails(FaultKind::Unavailable, Retry::Backoff);
    let world = a_world([down(), down(), down(), down(), answers()]);
    world.send(sample::opened("d-1")).await;
    let (engine, mut progress) = world.watched();
    world.run(&engine).await;
    let mut attempts = 0;
    while let Ok(progress) = progress.try_recv() {
        match progress {
            Progress::StepStarted(_, step) if step == "review" => attempts += 1,
            Progress::Parked(..) => panic!("5 s are waited for in place"),
            _ => {}
        }
    }
    assert_eq!(attempts, 2);
    assert_eq!(world.forge.reviews().len(), 1);
}

#[tokio::test]
async fn a_long_wait_parks_and_is_neither_an_attempt_nor_running_time() {
    // Five limits of five minutes each: more than the attempts, and more than the running time.
    let limited = || fails(FaultKind::Limited, Retry::After(Duration::from_secs(300)));
    let world = a_world((0..5).map(|_| limited()).chain([answers()]));
    world.send(sample::opened("d-1")).await;
    let started = world.clock.now();
    assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::Succeeded)]));
    assert!(world.clock.now() >= after(started, 5 * Duration::from_secs(300)));
    assert_eq!(world.forge.checks()[0].verdict, Verdict::Failure, "the analysers' finding, not the wait");
    assert!(world.forge.reviews()[0].coverage.skipped.is_empty());
}

#[tokio::test]
async fn a_parked_execution_costs_no_worker() {
    let world = a_world([fails(FaultKind::Limited, Retry::After(Duration::from_secs(600))), answers()]);
    world.send(sample::opened("d-1")).await;
    let (engine, _progress) = world.watched();
    assert!(world.one_message(&engine).await, "the worker is free again after the message");
    let backlog = world.edges.store.backlog().await.expect("backlog");
    assert_eq!((backlog.parked, backlog.running, backlog.messages), (1, 0, 0));
    let hint = after(world.clock.now(), Duration::from_secs(600));
    assert!(
        backlog.next_due.is_some_and(|due| hint <= due && due <= after(hint, 60 * SECOND)),
        "no earlier than asked"
    );
}

#[tokio::test]
async fn a_model_that_fails_for_good_leaves_a_review_that_says_so() {
    let world = a_world([fails(FaultKind::Denied, Retry::Never)]);
    world.send(sample::opened("d-1")).await;
    assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::Failed)]));
    let [review] = &world.forge.reviews()[..] else { panic!("one review") };
    assert_eq!(review.coverage.skipped[0].what, "language model");
    assert!(review.coverage.skipped[0].incomplete);
    assert!(review.findings.iter().any(|finding| finding.rule == "conflict/marker"), "the analysers' part is there");
}

#[tokio::test]
async fn a_clean_change_that_was_not_fully_reviewed_is_not_green() {
    let clean = "diff --git a/notes.txt b/notes.txt\nindex 1..2 100644\n--- a/notes.txt\n+++ b/notes.txt\n\
        @@ -1 +1 @@\n-one\n+two\n";
    for (script, verdict) in [
        (fails(FaultKind::Denied, Retry::Never), Verdict::Neutral),
        (Answer::Text(r#"{"findings":[]}"#.to_owned()), Verdict::Success),
        (Answer::Text("not even JSON".to_owned()), Verdict::Neutral),
    ] {
        let mut world = a_world([script]);
        world.forge = Arc::new(autopr_core::testkit::FakeForge::new(sample::pull(), clean));
        world.edges.forge = world.forge.clone();
        world.send(sample::opened("d-1")).await;
        ends(&world).await;
        assert_eq!(world.forge.checks()[0].verdict, verdict);
    }
}

#[tokio::test]
async fn running_time_is_bounded_and_what_was_found_is_still_published() {
    let mut world = a_world([]);
    let slow = Answer::After(world.clock.clone(), Duration::from_secs(400), ANSWER.to_owned());
    world.model = Arc::new(autopr_core::testkit::ScriptedModel::new([slow]));
    world.edges.models = chain(&world.model);
    world.send(sample::opened("d-1")).await;
    assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::TimedOut)]));
    let [review] = &world.forge.reviews()[..] else { panic!("one review") };
    assert!(review.coverage.skipped.iter().any(|skipped| skipped.what == "language model" && skipped.incomplete));
    assert_eq!(world.forge.checks().len(), 1);
}

#[tokio::test]
async fn a_push_while_a_review_runs_supersedes_it() {
    let world = a_world([answers()]);
    world.send(sample::opened("d-1")).await;
    // The first worker stands still before it asks the model, while the head moves.
    let crasher = Crasher::at("before complete", Mishap::Stall);
    let engine = world.engine(crasher.wrap(&world.edges), "first");
    let mut first = std::pin::pin!(world.one_message(&engine));
    tokio::select! {
        biased;
        _ = &mut first => panic!("the worker did not pass the point"),
        () = crasher.happened.cancelled() => {}
    }
    world.forge.push(sample::commit('c'));
    let pushed =
        sample::event("d-2", PullRequestAction::Synchronize, sample::commit('c'), after(sample::start(), SECOND));
    world.send(pushed).await;
    assert!(world.one_message(&world.engine(world.edges.clone(), "second")).await);
    crasher.wake.cancel();
    first.await;
    world.run(&world.engine(world.edges.clone(), "third")).await;
    let heads: Vec<_> = world.forge.reviews().into_iter().map(|review| review.head).collect();
    assert_eq!(heads, [sample::commit('c')], "the older head is never published");
    assert_eq!(world.forge.checks().len(), 1);
    assert_eq!(backlog(&world).await, Backlog::default());
}

#[tokio::test]
async fn a_head_that_moved_is_left_to_its_own_event_or_reviewed_when_none_comes() {
    let world = a_world([answers()]);
    world.forge.push(sample::commit('c'));
    world.send(sample::opened("d-1")).await;
    let engine = world.engine(world.edges.clone(), "first");
    world.one_message(&engine).await;
    assert_eq!(backlog(&world).await.parked, 1, "the push's own event is waited for");
    let started = world.clock.now();
    let ended: Vec<_> = ends(&world).await.into_iter().map(|(_, status)| status).collect();
    assert!(world.clock.now() >= after(started, Duration::from_secs(60)));
    assert_eq!(ended, [ExecutionStatus::Superseded, ExecutionStatus::Succeeded]);
    assert_eq!(world.forge.reviews()[0].head, sample::commit('c'), "none came: the head as it is");
    let pushed =
        sample::event("d-2", PullRequestAction::Synchronize, sample::commit('c'), after(sample::start(), SECOND));
    world.send(pushed).await;
    ends(&world).await;
    assert_eq!((world.forge.reviews().len(), world.forge.checks().len()), (1, 1), "it came after all: nothing twice");

    let world = a_world([answers()]);
    world.forge.push(sample::commit('c'));
    world.send(sample::opened("d-1")).await;
    world.one_message(&world.engine(world.edges.clone(), "first")).await;
    let pushed =
        sample::event("d-2", PullRequestAction::Synchronize, sample::commit('c'), after(sample::start(), SECOND));
    world.send(pushed).await;
    ends(&world).await;
    assert_eq!(world.forge.reviews().len(), 1, "it came: one review of that head");
}

#[tokio::test]
async fn events_that_were_overtaken_have_no_head_reviewed_twice_or_not_at_all() {
    let pushed = sample::event("d-2", PullRequestAction::Synchronize, sample::commit('c'), sample::start());
    // The later event has come to its end, or it lost its place to the earlier one, which has the same second.
    for finished in [true, false] {
        let world = a_world([answers()]);
        world.forge.push(sample::commit('c'));
        world.send(pushed.clone()).await;
        if finished {
            ends(&world).await;
        }
        world.send(sample::opened("d-1")).await;
        ends(&world).await;
        world.send(sample::event("d-0", PullRequestAction::Opened, sample::commit('f'), sample::start())).await;
        ends(&world).await;
        let heads: Vec<_> = world.forge.reviews().into_iter().map(|review| review.head).collect();
        assert_eq!((heads, world.forge.checks().len()), (vec![sample::commit('c')], 1), "finished: {finished}");
    }
}

#[tokio::test]
async fn a_review_that_was_posted_when_its_execution_lost_its_place_stays_the_only_one() {
    // The head's own event is overtaken by that of an older head of the same second: after the review was posted, while it
    // is, and when the check is to begin. The worker dies then, or learns of it.
    for point in [
        "before create_review",
        "after create_review",
        "after finish_effect",
        "before create_check",
        "after create_check",
    ] {
        for mishap in [Mishap::Crash, Mishap::Stall] {
            let world = a_world([answers(), answers()]);
            world.forge.push(sample::commit('c'));
            world
                .send(sample::event("d-2", PullRequestAction::Synchronize, sample::commit('c'), sample::start()))
                .await;
            let crasher = Crasher::at(point, mishap);
            let engine = world.engine(crasher.wrap(&world.edges), "first");
            {
                let mut first = std::pin::pin!(world.one_message(&engine));
                tokio::select! {
                    biased;
                    _ = &mut first => panic!("the worker did not pass {point}"),
                    () = crasher.happened.cancelled() => {}
                }
                world.send(sample::opened("d-1")).await;
                let second = world.engine(world.edges.clone(), "second");
                world.one_message(&second).await;
                crasher.wake.cancel();
                if mishap == Mishap::Stall {
                    first.await;
                }
            }
            ends(&world).await;
            let heads: Vec<_> = world.forge.reviews().into_iter().map(|review| review.head).collect();
            assert_eq!((heads, world.forge.checks().len()), (vec![sample::commit('c')], 1), "{mishap:?} {point}");
            assert_eq!(backlog(&world).await, Backlog::default(), "{mishap:?} {point}");
        }
    }
}

#[tokio::test]
async fn a_shutdown_gives_work_back_and_is_no_attempt() {
    let world = a_world([answers()]);
    world.send(sample::opened("d-1")).await;
    let crasher = Crasher::at("before complete", Mishap::Hang);
    let shutdown = CancellationToken::new();
    let engine = world.engine_until(crasher.wrap(&world.edges), "first", shutdown.clone());
    let mut first = std::pin::pin!(world.one_message(&engine));
    tokio::select! {
        biased;
        _ = &mut first => panic!("the worker did not pass the point"),
        () = crasher.happened.cancelled() => {}
    }
    // The model never answers; the shutdown waits for its grace, then gives the execution back.
    shutdown.cancel();
    tokio::select! {
        biased;
        _ = &mut first => panic!("the grace was not waited for"),
        () = tokio::task::yield_now() => {}
    }
    world.time().advance(GRACE);
    first.await;
    let backlog = world.edges.store.backlog().await.expect("backlog");
    assert_eq!((backlog.queued, backlog.running, backlog.messages), (1, 0, 1));
    let [(id, ExecutionStatus::Succeeded)] = ends(&world).await[..] else { panic!("finished by the next worker") };
    let execution = world.edges.store.execution(id).await.expect("execution").expect("there");
    let review = execution.step("review").expect("the step");
    assert_eq!((review.status, review.attempt, review.interruptions), (StepStatus::Succeeded, 1, 0));
}

#[tokio::test]
async fn a_deadline_yields_through_the_queue() {
    let world = a_world([answers()]);
    world.send(sample::opened("d-1")).await;
    let engine = world.engine(world.edges.clone(), "short");
    let now = world.clock.now();
    let message = world.edges.store.receive(1, now, after(now, SECOND)).await.expect("receive").remove(0);
    assert_eq!(engine.handle(&message.body, Some(now)).await, Handled::Ack, "nothing is left to redeliver");
    let backlog = world.edges.store.backlog().await.expect("backlog");
    assert_eq!((backlog.queued, backlog.messages), (1, 2), "it published a message to go on");
}

#[tokio::test]
async fn a_message_of_another_version_goes_back() {
    let world = a_world([answers()]);
    let engine = world.engine(world.edges.clone(), "old");
    assert_eq!(engine.handle(r#"{"v":"2","type":"event"}"#, None).await, Handled::Redeliver);
    let nobody = Message::advance(ExecutionId::new(), sample::opened("d-1").repository).encode();
    assert_eq!(engine.handle(&nobody, None).await, Handled::Ack);
}

#[tokio::test]
async fn several_workflows_fan_out_and_one_with_a_broken_condition_harms_none() {
    let other = "name: other\non: { pull_request: [opened] }\nsteps: [{ id: fetch, uses: fetch }]\n";
    let world = a_world([answers()]).workflows(&[("other.yaml", other)]);
    world.send(sample::opened("d-1")).await;
    let ended = ends(&world).await;
    assert_eq!(ended.len(), 2);
    assert!(ended.iter().all(|(_, status)| *status == ExecutionStatus::Succeeded), "{ended:?}");
}

#[tokio::test]
async fn bots_and_drafts_are_left_alone_until_somebody_asks() {
    let bot = |delivery: &str| {
        let mut event = command(delivery, "review");
        event.sender.bot = true;
        event
    };
    let mut world = a_world([answers()]);
    let draft = autopr_core::ports::forge::PullRequest { draft: true, ..sample::pull() };
    world.forge = Arc::new(autopr_core::testkit::FakeForge::new(draft, sample::DIFF));
    world.edges.forge = world.forge.clone();
    world.forge.permit("ada", Permission::Write);
    world.send(bot("d-1")).await;
    assert!(ends(&world).await.is_empty(), "a bot commands nothing");
    world.send(sample::opened("d-2")).await;
    assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::Succeeded)]));
    assert!(world.forge.reviews().is_empty(), "a draft waits");
    let command = EventKind::Command { name: "review".to_owned(), arguments: String::new(), comment: None };
    world.send(Event { kind: command, ..sample::opened("d-3") }).await;
    ends(&world).await;
    assert_eq!(world.forge.reviews().len(), 1, "until somebody asks");
}

#[tokio::test]
async fn the_repository_decides_from_its_base() {
    let world = a_world([answers()]);
    let off = "version: 1\nreview: { enabled: false }\n";
    world.forge.put_file(&sample::commit('b'), ".autopr.yml", off);
    world.send(sample::opened("d-1")).await;
    ends(&world).await;
    assert_eq!(world.forge.reviews().len(), 1, "the head's configuration does not count");
    let world = a_world([answers()]);
    world.forge.put_file(&sample::commit('a'), ".autopr.yml", off);
    world.send(sample::opened("d-1")).await;
    ends(&world).await;
    assert!(world.forge.reviews().is_empty());
    let world = a_world([answers()]);
    let lax = "version: 1\nreview: { block_on: critical, max_findings: 1, ingore: [x] }\n";
    world.forge.put_file(&sample::commit('a'), ".autopr.yml", lax);
    world.send(sample::opened("d-1")).await;
    ends(&world).await;
    let review = &world.forge.reviews()[0];
    assert_eq!((review.findings.len(), world.forge.checks()[0].verdict), (1, Verdict::Success));
    assert!(review.problems[0].contains("ingore"), "{:?}", review.problems);
}

#[tokio::test]
async fn a_turn_taking_group_runs_one_after_the_other() {
    let queue = "name: turns\non: { command: [turns] }\nconcurrency: { group: \"turns/${repo}\" }\n\
        steps: [{ id: fetch, uses: fetch }]\n";
    let world = a_world([answers()]).workflows(&[("turns.yaml", queue)]);
    for delivery in ["d-1", "d-2", "d-3"] {
        let kind = EventKind::Command { name: "turns".to_owned(), arguments: String::new(), comment: None };
        world.send(Event { kind, ..sample::opened(delivery) }).await;
    }
    let ended = ends(&world).await;
    assert_eq!(ended.len(), 3);
    assert!(ended.is_sorted_by_key(|(id, _)| *id), "in the order they were accepted: {ended:?}");
}

#[tokio::test]
async fn steps_run_one_after_the_other_where_the_operator_wants_it() {
    let mut world = a_world([answers()]);
    world.policy.parallel = false;
    world.send(sample::opened("d-1")).await;
    let (engine, mut progress) = world.watched();
    world.run(&engine).await;
    let mut open = 0;
    while let Ok(progress) = progress.try_recv() {
        match progress {
            Progress::StepStarted(..) => open += 1,
            Progress::StepEnded(..) => open -= 1,
            _ => {}
        }
        assert!(open <= 1);
    }
    assert_eq!(world.forge.reviews().len(), 1);
}

#[tokio::test]
async fn a_secret_in_the_diff_never_reaches_the_model_or_the_review() {
    // In the form of GitHub's and Amazon's, checksum and all, put together here so that this file holds none.
    let secret = ["ghp_", "k3VbQ9sLx2TfWm7RzYp4", "Hn8JcDg5Ua", "0Nk4nf"].concat();
    let token = ["AKIA", "Z7Q3XW5RT2YU6PLM"].concat();
    let diff = format!(
        "diff --git a/a.py b/a.py\nindex 1..2 100644\n--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n-x\n+key = \"{token}\"\n\
        +password = \"{secret}\"\n"
    );
    let mut world = a_world([Answer::Text(r#"{"findings":[]}"#.to_owned())]);
    world.forge = Arc::new(autopr_core::testkit::FakeForge::new(sample::pull(), diff));
    world.edges.forge = world.forge.clone();
    world.send(sample::opened("d-1")).await;
    ends(&world).await;
    let seen = format!("{:?} {:?}", world.model.prompts()[0].user, world.forge.reviews());
    assert!(seen.contains("aws-access-key"), "{seen}");
    assert!(!seen.contains(&token[4..]) && !seen.contains(&secret[4..20]), "{seen}");
    assert!(world.forge.reviews()[0].findings.iter().any(|finding| finding.severity == Severity::Critical));
}

#[tokio::test]
async fn other_pull_requests_do_not_wait_for_each_other() {
    let world = a_world([answers()]);
    let store: Arc<dyn Store> = world.edges.store.clone();
    world.send(sample::opened("d-1")).await;
    world.send(Event { number: PrNumber(8), ..sample::opened("d-2") }).await;
    let ended = ends(&world).await;
    // Pull request 8 is not on this forge: its execution fails, and only that.
    let mut statuses: Vec<_> = ended.iter().map(|(_, status)| status.as_str()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["failed", "succeeded"]);
    let failed = ended.iter().find(|(_, status)| *status == ExecutionStatus::Failed).expect("one failed").0;
    let execution = store.execution(failed).await.expect("execution").expect("there");
    assert_eq!(execution.error.as_deref(), Some("step fetch failed: no pull request 8 in acme/shop"));
}

/// A command of that name, given in comment 7.
fn command(delivery: &str, name: &str) -> Event {
    let (name, arguments, comment) = (name.to_owned(), String::new(), Some(CommentId(7)));
    let event = sample::opened(delivery);
    Event { kind: EventKind::Command { name, arguments, comment }, base: None, head: None, ..event }
}

#[tokio::test]
async fn a_command_needs_write_access_and_says_so() {
    let world = a_world([answers()]);
    world.send(command("d-1", "review")).await;
    assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::Succeeded)]));
    assert_eq!(world.forge.reactions(), [(7, "-1")]);
    assert_eq!(world.forge.comments(), ["`/autopr review` needs write access to this repository.\n"]);
    assert_eq!((world.forge.reviews().len(), world.forge.checks().len(), world.model.prompts().len()), (0, 0, 0));
}

#[tokio::test]
async fn the_audit_log_tells_who_commanded_what() {
    let store = Arc::new(MemoryStore::default());
    let world = World::with_model(store.clone(), [answers()]);
    world.send(command("d-1", "review")).await;
    ends(&world).await;
    world.forge.permit("ada", Permission::Write);
    world.send(command("d-2", "review")).await;
    ends(&world).await;
    let log = store.audit_log(None, 10).await.expect("the log");
    let shown: Vec<_> = log
        .iter()
        .map(|(_, entry)| format!("{} at {}: {} {}", entry.actor, entry.origin, entry.action, entry.subject))
        .collect();
    assert_eq!(
        shown,
        [
            "github:ada at acme/shop#7: command.allowed /autopr review",
            "github:ada at acme/shop#7: command.refused /autopr review"
        ]
    );
}

#[tokio::test]
async fn a_command_of_a_writer_is_done() {
    let world = a_world([answers()]);
    world.forge.permit("ada", Permission::Write);
    world.send(command("d-1", "review")).await;
    assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::Succeeded)]));
    assert_eq!((world.forge.reactions(), world.forge.reviews().len()), (vec![(7, "eyes")], 1));
}

#[tokio::test]
async fn a_workflow_that_does_not_ask_can_not_be_commanded() {
    let yaml = "{ name: bold, on: { command: [bold] }, steps: [{ id: fetch, uses: fetch }, \
        { id: review, uses: review, needs: [fetch] }] }";
    let world = a_world([answers()]).workflows(&[("bold.yaml", yaml)]);
    world.forge.permit("ada", Permission::Write);
    world.send(command("d-1", "bold")).await;
    assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::Failed)]));
    assert_eq!((world.model.prompts().len(), world.forge.diffs_read()), (0, 0));
}

#[tokio::test]
async fn a_change_is_described_and_labelled_on_command() {
    let described = r#"{"summary":"Adds things.","changes":[{"path":"src/lib.rs","what":"A sum."}]}"#;
    let world = a_world([Answer::Text(described.to_owned()), Answer::Text(r#"{"kinds":["feature"]}"#.to_owned())]);
    world.forge.permit("ada", Permission::Write);
    world.send(command("d-1", "describe")).await;
    ends(&world).await;
    let section = world.forge.description().unwrap();
    assert!(section.starts_with("#### What this changes\n\nAdds things.\n\n- `src/lib.rs`: A sum.\n"), "{section}");
    world.send(command("d-2", "label")).await;
    ends(&world).await;
    let labels = world.forge.labels();
    assert!(labels.contains(&"feature".to_owned()) && labels.iter().any(|label| label.starts_with("effort: ")));
    assert_eq!((world.forge.reviews().len(), world.forge.checks().len()), (0, 0));
}

#[tokio::test]
async fn help_is_given_and_a_command_nobody_knows_is_named() {
    let world = a_world([]);
    world.forge.permit("ada", Permission::Write);
    for name in ["help", "dance"] {
        world.send(command(name, name)).await;
        ends(&world).await;
    }
    let [help, unknown] = &world.forge.comments()[..] else { panic!("two comments") };
    assert!(help.starts_with("| command | what happens |"), "{help}");
    assert!(unknown.starts_with("There is no command `dance`.\n\n| command |"), "{unknown}");
    assert_eq!(world.forge.reactions(), [(7, "+1"), (7, "confused")]);
}

#[tokio::test]
async fn a_change_that_can_not_be_read_leaves_a_neutral_check() {
    let mut world = a_world([]);
    let pull = autopr_core::ports::forge::PullRequest {
        target: autopr_core::ports::forge::Target { number: PrNumber(999), ..sample::pull().target },
        ..sample::pull()
    };
    world.forge = Arc::new(autopr_core::testkit::FakeForge::new(pull, sample::DIFF));
    world.edges.forge = world.forge.clone();
    world.send(sample::opened("d-1")).await;
    ends(&world).await;
    let [check] = &world.forge.checks()[..] else { panic!("one check") };
    assert_eq!((check.verdict, Some(&check.head)), (Verdict::Neutral, sample::opened("d-1").head.as_ref()));
    assert_eq!(check.title, "not reviewed: the change could not be read");
    assert!(world.forge.reviews().is_empty());
}

#[tokio::test]
async fn a_command_of_an_outsider_ends_nobody_elses_review() {
    let world = a_world([fails(FaultKind::Limited, Retry::After(Duration::from_secs(300))), answers()]);
    world.send(sample::opened("d-1")).await;
    let engine = world.engine(world.edges.clone(), "first");
    assert!(world.one_message(&engine).await, "it is parked");
    let later = after(sample::opened("d-1").at, Duration::from_secs(60));
    world.send(Event { at: later, ..command("d-2", "review") }).await;
    let ended = ends(&world).await;
    assert_eq!(ended.len(), 2);
    assert!(ended.iter().all(|(_, status)| *status == ExecutionStatus::Succeeded), "{ended:?}");
    assert_eq!((world.forge.reviews().len(), world.forge.reactions()), (1, vec![(7, "-1")]));
}

#[tokio::test]
async fn a_command_of_a_writer_takes_the_place_of_a_review_that_waits() {
    let world = a_world([fails(FaultKind::Limited, Retry::After(Duration::from_secs(300))), answers()]);
    world.forge.permit("ada", Permission::Write);
    world.send(sample::opened("d-1")).await;
    let engine = world.engine(world.edges.clone(), "first");
    assert!(world.one_message(&engine).await, "it is parked");
    let later = after(sample::opened("d-1").at, Duration::from_secs(60));
    world.send(Event { at: later, ..command("d-2", "review") }).await;
    assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::Succeeded)]), "the other one waits no more");
    assert_eq!(world.forge.reviews().len(), 1);
}

#[tokio::test]
async fn a_head_that_moved_for_good_is_not_published() {
    let world = a_world([answers()]);
    world.send(sample::opened("d-1")).await;
    let crasher = Crasher::at("before complete", Mishap::Stall);
    let engine = world.engine(crasher.wrap(&world.edges), "first");
    {
        let mut first = std::pin::pin!(world.one_message(&engine));
        tokio::select! {
            biased;
            _ = &mut first => panic!("the worker did not pass the point"),
            () = crasher.happened.cancelled() => {}
        }
        // The event of this push never arrives.
        world.forge.push(sample::commit('c'));
        crasher.wake.cancel();
        first.await;
    }
    assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::Superseded)]));
    assert_eq!((world.forge.reviews().len(), world.forge.checks().len()), (0, 0));
}

#[tokio::test]
async fn a_command_that_fails_is_answered_with_the_reason() {
    let mut world = a_world([]);
    world.edges.models = autopr_core::model_chain::ModelChain::default();
    world.forge.permit("ada", Permission::Write);
    world.send(command("d-1", "describe")).await;
    ends(&world).await;
    let expected = "`/autopr describe` was not done. A description needs a language model, and none is configured.\n";
    assert_eq!(world.forge.comments(), [expected]);
}

#[tokio::test]
async fn what_the_forge_starts_reuses_an_answer_and_what_a_person_starts_does_not() {
    let mut world = a_world([answers()]);
    let cache = Arc::new(MemoryCache::new(world.clock.clone()));
    world.edges.models = world.edges.models.clone().with_cache(cache.clone());
    world.forge.permit("ada", Permission::Write);
    let rerun = Event { kind: EventKind::CheckRerun, ..sample::opened("d-4") };
    let pushed = |delivery| sample::event(delivery, PullRequestAction::Reopened, sample::commit('b'), sample::start());
    for (event, asked) in
        [(sample::opened("d-1"), 1), (pushed("d-2"), 1), (command("d-3", "review"), 2), (rerun, 3), (pushed("d-5"), 3)]
    {
        let delivery = event.delivery.clone();
        world.send(event).await;
        assert!(matches!(ends(&world).await[..], [(_, ExecutionStatus::Succeeded)]), "{delivery:?}");
        assert_eq!(world.model.prompts().len(), asked, "{delivery:?}");
    }
    let reviews = world.forge.reviews();
    assert_eq!(reviews.len(), 5);
    assert!(reviews.iter().all(|review| review.findings == reviews[0].findings), "the same answer, the same review");
}
