//! What operators see and do, and what a purge removes.

use autopr_core::clock::before;
use autopr_core::execution::ExecutionStatus;
use autopr_core::fault::Fault;
use autopr_core::ids::ExecutionId;
use autopr_core::ports::operations::{DeadMessage, Filter, Summary};
use autopr_core::ports::store::{AuditEntry, Purged, Retention};
use jiff::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::messages;
use crate::row::{corrupt, execution_id, fault, get, micros, time};

pub(crate) async fn executions(
    readers: &SqlitePool,
    filter: &Filter,
    before: Option<ExecutionId>,
    limit: u32,
) -> Result<Vec<Summary>, Fault> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT e.id, w.name, e.repository, e.pull_request, e.head_sha, e.status, e.created_at, e.completed_at,
            e.error_message
        FROM workflow_executions e JOIN workflows w ON w.id = e.workflow_id WHERE true",
    );
    if let Some(before) = before {
        query.push(" AND e.id < ").push_bind(before.to_string());
    }
    if let Some(workflow) = &filter.workflow {
        query.push(" AND e.workflow_id = (SELECT id FROM workflows WHERE name = ").push_bind(workflow).push(")");
    }
    if let Some(status) = filter.status {
        query.push(" AND e.status = ").push_bind(status.as_str());
    }
    if let Some(repository) = &filter.repository {
        query.push(" AND e.repository = ").push_bind(repository.as_str());
    }
    query.push(" ORDER BY e.id DESC LIMIT ").push_bind(limit);
    let rows = query.build().fetch_all(readers).await.map_err(fault("executions"))?;
    rows.iter().map(summary).collect()
}

fn summary(row: &SqliteRow) -> Result<Summary, Fault> {
    let (status, repository): (&str, &str) = (get(row, "status")?, get(row, "repository")?);
    Ok(Summary {
        id: execution_id(get(row, "id")?)?,
        workflow: get(row, "name")?,
        repository: repository.parse().map_err(|_| corrupt("a repository", repository))?,
        number: autopr_core::ids::PrNumber(get::<i64>(row, "pull_request")?.cast_unsigned()),
        head: get::<Option<&str>>(row, "head_sha")?.and_then(|head| head.parse().ok()),
        status: ExecutionStatus::parse(status).ok_or_else(|| corrupt("an execution's status", status))?,
        created_at: time(get(row, "created_at")?),
        completed_at: get::<Option<i64>>(row, "completed_at")?.map(time),
        error: get(row, "error_message")?,
    })
}

pub(crate) async fn dead_messages(readers: &SqlitePool, after: i64, limit: u32) -> Result<Vec<DeadMessage>, Fault> {
    let rows: Vec<(i64, String, u32, String)> = sqlx::query_as(
        "SELECT id, body, receive_count, dead_reason FROM messages
        WHERE dead_reason IS NOT NULL AND id > ? ORDER BY id LIMIT ?",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(readers)
    .await
    .map_err(fault("dead_messages"))?;
    let dead = |(id, body, receive_count, reason)| DeadMessage { id, body, receive_count, reason };
    Ok(rows.into_iter().map(dead).collect())
}

pub(crate) async fn redrive(connection: &mut SqliteConnection, message: i64, note: &AuditEntry) -> Result<bool, Fault> {
    let dead: Option<(String, Option<String>)> =
        sqlx::query_as("DELETE FROM messages WHERE id = ? AND dead_reason IS NOT NULL RETURNING body, lane")
            .bind(message)
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault("redrive"))?;
    let Some((body, lane)) = dead else { return Ok(false) };
    messages::enqueue(connection, &body, lane.as_deref(), note.at).await?;
    audit(connection, note).await?;
    Ok(true)
}

pub(crate) async fn discard(connection: &mut SqliteConnection, message: i64, note: &AuditEntry) -> Result<bool, Fault> {
    let gone = sqlx::query("DELETE FROM messages WHERE id = ? AND dead_reason IS NOT NULL")
        .bind(message)
        .execute(&mut *connection)
        .await
        .map_err(fault("discard"))?;
    if gone.rows_affected() == 0 {
        return Ok(false);
    }
    audit(connection, note).await?;
    Ok(true)
}

pub(crate) async fn audit(connection: &mut SqliteConnection, entry: &AuditEntry) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO audit_log (key, at, actor, origin, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (key) DO NOTHING",
    )
    .bind(&entry.key)
    .bind(micros(entry.at))
    .bind(&entry.actor)
    .bind(&entry.origin)
    .bind(&entry.action)
    .bind(&entry.subject)
    .bind(entry.detail.as_deref())
    .execute(connection)
    .await
    .map_err(fault("audit"))?;
    Ok(())
}

pub(crate) async fn audit_log(
    readers: &SqlitePool,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<(i64, AuditEntry)>, Fault> {
    let rows = sqlx::query(
        "SELECT id, key, at, actor, origin, action, subject, detail FROM audit_log WHERE id < ? ORDER BY id DESC LIMIT ?",
    )
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(readers)
    .await
    .map_err(fault("audit_log"))?;
    rows.iter().map(|row| Ok((get(row, "id")?, audit_entry(row)?))).collect()
}

fn audit_entry(row: &SqliteRow) -> Result<AuditEntry, Fault> {
    Ok(AuditEntry {
        key: get(row, "key")?,
        at: time(get(row, "at")?),
        actor: get(row, "actor")?,
        origin: get(row, "origin")?,
        action: get(row, "action")?,
        subject: get(row, "subject")?,
        detail: get(row, "detail")?,
    })
}

pub(crate) async fn lead(
    connection: &mut SqliteConnection,
    task: &str,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, Fault> {
    let led = sqlx::query(
        "INSERT INTO leaders (task, worker, lease_until) VALUES (?1, ?2, ?3)
        ON CONFLICT (task) DO UPDATE SET worker = ?2, lease_until = ?3 WHERE worker = ?2 OR lease_until <= ?4",
    )
    .bind(task)
    .bind(worker)
    .bind(micros(until))
    .bind(micros(now))
    .execute(connection)
    .await
    .map_err(fault("lead"))?;
    Ok(led.rows_affected() > 0)
}

pub(crate) async fn purge(
    connection: &mut SqliteConnection,
    retention: &Retention,
    now: Timestamp,
    limit: u32,
) -> Result<Purged, Fault> {
    let oldest = micros(before(now, retention.age));
    // Of each workflow the newest are passed over, then those that have come to their end go.
    let executions = sqlx::query(
        "DELETE FROM workflow_executions WHERE id IN (
            SELECT e.id FROM workflow_executions e JOIN (
                SELECT w.id AS workflow_id, (SELECT n.id FROM workflow_executions n WHERE n.workflow_id = w.id
                    ORDER BY n.id DESC LIMIT 1 OFFSET ?1) AS newest
                FROM workflows w) b ON b.workflow_id = e.workflow_id AND e.id <= b.newest
            WHERE e.status NOT IN ('queued', 'running', 'parked')
            UNION
            SELECT id FROM workflow_executions
            WHERE created_at < ?2 AND status NOT IN ('queued', 'running', 'parked')
            ORDER BY 1 LIMIT ?3)",
    )
    .bind(retention.executions)
    .bind(oldest)
    .bind(limit)
    .execute(&mut *connection)
    .await
    .map_err(fault("purge_executions"))?;
    let deliveries = sqlx::query(
        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE received_at < ? ORDER BY received_at LIMIT ?)",
    )
    .bind(oldest)
    .bind(limit)
    .execute(&mut *connection)
    .await
    .map_err(fault("purge_deliveries"))?;
    let budgets = sqlx::query(
        "DELETE FROM budget_reservations WHERE scope IN (
            SELECT scope FROM budget_reservations WHERE updated_at < ? AND reserved = 0 ORDER BY updated_at LIMIT ?)",
    )
    .bind(oldest)
    .bind(limit)
    .execute(connection)
    .await
    .map_err(fault("purge_budgets"))?;
    Ok(Purged {
        executions: executions.rows_affected(),
        deliveries: deliveries.rows_affected(),
        budgets: budgets.rows_affected(),
    })
}
