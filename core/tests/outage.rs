//! Providers of language models that are away for hours: what is waited for, what is asked meanwhile, what a person sees.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use autopr_core::clock::{Clock, after, between};
use autopr_core::engine::Engine;
use autopr_core::event::{Event, PullRequestAction};
use autopr_core::fault::{Fault, FaultKind, Retry};
use autopr_core::ids::PrNumber;
use autopr_core::model_chain::{Budgets, ChainSettings, MicroUsd, ModelChain, Price};
use autopr_core::ports::model::{Completion, Limits, Prompt, Stopped};
use autopr_core::ports::store::Backlog;
use autopr_core::ports::{Cache, Model};
use autopr_core::review::Verdict;
use autopr_core::testkit::world::{PRICE, World};
use autopr_core::testkit::{FakeForge, MemoryCache, MemoryStore, sample};
use jiff::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const OUTAGE: Duration = Duration::from_secs(3 * 3600);

/// A change in which the analysers find nothing.
const CLEAN: &str = "diff --git a/notes.txt b/notes.txt\nindex 1..2 100644\n--- a/notes.txt\n+++ b/notes.txt\n\
    @@ -1 +1 @@\n-one\n+two\n";

/// What a provider that is away does with a call.
#[derive(Debug, Clone, Copy)]
enum Away {
    /// It can't be reached.
    Down,
    /// It asks to come back when it is there again.
    Limits,
    /// It asks for a moment's patience, each time anew.
    LimitsBriefly,
    /// It takes the call and does not answer.
    Silent,
}

/// A provider that is away until a time, and finds nothing from then on.
struct Provider {
    name: &'static str,
    clock: Clock,
    away: Away,
    until: Timestamp,
    asked: Mutex<Vec<Timestamp>>,
}

impl Provider {
    fn asked(&self) -> Vec<Timestamp> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn asked_while_away(&self) -> usize {
        self.asked().iter().filter(|time| **time < self.until).count()
    }
}

#[async_trait]
impl Model for Provider {
    fn provider(&self) -> &str {
        self.name
    }

    fn model(&self) -> &str {
        "m-1"
    }

    async fn complete(&self, _prompt: &Prompt, limits: Limits) -> Result<Completion, Fault> {
        let now = self.clock.now();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(now);
        let limited = |wait| Err(Fault::new(FaultKind::Limited, "away").retry(Retry::After(wait)));
        match self.away {
            _ if now >= self.until => {}
            Away::Down => return Err(Fault::unavailable("away")),
            Away::Limits => return limited(between(now, self.until)),
            Away::LimitsBriefly => return limited(Duration::from_secs(1)),
            Away::Silent => self.clock.sleep(limits.timeout).await,
        }
        let text = r#"{"findings":[]}"#.to_owned();
        Ok(Completion { text, input_tokens: 100, output_tokens: 20, stopped: Stopped::Complete })
    }
}

/// Pull requests and providers that are away for a while.
struct Story {
    world: World,
    providers: Vec<Arc<Provider>>,
    settings: ChainSettings,
    price: Price,
    sent: usize,
}

impl Story {
    /// Providers, in the order they are asked, that are away for that long.
    fn new(providers: &[(&'static str, Away, Duration)]) -> Self {
        let mut world = World::new(Arc::new(MemoryStore::default()));
        world.forge = Arc::new(FakeForge::new(sample::pull(), CLEAN));
        world.forge.show_under_every_number();
        world.edges.forge = world.forge.clone();
        let clock = world.clock.clone();
        let provider = |(name, away, long): &(&'static str, Away, Duration)| {
            let until = after(clock.now(), *long);
            Arc::new(Provider { name, clock: clock.clone(), away: *away, until, asked: Mutex::default() })
        };
        let providers = providers.iter().map(provider).collect();
        Self { world, providers, settings: ChainSettings::default(), price: PRICE, sent: 0 }
    }

    /// A process that was just started.
    fn worker(&self, name: &str, cache: Option<Arc<dyn Cache>>) -> Engine {
        let models = self.providers.iter().map(|provider| (provider.clone() as Arc<dyn Model>, self.price));
        let mut edges = self.world.edges.clone();
        edges.models = ModelChain::new(models, self.settings.clone());
        if let Some(cache) = cache {
            edges.models = edges.models.with_cache(cache);
        }
        self.world.engine(edges, name)
    }

    /// Opens so many more pull requests.
    async fn open(&mut self, count: usize) {
        for _ in 0..count {
            self.sent += 1;
            let number = PrNumber(self.sent as u64);
            let head = sample::commit('b');
            let delivery = format!("d-{number}");
            let event = sample::event(&delivery, PullRequestAction::Opened, head, self.world.clock.now());
            self.world.send(Event { number, ..event }).await;
        }
    }

    /// Lets the workers do what there is to do until that time, or until nothing is left. Whenever all that is left waits,
    /// nothing may be in a worker's hands. Returns how many messages there were.
    async fn until(&self, end: Timestamp, workers: &[Engine]) -> usize {
        let (mut messages, mut rests) = (0, 0);
        loop {
            while self.world.one_message(&workers[messages % workers.len()]).await {
                messages += 1;
            }
            if workers[0].sweep(autopr_core::engine::PATIENCE).await.expect("a sweep") > 0 {
                continue;
            }
            let backlog = self.world.edges.store.backlog().await.expect("backlog");
            let Backlog { running, queued, parked, next_due, .. } = backlog;
            assert_eq!((running, queued), (0, 0), "waiting costs no worker");
            let finished = self.world.forge.checks().len();
            assert_eq!(parked as usize + finished, self.sent, "who waits is parked");
            rests += 1;
            assert!(rests < 20_000, "it does not come to an end");
            match next_due {
                Some(due) if due < end => self.world.time().advance(between(self.world.clock.now(), due)),
                _ => return messages,
            }
        }
    }

    async fn to_the_end(&self, workers: &[Engine]) -> usize {
        self.until(Timestamp::MAX, workers).await
    }

    /// How many green checks and how many reviews by a model there are, of how many.
    fn outcome(&self) -> (usize, usize, usize) {
        let (checks, reviews) = (self.world.forge.checks(), self.world.forge.reviews());
        assert_eq!(checks.len(), reviews.len(), "{:?}", checks.last());
        let green = checks.iter().filter(|check| check.verdict == Verdict::Success).count();
        (green, reviews.iter().filter(|review| !review.coverage.models.is_empty()).count(), reviews.len())
    }

    fn elapsed(&self) -> Duration {
        between(sample::start(), self.world.clock.now())
    }
}

#[tokio::test]
async fn fifty_reviews_outlast_an_outage_of_three_hours_without_holding_a_worker() {
    let mut story = Story::new(&[("first", Away::Down, OUTAGE)]);
    let workers = [story.worker("one", None)];
    story.open(50).await;
    let messages = story.to_the_end(&workers).await;
    assert_eq!(story.outcome(), (50, 50, 50));
    let provider = &story.providers[0];
    println!("{messages} messages, {} calls while it was away", provider.asked_while_away());
    assert!(provider.asked_while_away() <= 50, "{} calls", provider.asked_while_away());
    assert_eq!(provider.asked().len() - provider.asked_while_away(), 50, "and one for each afterwards");
    assert!(messages <= 50 * 60, "{messages} messages: each waits longer and longer");
    assert!(story.elapsed() <= OUTAGE + 15 * MINUTE, "{:?}", story.elapsed());
    assert_eq!(story.world.forge.comments().len(), 50, "each pull request was told once");
    insta::assert_snapshot!(story.world.forge.comments()[0], @"This takes longer: the language models are out of reach or at their limits. AutoPR goes on by itself when one answers, and gives up after 6 hours. There is nothing to do.
");
}

#[tokio::test]
async fn workers_that_start_anew_in_the_middle_change_nothing() {
    for shared in [false, true] {
        let mut story = Story::new(&[("first", Away::Down, OUTAGE)]);
        let cache = Arc::new(MemoryCache::new(story.world.clock.clone()));
        let cache = || shared.then(|| cache.clone() as Arc<dyn Cache>);
        let half = after(sample::start(), OUTAGE / 2);
        story.open(20).await;
        story.until(half, &[story.worker("one", cache()), story.worker("two", cache())]).await;
        let before = story.providers[0].asked().len();
        story.to_the_end(&[story.worker("three", cache()), story.worker("four", cache())]).await;
        assert_eq!(story.outcome(), (20, 20, 20));
        let anew = story.providers[0].asked_while_away() - before;
        println!("shared: {shared}; {before} calls before the restart, {anew} after it");
        // Without a cache each of the two has to find out, and tries, for itself.
        let most = if shared { 50 } else { 2 * 50 };
        assert!(before <= most && anew <= most, "shared: {shared}; {before} and {anew} calls");
        assert!(story.elapsed() <= OUTAGE + 15 * MINUTE);
        assert_eq!(story.world.forge.comments().len(), 20);
    }
}

#[tokio::test]
async fn a_second_provider_takes_over_at_once_and_the_first_is_asked_again_when_it_is_back() {
    let mut story = Story::new(&[("first", Away::Down, OUTAGE), ("second", Away::Down, Duration::ZERO)]);
    let workers = [story.worker("one", None)];
    story.open(50).await;
    story.until(after(sample::start(), MINUTE), &workers).await;
    assert_eq!(story.outcome(), (50, 50, 50), "none waits for the first");
    assert!(story.providers[0].asked().len() <= 5, "the breaker stops asking it");
    assert!(story.world.forge.comments().is_empty());
    for _ in 0..24 {
        story.world.time().advance(10 * MINUTE);
        story.open(1).await;
        story.until(story.world.clock.now(), &workers).await;
    }
    assert_eq!(story.outcome(), (74, 74, 74));
    let by_first = |review: &autopr_core::review::Review| review.coverage.models == ["first/m-1"];
    let reviews = story.world.forge.reviews();
    let back = reviews.iter().position(by_first).expect("the first is asked again");
    assert!(back >= 67 && reviews[back..].iter().all(by_first), "from {back} on");
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_as_long_as_the_provider_says() {
    let mut story = Story::new(&[("first", Away::Limits, HOUR)]);
    let workers = [story.worker("one", None)];
    story.open(50).await;
    story.to_the_end(&workers).await;
    assert_eq!(story.outcome(), (50, 50, 50));
    assert_eq!(story.providers[0].asked_while_away(), 1, "what one was told holds for all");
    assert!(story.elapsed() <= HOUR + 10 * MINUTE, "{:?}", story.elapsed());
}

#[tokio::test]
async fn hints_that_are_wrong_time_after_time_are_not_followed_a_second_at_a_time() {
    let mut story = Story::new(&[("first", Away::LimitsBriefly, OUTAGE)]);
    let workers = [story.worker("one", None)];
    story.open(50).await;
    story.to_the_end(&workers).await;
    assert_eq!(story.outcome(), (50, 50, 50));
    assert!(story.providers[0].asked_while_away() <= 70, "{} calls", story.providers[0].asked_while_away());
}

#[tokio::test]
async fn a_provider_that_swallows_calls_uses_up_neither_attempts_nor_running_time() {
    let mut story = Story::new(&[("first", Away::Silent, OUTAGE)]);
    // Lost answers are booked at their highest cost; here they shall not be what ends it.
    story.price = Price::Free;
    let workers = [story.worker("one", None)];
    story.open(1).await;
    story.to_the_end(&workers).await;
    assert_eq!(story.outcome(), (1, 1, 1));
    assert!(story.elapsed() <= OUTAGE + 15 * MINUTE, "{:?}", story.elapsed());
}

#[tokio::test]
async fn patience_ends_with_a_check_that_is_not_green_and_says_why() {
    let mut story = Story::new(&[("first", Away::Down, 100 * HOUR)]);
    let workers = [story.worker("one", None)];
    story.open(3).await;
    story.to_the_end(&workers).await;
    assert_eq!(story.outcome(), (0, 0, 3));
    assert!((6 * HOUR - 10 * MINUTE..=6 * HOUR + 10 * MINUTE).contains(&story.elapsed()), "{:?}", story.elapsed());
    for check in story.world.forge.checks() {
        assert_eq!(check.verdict, Verdict::Neutral);
        let why = "No language model could be asked within 6 hours (`llm.patience`): they were out of reach or at their \
            limits.";
        assert!(check.summary.contains(why), "{}", check.summary);
    }
}

#[tokio::test]
async fn a_wait_that_is_longer_than_the_patience_is_not_begun() {
    let mut story = Story::new(&[("first", Away::Limits, 7 * HOUR)]);
    let workers = [story.worker("one", None)];
    story.open(1).await;
    story.until(after(sample::start(), MINUTE), &workers).await;
    assert_eq!(story.outcome(), (0, 0, 1));
    assert!(story.world.forge.checks()[0].summary.contains("within 6 hours"));
}

#[tokio::test]
async fn what_does_not_pass_is_not_waited_for() {
    let mut story = Story::new(&[("first", Away::Down, Duration::ZERO)]);
    let nothing = Budgets { per_execution: MicroUsd(0), ..Budgets::default() };
    story.settings = ChainSettings { budgets: nothing, ..ChainSettings::default() };
    let workers = [story.worker("one", None)];
    story.open(5).await;
    story.until(after(sample::start(), MINUTE), &workers).await;
    assert_eq!((story.outcome(), story.providers[0].asked().len()), ((0, 0, 5), 0));
    assert!(story.world.forge.checks()[0].summary.contains("The budget of one review"));
    assert_eq!(story.elapsed(), Duration::ZERO);
}
