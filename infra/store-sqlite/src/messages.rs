//! The store-backed queue, and how much is open.

use autopr_core::fault::Fault;
use autopr_core::ports::store::{Backlog, Received, Settle};
use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use crate::row::{fault, micros, time};

pub(crate) async fn enqueue(connection: &mut SqliteConnection, body: &str, now: Timestamp) -> Result<(), Fault> {
    sqlx::query("INSERT INTO messages (body, available_at) VALUES (?, ?)")
        .bind(body)
        .bind(micros(now))
        .execute(connection)
        .await
        .map_err(fault("enqueue"))?;
    Ok(())
}

pub(crate) async fn receive(
    connection: &mut SqliteConnection,
    limit: u32,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Received>, Fault> {
    let rows: Vec<(i64, String, u32)> = sqlx::query_as(
        "UPDATE messages SET available_at = ?1, receive_count = receive_count + 1
        WHERE id IN (SELECT id FROM messages WHERE dead_reason IS NULL AND available_at <= ?2
            ORDER BY available_at, id LIMIT ?3)
        RETURNING id, body, receive_count",
    )
    .bind(micros(until))
    .bind(micros(now))
    .bind(limit)
    .fetch_all(connection)
    .await
    .map_err(fault("receive"))?;
    let mut received: Vec<_> =
        rows.into_iter().map(|(id, body, receive_count)| Received { id, body, receive_count }).collect();
    received.sort_by_key(|message| message.id);
    Ok(received)
}

pub(crate) async fn settle(connection: &mut SqliteConnection, message: i64, how: &Settle) -> Result<(), Fault> {
    let query = match how {
        Settle::Done => sqlx::query("DELETE FROM messages WHERE id = ?"),
        Settle::Again(at) => sqlx::query("UPDATE messages SET available_at = ? WHERE id = ?").bind(micros(*at)),
        Settle::Dead(reason) => sqlx::query("UPDATE messages SET dead_reason = ? WHERE id = ?").bind(reason.as_str()),
    };
    query.bind(message).execute(connection).await.map_err(fault("settle"))?;
    Ok(())
}

pub(crate) async fn backlog(readers: &SqlitePool) -> Result<Backlog, Fault> {
    let (queued, running, parked, messages, dead, open_effects, next_due): (i64, i64, i64, i64, i64, i64, Option<i64>) =
        sqlx::query_as(
            "SELECT
                (SELECT count(*) FROM workflow_executions WHERE status = 'queued'),
                (SELECT count(*) FROM workflow_executions WHERE status = 'running'),
                (SELECT count(*) FROM workflow_executions WHERE status = 'parked'),
                (SELECT count(*) FROM messages WHERE dead_reason IS NULL),
                (SELECT count(*) FROM messages WHERE dead_reason IS NOT NULL),
                (SELECT count(*) FROM execution_effects WHERE state = 'intent'),
                (SELECT min(due) FROM (
                    SELECT min(not_before) AS due FROM workflow_executions WHERE status = 'parked'
                    UNION ALL SELECT min(available_at) FROM messages WHERE dead_reason IS NULL))",
        )
        .fetch_one(readers)
        .await
        .map_err(fault("backlog"))?;
    Ok(Backlog {
        queued: queued.unsigned_abs(),
        running: running.unsigned_abs(),
        parked: parked.unsigned_abs(),
        messages: messages.unsigned_abs(),
        dead: dead.unsigned_abs(),
        open_effects: open_effects.unsigned_abs(),
        next_due: next_due.map(time),
    })
}
