//! What an operator asks of a database before anything is run on it: one connection of its own, which changes nothing.

use std::time::{Duration, Instant};

use autopr_core::clock::{Clock, between};
use autopr_core::fault::Fault;
use autopr_core::ports::operations::QueueState;
use autopr_core::ports::schema::Schema;
use jiff::Timestamp;
use sqlx::{ConnectOptions, Connection, PgConnection};
use uuid::Uuid;

use crate::database::{Options, Pooler, begin};
use crate::messages::{self, Mail};
use crate::migrations;
use crate::row::{fault, get};
use crate::time::Time;

/// How often a latency is measured.
const ROUNDS: usize = 5;

/// What a server says of itself.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its version for people, such as `15.14`.
    pub version: String,
    /// Its version as a number, such as 150014.
    pub number: i32,
    /// How many connections it takes.
    pub max_connections: u32,
    /// How many of these it keeps for its superusers.
    pub reserved: u32,
    /// How many are in use now, by whomever.
    pub in_use: u32,
    /// Whether it takes no writes, as a standby does.
    pub read_only: bool,
    /// The quickest of a few round trips: what the network takes, without what else was going on.
    pub latency: Duration,
    /// How far its clock and this machine's are apart.
    pub clocks_apart: Duration,
    /// How far the tables are.
    pub schema: Schema,
}

/// A connection that looks.
pub struct Inspector {
    connection: PgConnection,
    pooler: Pooler,
}

impl Inspector {
    /// Connects, once: whoever looks wants to know why it fails.
    ///
    /// # Errors
    /// When the address can't be read, or the server can't be reached or lets nobody in.
    pub async fn connect(options: &Options) -> Result<Self, Fault> {
        let connection = options.connect_options()?.connect().await.map_err(fault("connect"))?;
        Ok(Self { connection, pooler: options.pooler })
    }

    /// Asks the server about itself.
    ///
    /// # Errors
    /// When it stops answering.
    pub async fn server(&mut self) -> Result<Server, Fault> {
        let pooler = self.pooler;
        let connection = &mut self.connection;
        begin(connection, pooler).await?;
        let row = sqlx::query(
            "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
                current_setting('max_connections')::int AS most,
                current_setting('superuser_reserved_connections')::int AS reserved,
                (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL)::int AS used,
                pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS read_only",
        )
        .fetch_one(&mut *connection)
        .await
        .map_err(fault("inspect"))?;
        let count = |column| get::<i32>(&row, column).map(|count| count.max(0).unsigned_abs());
        let mut latency = Duration::MAX;
        let mut clocks_apart = Duration::MAX;
        for _ in 0..ROUNDS {
            let (asked, begun) = (Clock::System.now(), Instant::now());
            let Time(theirs) = sqlx::query_scalar("SELECT clock_timestamp()")
                .fetch_one(&mut *connection)
                .await
                .map_err(fault("now"))?;
            let answered = Clock::System.now();
            latency = latency.min(begun.elapsed());
            // The answer is as old as its way was long, at most.
            clocks_apart = clocks_apart.min(between(theirs, asked).max(between(answered, theirs)));
        }
        let schema = migrations::schema(connection).await?;
        let server = Server {
            version: get::<String>(&row, "version")?.split(' ').next().unwrap_or_default().to_owned(),
            number: get(&row, "number")?,
            max_connections: count("most")?,
            reserved: count("reserved")?,
            in_use: count("used")?,
            read_only: get(&row, "read_only")?,
            latency,
            clocks_apart,
            schema,
        };
        self.undo().await?;
        Ok(server)
    }

    /// Puts a message on the queue and takes it off again within a transaction that is then undone, so that nobody else ever
    /// sees it; and counts what lies there. The tables must be up to date.
    ///
    /// # Errors
    /// When one of these fails: the tables are not there, or this user may not change them.
    pub async fn queue(&mut self) -> Result<QueueState, Fault> {
        let pooler = self.pooler;
        let connection = &mut self.connection;
        begin(connection, pooler).await?;
        let (waiting, dead, oldest): (i64, i64, Option<f64>) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE dead_reason IS NULL), count(*) FILTER (WHERE dead_reason IS NOT NULL),
                extract(epoch FROM clock_timestamp()
                    - min(available_at) FILTER (WHERE dead_reason IS NULL AND available_at <= clock_timestamp()))::float8
            FROM messages",
        )
        .fetch_one(&mut *connection)
        .await
        .map_err(fault("queue"))?;
        let begun = Instant::now();
        let body = format!("doctor {}", Uuid::now_v7());
        let mail = Mail { body: body.clone(), lane: None, at: Timestamp::UNIX_EPOCH };
        messages::enqueue(connection, &[&mail], Uuid::now_v7()).await?;
        let taken: Option<i64> = sqlx::query_scalar(
            "UPDATE messages SET receive_count = receive_count + 1
            WHERE id = (SELECT max(id) FROM messages WHERE body = $1 AND available_at = $2 AND dead_reason IS NULL)
            RETURNING id",
        )
        .bind(&body)
        .bind(Time(Timestamp::UNIX_EPOCH))
        .fetch_optional(&mut *connection)
        .await
        .map_err(fault("receive"))?;
        let round_trip = begun.elapsed();
        self.undo().await?;
        if taken.is_none() {
            return Err(Fault::unavailable("receive: the message that was put on the queue is not on it"));
        }
        let oldest = oldest.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Ok(QueueState { waiting: waiting.unsigned_abs(), dead: dead.unsigned_abs(), oldest, round_trip })
    }

    /// Ends the connection.
    pub async fn close(self) {
        // The server finds out by itself otherwise.
        drop(self.connection.close().await);
    }

    async fn undo(&mut self) -> Result<(), Fault> {
        sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await.map_err(fault("rollback"))?;
        Ok(())
    }
}
