//! A whole engine over fakes, and the suite that lets a mishap happen at every point of it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::crash::{Crasher, Mishap};
use super::model::{Answer, ScriptedModel};
use super::{FakeForge, sample};
use crate::clock::{Clock, ManualClock, after, between};
use crate::engine::{Edges, Engine, Handled, LEASE, PATIENCE, Progress};
use crate::event::{Event, EventKind};
use crate::execution::{ExecutionStatus, StepStatus};
use crate::fault::{FaultKind, Retry};
use crate::ids::ExecutionId;
use crate::machine::Policy;
use crate::message::Message;
use crate::model_chain::{ChainSettings, MicroUsd, ModelChain, Price};
use crate::ports::forge::Permission;
use crate::ports::queue::StoreQueue;
use crate::ports::store::{Backlog, Settle};
use crate::ports::{Model, Store};
use crate::review::{Check, Review};
use crate::workflow::Catalog;

/// How long a taken message stays hidden.
const VISIBILITY: Duration = Duration::from_secs(120);

/// An answer with one finding that stands on its line, one that has to be moved, and one that has to be demoted.
pub const ANSWER: &str = r#"{"findings":[
 {"path":"src/lib.rs","side":"new","start_line":3,"end_line":3,"severity":"medium","title":"Copies each item",
  "reason":"It need not.","fix":"Sum the references.","quote":"items.iter().copied().sum()","replacement":null},
 {"path":"src/lib.rs","side":"new","start_line":1,"end_line":1,"severity":"low","title":"A comment that says nothing",
  "reason":"It says nothing.","fix":"Remove it.","quote":"    // two","replacement":null},
 {"path":"src/lib.rs","side":"new","start_line":4,"end_line":4,"severity":"high","title":"Made up",
  "reason":"Not there.","fix":"Nothing.","quote":"let x = unsafe_thing();","replacement":null}]}"#;

/// What a scripted model costs.
pub const PRICE: Price = Price::PerMillion { input: MicroUsd(2_000_000), output: MicroUsd(8_000_000) };

/// An engine's surroundings.
pub struct World {
    /// The edges without mishaps.
    pub edges: Edges,
    /// The forge among them.
    pub forge: Arc<FakeForge>,
    /// The model among them.
    pub model: Arc<ScriptedModel>,
    /// The time.
    pub clock: Clock,
    /// The workflows.
    pub catalog: Arc<Catalog>,
    /// What holds where a workflow is silent.
    pub policy: Policy,
}

impl World {
    /// [`sample::pull`] on the forge, a model that answers [`ANSWER`], and the built-in workflows.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self::with_model(store, [Answer::Text(ANSWER.to_owned())])
    }

    /// The same with another script for the model.
    pub fn with_model(store: Arc<dyn Store>, script: impl IntoIterator<Item = Answer>) -> Self {
        let clock = Clock::manual(sample::start());
        let forge = Arc::new(FakeForge::new(sample::pull(), sample::DIFF));
        let model = Arc::new(ScriptedModel::new(script));
        let queue = Arc::new(StoreQueue::new(store.clone(), clock.clone()));
        let edges = Edges { store, queue, forge: forge.clone(), models: chain(&model) };
        // Read once: a suite makes thousands of worlds.
        static BUILT_IN: LazyLock<Arc<Catalog>> = LazyLock::new(|| catalog(&[]));
        Self { edges, forge, model, clock, catalog: BUILT_IN.clone(), policy: Policy::default() }
    }

    /// The same with more workflows.
    #[must_use]
    pub fn workflows(mut self, files: &[(&str, &str)]) -> Self {
        self.catalog = catalog(files);
        self
    }

    /// A worker process on these edges.
    pub fn engine(&self, edges: Edges, worker: &str) -> Engine {
        self.engine_until(edges, worker, CancellationToken::new())
    }

    /// A worker process that can be told to stop.
    pub fn engine_until(&self, edges: Edges, worker: &str, shutdown: CancellationToken) -> Engine {
        Engine::new(edges, self.catalog.clone(), self.policy.clone(), self.clock.clone(), worker, shutdown)
    }

    /// A worker process that reports what it does.
    pub fn watched(&self) -> (Engine, tokio::sync::mpsc::UnboundedReceiver<Progress>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (self.engine(self.edges.clone(), "watched").watched(sender), receiver)
    }

    /// Puts an event on the queue.
    pub async fn send(&self, event: Event) {
        self.edges.queue.publish(&Message::event(event)).await.expect("the queue takes the event");
    }

    /// The manual clock.
    pub fn time(&self) -> &ManualClock {
        match &self.clock {
            Clock::Manual(clock) => clock,
            Clock::System | Clock::Fast(_) => unreachable!("a world has a manual clock"),
        }
    }

    /// Lets a worker deal with messages and sweep until nothing is open, moving the clock whenever all that is left
    /// waits for a time.
    pub async fn run(&self, engine: &Engine) {
        for _ in 0..2000 {
            if !self.one_message(engine).await && !self.something_due(engine).await {
                return;
            }
        }
        panic!("the engine does not come to rest: {:?}", self.edges.store.backlog().await);
    }

    /// Deals with one message; false when there is none.
    pub async fn one_message(&self, engine: &Engine) -> bool {
        let (store, now) = (&engine.edges().store, self.clock.now());
        let Ok(taken) = store.receive(1, now, after(now, VISIBILITY)).await else { return true };
        let Some(message) = taken.into_iter().next() else { return false };
        let how = match engine.handle(&message.body, None).await {
            Handled::Ack => Settle::Done,
            Handled::Redeliver => Settle::Again(after(self.clock.now(), Duration::from_secs(1))),
        };
        // A message that can't be settled comes back by itself.
        drop(store.settle(message.id, &how).await);
        true
    }

    /// Sweeps; if that finds nothing, moves the clock to the next thing that waits. False when nothing is left.
    async fn something_due(&self, engine: &Engine) -> bool {
        match engine.sweep(PATIENCE).await {
            Ok(0) => {}
            _ => return true,
        }
        let backlog = self.edges.store.backlog().await.expect("backlog");
        let now = self.clock.now();
        let wait = match backlog {
            Backlog { queued: 0, running: 0, next_due: None, .. } => return false,
            Backlog { next_due: Some(due), .. } if due > now => between(now, due),
            Backlog { running: 0, .. } => PATIENCE,
            _ => LEASE,
        };
        self.time().advance(wait);
        true
    }
}

/// The built-in workflows and these.
fn catalog(files: &[(&str, &str)]) -> Arc<Catalog> {
    Arc::new(Catalog::load(files.iter().copied()).expect("the test's workflows"))
}

/// A chain of that one model, at [`PRICE`].
pub fn chain(model: &Arc<ScriptedModel>) -> ModelChain {
    ModelChain::new([(model.clone() as Arc<dyn Model>, PRICE)], ChainSettings::default())
}

/// What is left when everything has come to rest, as someone would see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The reviews on the forge.
    pub reviews: Vec<Review>,
    /// The checks on the forge.
    pub checks: Vec<Check>,
    /// How each execution ended, and its steps.
    pub executions: Vec<(ExecutionStatus, Vec<(String, StepStatus)>)>,
    /// How much is open in the store.
    pub backlog: Backlog,
}

impl World {
    /// What is left now, of those executions in the store that were made.
    pub async fn outcome(&self, made: &BTreeSet<ExecutionId>) -> Outcome {
        let mut executions = Vec::new();
        for id in made {
            if let Some(execution) = self.edges.store.execution(*id).await.expect("execution") {
                let steps = execution.steps.into_iter().map(|step| (step.id, step.status)).collect();
                executions.push((execution.status, steps));
            }
        }
        Outcome {
            reviews: self.forge.reviews(),
            checks: self.forge.checks(),
            executions,
            backlog: self.edges.store.backlog().await.expect("backlog"),
        }
    }
}

/// A way an execution can go, at every point of which a mishap is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Course {
    /// Nothing out of the ordinary.
    Plain,
    /// The model asks to wait for ten minutes: the execution is parked and resumed.
    Parked,
    /// The model takes so long that the lease has to be renewed.
    Slow,
    /// A worker died between writing the review and recording it: it has to be looked up.
    Uncertain,
    /// Beside the model other steps end one after another, so that something is recorded at each moment of its call.
    Beside,
}

/// The workflow of [`Course::Beside`].
const BESIDE: &str = "
name: beside
on: { command: [beside] }
steps:
  - { id: authorize, uses: authorize }
  - { id: fetch, uses: fetch, needs: [authorize] }
  - { id: review, uses: review, needs: [fetch] }
  - { id: first, uses: authorize, needs: [fetch] }
  - { id: second, uses: authorize, needs: [first] }
  - { id: third, uses: authorize, needs: [second] }
  - { id: one, uses: authorize, needs: [authorize] }
  - { id: two, uses: authorize, needs: [one] }
  - { id: three, uses: authorize, needs: [two] }
  - { id: four, uses: authorize, needs: [three] }
  - { id: publish, uses: publish-review, needs: [review, third, four] }
";

impl Course {
    const ALL: [Self; 5] = [Self::Plain, Self::Parked, Self::Slow, Self::Uncertain, Self::Beside];

    /// So many points fewer may a run have than another: steps that end at the same moment are recorded together.
    fn fewer(self) -> usize {
        match self {
            Self::Beside => 24,
            Self::Plain | Self::Parked | Self::Slow => 12,
            // Only steps that follow one another are left.
            Self::Uncertain => 0,
        }
    }

    /// A world in which an execution goes this way, and the executions made so far.
    async fn world(self, store: Arc<dyn Store>) -> (World, BTreeSet<ExecutionId>) {
        let answer = || Answer::Text(ANSWER.to_owned());
        let mut world = World::new(store);
        let script = match self {
            Self::Plain | Self::Uncertain | Self::Beside => vec![answer()],
            Self::Parked => {
                let wait = Retry::After(Duration::from_secs(600));
                vec![Answer::Fails(FaultKind::Limited, wait), answer()]
            }
            Self::Slow => vec![Answer::After(world.clock.clone(), LEASE / 2, ANSWER.to_owned())],
        };
        world.model = Arc::new(ScriptedModel::new(script));
        world.edges.models = chain(&world.model);
        let event = sample::opened("d-1");
        let event = if self == Self::Beside {
            static WITH_BESIDE: LazyLock<Arc<Catalog>> = LazyLock::new(|| catalog(&[("beside.yaml", BESIDE)]));
            world.catalog = WITH_BESIDE.clone();
            world.forge.permit(&event.sender.login, Permission::Write);
            let kind = EventKind::Command { name: "beside".to_owned(), arguments: String::new(), comment: None };
            Event { kind, ..event }
        } else {
            event
        };
        world.send(event).await;
        let mut made = BTreeSet::new();
        if self == Self::Uncertain {
            let crasher = Crasher::at("after create_review", Mishap::Crash);
            let engine = world.engine(crasher.wrap(&world.edges), "died");
            tokio::select! {
                biased;
                () = crasher.happened.cancelled() => {}
                () = world.run(&engine) => panic!("the review was not written"),
            }
            made = crasher.executions();
        }
        (world, made)
    }
}

/// What the suite of mishaps tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Points an undisturbed run passes, by the course it takes.
    pub points: BTreeMap<Course, usize>,
    /// Runs with a mishap, by its kind.
    pub runs: BTreeMap<&'static str, usize>,
}

/// Takes every course once undisturbed, then once for every point of it and every kind of mishap, each on a fresh store,
/// and holds that the end is the same: one review, one check, every step as before, nothing open, and nothing that was
/// kept asked for again.
pub async fn every_mishap<S, F>(fresh: impl Fn() -> F) -> Tried
where
    S: Store + 'static,
    F: Future<Output = Arc<S>>,
{
    let mut tried = Tried { points: BTreeMap::new(), runs: BTreeMap::new() };
    for course in Course::ALL {
        let (world, mut made) = course.world(fresh().await).await;
        let counter = Crasher::new(None);
        world.run(&world.engine(counter.wrap(&world.edges), "first")).await;
        made.extend(counter.executions());
        let usual = Usual { outcome: world.outcome(&made).await, calls: world.calls() };
        let Outcome { reviews, checks, executions, backlog } = &usual.outcome;
        assert_eq!((reviews.len(), checks.len(), executions.len()), (1, 1, 1), "{course:?}");
        assert_eq!((executions[0].0, *backlog), (ExecutionStatus::Succeeded, Backlog::default()), "{course:?}");
        let names = counter.names();
        for (kind, mishap) in [("crash", Mishap::Crash), ("failure", Mishap::Fail), ("lost lease", Mishap::Stall)] {
            let mut happened = 0;
            for point in 0..names.len() {
                let (world, made) = course.world(fresh().await).await;
                happened += usize::from(one_mishap(course, world, made, point, mishap, &usual).await);
            }
            let missed = names.len() - happened;
            assert!(
                missed <= course.fewer(),
                "{course:?}: {kind} at {missed} of {} points did not happen",
                names.len()
            );
            *tried.runs.entry(kind).or_default() += happened;
        }
        tried.points.insert(course, names.len());
    }
    tried
}

/// An undisturbed run: how it ended and what it asked for.
struct Usual {
    outcome: Outcome,
    calls: Calls,
}

/// How often what is kept as a memo was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Calls {
    model: usize,
    diff: usize,
}

impl World {
    fn calls(&self) -> Calls {
        Calls { model: self.model.prompts().len(), diff: self.forge.diffs_read() }
    }
}

/// One course with a mishap; false when the run came to its end before the point.
async fn one_mishap(
    course: Course,
    world: World,
    mut made: BTreeSet<ExecutionId>,
    point: usize,
    mishap: Mishap,
    usual: &Usual,
) -> bool {
    let (crasher, others) = (Crasher::new(Some((point, mishap))), Crasher::new(None));
    let engine = world.engine(crasher.wrap(&world.edges), "first");
    {
        let mut first = std::pin::pin!(world.run(&engine));
        tokio::select! {
            biased;
            () = crasher.happened.cancelled(), if mishap != Mishap::Fail => {
                // The first worker is dead, or stands still while a second one finishes its work.
                world.run(&world.engine(others.wrap(&world.edges), "second")).await;
                if mishap == Mishap::Stall {
                    crasher.wake.cancel();
                    first.await;
                }
            }
            () = &mut first => {}
        }
    }
    // Whatever the first left on the queue after it was woken.
    world.run(&world.engine(others.wrap(&world.edges), "third")).await;
    let names = crasher.names();
    let at = names.get(point).map_or("a point that was not passed", String::as_str);
    let story = format!("{course:?}: {mishap:?} {at} (point {point})");
    made.extend(crasher.executions());
    made.extend(others.executions());
    assert_eq!(world.outcome(&made).await, usual.outcome, "{story}");
    let (calls, usually) = (world.calls(), usual.calls);
    let again = |call| usize::from(may_ask_again(&names, point, call));
    assert!(calls.model <= usually.model + again("complete"), "{story}: the model was asked {} times", calls.model);
    assert!(calls.diff <= usually.diff + again("diff"), "{story}: the diff was read {} times", calls.diff);
    crasher.happened.is_cancelled()
}

/// From a call's beginning until its answer is kept, a mishap makes the answer unknown: only then it may be made again.
fn may_ask_again(names: &[String], point: usize, call: &str) -> bool {
    let passed = &names[..names.len().min(point + 1)];
    let before = format!("before {call}");
    match passed.iter().rposition(|name| *name == before) {
        Some(begun) => {
            begun < point && !passed[begun..].iter().any(|name| name == "after settle_call" || name == "after put_memo")
        }
        None => false,
    }
}
