//! Reconciliation on a clock that only a test moves: what is asked again, what is put on the queue, and how little is
//! asked of the forge for it.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::{after, before};
use autopr_core::engine::Engine;
use autopr_core::event::{Event, PullRequestAction, Sender};
use autopr_core::fault::FaultKind;
use autopr_core::ids::{CommitSha, DeliveryId, InstallationId, PrNumber, RepoName};
use autopr_core::message::{Message, V1};
use autopr_core::ports::Store;
use autopr_core::ports::forge::{DeliveryTry, OpenPull, Place};
use autopr_core::reconcile::{GRACE, MOST_PUBLISHED, Progress, Reconciled, Settings, WINDOW};
use autopr_core::testkit::world::World;
use autopr_core::testkit::{MemoryStore, sample};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// An engine, its surroundings, and how far reconciliation has come.
struct Scene {
    world: World,
    engine: Engine,
    settings: Settings,
    progress: Progress,
}

impl Scene {
    fn new() -> Self {
        Self::of(World::new(Arc::new(MemoryStore::default())))
    }

    fn of(world: World) -> Self {
        let engine = world.engine(world.edges.clone(), "reconciler");
        Self { world, engine, settings: Settings::default(), progress: Progress::default() }
    }

    /// Installed in these repositories.
    fn installed(names: &[&str]) -> Self {
        let scene = Self::new();
        scene.world.forge.install(names.iter().map(|name| place(name)));
        scene
    }

    async fn pass(&mut self) -> Reconciled {
        self.engine.reconcile(&self.settings, &mut self.progress).await.expect("a pass")
    }

    fn wait(&self, duration: Duration) {
        self.world.time().advance(duration);
    }

    fn store(&self) -> &dyn Store {
        self.world.edges.store.as_ref()
    }

    /// A try at a delivery so long ago.
    fn tried(&self, number: u64, delivery: &str, ago: Duration, arrived: bool, again: bool) {
        let delivery = DeliveryId::new(delivery).expect("a delivery id");
        let at = before(self.world.clock.now(), ago);
        let event = "pull_request".to_owned();
        self.world.forge.tried(DeliveryTry { number, delivery, event, at, arrived, again });
    }

    /// Lists the sample's pull request, as last changed so long ago.
    fn open(&self, repository: &str, number: u64, ago: Duration) -> OpenPull {
        let pull = OpenPull {
            number: PrNumber(number),
            base: sample::commit('a'),
            head: sample::commit('b'),
            draft: false,
            labels: vec!["cart".to_owned()],
            author: Sender { login: "ada".to_owned(), bot: false },
            updated_at: before(self.world.clock.now(), ago),
        };
        self.list(repository, &pull);
        pull
    }

    fn list(&self, repository: &str, pull: &OpenPull) {
        self.world.forge.list_open(&repo(repository), pull.clone());
    }

    /// The events that lie on the queue; they are taken.
    async fn queued(&self) -> Vec<Event> {
        let now = self.world.clock.now();
        let taken = self.store().receive(1000, now, after(now, HOUR)).await.expect("receive");
        let event = |body: &str| match Message::decode(body).expect("a message") {
            Message::V1(V1::Event { event }) => event,
            other @ Message::V1(V1::Advance { .. }) => panic!("{other:?}"),
        };
        taken.iter().map(|message| event(&message.body)).collect()
    }

    /// What is on the queue, as `repository#number`, sorted: repositories take turns there.
    async fn published(&self) -> Vec<String> {
        let events = self.queued().await;
        let mut names: Vec<_> = events.iter().map(|event| format!("{}#{}", event.repository, event.number)).collect();
        names.sort();
        names
    }

    /// Lets the engine deal with all that is on the queue.
    async fn run(&self) {
        self.world.run(&self.engine).await;
    }
}

fn repo(name: &str) -> RepoName {
    RepoName::new(name).expect("a repository name")
}

fn place(name: &str) -> Place {
    Place { repository: repo(name), installation: None, since: None }
}

#[tokio::test]
async fn a_delivery_that_never_arrived_is_asked_for_again() {
    let mut scene = Scene::new();
    scene.tried(1, "arrived", 3 * MINUTE, true, false);
    scene.tried(2, "lost", 2 * MINUTE, false, false);
    scene.tried(3, "healed", 2 * MINUTE, false, false);
    scene.tried(4, "healed", MINUTE, true, true);
    scene.tried(5, "by-hand", MINUTE, true, false);
    scene.tried(6, "by-hand", SECOND, false, true);
    scene.world.forge.tried(DeliveryTry {
        number: 7,
        delivery: DeliveryId::new("push").unwrap(),
        event: "push".to_owned(),
        at: scene.world.clock.now(),
        arrived: false,
        again: false,
    });
    assert_eq!(scene.pass().await, Reconciled { redelivered: 1, published: 0, requests: 2 });
    assert_eq!(scene.world.forge.redelivered(), [2]);
    assert_eq!(scene.pass().await.redelivered, 0, "the try that was asked for is not listed yet");
    scene.tried(8, "lost", Duration::ZERO, true, true);
    scene.wait(2 * MINUTE);
    assert_eq!(scene.pass().await.redelivered, 0, "it arrived");
}

#[tokio::test]
async fn it_is_asked_for_a_few_times_with_growing_pauses() {
    let mut scene = Scene::new();
    scene.tried(1, "refused", Duration::ZERO, false, false);
    let began = scene.world.clock.now();
    let mut asked_after = Vec::new();
    for number in 2..2000 {
        let outcome = scene.pass().await;
        if outcome.redelivered > 0 {
            asked_after.push((scene.world.clock.now().as_second() - began.as_second()) / 60);
            scene.tried(number, "refused", Duration::ZERO, false, true);
        }
        scene.wait(MINUTE);
    }
    assert_eq!(asked_after, [0, 1, 6, 31, 156]);
    assert_eq!(scene.world.forge.redelivered().len(), 5);
}

#[tokio::test]
async fn a_delivery_that_was_accepted_is_not_asked_for() {
    let mut scene = Scene::new();
    // GitHub gave up waiting for the answer; the message was safe all the same.
    scene.tried(1, "d-1", MINUTE, false, false);
    scene.store().accept(&sample::opened("d-1"), &[], scene.world.clock.now()).await.unwrap();
    assert_eq!(scene.pass().await.redelivered, 0);
    assert_eq!(scene.world.forge.redelivered(), Vec::<u64>::new());
}

#[tokio::test]
async fn deliveries_older_than_the_forge_keeps_them_are_let_be() {
    let mut scene = Scene::new();
    scene.tried(1, "old", WINDOW + SECOND, false, false);
    scene.tried(2, "young", WINDOW - SECOND, false, false);
    scene.pass().await;
    assert_eq!(scene.world.forge.redelivered(), [2]);
}

#[tokio::test]
async fn a_long_list_is_read_over_several_passes_and_then_only_its_new_part() {
    let mut scene = Scene::new();
    scene.settings = Settings { requests: 3, pull_requests: false, ..Settings::default() };
    scene.world.forge.page_size(10, None);
    scene.tried(1, "lost", 2 * HOUR, false, false);
    for number in 2..=80 {
        scene.tried(number, &format!("d-{number}"), HOUR, true, false);
    }
    let mut requests = Vec::new();
    for _ in 0..3 {
        requests.push(scene.pass().await.requests);
    }
    assert_eq!(requests, [3, 3, 3], "eight pages and the delivery that was asked for again");
    assert_eq!(scene.world.forge.redelivered(), [1]);
    scene.tried(81, "lost", Duration::ZERO, true, true);
    scene.wait(MINUTE);
    while scene.pass().await.requests == 3 {}
    scene.world.forge.listings();
    scene.wait(10 * MINUTE);
    assert_eq!(scene.pass().await.requests, 1);
    assert_eq!(scene.world.forge.listings(), ["deliveries"], "what was settled is not listed again");
}

#[tokio::test]
async fn a_pull_request_nobody_told_of_is_reviewed_once() {
    let mut scene = Scene::installed(&["acme/shop"]);
    scene.open("acme/shop", 7, GRACE);
    assert_eq!(scene.pass().await, Reconciled { redelivered: 0, published: 1, requests: 3 });
    scene.run().await;
    assert_eq!((scene.world.forge.reviews().len(), scene.world.forge.checks().len()), (1, 1));
    for _ in 0..3 {
        scene.wait(5 * MINUTE);
        assert_eq!(scene.pass().await.published, 0);
    }
    // A new process knows nothing but what the store tells.
    scene.progress = Progress::default();
    assert_eq!(scene.pass().await.published, 0);
}

#[tokio::test]
async fn its_event_is_what_the_webhook_would_have_told() {
    let mut scene = Scene::new();
    scene.world.forge.install([Place { installation: Some(InstallationId(5)), ..place("acme/shop") }]);
    let pull = scene.open("acme/shop", 7, HOUR);
    scene.pass().await;
    let [event] = scene.queued().await.try_into().expect("one event");
    assert!(event.delivery.as_str().starts_with("reconcile-"), "{}", event.delivery);
    let webhook = sample::event("x", PullRequestAction::Synchronize, pull.head, pull.updated_at);
    let labels = vec!["cart".to_owned()];
    let expected = Event { delivery: event.delivery.clone(), installation: Some(InstallationId(5)), labels, ..webhook };
    assert_eq!(event, expected);
}

#[tokio::test]
async fn only_pull_requests_at_rest_and_not_too_old_are_looked_at() {
    let mut scene = Scene::new();
    let since = before(scene.world.clock.now(), 2 * HOUR);
    let young = Place { since: Some(since), ..place("acme/young") };
    scene.world.forge.install([place("acme/shop"), young]);
    scene.open("acme/shop", 1, GRACE - SECOND);
    scene.open("acme/shop", 2, GRACE);
    scene.open("acme/shop", 3, WINDOW);
    scene.open("acme/shop", 4, WINDOW + SECOND);
    scene.open("acme/young", 5, 2 * HOUR);
    scene.open("acme/young", 6, 2 * HOUR + SECOND);
    scene.pass().await;
    let mut published = scene.published().await;
    // The queue lets repositories take turns.
    published.sort();
    assert_eq!(published, ["acme/shop#2", "acme/shop#3", "acme/young#5"]);
}

#[tokio::test]
async fn a_pull_request_no_workflow_wants_is_put_on_the_queue_once() {
    let picky = "name: pr-review\non: { pull_request: [synchronize] }\nif: \"!event.draft\"\nsteps:\n\
        \x20 - { id: authorize, uses: authorize }\n  - { id: fetch, uses: fetch, needs: [authorize] }\n\
        \x20 - { id: publish, uses: publish-review, needs: [fetch] }\n";
    let world = World::new(Arc::new(MemoryStore::default())).workflows(&[("pr-review.yaml", picky)]);
    let mut scene = Scene::of(world);
    scene.world.forge.install([place("acme/shop")]);
    let pull = OpenPull { draft: true, ..scene.open("acme/shop", 7, HOUR) };
    scene.list("acme/shop", &pull);
    assert_eq!(scene.pass().await.published, 1);
    scene.run().await;
    assert_eq!(scene.pass().await.published, 0);
    scene.progress = Progress::default();
    assert_eq!(scene.pass().await.published, 0, "the store remembers");
    assert!(scene.world.forge.reviews().is_empty());
    // That it left the draft state was not told either.
    scene.list("acme/shop", &OpenPull { draft: false, ..pull });
    assert_eq!(scene.pass().await.published, 1);
    scene.run().await;
    assert_eq!(scene.world.forge.reviews().len(), 1);
}

#[tokio::test]
async fn a_head_with_any_execution_is_let_be() {
    let mut scene = Scene::installed(&["acme/shop"]);
    scene.world.send(sample::opened("d-1")).await;
    scene.run().await;
    scene.open("acme/shop", 7, HOUR);
    assert_eq!(scene.pass().await.published, 0);
    let pushed = OpenPull { head: sample::commit('c'), ..scene.open("acme/shop", 7, HOUR) };
    scene.list("acme/shop", &pushed);
    assert_eq!(scene.pass().await.published, 1, "the push was not told");
}

#[tokio::test]
async fn a_webhook_that_comes_after_its_stand_in_adds_nothing() {
    let mut scene = Scene::installed(&["acme/shop"]);
    let opened = sample::opened("d-1");
    scene.open("acme/shop", 7, Duration::ZERO);
    scene.wait(HOUR);
    scene.pass().await;
    scene.run().await;
    scene.world.send(opened).await;
    scene.run().await;
    assert_eq!(scene.world.forge.reviews().len(), 1);
}

#[tokio::test]
async fn a_stand_in_that_comes_after_its_webhook_adds_nothing() {
    let mut scene = Scene::installed(&["acme/shop"]);
    // The queue was slow: the webhook's message is still there when the pull request is found.
    scene.world.send(sample::opened("d-1")).await;
    scene.open("acme/shop", 7, Duration::ZERO);
    scene.wait(HOUR);
    assert_eq!(scene.pass().await.published, 1);
    scene.run().await;
    assert_eq!((scene.world.forge.reviews().len(), scene.world.forge.checks().len()), (1, 1));
}

#[tokio::test]
async fn a_late_webhook_without_stand_in_is_acted_on() {
    let scene = Scene::new();
    scene.wait(HOUR);
    scene.world.send(sample::opened("d-1")).await;
    scene.run().await;
    assert_eq!(scene.world.forge.reviews().len(), 1);
}

#[tokio::test]
async fn many_at_once_are_spread_over_passes() {
    let mut scene = Scene::installed(&["acme/shop"]);
    for number in 1..=25 {
        scene.open("acme/shop", number, HOUR);
    }
    let mut published = Vec::new();
    for _ in 0..4 {
        let outcome = scene.pass().await;
        assert!(outcome.published <= MOST_PUBLISHED);
        published.push(scene.published().await);
    }
    assert_eq!(published.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5, 0], "the queue need not be worked off");
    let mut all = published.concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 25);
}

#[tokio::test]
async fn repositories_take_turns_within_the_budget() {
    let mut scene = Scene::installed(&["a/a", "b/b", "c/c", "d/d", "e/e"]);
    scene.settings = Settings { requests: 3, deliveries: false, ..Settings::default() };
    scene.world.forge.page_size(2, None);
    let mut turns = Vec::new();
    for _ in 0..5 {
        assert!(scene.pass().await.requests <= 3);
        turns.push(scene.world.forge.listings());
    }
    let expected: [&[&str]; 5] = [
        &["places", "a/a", "b/b"],
        &["places from 2", "c/c", "d/d"],
        &["places from 4", "e/e"],
        &["places", "a/a", "b/b"],
        &["places from 2", "c/c", "d/d"],
    ];
    assert_eq!(turns, expected);
}

#[tokio::test]
async fn the_pages_of_a_repository_are_read_until_they_are_too_old() {
    let mut scene = Scene::installed(&["a/a"]);
    scene.settings.deliveries = false;
    scene.world.forge.page_size(2, None);
    for number in 1..=3 {
        scene.open("a/a", number, HOUR);
    }
    for number in 4..=9 {
        scene.open("a/a", number, WINDOW + HOUR);
    }
    scene.pass().await;
    assert_eq!(scene.world.forge.listings(), ["places", "a/a", "a/a from 2"]);
    assert_eq!(scene.published().await.len(), 3);
}

#[tokio::test]
async fn without_a_list_of_places_the_stores_repositories_are_looked_at() {
    let mut scene = Scene::new();
    let elsewhere = Event { repository: repo("acme/till"), ..sample::opened("d-2") };
    for event in [sample::opened("d-1"), elsewhere] {
        scene.world.send(event).await;
    }
    scene.run().await;
    let unknown = sample::commit('d');
    for name in ["acme/shop", "acme/till", "acme/unwanted"] {
        let pull = OpenPull { head: unknown.clone(), ..scene.open(name, 8, HOUR) };
        scene.list(name, &pull);
    }
    scene.world.forge.listings();
    scene.pass().await;
    assert_eq!(scene.world.forge.listings(), ["deliveries", "acme/shop", "acme/till"]);
    assert_eq!(scene.published().await, ["acme/shop#8", "acme/till#8"]);
}

#[tokio::test]
async fn one_half_goes_on_when_the_other_fails() {
    let mut scene = Scene::installed(&["a/a", "acme/shop"]);
    scene.open("acme/shop", 7, HOUR);
    scene.world.forge.refuse_listing("deliveries", FaultKind::Limited);
    scene.world.forge.refuse_listing("a/a", FaultKind::Denied);
    let fault = scene.engine.reconcile(&scene.settings, &mut scene.progress).await.expect_err("deliveries are refused");
    assert_eq!(fault.kind, FaultKind::Limited);
    assert_eq!(scene.published().await, ["acme/shop#7"]);
}

#[tokio::test]
async fn a_repository_that_fails_again_and_again_does_not_keep_the_others_from_their_turn() {
    let mut scene = Scene::installed(&["a/a", "acme/shop"]);
    scene.settings.deliveries = false;
    scene.open("acme/shop", 7, HOUR);
    scene.world.forge.refuse_listing("a/a", FaultKind::Unavailable);
    scene.engine.reconcile(&scene.settings, &mut scene.progress).await.expect_err("GitHub is down");
    assert_eq!(scene.pass().await.published, 1);
}

#[tokio::test]
async fn the_last_of_the_forges_allowance_is_left_to_reviews() {
    let mut scene = Scene::installed(&["a/a", "b/b"]);
    scene.world.forge.page_size(100, Some(499));
    scene.tried(1, "lost", MINUTE, false, false);
    assert_eq!(scene.pass().await.redelivered, 0);
    assert_eq!(scene.world.forge.listings(), ["deliveries", "places", "a/a"]);
    scene.world.forge.page_size(100, Some(500));
    assert_eq!(scene.pass().await.redelivered, 1);
    assert_eq!(scene.world.forge.listings(), ["deliveries", "b/b"], "it went on where it ended");
}

#[tokio::test]
async fn what_is_switched_off_is_not_asked() {
    let mut scene = Scene::installed(&["acme/shop"]);
    scene.tried(1, "lost", MINUTE, false, false);
    scene.open("acme/shop", 7, HOUR);
    scene.settings = Settings { deliveries: false, pull_requests: false, ..Settings::default() };
    assert_eq!(scene.pass().await, Reconciled::default());
    scene.settings.deliveries = true;
    assert_eq!(scene.pass().await, Reconciled { redelivered: 1, published: 0, requests: 2 });
    scene.settings = Settings { deliveries: false, pull_requests: true, ..Settings::default() };
    assert_eq!(scene.pass().await, Reconciled { redelivered: 0, published: 1, requests: 2 });
}

#[test]
fn a_stand_in_is_named_by_what_it_is_about() {
    let head: CommitSha = sample::commit('b');
    let named = DeliveryId::stand_in(&format!("acme/shop#7@{head}"));
    assert_eq!(named.as_str().len(), "reconcile-".len() + 64);
    assert_ne!(named, DeliveryId::stand_in("another"));
}
