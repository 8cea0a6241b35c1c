//! A store that keeps everything in memory: the plainest reading of the contract, against which the others are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::clock::{after, before};
use crate::event::Event;
use crate::execution::{Execution, ExecutionStatus, StepRecord, StepStatus};
use crate::fault::{Fault, FaultKind};
use crate::ids::{CommitSha, ExecutionId, PrNumber, RepoName};
use crate::ports::Store;
use crate::ports::forge::{EffectKind, Marker, Remote};
use crate::ports::operations::{DeadMessage, Filter, Operations, Summary};
use crate::ports::store::{
    Accepted, AuditEntry, Backlog, BudgetLine, Call, CallId, CallOutcome, Claim, Head, Intent, Lease, NewCall,
    NewExecution, Purged, Received, Reservation, Retention, Settle, SettledCall, Spending, Standing, State, Trace,
    Update,
};
use crate::workflow::Definition;

/// A [`Store`] in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

/// A delivery that was accepted.
#[derive(Debug)]
struct Delivered {
    at: Timestamp,
    made: Vec<ExecutionId>,
    head: Option<(RepoName, PrNumber, CommitSha)>,
}

#[derive(Debug, Default)]
struct Tables {
    deliveries: BTreeMap<String, Delivered>,
    executions: BTreeMap<ExecutionId, Row>,
    memos: BTreeMap<(ExecutionId, String), Vec<u8>>,
    effects: BTreeMap<(ExecutionId, Marker), Option<Remote>>,
    calls: Vec<CallRow>,
    budgets: BTreeMap<String, Spending>,
    messages: BTreeMap<i64, Mail>,
    last_message: i64,
    audit: Vec<AuditEntry>,
    leaders: BTreeMap<String, (String, Timestamp)>,
}

#[derive(Debug)]
struct Row {
    execution: Execution,
    fence: i64,
    lease_until: Option<Timestamp>,
    updated_at: Timestamp,
    latest_wins: bool,
}

#[derive(Debug)]
struct CallRow {
    call: Call,
    lease: Lease,
    scopes: Vec<String>,
}

#[derive(Debug)]
struct Mail {
    body: String,
    lane: Option<String>,
    turn: i64,
    available_at: Timestamp,
    receive_count: u32,
    dead: Option<String>,
}

impl Row {
    fn is_live(&self) -> bool {
        !self.execution.status.is_final()
    }

    fn is_live_in(&self, group: &str) -> bool {
        self.is_live() && self.execution.concurrency_group.as_deref() == Some(group)
    }

    fn standing(&self) -> Standing {
        if self.execution.superseded { Standing::Superseded } else { Standing::Current }
    }
}

impl MemoryStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn held(&mut self, lease: &Lease) -> Result<&mut Row, Fault> {
        let row = self.executions.get_mut(&lease.execution);
        row.filter(|row| row.fence == lease.fence && row.execution.status == ExecutionStatus::Running)
            .ok_or_else(|| Fault::new(FaultKind::LeaseLost, format!("execution {} is not held", lease.execution)))
    }

    /// Closes an open call: what was set aside for it becomes what it cost.
    fn close(&mut self, id: CallId, settled: &SettledCall) {
        let Some(row) = self.calls.iter_mut().find(|row| row.call.id == id && row.call.outcome.is_none()) else {
            return;
        };
        let SettledCall { outcome, input_tokens, output_tokens, cost, .. } = *settled;
        let reserved = row.call.cost;
        row.call = Call { outcome: Some(outcome), input_tokens, output_tokens, cost, ..row.call.clone() };
        for scope in &row.scopes {
            let spending = self.budgets.entry(scope.clone()).or_default();
            spending.reserved = spending.reserved.less(reserved);
            spending.spent = spending.spent + cost;
        }
    }

    /// Closes the calls whose worker does not hold its execution any more.
    fn close_lost(&mut self) {
        let held = |lease: &Lease| {
            self.executions
                .get(&lease.execution)
                .is_some_and(|row| row.fence == lease.fence && row.execution.status == ExecutionStatus::Running)
        };
        let open = self.calls.iter().filter(|row| row.call.outcome.is_none() && !held(&row.lease));
        let lost: Vec<_> = open.map(|row| (row.call.id, row.call.cost)).collect();
        for (id, cost) in lost {
            let outcome = CallOutcome::Lost;
            let latency = Duration::ZERO;
            self.close(id, &SettledCall { outcome, input_tokens: 0, output_tokens: 0, cost, latency, memo: None });
        }
    }

    /// Supersedes the live executions of a group, unless one of them is for a later event: then returns true.
    fn supersede(&mut self, event: &Event, group: &str, now: Timestamp) -> bool {
        let mut rows = self.executions.values().filter(|row| row.is_live_in(group) && !row.execution.superseded);
        if rows.any(|row| row.execution.event.at > event.at) {
            return true;
        }
        for row in self.executions.values_mut().filter(|row| row.is_live_in(group)) {
            row.execution.superseded = true;
            row.execution.not_before = None;
            row.updated_at = now;
            if row.execution.status != ExecutionStatus::Running {
                row.execution.status = ExecutionStatus::Superseded;
            }
        }
        false
    }

    /// Gives an execution that had begun to publish for the head of a stand-in its place back.
    fn reinstate(&mut self, event: &Event, new: &NewExecution, now: Timestamp) -> Option<ExecutionId> {
        let group = new.group.as_deref().filter(|_| new.latest_wins() && event.delivery.is_stand_in())?;
        let free = |row: &&Row| row.lease_until.is_none_or(|until| until <= now);
        let lost = self.executions.values().rev().filter(free).map(|row| &row.execution).find(|lost| {
            (lost.status == ExecutionStatus::Superseded || lost.superseded && !lost.status.is_final())
                && lost.concurrency_group.as_deref() == Some(group)
                && event.head.is_some()
                && lost.event.head == event.head
                && self.effects.keys().any(|(execution, _)| *execution == lost.id)
                && lost.steps.iter().all(|step| step.status != StepStatus::Failed)
        });
        let lost = lost?.id;
        if self.supersede(event, group, now) {
            return None;
        }
        let row = self.executions.get_mut(&lost)?;
        row.execution.status = ExecutionStatus::Queued;
        row.execution.superseded = false;
        row.lease_until = None;
        row.updated_at = now;
        Some(lost)
    }

    fn insert(&mut self, event: &Event, new: &NewExecution, now: Timestamp) {
        let group = new.group.as_deref().filter(|_| new.latest_wins());
        let superseded = group.is_some_and(|group| self.supersede(event, group, now));
        let execution = Execution {
            id: new.id,
            definition: new.definition.clone(),
            event: event.clone(),
            status: if superseded { ExecutionStatus::Superseded } else { ExecutionStatus::Queued },
            created_at: now,
            active: Duration::ZERO,
            resumed_at: None,
            not_before: None,
            concurrency_group: new.group.clone(),
            superseded,
            steps: new.definition.steps.iter().map(|step| StepRecord::pending(&step.id)).collect(),
            error: None,
        };
        let row = Row { execution, fence: 0, lease_until: None, updated_at: now, latest_wins: new.latest_wins() };
        self.executions.insert(new.id, row);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn register(&self, _definitions: &[Arc<Definition>], _now: Timestamp) -> Result<(), Fault> {
        Ok(())
    }

    async fn accept(&self, event: &Event, executions: &[NewExecution], now: Timestamp) -> Result<Accepted, Fault> {
        let mut tables = self.tables();
        let delivery = event.delivery.as_str().to_owned();
        let fresh = !tables.deliveries.contains_key(&delivery);
        let mut reinstated = Vec::new();
        if fresh {
            let made = executions.iter().map(|execution| execution.id).collect();
            let head = event.head.clone().map(|head| (event.repository.clone(), event.number, head));
            tables.deliveries.insert(delivery.clone(), Delivered { at: now, made, head });
            for execution in executions {
                match tables.reinstate(event, execution, now) {
                    Some(id) => reinstated.push(id),
                    None => tables.insert(event, execution, now),
                }
            }
        }
        let made = tables.deliveries[&delivery].made.iter().copied().chain(reinstated);
        let live = made.filter(|id| tables.executions.get(id).is_some_and(Row::is_live)).collect();
        Ok(Accepted { fresh, live })
    }

    async fn join(&self, lease: &Lease, group: &str, now: Timestamp) -> Result<Standing, Fault> {
        let mut tables = self.tables();
        let row = tables.held(lease)?;
        if row.execution.concurrency_group.is_some() {
            return Ok(row.standing());
        }
        let event = row.execution.event.clone();
        let late = tables.supersede(&event, group, now);
        let row = tables.held(lease)?;
        row.execution.superseded |= late;
        row.execution.concurrency_group = Some(group.to_owned());
        row.latest_wins = true;
        Ok(row.standing())
    }

    async fn claim(&self, id: ExecutionId, _worker: &str, now: Timestamp, until: Timestamp) -> Result<Claim, Fault> {
        let mut tables = self.tables();
        let Some(row) = tables.executions.get(&id) else { return Ok(Claim::Unknown) };
        if !row.is_live() {
            return Ok(Claim::Finished(row.execution.status));
        }
        if row.lease_until.is_some_and(|lease_until| lease_until > now) {
            return Ok(Claim::Held);
        }
        if let Some(time) = row.execution.not_before.filter(|time| *time > now) {
            return Ok(Claim::Parked(time));
        }
        let goes_first = |(other, row): (&ExecutionId, &Row), group: &str| {
            row.is_live_in(group) && (*other < id || (*other > id && row.execution.status == ExecutionStatus::Running))
        };
        if let Some(group) = row.execution.concurrency_group.as_deref().filter(|_| !row.latest_wins)
            && tables.executions.iter().any(|other| goes_first(other, group))
        {
            return Ok(Claim::Blocked);
        }
        let Some(row) = tables.executions.get_mut(&id) else { return Ok(Claim::Unknown) };
        row.fence += 1;
        row.lease_until = Some(until);
        row.updated_at = now;
        row.execution.status = ExecutionStatus::Running;
        row.execution.not_before = None;
        row.execution.resumed_at = Some(now);
        Ok(Claim::Acquired(Box::new(row.execution.clone()), Lease { execution: id, fence: row.fence }))
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Standing, Fault> {
        let mut tables = self.tables();
        let row = tables.held(lease)?;
        row.lease_until = Some(until);
        Ok(row.standing())
    }

    async fn record(&self, lease: &Lease, update: &Update) -> Result<Standing, Fault> {
        let mut tables = self.tables();
        let row = tables.held(lease)?;
        row.execution.update(&update.steps);
        row.execution.active = update.active;
        row.updated_at = update.now;
        let held = update.state == State::Running;
        row.execution.resumed_at = held.then_some(update.now);
        if !held {
            row.lease_until = None;
        }
        match &update.state {
            State::Running => {}
            State::Parked(_) if row.execution.superseded => row.execution.status = ExecutionStatus::Queued,
            State::Parked(until) => {
                row.execution.status = ExecutionStatus::Parked;
                row.execution.not_before = Some(*until);
            }
            State::Queued => row.execution.status = ExecutionStatus::Queued,
            State::Finished(status, error) => {
                row.execution.status = *status;
                row.execution.error.clone_from(error);
            }
        }
        Ok(row.standing())
    }

    async fn memo(&self, execution: ExecutionId, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.tables().memos.get(&(execution, key.to_owned())).cloned())
    }

    async fn put_memo(&self, lease: &Lease, key: &str, value: &[u8]) -> Result<(), Fault> {
        let mut tables = self.tables();
        tables.held(lease)?;
        tables.memos.entry((lease.execution, key.to_owned())).or_insert_with(|| value.to_vec());
        Ok(())
    }

    async fn begin_effect(
        &self,
        lease: &Lease,
        _kind: EffectKind,
        marker: &Marker,
        _now: Timestamp,
        until: Timestamp,
    ) -> Result<Intent, Fault> {
        let mut tables = self.tables();
        let row = tables.held(lease)?;
        row.lease_until = Some(until);
        let standing = row.standing();
        let key = (lease.execution, marker.clone());
        match (tables.effects.get(&key), standing) {
            (Some(Some(remote)), _) => Ok(Intent::Done(remote.clone())),
            (_, Standing::Superseded) => {
                Err(Fault::new(FaultKind::Superseded, "the execution may not publish any more"))
            }
            (Some(None), Standing::Current) => Ok(Intent::Uncertain),
            (None, Standing::Current) => {
                tables.effects.insert(key, None);
                Ok(Intent::Fresh)
            }
        }
    }

    async fn finish_effect(
        &self,
        lease: &Lease,
        marker: &Marker,
        remote: &Remote,
        _now: Timestamp,
    ) -> Result<(), Fault> {
        let mut tables = self.tables();
        tables.held(lease)?;
        tables.effects.insert((lease.execution, marker.clone()), Some(remote.clone()));
        Ok(())
    }

    async fn reserve(&self, lease: &Lease, call: &NewCall, _now: Timestamp) -> Result<Reservation, Fault> {
        let mut tables = self.tables();
        if tables.held(lease)?.standing() == Standing::Superseded {
            return Err(Fault::new(FaultKind::Superseded, "the execution may not buy any more"));
        }
        for BudgetLine { scope, limit } in &call.budgets {
            let Spending { reserved, spent } = tables.budgets.get(scope).copied().unwrap_or_default();
            if reserved + spent + call.amount > *limit {
                return Ok(Reservation::Exhausted { scope: scope.clone(), left: limit.less(reserved + spent) });
            }
        }
        let scopes: Vec<_> = call.budgets.iter().map(|line| line.scope.clone()).collect();
        for scope in &scopes {
            let spending = tables.budgets.entry(scope.clone()).or_default();
            spending.reserved = spending.reserved + call.amount;
        }
        let id = CallId(tables.calls.len() as i64 + 1);
        let NewCall { provider, model, amount, .. } = call.clone();
        let call = Call { id, provider, model, outcome: None, input_tokens: 0, output_tokens: 0, cost: amount };
        tables.calls.push(CallRow { call, lease: lease.clone(), scopes });
        Ok(Reservation::Granted(id))
    }

    async fn settle_call(
        &self,
        lease: &Lease,
        call: CallId,
        settled: &SettledCall,
        _now: Timestamp,
    ) -> Result<(), Fault> {
        let mut tables = self.tables();
        tables.held(lease)?;
        tables.close(call, settled);
        if let Some((key, value)) = &settled.memo {
            tables.memos.entry((lease.execution, key.clone())).or_insert_with(|| value.clone());
        }
        Ok(())
    }

    async fn calls(&self, execution: ExecutionId) -> Result<Vec<Call>, Fault> {
        let tables = self.tables();
        let calls = tables.calls.iter().filter(|row| row.lease.execution == execution);
        Ok(calls.map(|row| row.call.clone()).collect())
    }

    async fn spending(&self, scope: &str) -> Result<Spending, Fault> {
        Ok(self.tables().budgets.get(scope).copied().unwrap_or_default())
    }

    async fn requeue_due(
        &self,
        now: Timestamp,
        patience: Duration,
        limit: u32,
    ) -> Result<Vec<(ExecutionId, RepoName)>, Fault> {
        let mut tables = self.tables();
        let mut due: Vec<_> = tables
            .executions
            .values()
            .filter(|row| match row.execution.status {
                ExecutionStatus::Parked => row.execution.not_before.is_none_or(|time| time <= now),
                ExecutionStatus::Running => row.lease_until.is_none_or(|time| time <= now),
                ExecutionStatus::Queued => after(row.updated_at, patience) <= now,
                _ => false,
            })
            .map(|row| (row.updated_at, row.execution.id))
            .collect();
        due.sort();
        due.truncate(limit as usize);
        let mut ids: Vec<_> = due.into_iter().map(|(_, id)| id).collect();
        ids.sort();
        let mut requeued = Vec::new();
        for id in ids {
            if let Some(row) = tables.executions.get_mut(&id) {
                row.execution.status = ExecutionStatus::Queued;
                row.execution.not_before = None;
                row.lease_until = None;
                row.updated_at = now;
                requeued.push((id, row.execution.event.repository.clone()));
            }
        }
        tables.close_lost();
        Ok(requeued)
    }

    async fn next_in_group(&self, group: &str) -> Result<Option<ExecutionId>, Fault> {
        let tables = self.tables();
        let first = tables.executions.values().find(|row| row.is_live_in(group));
        Ok(first.filter(|row| row.execution.status == ExecutionStatus::Queued).map(|row| row.execution.id))
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, Fault> {
        Ok(self.tables().executions.get(&id).map(|row| row.execution.clone()))
    }

    async fn unheard(&self, traces: &[Trace]) -> Result<Vec<Trace>, Fault> {
        let tables = self.tables();
        let unheard = |trace: &&Trace| {
            let seen = |head: &Head| {
                let mut rows = tables.executions.values().filter(|row| {
                    let event = &row.execution.event;
                    let it = (&event.repository, event.number, event.head.as_ref());
                    it == (&head.repository, head.number, Some(&head.commit))
                });
                let purged = tables.deliveries.values().any(|delivered| {
                    let it = Some((head.repository.clone(), head.number, head.commit.clone()));
                    delivered.head == it && !delivered.made.is_empty()
                });
                let gone = |row: &Row| match row.execution.status {
                    ExecutionStatus::Superseded => true,
                    status => row.execution.superseded && !status.is_final(),
                };
                match rows.clone().next() {
                    Some(_) => rows.any(|row| head.superseded || !gone(row)),
                    None => purged,
                }
            };
            !tables.deliveries.contains_key(trace.delivery.as_str()) && !trace.head.as_ref().is_some_and(seen)
        };
        Ok(traces.iter().filter(unheard).cloned().collect())
    }

    async fn repositories(&self, after: Option<&RepoName>, limit: u32) -> Result<Vec<RepoName>, Fault> {
        let tables = self.tables();
        let names: BTreeSet<_> = tables.executions.values().map(|row| &row.execution.event.repository).collect();
        let behind = names.into_iter().filter(|name| after.is_none_or(|after| *name > after));
        Ok(behind.take(limit as usize).cloned().collect())
    }

    async fn enqueue(&self, body: &str, lane: Option<&str>, now: Timestamp) -> Result<(), Fault> {
        self.tables().enqueue(body.to_owned(), lane.map(str::to_owned), now);
        Ok(())
    }

    async fn receive(&self, limit: u32, now: Timestamp, until: Timestamp) -> Result<Vec<Received>, Fault> {
        let mut tables = self.tables();
        let available = tables.messages.iter().filter(|(_, mail)| mail.dead.is_none() && mail.available_at <= now);
        let mut available: Vec<_> = available.map(|(id, mail)| (mail.turn, *id)).collect();
        available.sort_unstable();
        available.truncate(limit as usize);
        let mut received = Vec::new();
        for (_, id) in available {
            if let Some(mail) = tables.messages.get_mut(&id) {
                mail.available_at = until;
                mail.receive_count += 1;
                received.push(Received { id, body: mail.body.clone(), receive_count: mail.receive_count });
            }
        }
        Ok(received)
    }

    async fn settle(&self, message: i64, how: &Settle) -> Result<(), Fault> {
        let mut tables = self.tables();
        match how {
            Settle::Done => {
                tables.messages.remove(&message);
            }
            Settle::Again(at) => {
                if let Some(mail) = tables.messages.get_mut(&message) {
                    mail.available_at = *at;
                }
            }
            Settle::Dead(reason) => {
                if let Some(mail) = tables.messages.get_mut(&message) {
                    mail.dead = Some(reason.clone());
                }
            }
        }
        Ok(())
    }

    async fn backlog(&self) -> Result<Backlog, Fault> {
        let tables = self.tables();
        let count = |status| tables.executions.values().filter(|row| row.execution.status == status).count() as u64;
        let waiting = tables.executions.values().filter(|row| row.execution.status == ExecutionStatus::Parked);
        let mail = tables.messages.values().filter(|mail| mail.dead.is_none());
        let next_due =
            waiting.filter_map(|row| row.execution.not_before).chain(mail.clone().map(|mail| mail.available_at)).min();
        Ok(Backlog {
            queued: count(ExecutionStatus::Queued),
            running: count(ExecutionStatus::Running),
            parked: count(ExecutionStatus::Parked),
            messages: mail.count() as u64,
            dead: tables.messages.values().filter(|mail| mail.dead.is_some()).count() as u64,
            open_calls: tables.calls.iter().filter(|row| row.call.outcome.is_none()).count() as u64,
            open_effects: tables.effects.values().filter(|remote| remote.is_none()).count() as u64,
            next_due,
        })
    }

    async fn audit(&self, entry: &AuditEntry) -> Result<(), Fault> {
        self.tables().audit(entry);
        Ok(())
    }

    async fn lead(&self, task: &str, worker: &str, now: Timestamp, until: Timestamp) -> Result<bool, Fault> {
        let mut tables = self.tables();
        let leads = match tables.leaders.get(task) {
            Some((leader, term)) => leader == worker || *term <= now,
            None => true,
        };
        if leads {
            tables.leaders.insert(task.to_owned(), (worker.to_owned(), until));
        }
        Ok(leads)
    }

    async fn purge(&self, retention: &Retention, now: Timestamp, limit: u32) -> Result<Purged, Fault> {
        let mut tables = self.tables();
        let oldest = before(now, retention.age);
        let mut kept = BTreeMap::<&str, u32>::new();
        let mut gone = Vec::new();
        for (id, row) in tables.executions.iter().rev() {
            let kept = kept.entry(&row.execution.definition.name).or_default();
            *kept += 1;
            if !row.is_live() && (*kept > retention.executions || row.execution.created_at < oldest) {
                gone.push(*id);
            }
        }
        gone.reverse();
        gone.truncate(limit as usize);
        for id in &gone {
            tables.executions.remove(id);
        }
        tables.memos.retain(|(id, _), _| !gone.contains(id));
        tables.effects.retain(|(id, _), _| !gone.contains(id));
        let deliveries = tables.deliveries.iter().filter(|(_, delivered)| delivered.at < oldest);
        let old: Vec<_> = deliveries.map(|(id, _)| id.clone()).take(limit as usize).collect();
        for delivery in &old {
            tables.deliveries.remove(delivery);
        }
        Ok(Purged { executions: gone.len() as u64, deliveries: old.len() as u64, budgets: 0 })
    }
}

impl Tables {
    fn audit(&mut self, entry: &AuditEntry) {
        if self.audit.iter().all(|known| known.key != entry.key) {
            self.audit.push(entry.clone());
        }
    }

    fn enqueue(&mut self, body: String, lane: Option<String>, now: Timestamp) {
        self.last_message += 1;
        let waiting = self.messages.values().filter(|mail| mail.dead.is_none());
        let first = waiting.clone().map(|mail| mail.turn).min().unwrap_or_default();
        let own = waiting.filter(|mail| lane.is_some() && mail.lane == lane).map(|mail| mail.turn + 1).max();
        let turn = own.map_or(first, |own| own.max(first));
        let mail = Mail { body, lane, turn, available_at: now, receive_count: 0, dead: None };
        self.messages.insert(self.last_message, mail);
    }
}

#[async_trait]
impl Operations for MemoryStore {
    async fn executions(
        &self,
        filter: &Filter,
        before: Option<ExecutionId>,
        limit: u32,
    ) -> Result<Vec<Summary>, Fault> {
        let tables = self.tables();
        let rows = tables.executions.values().rev().filter(|Row { execution, .. }| {
            before.is_none_or(|before| execution.id < before)
                && filter.workflow.as_ref().is_none_or(|name| *name == execution.definition.name)
                && filter.status.is_none_or(|status| status == execution.status)
                && filter.repository.as_ref().is_none_or(|name| *name == execution.event.repository)
        });
        let summary = |row: &Row| Summary {
            id: row.execution.id,
            workflow: row.execution.definition.name.clone(),
            repository: row.execution.event.repository.clone(),
            number: row.execution.event.number,
            head: row.execution.event.head.clone(),
            status: row.execution.status,
            created_at: row.execution.created_at,
            completed_at: row.execution.status.is_final().then_some(row.updated_at),
            error: row.execution.error.clone(),
        };
        Ok(rows.take(limit as usize).map(summary).collect())
    }

    async fn dead_messages(&self, after: i64, limit: u32) -> Result<Vec<DeadMessage>, Fault> {
        let tables = self.tables();
        let dead = tables.messages.range(after.saturating_add(1)..).filter_map(|(id, mail)| {
            let Mail { body, receive_count, .. } = mail;
            let reason = mail.dead.clone()?;
            Some(DeadMessage { id: *id, body: body.clone(), receive_count: *receive_count, reason })
        });
        Ok(dead.take(limit as usize).collect())
    }

    async fn redrive(&self, message: i64, note: &AuditEntry) -> Result<bool, Fault> {
        let mut tables = self.tables();
        if tables.messages.get(&message).is_none_or(|mail| mail.dead.is_none()) {
            return Ok(false);
        }
        let Some(mail) = tables.messages.remove(&message) else { return Ok(false) };
        tables.enqueue(mail.body, mail.lane, note.at);
        tables.audit(note);
        Ok(true)
    }

    async fn discard(&self, message: i64, note: &AuditEntry) -> Result<bool, Fault> {
        let mut tables = self.tables();
        let found = tables.messages.get(&message).is_some_and(|mail| mail.dead.is_some());
        if found {
            tables.messages.remove(&message);
            tables.audit(note);
        }
        Ok(found)
    }

    async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditEntry)>, Fault> {
        let tables = self.tables();
        let numbered = (1..).zip(&tables.audit).map(|(id, entry)| (id, entry.clone()));
        let mut entries: Vec<_> = numbered.filter(|(id, _)| before.is_none_or(|before| *id < before)).collect();
        entries.reverse();
        entries.truncate(limit as usize);
        Ok(entries)
    }
}
