//! Puts messages on the queue: whatever waits goes with one statement and one commit, on a connection and a thread of its
//! own, because GitHub waits for the answer however much the rest of the process has to do.

use std::time::Duration;
use std::{io, thread};

use autopr_core::fault::{Fault, FaultKind, Retry};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::database::{Pooler, begin};
use crate::messages::{self, Mail};
use crate::row::fault;

/// The most messages that share a commit.
const BATCH: usize = 256;

/// The most that wait; whoever comes later waits to be let in.
const WAITING: usize = 1024;

/// How long a commit may take, with the connection it may need first.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes messages from whoever has some.
pub(crate) struct Postman {
    jobs: mpsc::Sender<Job>,
}

struct Job {
    mail: Mail,
    reply: oneshot::Sender<Result<(), Fault>>,
}

impl Postman {
    /// Starts the thread. It ends when this is dropped and all that waits is dealt with.
    pub(crate) fn start(options: PgConnectOptions, pooler: Pooler, process: Uuid) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let round = Round { options, pooler, process, connection: None };
        thread::Builder::new().name("postman".to_owned()).spawn(move || runtime.block_on(deliver(round, waiting)))?;
        Ok(Self { jobs })
    }

    /// Returns once the message is on the disk of the database.
    pub(crate) async fn enqueue(&self, mail: Mail) -> Result<(), Fault> {
        let closed = || Fault::unavailable("enqueue: the database is closed");
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { mail, reply }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

async fn deliver(mut round: Round, mut waiting: mpsc::Receiver<Job>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        // Whoever gave up was told that the message was not taken: then it must not be.
        batch.retain(|job| !job.reply.is_closed());
        if batch.is_empty() {
            continue;
        }
        let mail: Vec<_> = batch.iter().map(|job| &job.mail).collect();
        let done = tokio::time::timeout(PATIENCE, round.put(&mail)).await.unwrap_or_else(|_| {
            let context = format!("enqueue: the database did not answer within {} s", PATIENCE.as_secs());
            Err(Fault::new(FaultKind::Unavailable, context).retry(Retry::Backoff))
        });
        if done.is_err() {
            // Nobody knows what is still on its way.
            round.connection = None;
        }
        for job in batch.drain(..) {
            let answer = match &done {
                Ok(()) => Ok(()),
                Err(fault) => Err(Fault::new(fault.kind, fault.to_string()).retry(fault.retry)),
            };
            // The caller may have gone meanwhile: a message too many is accepted once all the same.
            drop(job.reply.send(answer));
        }
    }
    if let Some(connection) = round.connection.take() {
        drop(connection.close().await);
    }
}

struct Round {
    options: PgConnectOptions,
    pooler: Pooler,
    process: Uuid,
    connection: Option<PgConnection>,
}

impl Round {
    async fn put(&mut self, mail: &[&Mail]) -> Result<(), Fault> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(self.options.connect().await.map_err(fault("connect"))?),
        };
        if !self.pooler.by_transaction() {
            return messages::enqueue(connection, mail, self.process).await;
        }
        begin(connection, self.pooler).await?;
        messages::enqueue(connection, mail, self.process).await?;
        sqlx::raw_sql("COMMIT").execute(connection).await.map_err(fault("commit"))?;
        Ok(())
    }
}
