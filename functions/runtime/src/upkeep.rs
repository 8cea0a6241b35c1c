//! What one process does for all of them: finding work that nobody is at, removing what is old, asking the forge what was
//! missed. Whoever has a task keeps it while it lives; when it dies, another takes over once its term has run out.

use std::time::Duration;

use autopr_core::clock::{Clock, after, between};
use autopr_core::engine::Engine;
use autopr_core::fault::Fault;
use autopr_core::ports::store::{AuditEntry, Purged, Retention};
use autopr_core::reconcile::{Progress, Reconciled, Settings};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::settings::{History, Reconcile};

/// How often it is looked for executions that nobody is at.
const SWEEP: Duration = Duration::from_secs(5);

/// How often a task is kept that is done more seldom.
const KEEP: Duration = Duration::from_secs(20);

/// How often it is looked for what may be removed.
const PURGE: Duration = Duration::from_secs(60);

/// The most that is removed in one transaction, so that nobody waits for it.
const BATCH: u32 = 200;

/// The most transactions in a row; the rest has time until the next look.
const BATCHES: u32 = 50;

/// Looks after what all processes share, together with the others.
#[derive(Clone)]
pub struct Upkeep {
    engine: Engine,
    clock: Clock,
    shutdown: CancellationToken,
    patience: Duration,
}

impl Upkeep {
    /// Upkeep with that engine until the shutdown. An execution whose message is nowhere to be seen gets another one after
    /// `patience`: [`PATIENCE`](autopr_core::engine::PATIENCE) or [`LONG_PATIENCE`](autopr_core::engine::LONG_PATIENCE).
    pub fn new(engine: Engine, clock: Clock, shutdown: CancellationToken, patience: Duration) -> Self {
        Self { engine, clock, shutdown, patience }
    }

    /// Does all tasks until the shutdown.
    pub async fn run(&self, history: &History, reconcile: &Reconcile) {
        tokio::join!(self.sweep(), self.purge(history), self.reconcile(reconcile));
    }

    /// Does what is due of all tasks, for a process that is called now and then instead of living on: as far as it comes
    /// until `deadline` or the shutdown. What is left is done the next time.
    pub async fn once(&self, history: &History, reconcile: &Reconcile, progress: &mut Progress, deadline: Timestamp) {
        // Every call is another one: the forge is asked by the first of an interval.
        let caller = format!("{}/{}", self.engine.worker(), Uuid::now_v7());
        let all = async {
            self.sweep_all().await;
            self.purge_and_tell(&retention(history)).await;
            if let Some(settings) = wanted(reconcile)
                && self.leads_as(&caller, "reconcile", reconcile.interval.duration()).await
            {
                self.reconcile_and_tell(&settings, progress).await;
            }
        };
        let in_time = self.clock.timeout(between(self.clock.now(), deadline), all);
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => {}
            done = in_time => {
                if done.is_none() {
                    tracing::info!("the time is over: what is left is done the next time");
                }
            }
        }
    }

    /// Sweeps until nothing is found.
    async fn sweep_all(&self) {
        while !self.shutdown.is_cancelled() && self.sweep_and_tell().await > 0 {}
    }

    /// Queues executions that nobody is at, until the shutdown: without it what was parked stays so.
    pub async fn sweep(&self) {
        while !self.shutdown.is_cancelled() {
            if self.leads("sweep", 3 * SWEEP).await {
                self.sweep_and_tell().await;
            }
            self.pause(SWEEP).await;
        }
        self.resign("sweep").await;
    }

    /// Sweeps once; how many executions were found.
    async fn sweep_and_tell(&self) -> usize {
        match self.engine.sweep(self.patience).await {
            Ok(0) => 0,
            Ok(count) => {
                tracing::info!(count, "queued executions that nobody was at");
                count
            }
            Err(fault) => {
                tracing::warn!(%fault, "the sweep failed");
                0
            }
        }
    }

    async fn purge(&self, history: &History) {
        let retention = retention(history);
        while !self.shutdown.is_cancelled() {
            if self.leads("purge", 3 * PURGE).await {
                self.purge_and_tell(&retention).await;
            }
            self.pause(PURGE).await;
        }
        self.resign("purge").await;
    }

    async fn purge_and_tell(&self, retention: &Retention) {
        match self.purge_once(retention).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "removed executions that the retention does not keep"),
            Err(fault) => tracing::warn!(%fault, "removing old executions failed"),
        }
    }

    /// Removes what is old in small batches; returns how many executions went.
    async fn purge_once(&self, retention: &Retention) -> Result<u64, Fault> {
        let store = &self.engine.edges().store;
        let mut sum = Purged::default();
        for _ in 0..BATCHES {
            let Purged { executions, deliveries, budgets } = store.purge(retention, self.clock.now(), BATCH).await?;
            sum.executions += executions;
            sum.deliveries += deliveries;
            sum.budgets += budgets;
            if executions + deliveries + budgets == 0 || self.shutdown.is_cancelled() {
                break;
            }
        }
        let Purged { executions, deliveries, budgets } = sum;
        if executions + deliveries + budgets > 0 {
            let entry = AuditEntry {
                key: format!("purge/{}", Uuid::now_v7()),
                at: self.clock.now(),
                actor: format!("engine:{}", self.engine.worker()),
                origin: "retention".to_owned(),
                action: "history.purge".to_owned(),
                subject: format!("{executions} executions, {deliveries} deliveries, {budgets} budgets"),
                detail: None,
            };
            store.audit(&entry).await?;
        }
        Ok(executions)
    }

    async fn reconcile(&self, settings: &Reconcile) {
        let interval = settings.interval.duration();
        let Some(settings) = wanted(settings) else { return };
        let (mut progress, mut next) = (Progress::default(), self.clock.now());
        while !self.shutdown.is_cancelled() {
            // The task is kept between two looks, so that a new process need not wait long for one that died.
            if self.leads("reconcile", 3 * KEEP).await && self.clock.now() >= next {
                tokio::select! {
                    () = self.reconcile_and_tell(&settings, &mut progress) => {}
                    () = self.shutdown.cancelled() => {}
                }
                next = after(self.clock.now(), interval);
            }
            self.pause(KEEP.min(interval)).await;
        }
        self.resign("reconcile").await;
    }

    async fn reconcile_and_tell(&self, settings: &Settings, progress: &mut Progress) {
        match self.engine.reconcile(settings, progress).await {
            Ok(Reconciled { redelivered, published, requests }) => {
                tracing::debug!(redelivered, published, requests, "reconciled with the forge");
            }
            Err(fault) => tracing::warn!(%fault, "reconciling with the forge failed; the next look goes on"),
        }
    }

    /// Whether the task is this process's for that long.
    async fn leads(&self, task: &str, term: Duration) -> bool {
        self.leads_as(self.engine.worker(), task, term).await
    }

    async fn leads_as(&self, worker: &str, task: &str, term: Duration) -> bool {
        let now = self.clock.now();
        let led = self.engine.edges().store.lead(task, worker, now, after(now, term)).await;
        led.unwrap_or_else(|fault| {
            tracing::warn!(task, %fault, "can't tell whose task it is");
            false
        })
    }

    /// Lets another process take the task at once.
    async fn resign(&self, task: &str) {
        let now = self.clock.now();
        // Without it the next one waits for the end of the term.
        drop(self.engine.edges().store.lead(task, self.engine.worker(), now, now).await);
    }

    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = self.clock.elapsed(time) => {}
            () = self.shutdown.cancelled() => {}
        }
    }
}

fn retention(history: &History) -> Retention {
    Retention { executions: history.executions, age: Duration::from_secs(u64::from(history.days) * 86_400) }
}

/// What is to be reconciled; none when nothing is.
fn wanted(settings: &Reconcile) -> Option<Settings> {
    let Reconcile { deliveries, pull_requests, max_requests, .. } = *settings;
    (deliveries || pull_requests).then(|| Settings {
        deliveries,
        pull_requests,
        requests: max_requests,
        ..Settings::default()
    })
}
