//! Durability: the process is killed at every moment of a review, and what somebody sees afterwards is the same.
//!
//! The review is one in which everything happens: the first provider gives an answer that can't be used, and another one
//! when it is asked to repair it; the second provider's is published. Killed is the process, by `abort` at the points
//! where the engine meets the world and by `SIGKILL` from outside at every request it makes; then the real `autopr serve`
//! is started on the same file.

mod ledger;
mod world;

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use autopr_e2e::server::{SECRET, block_on, signal};
use autopr_fakes::{github, model};

use ledger::{ANSWER_MICROUSD, Calls, Ledger};
use world::{ANSWERS, World};

const NONE: Calls = Calls { kept: 0, open: 0 };
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// How many worlds are tried at a time.
const AT_A_TIME: usize = 4;

#[test]
fn killed_at_any_point_the_review_is_published_once_and_paid_once() {
    let begun = Instant::now();
    let (points, page) = points();
    assert!(points.len() > 60, "{points:?}");
    for call in
        ["accept", "reserve", "complete", "settle_call", "create_review", "create_check", "finish_effect", "settle"]
    {
        let passed = |when| points.contains(&format!("{when} {call}#1"));
        assert!(passed("before") && passed("after"), "{call} is not among {points:?}");
    }
    each(&points, |point| {
        let mut world = World::crashing(Some(point));
        let taken = world.deliver();
        assert_eq!(world.server.wait().signal(), Some(SIGABRT), "{point}: how it ended");
        let passed = world.points();
        assert_eq!(passed.last().map(String::as_str), point.split('#').next(), "where it ended");
        assert!(!taken || passed.iter().any(|name| name == "after publish"), "{point}: taken before it was kept");
        let died = world.come_back(point);
        assert!(died.open <= open_calls(&passed), "{point}: {died:?}");
        assert!(died.kept >= passed.iter().filter(|name| *name == "after settle_call").count(), "{point}: {died:?}");
        world.rests(point);
        world.assert_as_usual(died, &page, point);
    });
    println!("{} points, each killed once, in {} s", points.len(), begun.elapsed().as_secs());
}

/// How many calls a process that passed these points may have left open.
fn open_calls(passed: &[String]) -> usize {
    let count = |wanted: &str| passed.iter().filter(|name| *name == wanted).count();
    count("before reserve") - count("after settle_call")
}

/// The points of an undisturbed run, from the start of the process until the message is dealt with, each with its number
/// among those of its name; and what a person sees then.
fn points() -> (Vec<String>, String) {
    let mut world = World::crashing(None);
    assert!(world.deliver());
    world.rests("undisturbed");
    world.assert_as_usual(NONE, &world.page(), "undisturbed");
    let spent = Ledger::read(&world.server.database()).spent();
    assert_eq!(spent, ANSWER_MICROUSD * ANSWERS as i64);
    (stopped_points(&mut world), world.page())
}

/// Stops the server, which has nothing left to do. Returns the points it passed until its last message was dealt with,
/// each with its number among those of its name.
fn stopped_points(world: &mut World) -> Vec<String> {
    assert!(world.server.stop().success());
    let mut passed = world.points();
    let end = passed.iter().rposition(|name| name == "after settle").expect("the message is settled");
    passed.truncate(end + 1);
    let mut counts = HashMap::new();
    let numbered = |name: String| {
        let count = counts.entry(name.clone()).or_insert(0);
        *count += 1;
        format!("{name}#{count}")
    };
    passed.into_iter().map(numbered).collect()
}

#[test]
fn killed_again_at_any_point_of_its_recovery_the_review_is_published_once() {
    let begun = Instant::now();
    let page = undisturbed();
    // The worst moment: GitHub has the review, and nobody knows.
    let killed = || {
        let mut world = World::crashing(Some("after create_review#1"));
        assert!(world.deliver());
        assert_eq!(world.server.wait().signal(), Some(SIGABRT));
        world
    };
    let points = {
        let mut world = killed();
        let died = world.come_back_to_die(None);
        assert_eq!(died, Calls { kept: ANSWERS, open: 0 });
        world.rests("recovery");
        world.assert_as_usual(died, page, "recovery");
        stopped_points(&mut world)
    };
    assert!(points.iter().any(|point| point == "after find#1"), "{points:?}");
    let killed_again = AtomicUsize::new(0);
    each(&points, |point| {
        let mut world = killed();
        world.come_back_to_die(Some(point));
        // Whether the sweep finds the execution before the message does is chance: some points are not passed each time.
        if !world.rests_alive(point) {
            assert_eq!(world.server.wait().signal(), Some(SIGABRT), "{point}: how it ended");
            killed_again.fetch_add(1, Ordering::SeqCst);
            world.come_back(point);
            world.rests(point);
        }
        world.assert_as_usual(Calls { kept: ANSWERS, open: 0 }, page, point);
    });
    let killed_again = killed_again.into_inner();
    println!("{killed_again} of {} points killed in {} s", points.len(), begun.elapsed().as_secs());
    assert!(killed_again * 4 > points.len() * 3, "{killed_again} of {} were killed", points.len());
}

/// Who is to be killed from outside, and when.
#[derive(Debug, Clone, Copy)]
enum Request {
    /// When the so manieth request to GitHub has left and never arrives.
    LostToGitHub(usize),
    /// When it has arrived; it is carried out.
    ToGitHub(usize),
    /// When it has been carried out and nothing is answered.
    DoneByGitHub(usize),
    /// When the so manieth request to a model has arrived; it is answered, and has to be paid.
    ToModel(usize),
    /// When its answer has left.
    AnsweredByModel(usize),
}

#[test]
fn killed_from_outside_at_any_request_the_review_is_published_once_and_paid_once() {
    let begun = Instant::now();
    let mut world = World::launch(|setup| setup);
    assert!(world.deliver());
    world.rests("undisturbed");
    let (page, requests) = (world.page(), world.github.requests().len());
    assert!((6..=12).contains(&requests), "{requests} requests");
    let to_github = |kill: fn(usize) -> Request| (1..=requests).map(kill);
    let to_model = |kill: fn(usize) -> Request| (1..=ANSWERS).map(kill);
    let kills: Vec<_> = to_github(Request::LostToGitHub)
        .chain(to_github(Request::ToGitHub))
        .chain(to_github(Request::DoneByGitHub))
        .chain(to_model(Request::ToModel))
        .chain(to_model(Request::AnsweredByModel))
        .collect();
    each(&kills, |kill| {
        let story = &format!("{kill:?}");
        let mut world = World::launch(|setup| setup);
        kill.plan(&world);
        world.deliver();
        assert_eq!(world.server.wait().signal(), Some(SIGKILL), "{story}: how it ended");
        let died = world.come_back(story);
        assert!(died.open <= 1, "{story}: {died:?}");
        world.rests(story);
        world.assert_as_usual(died, &page, story);
    });
    println!("{} kills at {requests} requests in {} s", kills.len(), begun.elapsed().as_secs());
}

impl Request {
    /// Sets the trap. It must lie before the delivery.
    fn plan(self, world: &World) {
        let (pid, seen) = (world.server.pid(), AtomicUsize::new(0));
        let is_it = move |number| seen.fetch_add(1, Ordering::SeqCst) + 1 == number;
        let kill = move || signal(pid, "KILL");
        match self {
            Self::LostToGitHub(number) => {
                let github = Arc::downgrade(&world.github);
                world.github.on_request(move |moment, request| {
                    if moment == github::Moment::Before && is_it(number) {
                        kill();
                        let github = github.upgrade().expect("it calls");
                        github.fail_next(&request.method, &request.path, github::Fault::DropBefore);
                    }
                });
            }
            Self::ToGitHub(number) => world.github.on_request(move |moment, _| {
                if moment == github::Moment::Before && is_it(number) {
                    kill();
                }
            }),
            Self::DoneByGitHub(number) => world.github.on_request(move |moment, _| {
                if moment == github::Moment::After && is_it(number) {
                    kill();
                }
            }),
            Self::ToModel(number) => world.model.on_request(move |moment, _| {
                if moment == model::Moment::Before && is_it(number) {
                    kill();
                }
            }),
            Self::AnsweredByModel(number) => world.model.on_request(move |moment, _| {
                if moment == model::Moment::After && is_it(number) {
                    kill();
                }
            }),
        }
    }
}

#[test]
fn stopped_in_the_middle_of_a_model_call_the_process_gives_the_review_back() {
    let mut world = World::launch(|setup| setup);
    let held = world.model.hold();
    assert!(world.deliver());
    block_on(held.arrived());
    let begun = Instant::now();
    assert!(world.server.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}: Docker and Cloud Run kill then", begun.elapsed());
    let mut ledger = Ledger::read(&world.server.database());
    let died = ledger.calls();
    assert_eq!((ledger.given_back(), died), (1, Calls { kept: 0, open: 1 }), "what the process left");
    drop((ledger, held));
    let page = undisturbed();
    // No time has to pass: nobody holds what was given back.
    world.restart("stopped");
    world.rests("stopped");
    world.assert_as_usual(died, page, "stopped");
}

#[test]
fn fifty_deliveries_with_one_id_at_the_same_moment_make_one_execution() {
    let mut world = World::launch(|setup| setup);
    assert!(world.server.listens());
    // Nobody listens there: GitHub keeps it as failed.
    let failed = world.deliver_to("http://127.0.0.1:9/");
    world.github.send_webhooks_to(&world.server.webhook(), SECRET);
    let start = std::sync::Barrier::new(50);
    std::thread::scope(|scope| {
        let again = || {
            start.wait();
            block_on(world.github.redeliver(failed.id)).status_code
        };
        let all: Vec<_> = (0..50).map(|_| scope.spawn(again)).collect();
        let answers: Vec<_> = all.into_iter().map(|one| one.join().expect("an answer")).collect();
        assert_eq!(answers, [202; 50]);
    });
    world.rests("fifty at once");
    world.assert_as_usual(NONE, undisturbed(), "fifty at once");
}

/// What a person sees after an undisturbed run.
fn undisturbed() -> &'static str {
    static PAGE: OnceLock<String> = OnceLock::new();
    PAGE.get_or_init(|| {
        let mut world = World::launch(|setup| setup);
        assert!(world.deliver());
        world.rests("undisturbed");
        world.page()
    })
}

/// Tries each of them, several at a time.
fn each<T: Sync>(all: &[T], one: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(item) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                    one(item);
                }
            });
        }
    });
}

#[test]
fn a_limit_of_a_minute_parks_the_review_and_a_stop_in_between_changes_nothing() {
    let page = undisturbed();
    let mut world = World::launch(|setup| setup);
    world.github.limit_secondary(403, Some(60), github::Until::Passed(Duration::from_secs(60)));
    assert!(world.deliver());
    world.server.logged("parked execution", |line| (line["message"] == "parked").then_some(()));
    let asked = world.github.requests().len();
    assert!(world.server.stop().success());
    assert_eq!(world.github.requests().len(), asked, "nothing is asked while the limit lasts");
    // Two minutes pass, here and at GitHub.
    world.github.advance(Duration::from_secs(120));
    let died = world.two_minutes_pass();
    assert_eq!(died, NONE);
    world.restart("limited");
    world.rests("limited");
    world.assert_as_usual(died, page, "limited");
}
