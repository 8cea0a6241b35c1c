//! Asks the language models in order until one gives a usable answer, inside the budget, and pays for no answer twice.
//!
//! A call that fails for a while is tried again in place; one that fails for longer, or an answer that can't be used
//! even after one repair, lets the next provider be asked. Before each call its highest cost is set aside in the
//! store; afterwards what it really cost is booked and the answer is kept, both in one transaction. An answer that was
//! usable is put into the cache too, for other executions that ask the same and may reuse it.
//!
//! When no provider can be asked now, the fault is of the kind [`FaultKind::Limited`]: whoever asked is to wait, which is
//! no failed attempt. Which provider is left alone until when is told to other processes through the cache.

mod account;
mod breaker;
mod price;
mod reuse;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use self::account::settled;
use self::breaker::Breaker;
use crate::clock::between;
use crate::fault::{Fault, FaultKind, Retry};
use crate::ports::cache::NoCache;
use crate::ports::model::{Completion, Limits, Prompt, Repair, Stopped};
use crate::ports::{Cache, Model};
use crate::retry::backoff;
use crate::telemetry;

pub use account::{Account, Budgets, day_scope};
pub use price::{MicroUsd, Price};

/// A provider that asks to wait longer than this is passed over.
const IN_PLACE: Duration = Duration::from_secs(10);

/// The wait after the first failed call; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The models in the order they are asked. Cloning shares the state of their breakers.
#[derive(Clone)]
pub struct ModelChain {
    links: Vec<Arc<Link>>,
    settings: ChainSettings,
    cache: Arc<dyn Cache>,
}

impl Default for ModelChain {
    fn default() -> Self {
        Self::new([], ChainSettings::default())
    }
}

/// What holds for every call.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainSettings {
    /// What one call may take.
    pub limits: Limits,
    /// How often a failed call is tried again before the next provider is asked.
    pub retries: u32,
    /// The most that may be spent.
    pub budgets: Budgets,
    /// How long an execution waits for providers of which none can be asked.
    pub patience: Duration,
}

impl Default for ChainSettings {
    fn default() -> Self {
        let limits = Limits { output_tokens: 4000, timeout: Duration::from_secs(60) };
        Self { limits, retries: 3, budgets: Budgets::default(), patience: Duration::from_hours(6) }
    }
}

/// A model and what it costs.
struct Link {
    model: Arc<dyn Model>,
    price: Price,
    breaker: Breaker,
}

impl Link {
    /// The name of the provider and the model, for people and as part of keys.
    fn name(&self) -> String {
        format!("{}/{}", self.model.provider(), self.model.model())
    }
}

/// A usable answer and who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// The provider's name in the settings.
    pub provider: String,
    /// The model's name.
    pub model: String,
    /// What was read from the answer.
    pub answer: T,
}

impl ModelChain {
    /// A chain of these models with their prices, in this order.
    pub fn new(models: impl IntoIterator<Item = (Arc<dyn Model>, Price)>, settings: ChainSettings) -> Self {
        let link = |(model, price)| Arc::new(Link { model, price, breaker: Breaker::default() });
        Self { links: models.into_iter().map(link).collect(), settings, cache: Arc::new(NoCache) }
    }

    /// The same chain, which puts usable answers there and finds those of other executions.
    #[must_use]
    pub fn with_cache(self, cache: Arc<dyn Cache>) -> Self {
        Self { cache, ..self }
    }

    /// True when no model is configured.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The most that may be spent.
    pub fn budgets(&self) -> &Budgets {
        &self.settings.budgets
    }

    /// How long an execution waits for providers of which none can be asked.
    pub fn patience(&self) -> Duration {
        self.settings.patience
    }

    /// The same chain with every model seen through `change`. For tests.
    #[cfg(feature = "testkit")]
    #[must_use]
    pub fn map(&self, change: impl Fn(Arc<dyn Model>) -> Arc<dyn Model>) -> Self {
        let links = self.links.iter().map(|link| (change(link.model.clone()), link.price));
        Self::new(links, self.settings.clone()).with_cache(self.cache.clone())
    }

    /// Asks until `read` accepts an answer. What `read` returns as an error is sent back to the model once.
    ///
    /// # Errors
    /// When no model gave a usable answer: [`FaultKind::Limited`] when a provider is out of reach, at its limit or left
    /// alone, otherwise retryable when a later try may go better. Faults of the store, and the loss of the lease, end the
    /// asking at once.
    pub async fn ask<T>(
        &self,
        account: &Account<'_>,
        prompt: &Prompt,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Answered<T>, Fault> {
        for link in &self.links {
            if let Some(answer) = kept(account, link, prompt, &read).await? {
                return Ok(link.answered(answer));
            }
        }
        let mut faults = Vec::new();
        for link in &self.links {
            if let Some(answer) = self.reused(account, link, prompt, &read).await? {
                return Ok(link.answered(answer));
            }
            link.listen(self.cache.as_ref(), account.now()).await;
            if let Err(wait) = link.breaker.admits(account.now()) {
                let context = format!("{} is left alone for another {} s", link.name(), wait.as_secs());
                faults.push(Fault::new(FaultKind::Limited, context).retry(Retry::After(wait)));
                continue;
            }
            match self.ask_one(account, link, prompt, &read).await {
                Ok(answer) => return Ok(link.answered(answer)),
                Err(Failure::Store(fault)) => return Err(fault),
                Err(Failure::Model(fault)) => {
                    tracing::warn!(provider = link.model.provider(), %fault, "the model gave no usable answer");
                    faults.push(link.left_alone(fault, account.now()));
                }
            }
        }
        Err(together(faults))
    }

    /// Asks one model, again after failures that pass, and once more when its answer can't be read.
    async fn ask_one<T>(
        &self,
        account: &Account<'_>,
        link: &Link,
        prompt: &Prompt,
        read: &impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let completion = self.complete_patiently(account, link, prompt).await?;
        let error = match usable(&completion, read) {
            Ok(answer) => {
                self.offer(link, prompt, &completion).await;
                return Ok(answer);
            }
            Err(error) => error,
        };
        let repair = Prompt { repair: Some(Repair { answer: completion.text, error }), ..prompt.clone() };
        let completion = self.complete_patiently(account, link, &repair).await?;
        let answer = usable(&completion, read).map_err(|_| {
            Failure::Model(Fault::invalid(format!("{} gave an answer that can't be used, twice", link.name())))
        })?;
        self.offer(link, prompt, &completion).await;
        Ok(answer)
    }

    /// One completion, with the failures that pass waited out.
    async fn complete_patiently(
        &self,
        account: &Account<'_>,
        link: &Link,
        prompt: &Prompt,
    ) -> Result<Completion, Failure> {
        let mut attempt = 1;
        loop {
            let fault = match self.complete(account, link, prompt).await {
                Err(Failure::Model(fault)) => fault,
                done => return done,
            };
            let wait = match fault.retry {
                Retry::After(wait) if wait <= IN_PLACE => wait,
                Retry::Backoff => backoff(FIRST_WAIT, attempt, account.seed()).min(IN_PLACE),
                Retry::After(_) | Retry::Never => return Err(Failure::Model(fault)),
            };
            if fault.kind == FaultKind::Timeout {
                // Another wait of that length is better spent on the next provider.
                return Err(Failure::Model(fault));
            }
            if attempt > self.settings.retries || link.breaker.admits(account.now()).is_err() {
                return Err(Failure::Model(fault));
            }
            tracing::info!(provider = link.model.provider(), attempt, wait_ms = wait.as_millis(), %fault, "asking again");
            account.sleep(wait).await;
            attempt += 1;
        }
    }

    /// One completion, from what was kept or by one paid call.
    async fn complete(&self, account: &Account<'_>, link: &Link, prompt: &Prompt) -> Result<Completion, Failure> {
        let key = key(link, prompt);
        if let Some(completion) = account.kept(&key).await.map_err(Failure::Store)? {
            return Ok(completion);
        }
        let Limits { output_tokens, timeout } = self.settings.limits;
        let most = link.price.cost(most_tokens(prompt), output_tokens.into());
        let call = account.reserve(link.model.as_ref(), most, &self.settings.budgets).await?;
        let begun = account.now();
        let asked = link.model.complete(prompt, self.settings.limits);
        let answer = account.timeout(timeout, asked).await.unwrap_or_else(|| {
            let context = format!("{} took longer than {} s", link.name(), timeout.as_secs());
            Err(Fault::new(FaultKind::Timeout, context).retry(Retry::Backoff))
        });
        let latency = between(begun, account.now());
        self.learn(link, &answer, account.now()).await;
        let settled = settled(&key, &answer, link.price, most, latency).map_err(Failure::Store)?;
        telemetry::model_call(link.model.as_ref(), &answer, settled.cost, latency);
        account.settle(call, &settled).await.map_err(Failure::Store)?;
        answer.map_err(Failure::Model)
    }

    /// Takes from an answer how the provider is, and tells other processes when that is news.
    async fn learn(&self, link: &Link, answer: &Result<Completion, Fault>, now: Timestamp) {
        match answer {
            Ok(_) => {
                if link.breaker.succeeded() {
                    tracing::info!(provider = link.model.provider(), "the provider answers again");
                    link.take_back(self.cache.as_ref()).await;
                }
            }
            Err(fault) => {
                if let Some(until) = link.breaker.failed(fault, now) {
                    tracing::warn!(provider = link.model.provider(), %until, "the provider is left alone for a while");
                    link.say(self.cache.as_ref(), until, now).await;
                }
            }
        }
        telemetry::breaker(link.model.provider(), link.breaker.pause(now).is_some());
    }
}

impl Link {
    /// The same fault, which asks to wait if the provider is left alone from now on.
    fn left_alone(&self, mut fault: Fault, now: Timestamp) -> Fault {
        let pause = self.breaker.pause(now).filter(|_| fault.retry != Retry::Never);
        let Some(pause) = pause else { return fault };
        let wait = if let Retry::After(wait) = fault.retry { wait.max(pause) } else { pause };
        fault.kind = FaultKind::Limited;
        fault.retry(Retry::After(wait))
    }

    fn answered<T>(&self, answer: T) -> Answered<T> {
        Answered { provider: self.model.provider().to_owned(), model: self.model.model().to_owned(), answer }
    }
}

/// Why a model gave nothing.
enum Failure {
    /// The model or its budget: another one may do.
    Model(Fault),
    /// The store, or the lease: nothing more can be done.
    Store(Fault),
}

/// A usable answer that was paid for before.
async fn kept<T>(
    account: &Account<'_>,
    link: &Link,
    prompt: &Prompt,
    read: &impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Fault> {
    let Some(completion) = account.kept(&key(link, prompt)).await? else { return Ok(None) };
    let error = match usable(&completion, read) {
        Ok(answer) => return Ok(Some(answer)),
        Err(error) => error,
    };
    let repair = Prompt { repair: Some(Repair { answer: completion.text, error }), ..prompt.clone() };
    let repaired = account.kept(&key(link, &repair)).await?;
    Ok(repaired.and_then(|completion| usable(&completion, read).ok()))
}

fn usable<T>(completion: &Completion, read: &impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
    match completion.stopped {
        Stopped::Complete => read(&completion.text),
        Stopped::Length => Err("the answer was cut off: it is too long. Answer again, shorter.".to_owned()),
        Stopped::Refused => Err("no answer was given. The task is a code review: answer it.".to_owned()),
    }
}

/// The key under which the answer to a prompt is kept.
fn key(link: &Link, prompt: &Prompt) -> String {
    format!("completion:{}:{}", link.name(), hex::encode(&digest(prompt)[..16]))
}

/// Tells one prompt from every other.
fn digest(prompt: &Prompt) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    let Prompt { system, user, schema, repair } = prompt;
    let (answer, error) = repair.as_ref().map_or(("", ""), |repair| (&repair.answer, &repair.error));
    for part in [system, user, &schema.to_string(), answer, error] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
}

/// No text has more tokens than this: a token stands for two bytes or more in all but the oddest texts.
fn most_tokens(prompt: &Prompt) -> u64 {
    let Prompt { system, user, schema, repair } = prompt;
    let repair = repair.as_ref().map_or(0, |repair| repair.answer.len() + repair.error.len());
    (system.len() + user.len() + schema.to_string().len() + repair).div_ceil(2) as u64
}

/// One fault for all: it can be tried again if any of them can, at the time the first of them can. It is to be waited for
/// if a provider is out of reach or at its limit; what else failed may be the prompt's own.
fn together(faults: Vec<Fault>) -> Fault {
    let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let soon = faults.iter().any(|fault| fault.retry == Retry::Backoff);
    let hint = faults.iter().filter_map(|fault| if let Retry::After(wait) = fault.retry { Some(wait) } else { None });
    let retry = match hint.min() {
        Some(wait) if !soon => Retry::After(wait),
        _ if soon => Retry::Backoff,
        _ => Retry::Never,
    };
    let away = |fault: &Fault| {
        fault.retry != Retry::Never && matches!(fault.kind, FaultKind::Limited | FaultKind::Unavailable)
    };
    let kind = match retry {
        Retry::Never => FaultKind::Invalid,
        _ if faults.iter().any(away) => FaultKind::Limited,
        _ => FaultKind::Unavailable,
    };
    let told = faults.iter().rev().find_map(|fault| fault.user.clone());
    let fault = Fault::new(kind, format!("no language model gave a usable answer: {}", texts.join("; "))).retry(retry);
    fault.user(told.map_or("No language model gave a usable answer.".to_owned(), |told| told.to_string()))
}
