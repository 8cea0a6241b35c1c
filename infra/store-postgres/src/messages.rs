//! The store-backed queue, and how much is open.

use autopr_core::fault::Fault;
use autopr_core::ports::store::{Backlog, Received, Settle};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::row::{fault, get, text};
use crate::time::Time;

/// The channel on which processes tell each other that there are new messages.
pub(crate) const CHANNEL: &str = "autopr_messages";

/// A message to put on the queue.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) body: String,
    pub(crate) lane: Option<String>,
    pub(crate) at: Timestamp,
}

/// Puts messages on the queue with one statement, and tells the other processes that `process` did. Each lane's messages
/// get turns after those it has.
pub(crate) async fn enqueue(connection: &mut PgConnection, mail: &[&Mail], process: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "WITH mail AS (
            SELECT *, row_number() OVER (PARTITION BY lane ORDER BY place) - 1 AS position
            FROM unnest($1::text[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS m (body, lane, at, place)
        ), first AS (
            SELECT COALESCE((SELECT turn FROM messages WHERE dead_reason IS NULL ORDER BY turn, id LIMIT 1), 0) AS turn
        ), lanes AS (
            SELECT lane, (SELECT turn + 1 FROM messages m WHERE m.lane = own.lane AND dead_reason IS NULL
                ORDER BY turn DESC LIMIT 1) AS turn
            FROM (SELECT DISTINCT lane FROM mail WHERE lane IS NOT NULL) own
        ), put AS (
            INSERT INTO messages (body, lane, turn, available_at)
            SELECT mail.body, mail.lane,
                CASE WHEN mail.lane IS NULL THEN first.turn
                    ELSE GREATEST(first.turn, lanes.turn) + mail.position END, mail.at
            FROM mail CROSS JOIN first LEFT JOIN lanes ON lanes.lane = mail.lane
            ORDER BY mail.place
        )
        SELECT pg_notify($4, $5)",
    )
    .bind(mail.iter().map(|mail| text(&mail.body)).collect::<Vec<_>>())
    .bind(mail.iter().map(|mail| mail.lane.as_deref()).collect::<Vec<_>>())
    .bind(mail.iter().map(|mail| Time(mail.at)).collect::<Vec<_>>())
    .bind(CHANNEL)
    .bind(process.to_string())
    .execute(connection)
    .await
    .map_err(fault("enqueue"))?;
    Ok(())
}

pub(crate) async fn receive(
    connection: &mut PgConnection,
    limit: u32,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Received>, Fault> {
    let mut rows: Vec<(i64, String, i32, i64)> = sqlx::query_as(
        "UPDATE messages m SET available_at = $1, receive_count = m.receive_count + 1
        WHERE m.id = ANY (ARRAY(SELECT id FROM messages WHERE dead_reason IS NULL AND available_at <= $2
            ORDER BY turn, id LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING m.id, m.body, m.receive_count, m.turn",
    )
    .bind(Time(until))
    .bind(Time(now))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
    .map_err(fault("receive"))?;
    rows.sort_by_key(|(id, _, _, turn)| (*turn, *id));
    let received =
        |(id, body, count, _): (i64, String, i32, i64)| Received { id, body, receive_count: count.cast_unsigned() };
    Ok(rows.into_iter().map(received).collect())
}

pub(crate) async fn settle(connection: &mut PgConnection, message: i64, how: &Settle) -> Result<(), Fault> {
    let query = match how {
        Settle::Done => sqlx::query("DELETE FROM messages WHERE id = $1").bind(message),
        Settle::Again(at) => {
            sqlx::query("UPDATE messages SET available_at = $2 WHERE id = $1").bind(message).bind(Time(*at))
        }
        Settle::Dead(reason) => {
            sqlx::query("UPDATE messages SET dead_reason = $2 WHERE id = $1").bind(message).bind(text(reason))
        }
    };
    query.execute(connection).await.map_err(fault("settle"))?;
    Ok(())
}

pub(crate) async fn backlog(connection: &mut PgConnection) -> Result<Backlog, Fault> {
    let row = sqlx::query(
        "SELECT queued, running, parked, messages, dead, open_effects, open_calls, LEAST(next_parked, next_message) AS next_due
        FROM (SELECT count(*) FILTER (WHERE status = 'queued') AS queued,
                count(*) FILTER (WHERE status = 'running') AS running,
                count(*) FILTER (WHERE status = 'parked') AS parked,
                min(not_before) FILTER (WHERE status = 'parked') AS next_parked
            FROM workflow_executions WHERE status IN ('queued', 'running', 'parked')) e,
            (SELECT count(*) AS messages, min(available_at) AS next_message FROM messages WHERE dead_reason IS NULL) m,
            (SELECT count(*) AS dead FROM messages WHERE dead_reason IS NOT NULL) d,
            (SELECT count(*) AS open_effects FROM execution_effects WHERE state = 'intent') f,
            (SELECT count(*) AS open_calls FROM llm_calls WHERE outcome IS NULL) c",
    )
    .fetch_one(connection)
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
        next_due: get::<Option<Time>>(&row, "next_due")?.map(|time| time.0),
    })
}
