//! What operators see and do, and what a purge removes.

use autopr_core::clock::before;
use autopr_core::execution::ExecutionStatus;
use autopr_core::fault::Fault;
use autopr_core::ids::{ExecutionId, PrNumber};
use autopr_core::ports::operations::{DeadMessage, Filter, Summary};
use autopr_core::ports::store::{AuditEntry, Purged, Retention};
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::messages::{self, Mail};
use crate::row::{corrupt, fault, get, text};
use crate::time::Time;

pub(crate) async fn executions(
    connection: &mut PgConnection,
    filter: &Filter,
    before: Option<ExecutionId>,
    limit: u32,
) -> Result<Vec<Summary>, Fault> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT e.id, w.name, e.repository, e.pull_request, e.head_sha, e.status, e.created_at, e.completed_at,
            e.error_message
        FROM workflow_executions e JOIN workflows w ON w.id = e.workflow_id WHERE TRUE",
    );
    if let Some(before) = before {
        query.push(" AND e.id < ").push_bind(before.uuid());
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
    query.push(" ORDER BY e.id DESC LIMIT ").push_bind(i64::from(limit));
    let rows = query.build().fetch_all(connection).await.map_err(fault("executions"))?;
    rows.iter().map(summary).collect()
}

fn summary(row: &PgRow) -> Result<Summary, Fault> {
    let (status, repository): (&str, &str) = (get(row, "status")?, get(row, "repository")?);
    Ok(Summary {
        id: ExecutionId::from(get::<Uuid>(row, "id")?),
        workflow: get(row, "name")?,
        repository: repository.parse().map_err(|_| corrupt("a repository", repository))?,
        number: PrNumber(get::<i64>(row, "pull_request")?.cast_unsigned()),
        head: get::<Option<&str>>(row, "head_sha")?.and_then(|head| head.parse().ok()),
        status: ExecutionStatus::parse(status).ok_or_else(|| corrupt("an execution's status", status))?,
        created_at: get::<Time>(row, "created_at")?.0,
        completed_at: get::<Option<Time>>(row, "completed_at")?.map(|time| time.0),
        error: get(row, "error_message")?,
    })
}

pub(crate) async fn dead_messages(
    connection: &mut PgConnection,
    after: i64,
    limit: u32,
) -> Result<Vec<DeadMessage>, Fault> {
    let rows: Vec<(i64, String, i32, String)> = sqlx::query_as(
        "SELECT id, body, receive_count, dead_reason FROM messages
        WHERE dead_reason IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
    .map_err(fault("dead_messages"))?;
    let dead = |(id, body, count, reason): (i64, String, i32, String)| DeadMessage {
        id,
        body,
        receive_count: count.cast_unsigned(),
        reason,
    };
    Ok(rows.into_iter().map(dead).collect())
}

pub(crate) async fn redrive(
    connection: &mut PgConnection,
    message: i64,
    note: &AuditEntry,
    process: Uuid,
) -> Result<bool, Fault> {
    let dead: Option<(String, Option<String>)> =
        sqlx::query_as("DELETE FROM messages WHERE id = $1 AND dead_reason IS NOT NULL RETURNING body, lane")
            .bind(message)
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault("redrive"))?;
    let Some((body, lane)) = dead else { return Ok(false) };
    messages::enqueue(connection, &[&Mail { body, lane, at: note.at }], process).await?;
    audit(connection, note).await?;
    Ok(true)
}

pub(crate) async fn discard(connection: &mut PgConnection, message: i64, note: &AuditEntry) -> Result<bool, Fault> {
    let gone = sqlx::query("DELETE FROM messages WHERE id = $1 AND dead_reason IS NOT NULL")
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

pub(crate) async fn audit(connection: &mut PgConnection, entry: &AuditEntry) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO audit_log (key, at, actor, origin, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (key) DO NOTHING",
    )
    .bind(text(&entry.key))
    .bind(Time(entry.at))
    .bind(text(&entry.actor))
    .bind(text(&entry.origin))
    .bind(text(&entry.action))
    .bind(text(&entry.subject))
    .bind(entry.detail.as_deref().map(text))
    .execute(connection)
    .await
    .map_err(fault("audit"))?;
    Ok(())
}

pub(crate) async fn audit_log(
    connection: &mut PgConnection,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<(i64, AuditEntry)>, Fault> {
    let rows = sqlx::query(
        "SELECT id, key, at, actor, origin, action, subject, detail FROM audit_log
        WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
    .map_err(fault("audit_log"))?;
    rows.iter().map(|row| Ok((get(row, "id")?, audit_entry(row)?))).collect()
}

fn audit_entry(row: &PgRow) -> Result<AuditEntry, Fault> {
    Ok(AuditEntry {
        key: get(row, "key")?,
        at: get::<Time>(row, "at")?.0,
        actor: get(row, "actor")?,
        origin: get(row, "origin")?,
        action: get(row, "action")?,
        subject: get(row, "subject")?,
        detail: get(row, "detail")?,
    })
}

pub(crate) async fn lead(
    connection: &mut PgConnection,
    task: &str,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, Fault> {
    let led = sqlx::query(
        "INSERT INTO leaders AS l (task, worker, lease_until) VALUES ($1, $2, $3)
        ON CONFLICT (task) DO UPDATE SET worker = $2, lease_until = $3 WHERE l.worker = $2 OR l.lease_until <= $4",
    )
    .bind(task)
    .bind(worker)
    .bind(Time(until))
    .bind(Time(now))
    .execute(connection)
    .await
    .map_err(fault("lead"))?;
    Ok(led.rows_affected() > 0)
}

pub(crate) async fn purge(
    connection: &mut PgConnection,
    retention: &Retention,
    now: Timestamp,
    limit: u32,
) -> Result<Purged, Fault> {
    let (oldest, limit) = (Time(before(now, retention.age)), i64::from(limit));
    // Of each workflow the newest are passed over, then those that have come to their end go.
    let executions = sqlx::query(
        "DELETE FROM workflow_executions WHERE id = ANY (ARRAY(
            SELECT id FROM (
                (SELECT many.id FROM workflows w
                    CROSS JOIN LATERAL (SELECT n.id FROM workflow_executions n WHERE n.workflow_id = w.id
                        ORDER BY n.id DESC OFFSET $1 LIMIT 1) newest
                    CROSS JOIN LATERAL (SELECT e.id FROM workflow_executions e
                        WHERE e.workflow_id = w.id AND e.id <= newest.id
                            AND e.status NOT IN ('queued', 'running', 'parked')
                        ORDER BY e.id LIMIT $3) many)
                UNION
                (SELECT id FROM workflow_executions
                    WHERE created_at < $2 AND status NOT IN ('queued', 'running', 'parked') ORDER BY created_at LIMIT $3)
            ) gone ORDER BY id LIMIT $3))",
    )
    .bind(i64::from(retention.executions))
    .bind(oldest)
    .bind(limit)
    .execute(&mut *connection)
    .await
    .map_err(fault("purge_executions"))?;
    let deliveries = sqlx::query(
        "DELETE FROM deliveries WHERE id = ANY (ARRAY(
            SELECT id FROM deliveries WHERE received_at < $1 ORDER BY received_at LIMIT $2))",
    )
    .bind(oldest)
    .bind(limit)
    .execute(&mut *connection)
    .await
    .map_err(fault("purge_deliveries"))?;
    let budgets = sqlx::query(
        "DELETE FROM budget_reservations WHERE scope = ANY (ARRAY(
            SELECT scope FROM budget_reservations WHERE updated_at < $1 AND reserved = 0 ORDER BY updated_at LIMIT $2))
        AND reserved = 0",
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
