//! The chain of language models: what is asked, what is paid, and what is never asked again.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::{Clock, after};
use autopr_core::execution::ExecutionStatus;
use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ids::ExecutionId;
use autopr_core::model_chain::{Account, Answered, Budgets, ChainSettings, MicroUsd, ModelChain, Price};
use autopr_core::ports::model::Prompt;
use autopr_core::ports::store::{Call, Claim, Lease, NewExecution, State, Update};
use autopr_core::ports::{Model, Store};
use autopr_core::testkit::model::Answer;
use autopr_core::testkit::world::PRICE;
use autopr_core::testkit::{MemoryCache, MemoryStore, ScriptedModel, sample};
use autopr_core::workflow::Definition;

/// An execution that pays, and models in a chain.
struct Payer {
    store: MemoryStore,
    clock: Clock,
    lease: Lease,
    models: Vec<Arc<ScriptedModel>>,
    chain: ModelChain,
    /// Whether it takes what another execution was answered.
    reuse: bool,
}

fn text(text: &str) -> Answer {
    Answer::Text(text.to_owned())
}

fn fails(kind: FaultKind, retry: Retry) -> Answer {
    Answer::Fails(kind, retry)
}

fn seconds(seconds: u64) -> Retry {
    Retry::After(Duration::from_secs(seconds))
}

async fn payer(scripts: Vec<Vec<Answer>>, settings: ChainSettings) -> Payer {
    let (store, clock) = (MemoryStore::default(), Clock::manual(sample::start()));
    let yaml = "{ name: w, on: { manual: true }, steps: [{ id: fetch, uses: fetch }] }";
    let definition = Arc::new(Definition::parse("w.yaml", yaml).unwrap());
    let new = NewExecution { id: ExecutionId::new(), definition, group: None };
    store.accept(&sample::opened("d-1"), std::slice::from_ref(&new), sample::start()).await.unwrap();
    let lease = claim(&store, new.id, &clock).await;
    let names = ["first", "second", "third"];
    let model = |(name, script)| Arc::new(ScriptedModel::named(name, script));
    let models: Vec<_> = names.into_iter().zip(scripts).map(model).collect();
    let chain = ModelChain::new(models.iter().map(|model| (model.clone() as Arc<dyn Model>, PRICE)), settings);
    Payer { store, clock, lease, models, chain, reuse: true }
}

async fn claim(store: &MemoryStore, id: ExecutionId, clock: &Clock) -> Lease {
    let now = clock.now();
    match store.claim(id, "worker", now, after(now, Duration::from_secs(86_400))).await.unwrap() {
        Claim::Acquired(_, lease) => lease,
        other => panic!("{other:?}"),
    }
}

fn prompt() -> Prompt {
    Prompt { system: "review".to_owned(), user: "a change".to_owned(), schema: serde_json::json!({}), repair: None }
}

/// Accepts numbers only.
fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "that is no number".to_owned())
}

impl Payer {
    async fn ask(&self) -> Result<Answered<u32>, autopr_core::fault::Fault> {
        let repository = sample::opened("d-1").repository;
        let Self { store, clock, lease, reuse, .. } = self;
        let account = Account { store, lease, repository: &repository, clock, reuse: *reuse };
        self.chain.ask(&account, &prompt(), number).await
    }

    fn asked(&self) -> Vec<usize> {
        self.models.iter().map(|model| model.prompts().len()).collect()
    }

    async fn calls(&self) -> Vec<Call> {
        self.store.calls(self.lease.execution).await.unwrap()
    }

    /// What the calls cost, and what each budget says was spent.
    async fn books(&self) -> (u64, [u64; 3]) {
        let total = self.calls().await.iter().map(|call| call.cost).sum::<MicroUsd>().0;
        let day = self.clock.now().strftime("%Y-%m-%d").to_string();
        let repository = sample::opened("d-1").repository;
        let scopes = [
            format!("execution/{}", self.lease.execution),
            format!("repository/{repository}/{day}"),
            format!("day/{day}"),
        ];
        let mut spent = [0; 3];
        for (spent, scope) in spent.iter_mut().zip(scopes) {
            let spending = self.store.spending(&scope).await.unwrap();
            assert_eq!(spending.reserved, MicroUsd(0), "{scope}: nothing stays set aside");
            *spent = spending.spent.0;
        }
        (total, spent)
    }
}

/// What one scripted answer costs: 100 tokens in, 20 out.
const ONE: u64 = 100 * 2 + 20 * 8;

#[tokio::test]
async fn a_provider_that_limits_fails_and_babbles_hands_over_to_the_next() {
    let first = vec![
        fails(FaultKind::Limited, seconds(2)),
        fails(FaultKind::Unavailable, Retry::Backoff),
        text("garbage"),
        text("garbage again"),
    ];
    let payer = payer(vec![first, vec![text("7")]], ChainSettings::default()).await;
    let begun = payer.clock.now();
    let Answered { provider, model, answer } = payer.ask().await.unwrap();
    assert_eq!((provider.as_str(), model.as_str(), answer), ("second", "script-1", 7));
    assert_eq!(payer.asked(), [4, 1]);
    let repair = payer.models[0].prompts()[3].repair.clone().unwrap();
    assert_eq!((repair.answer.as_str(), repair.error.as_str()), ("garbage", "that is no number"));
    assert!(payer.clock.now() >= after(begun, Duration::from_secs(2)), "the hint was kept to");
    let outcomes: Vec<_> = payer.calls().await.iter().map(|call| call.outcome.unwrap().as_str()).collect();
    assert_eq!(outcomes, ["failed", "failed", "answered", "answered", "answered"]);
    assert_eq!(payer.books().await, (3 * ONE, [3 * ONE; 3]));
}

#[tokio::test]
async fn what_was_paid_is_not_asked_for_again() {
    let mut payer = payer(vec![vec![text("garbage")], vec![text("7")]], ChainSettings::default()).await;
    payer.ask().await.unwrap();
    // Another worker goes on after this one died.
    payer.clock.sleep(Duration::from_secs(90_000)).await;
    payer.lease = claim(&payer.store, payer.lease.execution, &payer.clock).await;
    assert_eq!(payer.ask().await.unwrap().answer, 7);
    assert_eq!(payer.asked(), [2, 1]);
}

#[tokio::test]
async fn a_repaired_answer_is_kept_too() {
    let payer = payer(vec![vec![text("seven"), text("7")]], ChainSettings::default()).await;
    for _ in 0..2 {
        assert_eq!(payer.ask().await.unwrap().answer, 7);
    }
    assert_eq!(payer.asked(), [2]);
}

#[tokio::test]
async fn a_hint_too_long_to_wait_for_asks_the_next_and_the_shortest_is_passed_on() {
    let limited = |wait| vec![fails(FaultKind::Limited, seconds(wait))];
    let both = payer(vec![limited(600), limited(90)], ChainSettings::default()).await;
    let fault = both.ask().await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Limited, seconds(90)));
    assert_eq!(both.asked(), [1, 1]);
    assert_eq!(both.books().await, (0, [0; 3]));
}

#[tokio::test]
async fn wrong_keys_end_the_asking_for_good() {
    let denied = || vec![fails(FaultKind::Denied, Retry::Never)];
    let payer = payer(vec![denied(), denied()], ChainSettings::default()).await;
    assert_eq!(payer.ask().await.unwrap_err().retry, Retry::Never);
    assert_eq!(payer.asked(), [1, 1]);
}

#[tokio::test]
async fn a_budget_that_does_not_allow_the_call_stops_it_and_says_which() {
    let budgets = Budgets { per_repository_daily: MicroUsd(100), ..Budgets::default() };
    let payer = payer(vec![vec![text("7")]], ChainSettings { budgets, ..ChainSettings::default() }).await;
    let fault = payer.ask().await.unwrap_err();
    assert_eq!((payer.asked(), fault.retry), (vec![0], Retry::Never));
    assert_eq!(
        fault.user.unwrap().to_string(),
        "The budget of this repository for the day (`llm.budget.per_repository_daily_usd`) does not allow another \
         model call."
    );
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_booked_as_if_it_had_been_paid() {
    let clock = Clock::manual(sample::start());
    let slow = Answer::After(clock.clone(), Duration::from_secs(100), "7".to_owned());
    let settings = ChainSettings { retries: 0, ..ChainSettings::default() };
    let mut payer = payer(vec![vec![slow], vec![text("8")]], settings).await;
    payer.clock = clock;
    assert_eq!(payer.ask().await.unwrap().answer, 8);
    let calls = payer.calls().await;
    assert_eq!(calls[0].outcome.unwrap().as_str(), "lost");
    assert!(calls[0].cost.0 >= 4000 * 8, "the most the answer could have cost");
    let (total, spent) = payer.books().await;
    assert_eq!(spent, [total; 3]);
}

#[tokio::test]
async fn a_provider_that_keeps_failing_is_left_alone_and_tried_again_later() {
    let down = vec![fails(FaultKind::Unavailable, Retry::Backoff)];
    let settings = ChainSettings { retries: 9, ..ChainSettings::default() };
    let payer = payer(vec![down], settings).await;
    let fault = payer.ask().await.unwrap_err();
    assert_eq!(payer.asked(), [5], "the breaker opened after five failures");
    assert_eq!(fault.retry, Retry::Backoff);
    let fault = payer.ask().await.unwrap_err();
    assert_eq!(payer.asked(), [5], "it is not even asked");
    assert_eq!(fault.retry, Retry::Backoff);
    payer.clock.sleep(Duration::from_secs(31)).await;
    payer.ask().await.unwrap_err();
    assert_eq!(payer.asked(), [6], "one trial");
}

#[tokio::test]
async fn a_free_model_costs_nothing_and_is_recorded() {
    let mut payer = payer(vec![vec![]], ChainSettings::default()).await;
    payer.models = vec![Arc::new(ScriptedModel::new([text("7")]))];
    let free = (payer.models[0].clone() as Arc<dyn Model>, Price::Free);
    let budgets = Budgets { per_execution: MicroUsd(0), per_repository_daily: MicroUsd(0), daily: MicroUsd(0) };
    payer.chain = ModelChain::new([free], ChainSettings { budgets, ..ChainSettings::default() });
    assert_eq!(payer.ask().await.unwrap().answer, 7);
    assert_eq!((payer.calls().await.len(), payer.books().await), (1, (0, [0; 3])));
}

#[tokio::test]
async fn a_lost_lease_ends_the_asking_at_once() {
    let payer = payer(vec![vec![text("7")], vec![text("8")]], ChainSettings::default()).await;
    let status = State::Finished(ExecutionStatus::Failed, None);
    let update = Update { steps: Vec::new(), state: status, active: Duration::ZERO, now: payer.clock.now() };
    payer.store.record(&payer.lease, &update).await.unwrap();
    assert_eq!(payer.ask().await.unwrap_err().kind, FaultKind::LeaseLost);
    assert_eq!(payer.asked(), [0, 0]);
}

/// Another execution with the same models and the same cache.
async fn another(payer: &Payer, reuse: bool) -> Payer {
    let mut other = self::payer(vec![], ChainSettings::default()).await;
    other.models = payer.models.clone();
    (other.chain, other.clock, other.reuse) = (payer.chain.clone(), payer.clock.clone(), reuse);
    other
}

async fn caching(scripts: Vec<Vec<Answer>>) -> (Payer, Arc<MemoryCache>) {
    let mut payer = payer(scripts, ChainSettings::default()).await;
    let cache = Arc::new(MemoryCache::new(payer.clock.clone()));
    payer.chain = payer.chain.with_cache(cache.clone());
    (payer, cache)
}

#[tokio::test]
async fn an_answer_serves_other_executions_for_nothing() {
    let (first, cache) = caching(vec![vec![text("7"), text("8")]]).await;
    assert_eq!(first.ask().await.unwrap().answer, 7);
    let second = another(&first, true).await;
    let Answered { provider, model, answer } = second.ask().await.unwrap();
    assert_eq!((provider.as_str(), model.as_str(), answer), ("first", "script-1", 7));
    assert_eq!((first.asked(), second.calls().await, second.books().await), (vec![1], vec![], (0, [0; 3])));
    // It stays the answer of that execution, whatever becomes of the cache.
    cache.clear();
    assert_eq!((second.ask().await.unwrap().answer, first.asked()), (7, vec![1]));
}

#[tokio::test]
async fn an_answer_is_shared_for_a_day() {
    let (first, _) = caching(vec![vec![text("7"), text("8")]]).await;
    first.ask().await.unwrap();
    first.clock.sleep(Duration::from_secs(86_399)).await;
    assert_eq!((another(&first, true).await.ask().await.unwrap().answer, first.asked()), (7, vec![1]));
    first.clock.sleep(Duration::from_secs(1)).await;
    let later = another(&first, true).await;
    assert_eq!((later.ask().await.unwrap().answer, first.asked()), (8, vec![2]));
}

#[tokio::test]
async fn a_person_gets_another_look_which_serves_others_from_then_on() {
    let (first, _) = caching(vec![vec![text("7"), text("8")]]).await;
    first.ask().await.unwrap();
    let person = another(&first, false).await;
    assert_eq!(person.ask().await.unwrap().answer, 8);
    assert_eq!((person.calls().await.len(), person.books().await), (1, (ONE, [ONE; 3])));
    assert_eq!((another(&first, true).await.ask().await.unwrap().answer, first.asked()), (8, vec![2]));
}

#[tokio::test]
async fn only_the_same_prompt_limits_and_model_share_an_answer() {
    let (first, cache) = caching(vec![vec![text("7"), text("8"), text("9"), text("10")]]).await;
    first.ask().await.unwrap();
    let chain = |settings| {
        let models = first.models.iter().map(|model| (model.clone() as Arc<dyn Model>, PRICE));
        ModelChain::new(models, settings).with_cache(cache.clone())
    };
    let mut wordy = another(&first, true).await;
    let mut settings = ChainSettings::default();
    settings.limits.output_tokens += 1;
    wordy.chain = chain(settings);
    assert_eq!(wordy.ask().await.unwrap().answer, 8);
    let mut renamed = another(&first, true).await;
    let other = Arc::new(ScriptedModel::named("other", [text("9")]));
    renamed.chain = ModelChain::new([(other as Arc<dyn Model>, PRICE)], ChainSettings::default());
    renamed.chain = renamed.chain.with_cache(cache.clone());
    assert_eq!(renamed.ask().await.unwrap().answer, 9);
    let curious = another(&first, true).await;
    let Payer { store, clock, lease, .. } = &curious;
    let repository = sample::opened("d-1").repository;
    let account = Account { store, lease, repository: &repository, clock, reuse: true };
    let longer = Prompt { user: "a change ".to_owned(), ..prompt() };
    assert_eq!(first.chain.ask(&account, &longer, number).await.unwrap().answer, 9);
}

#[tokio::test]
async fn what_is_wrong_in_the_cache_is_asked_anew() {
    let wrong = [
        b"garbage".to_vec(),
        br#"{"text":"no number","input_tokens":1,"output_tokens":1,"stopped":"complete"}"#.to_vec(),
        br#"{"text":"7","input_tokens":1,"output_tokens":1,"stopped":"length"}"#.to_vec(),
    ];
    for wrong in wrong {
        let (first, cache) = caching(vec![vec![text("7"), text("8")]]).await;
        first.ask().await.unwrap();
        cache.spoil(&wrong);
        let second = another(&first, true).await;
        assert_eq!((second.ask().await.unwrap().answer, first.asked()), (8, vec![2]));
        assert_eq!(another(&first, true).await.ask().await.unwrap().answer, 8, "what was wrong has been replaced");
    }
}

#[tokio::test]
async fn an_answer_that_needed_a_repair_serves_others_without_one() {
    let (first, _) = caching(vec![vec![text("garbage"), text("7"), text("8")]]).await;
    first.ask().await.unwrap();
    assert_eq!((another(&first, true).await.ask().await.unwrap().answer, first.asked()), (7, vec![2]));
}

#[tokio::test]
async fn an_answer_that_can_not_be_used_is_not_offered() {
    let (first, cache) = caching(vec![vec![text("garbage"), text("garbage again")]]).await;
    first.ask().await.unwrap_err();
    assert!(cache.keys().is_empty());
}
