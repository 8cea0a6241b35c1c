//! The one writer: a thread that owns the writing connection and commits what has piled up in one transaction.

use std::{io, thread};

use autopr_core::fault::{Fault, FaultKind, Retry};
use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{Mutex, mpsc, oneshot};

/// The most urgent writes that share a commit. They are short.
const URGENT: usize = 256;

/// The most other writes in a commit: an urgent one that comes meanwhile waits for all of them.
const USUAL: usize = 16;

/// The most writes that wait for the writer; whoever comes later waits to be let in.
const WAITING: usize = 1024;

/// Hands writes to the writing task.
pub(crate) struct Writer {
    lanes: Mutex<Option<Lanes>>,
    end: Mutex<Option<oneshot::Receiver<()>>>,
}

/// The two queues in front of the writing task.
#[derive(Clone)]
struct Lanes {
    /// Writes that somebody waits for who must be answered within milliseconds. They go first.
    urgent: mpsc::Sender<Box<dyn Job>>,
    /// All others.
    usual: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    /// Starts to write to the connection, which `options` made and can make again, on a thread of its own: a write is many
    /// short steps, and between two of them it would wait for everything else that the process has to do.
    pub(crate) fn start(connection: SqliteConnection, options: SqliteConnectOptions) -> io::Result<Self> {
        let (urgent, first) = mpsc::channel(WAITING);
        let (usual, then) = mpsc::channel(WAITING);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (ended, end) = oneshot::channel();
        thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || {
            runtime.block_on(write(connection, options, first, then));
            // Whoever closed the store may not wait for it.
            let _ = ended.send(());
        })?;
        Ok(Self { lanes: Mutex::new(Some(Lanes { urgent, usual })), end: Mutex::new(Some(end)) })
    }

    /// Runs `work` inside a transaction and returns once it is committed, or was undone because it failed.
    pub(crate) async fn run<T, W>(&self, name: &'static str, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
    {
        self.run_in(name, |lanes| lanes.usual, work).await
    }

    /// [`Writer::run`] before everything that waits.
    pub(crate) async fn run_first<T, W>(&self, name: &'static str, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
    {
        self.run_in(name, |lanes| lanes.urgent, work).await
    }

    async fn run_in<T, W>(
        &self,
        name: &'static str,
        lane: impl FnOnce(Lanes) -> mpsc::Sender<Box<dyn Job>>,
        work: W,
    ) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
    {
        let closed = || Fault::unavailable(format!("{name}: the database is closed"));
        let jobs = lane(self.lanes.lock().await.clone().ok_or_else(closed)?);
        let (reply, answer) = oneshot::channel();
        let job = Write { name, work: Some(work), result: None, reply };
        jobs.send(Box::new(job)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Lets no more writes in, waits for those that are, and closes the connection.
    pub(crate) async fn close(&self) {
        self.lanes.lock().await.take();
        if let Some(end) = self.end.lock().await.take()
            && end.await.is_err()
        {
            tracing::error!("the database writer ended badly");
        }
    }
}

/// A write that waits for its commit.
trait Job: Send {
    /// Does the work; an error means that nothing of it may stay.
    fn work<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), sqlx::Error>>;

    /// Answers the caller, once the transaction is committed or has failed.
    fn answer(self: Box<Self>, failure: Option<&sqlx::Error>);
}

struct Write<T, W> {
    name: &'static str,
    work: Option<W>,
    result: Option<Result<T, Fault>>,
    reply: oneshot::Sender<Result<T, Fault>>,
}

impl<T, W> Job for Write<T, W>
where
    T: Send + 'static,
    W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
{
    fn work<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return Ok(()) };
            let mut savepoint = connection.begin().await?;
            let result = work(&mut savepoint).await;
            match result {
                Ok(_) => savepoint.commit().await?,
                Err(_) => savepoint.rollback().await?,
            }
            self.result = Some(result);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, failure: Option<&sqlx::Error>) {
        let answer = match (self.result, failure) {
            (Some(Err(fault)), _) => Err(fault),
            (Some(result), None) => result,
            (_, Some(error)) => Err(failed(self.name, error)),
            (None, None) => Err(Fault::new(FaultKind::Bug, format!("{}: the write was not run", self.name))),
        };
        // The caller may have gone: then nobody wants to know.
        drop(self.reply.send(answer));
    }
}

async fn write(
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    mut urgent: mpsc::Receiver<Box<dyn Job>>,
    mut usual: mpsc::Receiver<Box<dyn Job>>,
) {
    let mut place = Some(connection);
    let mut batch = Vec::new();
    while take(&mut urgent, &mut usual, &mut batch).await {
        let committed = match connected(&mut place, &options).await {
            Ok(connection) => commit(connection, &mut batch).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &committed {
            tracing::warn!(%error, writes = batch.len(), "a commit failed");
            // After a full disk or the like the connection may not know its own state any more: the next write opens
            // another.
            place = None;
        }
        for job in batch.drain(..) {
            job.answer(committed.as_ref().err());
        }
    }
    if let Some(connection) = place
        && let Err(error) = connection.close().await
    {
        tracing::warn!(%error, "closing the database failed");
    }
}

/// Waits for writes and takes up to a batch of them, the urgent ones first; false once there will be no more.
async fn take(
    urgent: &mut mpsc::Receiver<Box<dyn Job>>,
    usual: &mut mpsc::Receiver<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
) -> bool {
    let first = tokio::select! {
        biased;
        job = urgent.recv() => job,
        job = usual.recv() => job,
    };
    // The lanes are closed together: when one is at its end, what is left is in the other.
    let first = match first {
        Some(job) => Some(job),
        None => match urgent.recv().await {
            Some(job) => Some(job),
            None => usual.recv().await,
        },
    };
    batch.extend(first);
    for (lane, most) in [(urgent, URGENT), (usual, USUAL)] {
        let full = batch.len() + most;
        while batch.len() < full
            && let Ok(job) = lane.try_recv()
        {
            batch.push(job);
        }
    }
    !batch.is_empty()
}

async fn connected<'c>(
    place: &'c mut Option<SqliteConnection>,
    options: &SqliteConnectOptions,
) -> Result<&'c mut SqliteConnection, sqlx::Error> {
    match place {
        Some(connection) => Ok(connection),
        None => Ok(place.insert(options.connect().await?)),
    }
}

async fn commit(connection: &mut SqliteConnection, batch: &mut [Box<dyn Job>]) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for job in batch {
        job.work(&mut transaction).await?;
    }
    transaction.commit().await
}

fn failed(name: &str, error: &sqlx::Error) -> Fault {
    Fault::new(FaultKind::Unavailable, format!("{name}: the database did not commit: {error}")).retry(Retry::Backoff)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn rows(writer: &Writer, sql: &'static str) -> Result<i64, Fault> {
        let count = writer.run("count", move |connection| {
            Box::pin(async move {
                let count = sqlx::query_scalar(sql).fetch_one(connection).await;
                count.map_err(|error| Fault::unavailable(error.to_string()))
            })
        });
        count.await
    }

    async fn execute(writer: &Writer, sql: &'static str) -> Result<(), Fault> {
        let done = writer.run("execute", move |connection| {
            Box::pin(async move {
                let done = sqlx::raw_sql(sql).execute(connection).await;
                done.map(|_| ()).map_err(|error| Fault::unavailable(error.to_string()))
            })
        });
        done.await
    }

    #[tokio::test]
    async fn a_full_disk_fails_the_write_and_nothing_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("full.db")).create_if_missing(true);
        let writer = Writer::start(options.connect().await.unwrap(), options).unwrap();
        execute(&writer, "CREATE TABLE t (x BLOB)").await.unwrap();
        execute(&writer, "PRAGMA max_page_count = 3").await.unwrap();
        let full = execute(&writer, "INSERT INTO t SELECT zeroblob(100000)").await.unwrap_err();
        assert!(full.to_string().contains("full"), "{full}");
        execute(&writer, "PRAGMA max_page_count = 1000").await.unwrap();
        execute(&writer, "INSERT INTO t SELECT zeroblob(100000)").await.unwrap();
        assert_eq!(rows(&writer, "SELECT count(*) FROM t").await.unwrap(), 1);
        writer.close().await;
    }

    #[tokio::test]
    async fn a_transaction_that_the_database_ended_by_itself_is_not_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("a.db")).create_if_missing(true);
        let writer = Writer::start(options.connect().await.unwrap(), options).unwrap();
        execute(&writer, "CREATE TABLE t (x INTEGER)").await.unwrap();
        // What SQLite does on some errors (https://www.sqlite.org/lang_transaction.html, section 3.1).
        execute(&writer, "INSERT INTO t VALUES (1); ROLLBACK").await.unwrap_err();
        execute(&writer, "INSERT INTO t VALUES (2)").await.unwrap();
        assert_eq!(rows(&writer, "SELECT sum(x) FROM t").await.unwrap(), 2);
        writer.close().await;
    }

    #[tokio::test]
    async fn a_write_that_fails_leaves_nothing_and_harms_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("a.db")).create_if_missing(true);
        let writer = Writer::start(options.connect().await.unwrap(), options).unwrap();
        execute(&writer, "CREATE TABLE t (x INTEGER UNIQUE)").await.unwrap();
        let (one, half, two) = tokio::join!(
            execute(&writer, "INSERT INTO t VALUES (1)"),
            execute(&writer, "INSERT INTO t VALUES (5); INSERT INTO t VALUES (5)"),
            execute(&writer, "INSERT INTO t VALUES (2)"),
        );
        assert!(one.is_ok() && half.is_err() && two.is_ok());
        assert_eq!(rows(&writer, "SELECT sum(x) FROM t").await.unwrap(), 3, "the half done write is undone");
        writer.close().await;
    }
}
