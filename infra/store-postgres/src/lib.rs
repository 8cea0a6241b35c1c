//! The store on PostgreSQL 15 or newer, for any number of processes.
//!
//! Every method is one statement where one will do, and so one round trip and one commit; the others are one transaction.
//! Whatever rests on a lease checks it inside of the same statement, with the row locked. Times come from the caller.
//! Executions and messages are claimed with `FOR UPDATE SKIP LOCKED` or by the row's own update, groups by advisory locks
//! that last as long as the transaction, so that a pooler which hands out connections by transaction may stand between
//! (<https://www.pgbouncer.org/features.html>).

mod accept;
mod calls;
mod database;
mod effects;
mod inspect;
mod lease;
mod listener;
mod messages;
mod migrations;
mod operations;
mod postman;
mod row;
mod seen;
mod time;
mod workflows;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use autopr_core::event::Event;
use autopr_core::execution::Execution;
use autopr_core::fault::Fault;
use autopr_core::ids::{ExecutionId, RepoName};
use autopr_core::ports::forge::{EffectKind, Marker, Remote};
use autopr_core::ports::operations::{DeadMessage, Filter, Summary};
use autopr_core::ports::schema::{Migration, Schema};
use autopr_core::ports::store::{
    Accepted, AuditEntry, Backlog, Call, CallId, Claim, Intent, Lease, NewCall, NewExecution, Purged, Received,
    Reservation, Retention, Settle, SettledCall, Spending, Standing, State, Trace, Update,
};
use autopr_core::ports::{Operations, Store};
use autopr_core::workflow::{Definition, DefinitionCache};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use uuid::Uuid;

use database::Database;
use messages::Mail;
use postman::Postman;
use row::fault;
use sqlx::Connection;
use workflows::Workflows;

pub use database::{Options, Pooler};
pub use inspect::{Inspector, Server};

/// A [`Store`] in a PostgreSQL database.
pub struct PostgresStore {
    database: Database,
    definitions: DefinitionCache,
    workflows: Workflows,
    postman: Postman,
    /// Names this process to the others.
    process: Uuid,
    heard: Arc<Notify>,
    listening: Option<JoinHandle<()>>,
}

/// Runs a query of a store on a connection of its own: `single` for one statement, `quick` for one that may be lost when
/// the database crashes, `transaction` for several.
macro_rules! query {
    ($self:ident.$open:ident, $name:literal, |$connection:ident| $work:expr) => {
        $self
            .database
            .run($name, async {
                let mut session = $self.database.$open().await?;
                let $connection = session.connection();
                let done = $work.await;
                session.end(done).await
            })
            .await
    };
}

impl PostgresStore {
    /// A store in the database, whose tables must be up to date. Connects when it is first used.
    ///
    /// # Errors
    /// When the address can't be read.
    pub fn new(options: &Options) -> Result<Self, Fault> {
        let (process, heard) = (Uuid::now_v7(), Arc::<Notify>::default());
        let connect = options.connect_options()?;
        let postman = Postman::start(connect.clone(), options.pooler, process).map_err(|error| {
            Fault::unavailable("can't start the thread that puts messages on the queue").source(error)
        })?;
        let hears = options.hears && !options.pooler.by_transaction();
        let listening = hears.then(|| tokio::spawn(listener::listen(connect, process, heard.clone())));
        let database = Database::open(options)?;
        let (definitions, workflows) = (DefinitionCache::default(), Workflows::default());
        Ok(Self { database, definitions, workflows, postman, process, heard, listening })
    }

    /// Brings the tables up to date; returns how far they were before. One process at a time does that.
    ///
    /// # Errors
    /// When the database can't be reached or refuses a statement: then nothing was changed.
    pub async fn migrate(&self) -> Result<Schema, Fault> {
        let mut session = self.database.session().await?;
        // A transaction that sqlx knows of: only inside of one are its migrations parts of a whole.
        let mut transaction =
            session.connection().begin_with(self.database.beginning()).await.map_err(fault("begin"))?;
        let before = migrations::apply(&mut transaction).await?;
        transaction.commit().await.map_err(fault("commit"))?;
        session.end(Ok(before)).await
    }

    /// How far the tables are.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn schema(&self) -> Result<Schema, Fault> {
        query!(self.transaction, "schema", |connection| migrations::schema(connection))
    }

    /// The time by the clock of the database's machine.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn now(&self) -> Result<Timestamp, Fault> {
        query!(self.single, "now", |connection| async {
            let time::Time(now) =
                sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(connection).await.map_err(fault("now"))?;
            Ok(now)
        })
    }

    /// All migrations, in order.
    pub fn migrations() -> &'static [Migration] {
        &migrations::ALL
    }

    /// Closes the connections.
    pub async fn close(&self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
        self.database.close().await;
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn register(&self, definitions: &[Arc<Definition>], now: Timestamp) -> Result<(), Fault> {
        let written = query!(self.transaction, "register", |connection| async {
            let mut written = Vec::new();
            for definition in definitions {
                let workflow = accept::upsert_workflow(connection, definition, now).await?;
                let (_, digest) = self.workflows.ensure(connection, definition, now).await?;
                written.push((definition.name.clone(), workflow, digest));
            }
            Ok(written)
        })?;
        for (name, workflow, digest) in written {
            self.workflows.remember(&name, workflow, digest);
        }
        for definition in definitions {
            self.definitions.insert(definition.clone());
        }
        Ok(())
    }

    async fn accept(&self, event: &Event, executions: &[NewExecution], now: Timestamp) -> Result<Accepted, Fault> {
        for execution in executions {
            self.definitions.insert(execution.definition.clone());
        }
        query!(self.transaction, "accept", |connection| accept::accept(
            connection,
            &self.workflows,
            event,
            executions,
            now
        ))
    }

    async fn join(&self, lease: &Lease, group: &str, now: Timestamp) -> Result<Standing, Fault> {
        query!(self.transaction, "join", |connection| accept::join(connection, lease, group, now))
    }

    async fn claim(&self, id: ExecutionId, worker: &str, now: Timestamp, until: Timestamp) -> Result<Claim, Fault> {
        let claim = query!(self.single, "claim", |connection| lease::claim(
            connection,
            &self.definitions,
            id,
            worker,
            now,
            until
        ))?;
        match claim {
            Some(claim) => Ok(claim),
            None => query!(self.transaction, "claim_in_turn", |connection| lease::claim_in_turn(
                connection,
                &self.definitions,
                id,
                worker,
                now,
                until
            )),
        }
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Standing, Fault> {
        query!(self.quick, "renew", |connection| lease::renew(connection, lease, until))
    }

    async fn record(&self, lease: &Lease, update: &Update) -> Result<Standing, Fault> {
        if matches!(update.state, State::Running) {
            // Lost in a crash of the database, steps are run again; what they tell the world comes after an effect's intent, which
            // waits for the disk and for all that was committed before.
            return query!(self.quick, "record", |connection| lease::record(connection, lease, update));
        }
        query!(self.single, "record", |connection| lease::record(connection, lease, update))
    }

    async fn memo(&self, execution: ExecutionId, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        query!(self.quick, "memo", |connection| effects::memo(connection, execution, key))
    }

    async fn put_memo(&self, lease: &Lease, key: &str, value: &[u8]) -> Result<(), Fault> {
        query!(self.quick, "put_memo", |connection| effects::put_memo(connection, lease, key, value))
    }

    async fn begin_effect(
        &self,
        lease: &Lease,
        kind: EffectKind,
        marker: &Marker,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Intent, Fault> {
        query!(self.single, "begin_effect", |connection| effects::begin(connection, lease, kind, marker, now, until))
    }

    async fn finish_effect(
        &self,
        lease: &Lease,
        marker: &Marker,
        remote: &Remote,
        now: Timestamp,
    ) -> Result<(), Fault> {
        query!(self.single, "finish_effect", |connection| effects::finish(connection, lease, marker, remote, now))
    }

    async fn reserve(&self, lease: &Lease, call: &NewCall, now: Timestamp) -> Result<Reservation, Fault> {
        let reserve = async || query!(self.quick, "reserve", |connection| calls::reserve(connection, lease, call, now));
        let reserved = match reserve().await? {
            Some(reserved) => Some(reserved),
            None => {
                query!(self.quick, "ensure_budgets", |connection| calls::ensure(connection, call, now))?;
                reserve().await?
            }
        };
        let reserved = reserved.ok_or_else(|| Fault::unavailable("reserve: a budget is missing again"))?;
        if let Reservation::Granted(_) = reserved {
            // Every call locks the row of the day's budget: it must not wait for the disk while it does. What it set aside
            // is safe before money is spent all the same.
            query!(self.single, "flush", |connection| calls::flush(connection))?;
        }
        Ok(reserved)
    }

    async fn settle_call(
        &self,
        lease: &Lease,
        call: CallId,
        settled: &SettledCall,
        now: Timestamp,
    ) -> Result<(), Fault> {
        query!(self.quick, "settle_call", |connection| calls::settle(connection, lease, call, settled, now))
    }

    async fn calls(&self, execution: ExecutionId) -> Result<Vec<Call>, Fault> {
        query!(self.single, "calls", |connection| calls::calls(connection, execution))
    }

    async fn spending(&self, scope: &str) -> Result<Spending, Fault> {
        query!(self.single, "spending", |connection| calls::spending(connection, scope))
    }

    async fn requeue_due(
        &self,
        now: Timestamp,
        patience: Duration,
        limit: u32,
    ) -> Result<Vec<(ExecutionId, RepoName)>, Fault> {
        query!(self.transaction, "requeue_due", |connection| async {
            let due = lease::requeue_due(connection, now, patience, limit).await?;
            calls::close_lost(connection, now).await?;
            Ok(due)
        })
    }

    async fn next_in_group(&self, group: &str) -> Result<Option<ExecutionId>, Fault> {
        query!(self.single, "next_in_group", |connection| lease::next_in_group(connection, group))
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, Fault> {
        query!(self.transaction, "execution", |connection| row::load(connection, &self.definitions, id))
    }

    async fn unheard(&self, traces: &[Trace]) -> Result<Vec<Trace>, Fault> {
        query!(self.quick, "unheard", |connection| seen::unheard(connection, traces))
    }

    async fn repositories(&self, after: Option<&RepoName>, limit: u32) -> Result<Vec<RepoName>, Fault> {
        query!(self.single, "repositories", |connection| seen::repositories(connection, after, limit))
    }

    async fn enqueue(&self, body: &str, lane: Option<&str>, now: Timestamp) -> Result<(), Fault> {
        let mail = Mail { body: body.to_owned(), lane: lane.map(str::to_owned), at: now };
        self.database.run("enqueue", self.postman.enqueue(mail)).await
    }

    async fn enqueued_elsewhere(&self) {
        self.heard.notified().await;
    }

    async fn receive(&self, limit: u32, now: Timestamp, until: Timestamp) -> Result<Vec<Received>, Fault> {
        query!(self.quick, "receive", |connection| messages::receive(connection, limit, now, until))
    }

    async fn settle(&self, message: i64, how: &Settle) -> Result<(), Fault> {
        query!(self.quick, "settle", |connection| messages::settle(connection, message, how))
    }

    async fn backlog(&self) -> Result<Backlog, Fault> {
        query!(self.single, "backlog", |connection| messages::backlog(connection))
    }

    async fn audit(&self, entry: &AuditEntry) -> Result<(), Fault> {
        query!(self.single, "audit", |connection| operations::audit(connection, entry))
    }

    async fn lead(&self, task: &str, worker: &str, now: Timestamp, until: Timestamp) -> Result<bool, Fault> {
        query!(self.quick, "lead", |connection| operations::lead(connection, task, worker, now, until))
    }

    async fn purge(&self, retention: &Retention, now: Timestamp, limit: u32) -> Result<Purged, Fault> {
        query!(self.transaction, "purge", |connection| operations::purge(connection, retention, now, limit))
    }
}

#[async_trait]
impl Operations for PostgresStore {
    async fn executions(
        &self,
        filter: &Filter,
        before: Option<ExecutionId>,
        limit: u32,
    ) -> Result<Vec<Summary>, Fault> {
        query!(self.single, "executions", |connection| operations::executions(connection, filter, before, limit))
    }

    async fn dead_messages(&self, after: i64, limit: u32) -> Result<Vec<DeadMessage>, Fault> {
        query!(self.single, "dead_messages", |connection| operations::dead_messages(connection, after, limit))
    }

    async fn redrive(&self, message: i64, note: &AuditEntry) -> Result<bool, Fault> {
        query!(self.transaction, "redrive", |connection| operations::redrive(connection, message, note, self.process))
    }

    async fn discard(&self, message: i64, note: &AuditEntry) -> Result<bool, Fault> {
        query!(self.transaction, "discard", |connection| operations::discard(connection, message, note))
    }

    async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditEntry)>, Fault> {
        query!(self.single, "audit_log", |connection| operations::audit_log(connection, before, limit))
    }
}
