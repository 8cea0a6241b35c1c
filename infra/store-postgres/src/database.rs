//! Connections, and what every query has in common: a name, a time-out, and a transaction where it needs one.

use std::future::Future;
use std::time::{Duration, Instant};

use autopr_core::fault::{Fault, FaultKind, Retry};
use autopr_core::telemetry::{DB_CONNECTIONS, DB_QUERY_DURATION};
use metrics::{gauge, histogram};
use secrecy::{ExposeSecret, SecretString};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, Postgres};

use crate::row::fault;

/// How long the server works on one statement before it gives up.
const STATEMENT: &str = "8s";

/// How long a transaction may lie idle before the server ends it: its process has gone without a word.
const IDLE_IN_TRANSACTION: &str = "30s";

/// How long a query may take in all, whatever becomes of the connection.
const QUERY: Duration = Duration::from_secs(10);

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(60);

/// What makes the quick connections quick: their few statements are planned once.
const QUICK: [(&str, &str); 2] = [("synchronous_commit", "off"), ("plan_cache_mode", "force_generic_plan")];

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Options {
    /// `postgresql://USER:PASSWORD@HOST:PORT/NAME`, with `sslmode` and `sslrootcert` as PostgreSQL's own programs know
    /// them.
    pub url: SecretString,
    /// The most connections, beside one for putting messages on the queue and one for hearing of them.
    pub most_connections: u32,
    /// How long to wait for a connection.
    pub wait: Duration,
    /// The age at which a connection is replaced.
    pub recycle: Duration,
    /// Whether statements are logged.
    pub log_statements: bool,
    /// Whether a pooler stands between that hands out connections by transaction, such as PgBouncer: then nothing may
    /// outlive a transaction, no prepared statement and no `LISTEN`.
    pub transaction_pooler: bool,
}

impl Options {
    pub(crate) fn connect_options(&self) -> Result<PgConnectOptions, Fault> {
        let options: PgConnectOptions = self.url.expose_secret().parse().map_err(|error: sqlx::Error| {
            // The text of the error names the part that is wrong, not the password.
            Fault::invalid("database.url can't be read as the address of a PostgreSQL server").source(error)
        })?;
        let options = options.application_name("autopr");
        // Slow statements are logged in any case.
        let options = match if self.log_statements { "info" } else { "off" }.parse() {
            Ok(level) => options.log_statements(level),
            Err(_) => options,
        };
        Ok(match self.transaction_pooler {
            // A pooler knows no settings of sessions.
            true => options.statement_cache_capacity(0).extra_float_digits(None),
            false => options.options([
                ("statement_timeout", STATEMENT),
                ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
                // Every query has its index. A plan that is made while a table is nearly empty, and kept, reads the whole
                // of it otherwise, until the server counts its rows again.
                ("enable_seqscan", "off"),
            ]),
        })
    }
}

/// The pools of connections.
pub(crate) struct Database {
    /// Their commits wait for the disk.
    pool: PgPool,
    /// Theirs don't.
    quick: PgPool,
    transaction_pooler: bool,
}

impl Database {
    pub(crate) fn open(options: &Options) -> Result<Self, Fault> {
        let most = options.most_connections;
        let pool = |most: u32, connect: PgConnectOptions| {
            PgPoolOptions::new()
                .max_connections(most)
                .acquire_timeout(options.wait)
                .max_lifetime(options.recycle)
                .test_before_acquire(false)
                .idle_timeout(IDLE)
                .connect_lazy_with(connect)
        };
        let connect = options.connect_options()?;
        let transaction_pooler = options.transaction_pooler;
        if transaction_pooler || most < 2 {
            let pool = pool(most, connect);
            return Ok(Self { quick: pool.clone(), pool, transaction_pooler });
        }
        let quick = pool(most.div_ceil(4), connect.clone().options(QUICK));
        Ok(Self { pool: pool(most - most.div_ceil(4), connect), quick, transaction_pooler })
    }

    /// The statements that begin a transaction.
    pub(crate) fn beginning(&self) -> &'static str {
        beginning(self.transaction_pooler)
    }

    /// A connection for one statement, which is a transaction by itself.
    pub(crate) async fn single(&self) -> Result<Session, Fault> {
        if self.transaction_pooler { self.transaction().await } else { self.session().await }
    }

    /// A connection for one statement that may be lost when the database crashes within a second: what is done again then,
    /// or taken for undone, without harm. Nobody waits for the disk, also not those who want the same rows. What is
    /// committed later on any connection reaches the disk later
    /// (<https://www.postgresql.org/docs/15/wal-async-commit.html>).
    pub(crate) async fn quick(&self) -> Result<Session, Fault> {
        let mut session = Session::of(&self.quick).await?;
        if self.transaction_pooler {
            let begin = format!("{}; SET LOCAL synchronous_commit = off", beginning(true));
            sqlx::raw_sql(AssertSqlSafe(begin)).execute(session.connection()).await.map_err(fault("begin"))?;
            session.in_transaction = true;
        }
        Ok(session)
    }

    /// A connection with a transaction that has begun.
    pub(crate) async fn transaction(&self) -> Result<Session, Fault> {
        let mut session = self.session().await?;
        begin(session.connection(), self.transaction_pooler).await?;
        session.in_transaction = true;
        Ok(session)
    }

    /// A connection without a transaction.
    pub(crate) async fn session(&self) -> Result<Session, Fault> {
        Session::of(&self.pool).await
    }

    /// Runs a query under its name: it is timed and bounded in time.
    pub(crate) async fn run<T>(
        &self,
        name: &'static str,
        query: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let begun = Instant::now();
        let done = tokio::time::timeout(QUERY, query).await.unwrap_or_else(|_| {
            let context = format!("{name}: the database did not answer within {} s", QUERY.as_secs());
            Err(Fault::new(FaultKind::Unavailable, context).retry(Retry::Backoff))
        });
        histogram!(DB_QUERY_DURATION, "query" => name).record(begun.elapsed().as_secs_f64());
        let (mut open, mut idle) = connections(&self.pool);
        if !self.transaction_pooler {
            let (more, more_idle) = connections(&self.quick);
            (open, idle) = (open + more, idle + more_idle);
        }
        gauge!(DB_CONNECTIONS, "state" => "idle").set(f64::from(idle));
        gauge!(DB_CONNECTIONS, "state" => "used").set(f64::from(open - idle));
        done
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
        self.quick.close().await;
    }
}

/// How many connections a pool has, and how many of these nobody uses. The pool counts the latter apart from the former, and
/// for a moment to below zero, which wraps around.
fn connections(pool: &PgPool) -> (u32, u32) {
    let (open, idle) = (pool.size(), pool.num_idle());
    let wrapped = idle > usize::MAX / 2;
    (open, if wrapped { 0 } else { u32::try_from(idle).unwrap_or(open).min(open) })
}

fn beginning(transaction_pooler: bool) -> &'static str {
    if transaction_pooler { "BEGIN; DEALLOCATE ALL" } else { "BEGIN" }
}

/// Begins a transaction. A pooler's connection may hold prepared statements of whoever had it before, under the names that
/// the next ones will get.
pub(crate) async fn begin(connection: &mut PgConnection, transaction_pooler: bool) -> Result<(), Fault> {
    sqlx::raw_sql(beginning(transaction_pooler)).execute(connection).await.map_err(fault("begin"))?;
    Ok(())
}

/// A connection in use. One that is dropped before its end is closed, since nobody knows what is on its way.
pub(crate) struct Session {
    connection: PoolConnection<Postgres>,
    in_transaction: bool,
    ended: bool,
}

impl Session {
    async fn of(pool: &PgPool) -> Result<Self, Fault> {
        let connection = pool.acquire().await.map_err(fault("connect"))?;
        Ok(Self { connection, in_transaction: false, ended: false })
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Commits what was done, or undoes it when it failed.
    pub(crate) async fn end<T>(mut self, done: Result<T, Fault>) -> Result<T, Fault> {
        if self.in_transaction {
            let last = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = sqlx::raw_sql(last).execute(&mut *self.connection).await;
            if let (Ok(_), Err(error)) = (&done, ended) {
                return Err(fault("commit")(error));
            }
        }
        self.ended = match &done {
            Ok(_) => true,
            Err(fault) => fault.kind != FaultKind::Unavailable,
        };
        done
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
        }
    }
}
