//! The store-backed queue, and how much is open.

use autopr_core::fault::Fault;
use autopr_core::ports::store::{Backlog, Received, Settle};
use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use crate::row::{fault, get, micros, time};

pub(crate) async fn enqueue(
    connection: &mut SqliteConnection,
    body: &str,
    lane: Option<&str>,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO messages (body, lane, available_at, turn) VALUES (?1, ?2, ?3, max(
            coalesce((SELECT min(turn) FROM messages WHERE dead_reason IS NULL), 0),
            coalesce((SELECT max(turn) + 1 FROM messages WHERE dead_reason IS NULL AND lane = ?2), 0)))",
    )
    .bind(body)
    .bind(lane)
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
    let mut rows: Vec<(i64, String, u32, i64)> = sqlx::query_as(
        "UPDATE messages SET available_at = ?1, receive_count = receive_count + 1
        WHERE id IN (SELECT id FROM messages WHERE dead_reason IS NULL AND available_at <= ?2
            ORDER BY turn, id LIMIT ?3)
        RETURNING id, body, receive_count, turn",
    )
    .bind(micros(until))
    .bind(micros(now))
    .bind(limit)
    .fetch_all(connection)
    .await
    .map_err(fault("receive"))?;
    rows.sort_by_key(|(id, _, _, turn)| (*turn, *id));
    Ok(rows.into_iter().map(|(id, body, receive_count, _)| Received { id, body, receive_count }).collect())
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
    let row = sqlx::query(
        "SELECT
            (SELECT count(*) FROM workflow_executions WHERE status = 'queued') AS queued,
            (SELECT count(*) FROM workflow_executions WHERE status = 'running') AS running,
            (SELECT count(*) FROM workflow_executions WHERE status = 'parked') AS parked,
            (SELECT count(*) FROM messages WHERE dead_reason IS NULL) AS messages,
            (SELECT count(*) FROM messages WHERE dead_reason IS NOT NULL) AS dead,
            (SELECT count(*) FROM execution_effects WHERE state = 'intent') AS open_effects,
            (SELECT count(*) FROM llm_calls WHERE outcome IS NULL) AS open_calls,
            (SELECT min(due) FROM (
                SELECT min(not_before) AS due FROM workflow_executions WHERE status = 'parked'
                UNION ALL SELECT min(available_at) FROM messages WHERE dead_reason IS NULL)) AS next_due",
    )
    .fetch_one(readers)
    .await
    .map_err(fault("backlog"))?;
    let count = |column| get::<i64>(&row, column).map(i64::unsigned_abs);
    Ok(Backlog {
        queued: count("queued")?,
        running: count("running")?,
        parked: count("parked")?,
        messages: count("messages")?,
        dead: count("dead")?,
        open_effects: count("open_effects")?,
        open_calls: count("open_calls")?,
        next_due: get::<Option<i64>>(&row, "next_due")?.map(time),
    })
}
