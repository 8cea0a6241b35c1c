//! The store on SQLite: one file, one writer, commits shared by whoever waits for one.
//!
//! Every write goes through one connection that commits what has piled up in a single transaction (group commit), with
//! `synchronous=FULL`: a write is on the disk before its caller hears of it. Reads go through connections of their own
//! and see the last commit (WAL, <https://www.sqlite.org/wal.html>).

mod accept;
mod calls;
mod effects;
mod inspect;
mod lease;
mod messages;
mod operations;
mod row;
mod seen;
mod writer;

use std::collections::HashSet;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use autopr_core::event::Event;
use autopr_core::execution::Execution;
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::{ExecutionId, RepoName};
use autopr_core::ports::forge::{EffectKind, Marker, Remote};
use autopr_core::ports::operations::{DeadMessage, Filter, Summary};
use autopr_core::ports::schema::{Migration, Schema};
use autopr_core::ports::store::{
    Accepted, AuditEntry, Backlog, Call, CallId, Claim, Intent, Lease, NewCall, NewExecution, Purged, Received,
    Reservation, Retention, Settle, SettledCall, Spending, Standing, Trace, Update,
};
use autopr_core::ports::{Operations, Store};
use autopr_core::workflow::{Definition, DefinitionCache};
use jiff::Timestamp;
use sqlx::migrate::{MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlStr, SqliteConnection};

pub use inspect::{FileState, Inspector};
use writer::Writer;

/// How long a write waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections for reading.
const READERS: u32 = 4;

/// A [`Store`] in one SQLite file.
pub struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
    definitions: Arc<DefinitionCache>,
}

impl SqliteStore {
    /// Opens the file, makes it if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// When the file can't be opened or made, or is no database.
    pub async fn open(path: &Path) -> Result<Self, Fault> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .disable_statement_logging();
        let connection = connect(&options).await.map_err(|error| {
            Fault::new(FaultKind::Unavailable, format!("can't open the database {}", path.display())).source(error)
        })?;
        let options = options.create_if_missing(false);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .connect_lazy_with(options.clone().pragma("query_only", "ON"));
        let writer = Writer::start(connection, options)
            .map_err(|error| Fault::unavailable("can't start the thread that writes to the database").source(error))?;
        Ok(Self { writer, readers, definitions: Arc::default() })
    }

    /// How far the tables of the file are; without a file nothing is applied. Changes nothing.
    ///
    /// # Errors
    /// When the file can't be opened or is no database.
    pub async fn schema(path: &Path) -> Result<Schema, Fault> {
        if !path.exists() {
            return Ok(Schema::of(&MIGRATIONS, &HashSet::new()));
        }
        let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_TIMEOUT);
        let applied = applied(&options).await.map_err(|error| {
            Fault::new(FaultKind::Unavailable, format!("can't read the database {}", path.display())).source(error)
        })?;
        Ok(Schema::of(&MIGRATIONS, &applied))
    }

    /// All migrations, in order.
    pub fn migrations() -> &'static [Migration] {
        &MIGRATIONS
    }

    /// Waits for the writes under way, then closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Connects and applies the migrations that are missing, in one transaction that no other process can cut into.
async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, Box<dyn Error + Send + Sync>> {
    let mut connection = options.connect().await?;
    let mut transaction = connection.begin_with("BEGIN EXCLUSIVE").await?;
    migrator().run(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(connection)
}

/// The numbers of the migrations that are applied.
async fn applied(options: &SqliteConnectOptions) -> Result<HashSet<i64>, sqlx::Error> {
    let mut connection = options.connect().await?;
    let there: bool = sqlx::query_scalar("SELECT count(*) > 0 FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut connection)
        .await?;
    let applied: Vec<i64> = match there {
        true => {
            let query = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success");
            query.fetch_all(&mut connection).await?
        }
        false => Vec::new(),
    };
    connection.close().await?;
    Ok(applied.into_iter().collect())
}

/// The migrations in their order.
const MIGRATIONS: [Migration; 5] = [
    Migration { version: 1, name: "initial", sql: include_str!("../migrations/0001_initial.sql") },
    Migration { version: 2, name: "calls", sql: include_str!("../migrations/0002_calls.sql") },
    Migration { version: 3, name: "reconcile", sql: include_str!("../migrations/0003_reconcile.sql") },
    Migration { version: 4, name: "operations", sql: include_str!("../migrations/0004_operations.sql") },
    Migration { version: 5, name: "heads", sql: include_str!("../migrations/0005_heads.sql") },
];

fn migrator() -> Migrator {
    let migration = |Migration { version, name, sql }: &Migration| {
        sqlx::migrate::Migration::new(*version, (*name).into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    };
    let mut migrator = Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect());
    migrator.set_ignore_missing(true);
    migrator
}

#[async_trait]
impl Store for SqliteStore {
    async fn register(&self, definitions: &[Arc<Definition>], now: Timestamp) -> Result<(), Fault> {
        let definitions = definitions.to_vec();
        for definition in &definitions {
            self.definitions.insert(definition.clone());
        }
        self.writer
            .run("register", move |connection| {
                Box::pin(async move {
                    for definition in &definitions {
                        accept::upsert_workflow(connection, definition, now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn accept(&self, event: &Event, executions: &[NewExecution], now: Timestamp) -> Result<Accepted, Fault> {
        let (event, executions) = (event.clone(), executions.to_vec());
        for execution in &executions {
            self.definitions.insert(execution.definition.clone());
        }
        self.writer
            .run("accept", move |connection| {
                Box::pin(async move { accept::accept(connection, &event, &executions, now).await })
            })
            .await
    }

    async fn join(&self, lease: &Lease, group: &str, now: Timestamp) -> Result<Standing, Fault> {
        let (lease, group) = (lease.clone(), group.to_owned());
        self.writer
            .run("join", move |connection| Box::pin(async move { accept::join(connection, &lease, &group, now).await }))
            .await
    }

    async fn claim(&self, id: ExecutionId, worker: &str, now: Timestamp, until: Timestamp) -> Result<Claim, Fault> {
        let (worker, definitions) = (worker.to_owned(), self.definitions.clone());
        self.writer
            .run("claim", move |connection| {
                Box::pin(async move { lease::claim(connection, &definitions, id, &worker, now, until).await })
            })
            .await
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Standing, Fault> {
        let lease = lease.clone();
        self.writer
            .run("renew", move |connection| Box::pin(async move { lease::renew(connection, &lease, until).await }))
            .await
    }

    async fn record(&self, lease: &Lease, update: &Update) -> Result<Standing, Fault> {
        let (lease, update) = (lease.clone(), update.clone());
        self.writer
            .run("record", move |connection| Box::pin(async move { lease::record(connection, &lease, &update).await }))
            .await
    }

    async fn memo(&self, execution: ExecutionId, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        effects::memo(&self.readers, execution, key).await
    }

    async fn put_memo(&self, lease: &Lease, key: &str, value: &[u8]) -> Result<(), Fault> {
        let (lease, key, value) = (lease.clone(), key.to_owned(), value.to_vec());
        self.writer
            .run("put_memo", move |connection| {
                Box::pin(async move { effects::put_memo(connection, &lease, &key, value).await })
            })
            .await
    }

    async fn begin_effect(
        &self,
        lease: &Lease,
        kind: EffectKind,
        marker: &Marker,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Intent, Fault> {
        let (lease, marker) = (lease.clone(), marker.clone());
        self.writer
            .run("begin_effect", move |connection| {
                Box::pin(async move { effects::begin(connection, &lease, kind, &marker, now, until).await })
            })
            .await
    }

    async fn finish_effect(
        &self,
        lease: &Lease,
        marker: &Marker,
        remote: &Remote,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let (lease, marker, remote) = (lease.clone(), marker.clone(), remote.clone());
        self.writer
            .run("finish_effect", move |connection| {
                Box::pin(async move { effects::finish(connection, &lease, &marker, &remote, now).await })
            })
            .await
    }

    async fn reserve(&self, lease: &Lease, call: &NewCall, now: Timestamp) -> Result<Reservation, Fault> {
        let (lease, call) = (lease.clone(), call.clone());
        self.writer
            .run("reserve", move |connection| {
                Box::pin(async move { calls::reserve(connection, &lease, &call, now).await })
            })
            .await
    }

    async fn settle_call(
        &self,
        lease: &Lease,
        call: CallId,
        settled: &SettledCall,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let (lease, settled) = (lease.clone(), settled.clone());
        self.writer
            .run("settle_call", move |connection| {
                Box::pin(async move { calls::settle(connection, &lease, call, &settled, now).await })
            })
            .await
    }

    async fn calls(&self, execution: ExecutionId) -> Result<Vec<Call>, Fault> {
        calls::calls(&self.readers, execution).await
    }

    async fn spending(&self, scope: &str) -> Result<Spending, Fault> {
        calls::spending(&self.readers, scope).await
    }

    async fn requeue_due(
        &self,
        now: Timestamp,
        patience: Duration,
        limit: u32,
    ) -> Result<Vec<(ExecutionId, RepoName)>, Fault> {
        self.writer
            .run("requeue_due", move |connection| {
                Box::pin(async move {
                    let due = lease::requeue_due(connection, now, patience, limit).await?;
                    calls::close_lost(connection, now).await?;
                    Ok(due)
                })
            })
            .await
    }

    async fn next_in_group(&self, group: &str) -> Result<Option<ExecutionId>, Fault> {
        lease::next_in_group(&self.readers, group).await
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, Fault> {
        let mut connection = self.readers.acquire().await.map_err(row::fault("execution"))?;
        row::load(&mut connection, &self.definitions, id).await
    }

    async fn unheard(&self, traces: &[Trace]) -> Result<Vec<Trace>, Fault> {
        seen::unheard(&self.readers, traces).await
    }

    async fn repositories(&self, after: Option<&RepoName>, limit: u32) -> Result<Vec<RepoName>, Fault> {
        seen::repositories(&self.readers, after, limit).await
    }

    async fn enqueue(&self, body: &str, lane: Option<&str>, now: Timestamp) -> Result<(), Fault> {
        let (body, lane) = (body.to_owned(), lane.map(str::to_owned));
        self.writer
            .run_first("enqueue", move |connection| {
                Box::pin(async move { messages::enqueue(connection, &body, lane.as_deref(), now).await })
            })
            .await
    }

    async fn receive(&self, limit: u32, now: Timestamp, until: Timestamp) -> Result<Vec<Received>, Fault> {
        self.writer
            .run("receive", move |connection| {
                Box::pin(async move { messages::receive(connection, limit, now, until).await })
            })
            .await
    }

    async fn settle(&self, message: i64, how: &Settle) -> Result<(), Fault> {
        let how = how.clone();
        self.writer
            .run("settle", move |connection| Box::pin(async move { messages::settle(connection, message, &how).await }))
            .await
    }

    async fn backlog(&self) -> Result<Backlog, Fault> {
        messages::backlog(&self.readers).await
    }

    async fn audit(&self, entry: &AuditEntry) -> Result<(), Fault> {
        let entry = entry.clone();
        self.writer
            .run("audit", move |connection| Box::pin(async move { operations::audit(connection, &entry).await }))
            .await
    }

    async fn lead(&self, task: &str, worker: &str, now: Timestamp, until: Timestamp) -> Result<bool, Fault> {
        let (task, worker) = (task.to_owned(), worker.to_owned());
        self.writer
            .run("lead", move |connection| {
                Box::pin(async move { operations::lead(connection, &task, &worker, now, until).await })
            })
            .await
    }

    async fn purge(&self, retention: &Retention, now: Timestamp, limit: u32) -> Result<Purged, Fault> {
        let retention = *retention;
        self.writer
            .run("purge", move |connection| {
                Box::pin(async move { operations::purge(connection, &retention, now, limit).await })
            })
            .await
    }
}

#[async_trait]
impl Operations for SqliteStore {
    async fn executions(
        &self,
        filter: &Filter,
        before: Option<ExecutionId>,
        limit: u32,
    ) -> Result<Vec<Summary>, Fault> {
        operations::executions(&self.readers, filter, before, limit).await
    }

    async fn dead_messages(&self, after: i64, limit: u32) -> Result<Vec<DeadMessage>, Fault> {
        operations::dead_messages(&self.readers, after, limit).await
    }

    async fn redrive(&self, message: i64, note: &AuditEntry) -> Result<bool, Fault> {
        let note = note.clone();
        self.writer
            .run("redrive", move |connection| {
                Box::pin(async move { operations::redrive(connection, message, &note).await })
            })
            .await
    }

    async fn discard(&self, message: i64, note: &AuditEntry) -> Result<bool, Fault> {
        let note = note.clone();
        self.writer
            .run("discard", move |connection| {
                Box::pin(async move { operations::discard(connection, message, &note).await })
            })
            .await
    }

    async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditEntry)>, Fault> {
        operations::audit_log(&self.readers, before, limit).await
    }
}
