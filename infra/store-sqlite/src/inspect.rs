//! What an operator asks of a file before anything is run on it. Nothing is made and nothing changed.

use std::path::Path;
use std::time::{Duration, Instant};

use autopr_core::clock::{Clock, between};
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ports::operations::QueueState;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::BUSY_TIMEOUT;
use crate::messages;
use crate::row::{fault, time};

/// What a file and the library say of themselves.
#[derive(Debug, Clone)]
pub struct FileState {
    /// The version of SQLite in this program.
    pub version: String,
    /// How the file keeps what is not yet in its place: `wal`, as the store sets it.
    pub journal: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The quickest of a few reads.
    pub latency: Duration,
}

/// A connection that looks at a file that is there.
pub struct Inspector {
    connection: SqliteConnection,
    bytes: u64,
}

impl Inspector {
    /// Opens the file.
    ///
    /// # Errors
    /// When it is not there, can't be opened, or is no database.
    pub async fn open(path: &Path) -> Result<Self, Fault> {
        let unusable = |error: &dyn std::fmt::Display| {
            Fault::new(FaultKind::Unavailable, format!("can't open the database {}", path.display()))
                .source(error.to_string())
        };
        let bytes = std::fs::metadata(path).map_err(|error| unusable(&error))?.len();
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT).disable_statement_logging();
        let connection = options.connect().await.map_err(|error| unusable(&error))?;
        Ok(Self { connection, bytes })
    }

    /// Asks the file and the library about themselves.
    ///
    /// # Errors
    /// When the file is no database.
    pub async fn file(&mut self) -> Result<FileState, Fault> {
        let connection = &mut self.connection;
        let version: String = sqlx::query_scalar("SELECT sqlite_version()")
            .fetch_one(&mut *connection)
            .await
            .map_err(fault("inspect"))?;
        let journal: String =
            sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await.map_err(fault("inspect"))?;
        let mut latency = Duration::MAX;
        for _ in 0..5 {
            let begun = Instant::now();
            let _: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master")
                .fetch_one(&mut *connection)
                .await
                .map_err(fault("inspect"))?;
            latency = latency.min(begun.elapsed());
        }
        Ok(FileState { version, journal, bytes: self.bytes, latency })
    }

    /// Puts a message on the queue and takes it off again within a transaction that is then undone, so that nobody else ever
    /// sees it; and counts what lies there. The tables must be up to date.
    ///
    /// # Errors
    /// When one of these fails: the tables are not there, or this user may not change the file.
    pub async fn queue(&mut self) -> Result<QueueState, Fault> {
        let now = Clock::System.now();
        let begun = Instant::now();
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await.map_err(fault("begin"))?;
        let (waiting, dead, oldest): (i64, i64, Option<i64>) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE dead_reason IS NULL), count(*) FILTER (WHERE dead_reason IS NOT NULL),
                min(available_at) FILTER (WHERE dead_reason IS NULL) FROM messages",
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(fault("queue"))?;
        messages::enqueue(&mut transaction, "doctor", None, Timestamp::UNIX_EPOCH).await?;
        let taken: Option<i64> = sqlx::query_scalar(
            "UPDATE messages SET receive_count = receive_count + 1 WHERE id = last_insert_rowid() RETURNING id",
        )
        .fetch_optional(&mut *transaction)
        .await
        .map_err(fault("receive"))?;
        transaction.rollback().await.map_err(fault("rollback"))?;
        let round_trip = begun.elapsed();
        if taken.is_none() {
            return Err(Fault::unavailable("receive: the message that was put on the queue is not on it"));
        }
        let oldest = oldest.map(time).filter(|due| *due <= now).map(|due| between(due, now));
        Ok(QueueState { waiting: waiting.unsigned_abs(), dead: dead.unsigned_abs(), oldest, round_trip })
    }

    /// Closes the file.
    pub async fn close(self) {
        // Nothing was written that could be lost.
        drop(self.connection.close().await);
    }
}
