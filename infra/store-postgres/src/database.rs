//! Connections, and what every query has in common: a name, a time-out, and a transaction where it needs one.

use std::future::Future;
use std::time::{Duration, Instant};

use autopr_core::fault::{Fault, FaultKind, Retry};
use autopr_core::telemetry::{DB_CONNECTIONS, DB_LIMIT, DB_QUERY_DURATION};
use metrics::{gauge, histogram};
use secrecy::{ExposeSecret, SecretString};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Postgres};

use crate::row::fault;

/// How long the server works on one statement before it gives up.
const STATEMENT: &str = "8s";

/// How long a transaction may lie idle before the server ends it: its process has gone without a word.
const IDLE_IN_TRANSACTION: &str = "30s";

/// How long a query may take in all, whatever becomes of the connection.
const QUERY: Duration = Duration::from_secs(10);

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(60);

/// How long a connection that is asked for life may take to answer.
const ALIVE: Duration = Duration::from_secs(1);

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
    /// What stands between.
    pub pooler: Pooler,
    /// Whether this process wants to hear of messages that others put on the queue, which takes a connection.
    pub hears: bool,
    /// Whether a connection is asked for life before it is used: for a process that is frozen between two pieces of work,
    /// during which the other side may have gone without a word.
    pub asks: bool,
}

/// What stands between this process and the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooler {
    /// Nothing, or what hands out connections by session.
    None,
    /// What hands out connections by transaction and knows nothing of prepared statements, such as PgBouncer: nothing may
    /// outlive a transaction, no prepared statement and no `LISTEN`.
    Transaction,
    /// Amazon RDS Proxy. It hands out connections by transaction and looks after prepared statements itself; but it
    /// refuses settings that come with a connection, and a `DEALLOCATE`, a `LISTEN` or a `SET` outside of a transaction
    /// would tie a connection of the database to one of its clients
    /// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html>).
    RdsProxy,
}

impl Pooler {
    /// Whether a connection is another one after each transaction.
    pub(crate) fn by_transaction(self) -> bool {
        self != Self::None
    }

    /// The statements that begin a transaction. A pooler's connection may hold prepared statements of whoever had it
    /// before, under the names that the next ones will get.
    pub(crate) fn beginning(self) -> &'static str {
        match self {
            Self::Transaction => "BEGIN; DEALLOCATE ALL",
            Self::None | Self::RdsProxy => "BEGIN",
        }
    }
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
        Ok(match self.pooler {
            // A pooler knows no settings of sessions.
            Pooler::Transaction => options.statement_cache_capacity(0).extra_float_digits(None),
            Pooler::RdsProxy => options.extra_float_digits(None),
            Pooler::None => options.options([
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
    pooler: Pooler,
}

impl Database {
    pub(crate) fn open(options: &Options) -> Result<Self, Fault> {
        let most = options.most_connections;
        let pool = |most: u32, connect: PgConnectOptions| {
            let pool = PgPoolOptions::new()
                .max_connections(most)
                .acquire_timeout(options.wait)
                .max_lifetime(options.recycle)
                .test_before_acquire(false)
                .idle_timeout(IDLE);
            let pool = match options.asks {
                true => pool.before_acquire(|connection, _| Box::pin(lives(connection))),
                false => pool,
            };
            pool.connect_lazy_with(connect)
        };
        let connect = options.connect_options()?;
        let pooler = options.pooler;
        if pooler.by_transaction() || most < 2 {
            let pool = pool(most, connect);
            return Ok(Self { quick: pool.clone(), pool, pooler });
        }
        let quick = pool(most.div_ceil(4), connect.clone().options(QUICK));
        Ok(Self { pool: pool(most - most.div_ceil(4), connect), quick, pooler })
    }

    /// The statements that begin a transaction.
    pub(crate) fn beginning(&self) -> &'static str {
        self.pooler.beginning()
    }

    /// A connection for one statement, which is a transaction by itself.
    pub(crate) async fn single(&self) -> Result<Session, Fault> {
        if self.pooler.by_transaction() { self.transaction().await } else { self.session().await }
    }

    /// A connection for one statement that may be lost when the database crashes within a second: what is done again then,
    /// or taken for undone, without harm. Nobody waits for the disk, also not those who want the same rows. What is
    /// committed later on any connection reaches the disk later
    /// (<https://www.postgresql.org/docs/15/wal-async-commit.html>).
    pub(crate) async fn quick(&self) -> Result<Session, Fault> {
        let mut session = Session::of(&self.quick).await?;
        if self.pooler.by_transaction() {
            let begin = format!("{}; SET LOCAL synchronous_commit = off", self.pooler.beginning());
            sqlx::raw_sql(AssertSqlSafe(begin)).execute(session.connection()).await.map_err(fault("begin"))?;
            session.in_transaction = true;
        }
        Ok(session)
    }

    /// A connection with a transaction that has begun.
    pub(crate) async fn transaction(&self) -> Result<Session, Fault> {
        let mut session = self.session().await?;
        begin(session.connection(), self.pooler).await?;
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
        let mut most = self.pool.options().get_max_connections();
        if !self.pooler.by_transaction() {
            let (more, more_idle) = connections(&self.quick);
            (open, idle) = (open + more, idle + more_idle);
            most += self.quick.options().get_max_connections();
        }
        gauge!(DB_LIMIT).set(f64::from(most));
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

/// Whether the other side of a connection is still there. One that says nothing is closed.
async fn lives(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    Ok(matches!(tokio::time::timeout(ALIVE, connection.ping()).await, Ok(Ok(()))))
}

/// Begins a transaction.
pub(crate) async fn begin(connection: &mut PgConnection, pooler: Pooler) -> Result<(), Fault> {
    sqlx::raw_sql(pooler.beginning()).execute(connection).await.map_err(fault("begin"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pooler_gets_no_settings_with_a_connection() {
        let sent = |pooler| {
            let options = Options {
                url: "postgresql://u@127.0.0.1/d".into(),
                most_connections: 1,
                wait: Duration::from_secs(1),
                recycle: Duration::from_secs(1),
                log_statements: false,
                pooler,
                hears: false,
                asks: false,
            };
            options.connect_options().unwrap().get_options().map(str::to_owned)
        };
        assert!(sent(Pooler::None).is_some_and(|options| options.contains("statement_timeout")));
        assert_eq!((sent(Pooler::Transaction), sent(Pooler::RdsProxy)), (None, None));
    }
}
