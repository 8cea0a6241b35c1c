//! Claiming an execution, keeping it, recording under it, and finding those nobody is at.

use std::time::Duration;

use autopr_core::clock::after;
use autopr_core::execution::{ExecutionStatus, StepRecord};
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::{ExecutionId, RepoName};
use autopr_core::ports::store::{Claim, Lease, Standing, State, UNREADABLE, UNREADABLE_FOR, Update};
use autopr_core::workflow::DefinitionCache;
use jiff::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use crate::row::{self, corrupt, duration_micros, execution_id, fault, get, micros, time};

pub(crate) async fn claim(
    connection: &mut SqliteConnection,
    definitions: &DefinitionCache,
    id: ExecutionId,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Claim, Fault> {
    let row = sqlx::query(
        "SELECT status, not_before, lease_until, latest_wins, concurrency_group,
            EXISTS (SELECT 1 FROM workflow_executions o WHERE o.concurrency_group = e.concurrency_group
                AND o.status IN ('queued', 'running', 'parked')
                AND (o.id < e.id OR o.id > e.id AND o.status = 'running')) AS preceded
        FROM workflow_executions e WHERE id = ?",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *connection)
    .await
    .map_err(fault("claim_check"))?;
    let Some(row) = row else { return Ok(Claim::Unknown) };
    let status: &str = get(&row, "status")?;
    let status = ExecutionStatus::parse(status).ok_or_else(|| corrupt("an execution's status", status))?;
    if status.is_final() {
        return Ok(Claim::Finished(status));
    }
    if get::<Option<i64>>(&row, "lease_until")?.is_some_and(|lease_until| time(lease_until) > now) {
        return Ok(Claim::Held);
    }
    if let Some(not_before) = get::<Option<i64>>(&row, "not_before")?.map(time).filter(|time| *time > now) {
        return Ok(Claim::Parked(not_before));
    }
    if get(&row, "preceded")? && !get::<bool>(&row, "latest_wins")? {
        return Ok(Claim::Blocked);
    }
    let fence = sqlx::query_scalar(
        "UPDATE workflow_executions
        SET status = 'running', lease_owner = ?1, lease_until = ?2, fence = fence + 1, attempt = attempt + 1,
            started_at = COALESCE(started_at, ?3), resumed_at = ?3, not_before = NULL, updated_at = ?3
        WHERE id = ?4 RETURNING fence",
    )
    .bind(worker)
    .bind(micros(until))
    .bind(micros(now))
    .bind(id.to_string())
    .fetch_one(&mut *connection)
    .await
    .map_err(fault("claim"))?;
    match row::load(connection, definitions, id).await {
        Ok(Some(execution)) => Ok(Claim::Acquired(Box::new(execution), Lease { execution: id, fence })),
        Ok(None) => Ok(Claim::Unknown),
        Err(fault) if fault.kind == FaultKind::Bug => put_aside(connection, id, &fault, now).await,
        Err(fault) => Err(fault),
    }
}

/// Puts aside an execution that this process can't read: during an upgrade another one may, of the version that made it.
/// After a day none will, and it is given up.
async fn put_aside(
    connection: &mut SqliteConnection,
    id: ExecutionId,
    fault: &Fault,
    now: Timestamp,
) -> Result<Claim, Fault> {
    tracing::error!(execution = %id, %fault, "the execution can't be read by this version");
    let until = after(now, UNREADABLE);
    let status: String = sqlx::query_scalar(
        "UPDATE workflow_executions SET status = CASE WHEN created_at > ?3 THEN 'parked' ELSE 'failed' END,
            not_before = CASE WHEN created_at > ?3 THEN ?4 END,
            completed_at = CASE WHEN created_at > ?3 THEN NULL ELSE ?5 END,
            error_message = ?2, updated_at = ?5, resumed_at = NULL, lease_owner = NULL, lease_until = NULL
        WHERE id = ?1 RETURNING status",
    )
    .bind(id.to_string())
    .bind(fault.to_string())
    .bind(micros(now).saturating_sub(duration_micros(UNREADABLE_FOR)))
    .bind(micros(until))
    .bind(micros(now))
    .fetch_one(connection)
    .await
    .map_err(row::fault("put_aside"))?;
    Ok(match status == ExecutionStatus::Parked.as_str() {
        true => Claim::Parked(until),
        false => Claim::Finished(ExecutionStatus::Failed),
    })
}

pub(crate) async fn renew(
    connection: &mut SqliteConnection,
    lease: &Lease,
    until: Timestamp,
) -> Result<Standing, Fault> {
    let superseded: Option<bool> = sqlx::query_scalar(
        "UPDATE workflow_executions SET lease_until = ? WHERE id = ? AND fence = ? AND status = 'running'
        RETURNING superseded_by IS NOT NULL",
    )
    .bind(micros(until))
    .bind(lease.execution.to_string())
    .bind(lease.fence)
    .fetch_optional(connection)
    .await
    .map_err(fault("renew"))?;
    standing(superseded, lease)
}

/// Checks that the lease still holds.
pub(crate) async fn check(connection: &mut SqliteConnection, lease: &Lease) -> Result<Standing, Fault> {
    let superseded: Option<bool> = sqlx::query_scalar(
        "SELECT superseded_by IS NOT NULL FROM workflow_executions WHERE id = ? AND fence = ? AND status = 'running'",
    )
    .bind(lease.execution.to_string())
    .bind(lease.fence)
    .fetch_optional(connection)
    .await
    .map_err(fault("check_lease"))?;
    standing(superseded, lease)
}

fn standing(superseded: Option<bool>, lease: &Lease) -> Result<Standing, Fault> {
    match superseded {
        Some(true) => Ok(Standing::Superseded),
        Some(false) => Ok(Standing::Current),
        None => Err(Fault::new(
            FaultKind::LeaseLost,
            format!("execution {} is not held under fence {} any more", lease.execution, lease.fence),
        )),
    }
}

pub(crate) async fn record(
    connection: &mut SqliteConnection,
    lease: &Lease,
    update: &Update,
) -> Result<Standing, Fault> {
    let (status, not_before, completed_at, error) = match &update.state {
        State::Running => (ExecutionStatus::Running, None, None, None),
        State::Parked(until) => (ExecutionStatus::Parked, Some(micros(*until)), None, None),
        State::Queued => (ExecutionStatus::Queued, None, None, None),
        State::Finished(status, error) => (*status, None, Some(micros(update.now)), error.as_deref()),
    };
    let held = matches!(update.state, State::Running);
    let superseded: Option<bool> = sqlx::query_scalar(
        "UPDATE workflow_executions
        SET status = CASE WHEN ?1 = 'parked' AND superseded_by IS NOT NULL THEN 'queued' ELSE ?1 END,
            not_before = CASE WHEN superseded_by IS NULL THEN ?2 END, completed_at = ?3, error_message = ?4, active_us = ?5, updated_at = ?6,
            resumed_at = CASE WHEN ?7 THEN ?6 END,
            lease_owner = CASE WHEN ?7 THEN lease_owner END,
            lease_until = CASE WHEN ?7 THEN lease_until END
        WHERE id = ?8 AND fence = ?9 AND status = 'running'
        RETURNING superseded_by IS NOT NULL",
    )
    .bind(status.as_str())
    .bind(not_before)
    .bind(completed_at)
    .bind(error)
    .bind(duration_micros(update.active))
    .bind(micros(update.now))
    .bind(held)
    .bind(lease.execution.to_string())
    .bind(lease.fence)
    .fetch_optional(&mut *connection)
    .await
    .map_err(fault("record"))?;
    let standing = standing(superseded, lease)?;
    for step in &update.steps {
        record_step(connection, lease, step).await?;
    }
    Ok(standing)
}

async fn record_step(connection: &mut SqliteConnection, lease: &Lease, step: &StepRecord) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO execution_steps (execution_id, step_id, attempt, interruptions, waits, status, not_before, output,
            error, told, started_at, finished_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        ON CONFLICT (execution_id, step_id) DO UPDATE SET attempt = ?3, interruptions = ?4, waits = ?5, status = ?6,
            not_before = ?7, output = ?8, error = ?9, told = ?10, started_at = ?11, finished_at = ?12",
    )
    .bind(lease.execution.to_string())
    .bind(&step.id)
    .bind(step.attempt)
    .bind(step.interruptions)
    .bind(step.waits)
    .bind(step.status.as_str())
    .bind(step.not_before.map(micros))
    .bind(step.output.as_ref().map(ToString::to_string))
    .bind(step.error.as_deref())
    .bind(step.told.as_deref())
    .bind(step.started_at.map(micros))
    .bind(step.finished_at.map(micros))
    .execute(connection)
    .await
    .map_err(fault("record_step"))?;
    Ok(())
}

pub(crate) async fn requeue_due(
    connection: &mut SqliteConnection,
    now: Timestamp,
    patience: Duration,
    limit: u32,
) -> Result<Vec<(ExecutionId, RepoName)>, Fault> {
    let rows = sqlx::query(
        "UPDATE workflow_executions
        SET status = 'queued', not_before = NULL, lease_owner = NULL, lease_until = NULL, updated_at = ?1
        WHERE id IN (
            SELECT id FROM workflow_executions
            WHERE status IN ('queued', 'running', 'parked')
                AND CASE status
                    WHEN 'parked' THEN not_before <= ?1
                    WHEN 'running' THEN lease_until <= ?1
                    ELSE updated_at <= ?2
                END
            ORDER BY updated_at LIMIT ?3)
        RETURNING id, repository",
    )
    .bind(micros(now))
    .bind(micros(now).saturating_sub(duration_micros(patience)))
    .bind(limit)
    .fetch_all(connection)
    .await
    .map_err(fault("requeue_due"))?;
    let requeued = |row: &SqliteRow| -> Result<_, Fault> {
        let repository = RepoName::new(row.get::<String, _>(1)).map_err(|_| corrupt("a repository", "no name"))?;
        Ok((execution_id(row.get(0))?, repository))
    };
    let mut requeued = rows.iter().map(requeued).collect::<Result<Vec<_>, _>>()?;
    requeued.sort();
    Ok(requeued)
}

pub(crate) async fn next_in_group(readers: &SqlitePool, group: &str) -> Result<Option<ExecutionId>, Fault> {
    let first: Option<(String, String)> = sqlx::query_as(
        "SELECT id, status FROM workflow_executions
        WHERE concurrency_group = ? AND status IN ('queued', 'running', 'parked') ORDER BY id LIMIT 1",
    )
    .bind(group)
    .fetch_optional(readers)
    .await
    .map_err(fault("next_in_group"))?;
    first.filter(|(_, status)| status == "queued").map(|(id, _)| execution_id(&id)).transpose()
}
