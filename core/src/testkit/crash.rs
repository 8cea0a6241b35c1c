//! Crashes, failures and lost leases at every point where the engine meets the world.
//!
//! A [`Crasher`] wraps the edges of an engine. Each call through it passes two points, one before and one after the real
//! call; at the point the plan names something happens: the process dies, the call fails, or the worker stands still.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::engine::Edges;
use crate::event::Event;
use crate::execution::Execution;
use crate::fault::Fault;
use crate::ids::{CommentId, CommitSha, ExecutionId, RepoName};
use crate::message::Message;
use crate::ports::forge::{
    Cursor, DeliveryTry, EffectKind, Marker, OpenPull, Page, Patch, Permission, Place, PullRequest, Reaction, Remote,
    Target,
};
use crate::ports::model::{Completion, Limits, Prompt};
use crate::ports::store::{
    Accepted, AuditEntry, Backlog, Call, CallId, Claim, Intent, Lease, NewCall, NewExecution, Purged, Received,
    Reservation, Retention, Settle, SettledCall, Spending, Standing, Trace, Update,
};
use crate::ports::{Forge, Model, Queue, Store};
use crate::review::{Check, Review};
use crate::workflow::Definition;

/// What happens at the planned point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The process dies: nothing after the point is done by it.
    Crash,
    /// The call reports that the other side failed; after the point, although it did what it was asked to.
    Fail,
    /// The worker stands still until it is woken, long after its lease has run out.
    Stall,
    /// This one call never returns; the rest of the process goes on.
    Hang,
    /// The whole process, this one, ends at once: nothing is dropped, flushed or told to anyone.
    Abort,
}

/// Which point a plan names.
#[derive(Debug)]
enum Point {
    Number(usize),
    Name(&'static str),
    /// The point of that name that is passed as the so manieth of it, from 1.
    Nth(String, usize),
}

/// Counts the points an engine passes and lets one mishap happen at one of them.
#[derive(Debug)]
pub struct Crasher {
    plan: Option<(Point, Mishap)>,
    names: Mutex<Vec<String>>,
    list: Option<File>,
    executions: Mutex<BTreeSet<ExecutionId>>,
    /// Set once the mishap has happened.
    pub happened: CancellationToken,
    /// Lets a stalled worker go on.
    pub wake: CancellationToken,
}

impl Crasher {
    /// A plan: the mishap at the point with that number, from 0; none to count the points only.
    pub fn new(plan: Option<(usize, Mishap)>) -> Arc<Self> {
        Self::planned(plan.map(|(number, mishap)| (Point::Number(number), mishap)), None)
    }

    /// A plan: the mishap at the first point of that name, such as `after create_review`.
    pub fn at(name: &'static str, mishap: Mishap) -> Arc<Self> {
        Self::planned(Some((Point::Name(name), mishap)), None)
    }

    /// A plan for a process of its own: it aborts at the point of that name that is passed as the so manieth of it, from
    /// 1; none to list the points only. Each point's name is written to `list`, a line each, before anything happens at
    /// it, so that the list can be read when the process is gone.
    pub fn aborting(at: Option<(String, usize)>, list: File) -> Arc<Self> {
        Self::planned(at.map(|(name, count)| (Point::Nth(name, count), Mishap::Abort)), Some(list))
    }

    fn planned(plan: Option<(Point, Mishap)>, list: Option<File>) -> Arc<Self> {
        Arc::new(Self {
            plan,
            list,
            names: Mutex::default(),
            executions: Mutex::default(),
            happened: CancellationToken::new(),
            wake: CancellationToken::new(),
        })
    }

    /// The names of the points passed so far, in order.
    pub fn names(&self) -> Vec<String> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The executions that were accepted through the wrapped edges.
    pub fn executions(&self) -> BTreeSet<ExecutionId> {
        self.executions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same edges with this plan in between.
    pub fn wrap(self: &Arc<Self>, edges: &Edges) -> Edges {
        let crasher = || self.clone();
        Edges {
            store: Arc::new(Wrapped { inner: edges.store.clone(), crasher: crasher() }),
            queue: Arc::new(Wrapped { inner: edges.queue.clone(), crasher: crasher() }),
            forge: Arc::new(Wrapped { inner: edges.forge.clone(), crasher: crasher() }),
            models: edges.models.map(|inner| Arc::new(Wrapped { inner, crasher: crasher() })),
        }
    }

    async fn point(&self, when: &str, call: &str) -> Result<(), Fault> {
        let planned = self.plan.as_ref().map(|(_, mishap)| *mishap);
        // After a crash nothing of the process goes on, and while it stands still nothing of it does.
        match planned.filter(|_| self.happened.is_cancelled()) {
            Some(Mishap::Crash) => std::future::pending().await,
            Some(Mishap::Stall) => self.wake.cancelled().await,
            Some(Mishap::Fail | Mishap::Hang | Mishap::Abort) | None => {}
        }
        let Some(mishap) = self.pass(format!("{when} {call}")) else { return Ok(()) };
        self.happened.cancel();
        match mishap {
            Mishap::Crash | Mishap::Hang => std::future::pending().await,
            Mishap::Fail => Err(Fault::unavailable(format!("injected {when} {call}"))),
            Mishap::Stall => {
                self.wake.cancelled().await;
                // What stood still beside it is faster: the worst order.
                moments(200).await;
                Ok(())
            }
            // It has happened already.
            Mishap::Abort => Ok(()),
        }
    }

    /// Notes a point that is passed, and says what is to happen there. An abort happens here, before any other point is
    /// noted.
    fn pass(&self, name: String) -> Option<Mishap> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let number = names.len();
        if let Some(mut list) = self.list.as_ref() {
            list.write_all(format!("{name}\n").as_bytes()).expect("the list can be written");
        }
        names.push(name);
        let name = &names[number];
        let (_, mishap) = self.plan.as_ref().filter(|(point, _)| match point {
            Point::Number(at) => *at == number,
            Point::Name(at) => at == name && !self.happened.is_cancelled(),
            Point::Nth(at, count) => at == name && names.iter().filter(|known| *known == at).count() == *count,
        })?;
        if *mishap == Mishap::Abort {
            std::process::abort();
        }
        Some(*mishap)
    }
}

/// An edge with a plan in front of it.
struct Wrapped<T: ?Sized> {
    inner: Arc<T>,
    crasher: Arc<Crasher>,
}

/// Lets everything else of the process go first, so many times.
async fn moments(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// Passes the point before, does the call, which takes a moment, passes the point after.
macro_rules! through {
    ($self:ident . $call:ident ( $($argument:expr),* )) => {{
        $self.crasher.point("before", stringify!($call)).await?;
        // There and back, for each call another time, so that parallel steps meet at many moments.
        let way = stringify!($call).len().pow(2) / 4;
        moments(way).await;
        let answer = $self.inner.$call($($argument),*).await?;
        moments(way).await;
        $self.crasher.point("after", stringify!($call)).await?;
        Ok(answer)
    }};
}

#[async_trait]
impl Store for Wrapped<dyn Store> {
    async fn register(&self, definitions: &[Arc<Definition>], now: Timestamp) -> Result<(), Fault> {
        through!(self.register(definitions, now))
    }
    async fn accept(&self, event: &Event, executions: &[NewExecution], now: Timestamp) -> Result<Accepted, Fault> {
        let made = executions.iter().map(|execution| execution.id);
        self.crasher.executions.lock().unwrap_or_else(PoisonError::into_inner).extend(made);
        through!(self.accept(event, executions, now))
    }
    async fn join(&self, lease: &Lease, group: &str, now: Timestamp) -> Result<Standing, Fault> {
        through!(self.join(lease, group, now))
    }
    async fn claim(&self, id: ExecutionId, worker: &str, now: Timestamp, until: Timestamp) -> Result<Claim, Fault> {
        through!(self.claim(id, worker, now, until))
    }
    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Standing, Fault> {
        through!(self.renew(lease, until))
    }
    async fn record(&self, lease: &Lease, update: &Update) -> Result<Standing, Fault> {
        through!(self.record(lease, update))
    }
    async fn memo(&self, execution: ExecutionId, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        through!(self.memo(execution, key))
    }
    async fn put_memo(&self, lease: &Lease, key: &str, value: &[u8]) -> Result<(), Fault> {
        through!(self.put_memo(lease, key, value))
    }
    async fn begin_effect(
        &self,
        lease: &Lease,
        kind: EffectKind,
        marker: &Marker,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Intent, Fault> {
        through!(self.begin_effect(lease, kind, marker, now, until))
    }
    async fn finish_effect(
        &self,
        lease: &Lease,
        marker: &Marker,
        remote: &Remote,
        now: Timestamp,
    ) -> Result<(), Fault> {
        through!(self.finish_effect(lease, marker, remote, now))
    }
    async fn reserve(&self, lease: &Lease, call: &NewCall, now: Timestamp) -> Result<Reservation, Fault> {
        through!(self.reserve(lease, call, now))
    }
    async fn settle_call(
        &self,
        lease: &Lease,
        call: CallId,
        settled: &SettledCall,
        now: Timestamp,
    ) -> Result<(), Fault> {
        through!(self.settle_call(lease, call, settled, now))
    }
    async fn calls(&self, execution: ExecutionId) -> Result<Vec<Call>, Fault> {
        self.inner.calls(execution).await
    }
    async fn spending(&self, scope: &str) -> Result<Spending, Fault> {
        self.inner.spending(scope).await
    }
    async fn requeue_due(
        &self,
        now: Timestamp,
        patience: Duration,
        limit: u32,
    ) -> Result<Vec<(ExecutionId, RepoName)>, Fault> {
        through!(self.requeue_due(now, patience, limit))
    }
    async fn next_in_group(&self, group: &str) -> Result<Option<ExecutionId>, Fault> {
        through!(self.next_in_group(group))
    }
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, Fault> {
        self.inner.execution(id).await
    }
    async fn unheard(&self, traces: &[Trace]) -> Result<Vec<Trace>, Fault> {
        self.inner.unheard(traces).await
    }
    async fn repositories(&self, after: Option<&RepoName>, limit: u32) -> Result<Vec<RepoName>, Fault> {
        self.inner.repositories(after, limit).await
    }
    async fn enqueue(&self, body: &str, lane: Option<&str>, now: Timestamp) -> Result<(), Fault> {
        through!(self.enqueue(body, lane, now))
    }
    async fn receive(&self, limit: u32, now: Timestamp, until: Timestamp) -> Result<Vec<Received>, Fault> {
        through!(self.receive(limit, now, until))
    }
    async fn settle(&self, message: i64, how: &Settle) -> Result<(), Fault> {
        through!(self.settle(message, how))
    }
    async fn backlog(&self) -> Result<Backlog, Fault> {
        self.inner.backlog().await
    }
    async fn audit(&self, entry: &AuditEntry) -> Result<(), Fault> {
        through!(self.audit(entry))
    }
    async fn lead(&self, task: &str, worker: &str, now: Timestamp, until: Timestamp) -> Result<bool, Fault> {
        through!(self.lead(task, worker, now, until))
    }
    async fn purge(&self, retention: &Retention, now: Timestamp, limit: u32) -> Result<Purged, Fault> {
        through!(self.purge(retention, now, limit))
    }
}

#[async_trait]
impl Queue for Wrapped<dyn Queue> {
    async fn publish(&self, message: &Message) -> Result<(), Fault> {
        through!(self.publish(message))
    }
}

#[async_trait]
impl Forge for Wrapped<dyn Forge> {
    async fn pull_request(&self, target: &Target) -> Result<PullRequest, Fault> {
        through!(self.pull_request(target))
    }
    async fn diff(&self, pull: &PullRequest) -> Result<Patch, Fault> {
        through!(self.diff(pull))
    }
    async fn file(&self, target: &Target, commit: &CommitSha, path: &str) -> Result<Option<Bytes>, Fault> {
        through!(self.file(target, commit, path))
    }
    async fn file_size(&self, target: &Target, commit: &CommitSha, path: &str) -> Result<Option<u64>, Fault> {
        through!(self.file_size(target, commit, path))
    }
    async fn find(
        &self,
        target: &Target,
        head: Option<&CommitSha>,
        kind: EffectKind,
        marker: &Marker,
    ) -> Result<Option<Remote>, Fault> {
        through!(self.find(target, head, kind, marker))
    }
    async fn create_review(&self, target: &Target, marker: &Marker, review: &Review) -> Result<Remote, Fault> {
        through!(self.create_review(target, marker, review))
    }
    async fn create_check(&self, target: &Target, marker: &Marker, check: &Check) -> Result<Remote, Fault> {
        through!(self.create_check(target, marker, check))
    }
    async fn permission(&self, target: &Target, login: &str) -> Result<Permission, Fault> {
        through!(self.permission(target, login))
    }
    async fn create_comment(&self, target: &Target, marker: &Marker, body: &str) -> Result<Remote, Fault> {
        through!(self.create_comment(target, marker, body))
    }
    async fn describe(&self, target: &Target, section: &str) -> Result<Remote, Fault> {
        through!(self.describe(target, section))
    }
    async fn add_labels(&self, target: &Target, labels: &[String]) -> Result<Remote, Fault> {
        through!(self.add_labels(target, labels))
    }
    async fn react(&self, target: &Target, comment: CommentId, reaction: Reaction) -> Result<Remote, Fault> {
        through!(self.react(target, comment, reaction))
    }
    async fn deliveries(&self, from: Option<&Cursor>) -> Result<Page<DeliveryTry>, Fault> {
        self.inner.deliveries(from).await
    }
    async fn redeliver(&self, number: u64) -> Result<(), Fault> {
        through!(self.redeliver(number))
    }
    async fn places(&self, from: Option<&Cursor>) -> Result<Option<Page<Place>>, Fault> {
        self.inner.places(from).await
    }
    async fn open_pull_requests(&self, place: &Place, from: Option<&Cursor>) -> Result<Page<OpenPull>, Fault> {
        self.inner.open_pull_requests(place, from).await
    }
}

#[async_trait]
impl Model for Wrapped<dyn Model> {
    fn provider(&self) -> &str {
        self.inner.provider()
    }
    fn model(&self) -> &str {
        self.inner.model()
    }
    async fn complete(&self, prompt: &Prompt, limits: Limits) -> Result<Completion, Fault> {
        through!(self.complete(prompt, limits))
    }
}
