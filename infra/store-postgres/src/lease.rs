//! Claiming an execution, keeping it, recording under it, and finding those nobody is at.

use std::time::Duration;

use autopr_core::clock::{after, before};
use autopr_core::execution::ExecutionStatus;
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::{ExecutionId, RepoName};
use autopr_core::ports::store::{Claim, Lease, Standing, State, UNREADABLE, UNREADABLE_FOR, Update};
use autopr_core::workflow::DefinitionCache;
use jiff::Timestamp;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::accept::lock_groups;
use crate::row::{self, corrupt, fault, get, micros, text};
use crate::time::Time;

/// Takes the execution in one statement; none when its group takes turns, and has to be locked first.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    definitions: &DefinitionCache,
    id: ExecutionId,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Claim>, Fault> {
    let row = sqlx::query(
        "UPDATE workflow_executions
        SET status = 'running', lease_owner = $2, lease_until = $3, fence = fence + 1, attempt = attempt + 1,
            started_at = COALESCE(started_at, $4), resumed_at = $4, not_before = NULL, updated_at = $4
        WHERE id = $1 AND status IN ('queued', 'running', 'parked') AND (lease_until IS NULL OR lease_until <= $4)
            AND (not_before IS NULL OR not_before <= $4) AND (concurrency_group IS NULL OR latest_wins)
        RETURNING id, fence, attempt, status, error_message, event::text AS event, active_us, not_before, resumed_at,
            concurrency_group, superseded_by IS NOT NULL AS superseded, created_at, definition_digest",
    )
    .bind(id.uuid())
    .bind(worker)
    .bind(Time(until))
    .bind(Time(now))
    .fetch_optional(&mut *connection)
    .await
    .map_err(fault("claim"))?;
    match row {
        Some(row) => acquired(connection, definitions, id, &row, now).await.map(Some),
        None => refused(connection, id, now).await,
    }
}

/// Why a claim failed; none when the execution is free.
async fn refused(connection: &mut PgConnection, id: ExecutionId, now: Timestamp) -> Result<Option<Claim>, Fault> {
    let row = sqlx::query("SELECT status, not_before, lease_until FROM workflow_executions WHERE id = $1")
        .bind(id.uuid())
        .fetch_optional(connection)
        .await
        .map_err(fault("claim_refused"))?;
    let Some(row) = row else { return Ok(Some(Claim::Unknown)) };
    let status: &str = get(&row, "status")?;
    let status = ExecutionStatus::parse(status).ok_or_else(|| corrupt("an execution's status", status))?;
    if status.is_final() {
        return Ok(Some(Claim::Finished(status)));
    }
    if get::<Option<Time>>(&row, "lease_until")?.is_some_and(|time| time.0 > now) {
        return Ok(Some(Claim::Held));
    }
    if let Some(Time(not_before)) = get::<Option<Time>>(&row, "not_before")?.filter(|time| time.0 > now) {
        return Ok(Some(Claim::Parked(not_before)));
    }
    Ok(None)
}

/// Takes an execution, if it is its turn in its group. To be run in a transaction.
pub(crate) async fn claim_in_turn(
    connection: &mut PgConnection,
    definitions: &DefinitionCache,
    id: ExecutionId,
    worker: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Claim, Fault> {
    let group: Option<Option<String>> = sqlx::query_scalar(
        "SELECT CASE WHEN NOT latest_wins THEN concurrency_group END FROM workflow_executions WHERE id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(&mut *connection)
    .await
    .map_err(fault("claim_group"))?;
    let Some(group) = group else { return Ok(Claim::Unknown) };
    if let Some(group) = &group {
        lock_groups(connection, &[group]).await?;
    }
    let row = sqlx::query(
        "UPDATE workflow_executions
        SET status = 'running', lease_owner = $2, lease_until = $3, fence = fence + 1, attempt = attempt + 1,
            started_at = COALESCE(started_at, $4), resumed_at = $4, not_before = NULL, updated_at = $4
        WHERE id = $1 AND status IN ('queued', 'running', 'parked') AND (lease_until IS NULL OR lease_until <= $4)
            AND (not_before IS NULL OR not_before <= $4)
            AND NOT EXISTS (SELECT 1 FROM workflow_executions o WHERE o.concurrency_group = $5
                AND o.status IN ('queued', 'running', 'parked')
                AND (o.id < $1 OR o.id > $1 AND o.status = 'running'))
        RETURNING id, fence, attempt, status, error_message, event::text AS event, active_us, not_before, resumed_at,
            concurrency_group, superseded_by IS NOT NULL AS superseded, created_at, definition_digest",
    )
    .bind(id.uuid())
    .bind(worker)
    .bind(Time(until))
    .bind(Time(now))
    .bind(group)
    .fetch_optional(&mut *connection)
    .await
    .map_err(fault("claim_in_turn"))?;
    match row {
        Some(row) => acquired(connection, definitions, id, &row, now).await,
        None => Ok(refused(connection, id, now).await?.unwrap_or(Claim::Blocked)),
    }
}

async fn acquired(
    connection: &mut PgConnection,
    definitions: &DefinitionCache,
    id: ExecutionId,
    row: &PgRow,
    now: Timestamp,
) -> Result<Claim, Fault> {
    let fence = get(row, "fence")?;
    // Nothing was recorded before the first claim.
    let steps = match get::<i32>(row, "attempt")? {
        1 => Ok(Vec::new()),
        _ => row::steps(connection, id).await,
    };
    let execution = match steps {
        Ok(steps) => row::execution(connection, definitions, row, &steps).await,
        Err(fault) => Err(fault),
    };
    match execution {
        Ok(execution) => Ok(Claim::Acquired(Box::new(execution), Lease { execution: id, fence })),
        Err(fault) if fault.kind == FaultKind::Bug => put_aside(connection, id, &fault, now).await,
        Err(fault) => Err(fault),
    }
}

/// Puts aside an execution that this process can't read: during an upgrade another one may, of the version that made it.
/// After a day none will, and it is given up.
async fn put_aside(
    connection: &mut PgConnection,
    id: ExecutionId,
    fault: &Fault,
    now: Timestamp,
) -> Result<Claim, Fault> {
    tracing::error!(execution = %id, %fault, "the execution can't be read by this version");
    let until = after(now, UNREADABLE);
    let status: String = sqlx::query_scalar(
        "UPDATE workflow_executions SET status = CASE WHEN created_at > $3 THEN 'parked' ELSE 'failed' END,
            not_before = CASE WHEN created_at > $3 THEN $4 END, completed_at = CASE WHEN created_at > $3 THEN NULL ELSE $5 END,
            error_message = $2, updated_at = $5, resumed_at = NULL, lease_owner = NULL, lease_until = NULL
        WHERE id = $1 RETURNING status",
    )
    .bind(id.uuid())
    .bind(text(&fault.to_string()))
    .bind(Time(before(now, UNREADABLE_FOR)))
    .bind(Time(until))
    .bind(Time(now))
    .fetch_one(connection)
    .await
    .map_err(row::fault("put_aside"))?;
    Ok(if status == ExecutionStatus::Parked.as_str() {
        Claim::Parked(until)
    } else {
        Claim::Finished(ExecutionStatus::Failed)
    })
}

pub(crate) async fn renew(connection: &mut PgConnection, lease: &Lease, until: Timestamp) -> Result<Standing, Fault> {
    let superseded = sqlx::query_scalar(
        "UPDATE workflow_executions SET lease_until = $3 WHERE id = $1 AND fence = $2 AND status = 'running'
        RETURNING superseded_by IS NOT NULL",
    )
    .bind(lease.execution.uuid())
    .bind(lease.fence)
    .bind(Time(until))
    .fetch_optional(connection)
    .await
    .map_err(fault("renew"))?;
    standing(superseded, lease)
}

/// Checks that the lease still holds, and that nobody takes it before the transaction has ended.
pub(crate) async fn check(connection: &mut PgConnection, lease: &Lease) -> Result<Standing, Fault> {
    let superseded = sqlx::query_scalar(
        "SELECT superseded_by IS NOT NULL FROM workflow_executions
        WHERE id = $1 AND fence = $2 AND status = 'running' FOR SHARE",
    )
    .bind(lease.execution.uuid())
    .bind(lease.fence)
    .fetch_optional(connection)
    .await
    .map_err(fault("check_lease"))?;
    standing(superseded, lease)
}

/// What an answer about a held execution means: no answer says that it is not held any more.
pub(crate) fn standing(superseded: Option<bool>, lease: &Lease) -> Result<Standing, Fault> {
    match superseded {
        Some(true) => Ok(Standing::Superseded),
        Some(false) => Ok(Standing::Current),
        None => Err(Fault::new(
            FaultKind::LeaseLost,
            format!("execution {} is not held under fence {} any more", lease.execution, lease.fence),
        )),
    }
}

pub(crate) async fn record(connection: &mut PgConnection, lease: &Lease, update: &Update) -> Result<Standing, Fault> {
    let (status, not_before, completed_at, error) = match &update.state {
        State::Running => (ExecutionStatus::Running, None, None, None),
        State::Parked(until) => (ExecutionStatus::Parked, Some(Time(*until)), None, None),
        State::Queued => (ExecutionStatus::Queued, None, None, None),
        State::Finished(status, error) => (*status, None, Some(Time(update.now)), error.as_deref().map(text)),
    };
    let steps = &update.steps;
    let number = |number: u32| number.cast_signed();
    let superseded = sqlx::query_scalar(
        "WITH held AS (
            UPDATE workflow_executions
            SET status = CASE WHEN $3 = 'parked' AND superseded_by IS NOT NULL THEN 'queued' ELSE $3 END,
                not_before = CASE WHEN superseded_by IS NULL THEN $4 END, completed_at = $5, error_message = $6,
                active_us = $7, updated_at = $8,
                resumed_at = CASE WHEN $3 = 'running' THEN $8 END,
                lease_owner = CASE WHEN $3 = 'running' THEN lease_owner END,
                lease_until = CASE WHEN $3 = 'running' THEN lease_until END
            WHERE id = $1 AND fence = $2 AND status = 'running'
            RETURNING superseded_by IS NOT NULL AS superseded
        ), recorded AS (
            INSERT INTO execution_steps (execution_id, step_id, attempt, interruptions, waits, status, not_before,
                output, error, told, started_at, finished_at)
            SELECT $1, s.id, s.attempt, s.interruptions, s.waits, s.status, s.not_before, s.output::json, s.error, s.told,
                s.started_at, s.finished_at
            FROM held, unnest($9::text[], $10::int[], $11::int[], $12::int[], $13::text[], $14::timestamptz[],
                $15::text[], $16::text[], $17::text[], $18::timestamptz[], $19::timestamptz[])
                AS s (id, attempt, interruptions, waits, status, not_before, output, error, told, started_at, finished_at)
            ON CONFLICT (execution_id, step_id) DO UPDATE SET attempt = EXCLUDED.attempt,
                interruptions = EXCLUDED.interruptions, waits = EXCLUDED.waits, status = EXCLUDED.status,
                not_before = EXCLUDED.not_before, output = EXCLUDED.output, error = EXCLUDED.error,
                told = EXCLUDED.told, started_at = EXCLUDED.started_at, finished_at = EXCLUDED.finished_at
        )
        SELECT superseded FROM held",
    )
    .bind(lease.execution.uuid())
    .bind(lease.fence)
    .bind(status.as_str())
    .bind(not_before)
    .bind(completed_at)
    .bind(error)
    .bind(micros(update.active))
    .bind(Time(update.now))
    .bind(steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| number(step.attempt)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| number(step.interruptions)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| number(step.waits)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.status.as_str()).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.not_before.map(Time)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.output.as_ref().map(ToString::to_string)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.error.as_deref().map(text)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.told.as_deref().map(text)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.started_at.map(Time)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.finished_at.map(Time)).collect::<Vec<_>>())
    .fetch_optional(connection)
    .await
    .map_err(fault("record"))?;
    standing(superseded, lease)
}

pub(crate) async fn requeue_due(
    connection: &mut PgConnection,
    now: Timestamp,
    patience: Duration,
    limit: u32,
) -> Result<Vec<(ExecutionId, RepoName)>, Fault> {
    let mut rows: Vec<(Uuid, String)> = sqlx::query_as(
        "UPDATE workflow_executions
        SET status = 'queued', not_before = NULL, lease_owner = NULL, lease_until = NULL, updated_at = $1
        WHERE id = ANY (ARRAY(
            SELECT id FROM workflow_executions
            WHERE status IN ('queued', 'running', 'parked')
                AND CASE status
                    WHEN 'parked' THEN not_before <= $1
                    WHEN 'running' THEN lease_until <= $1
                    ELSE updated_at <= $2
                END
            ORDER BY updated_at LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING id, repository",
    )
    .bind(Time(now))
    .bind(Time(before(now, patience)))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
    .map_err(fault("requeue_due"))?;
    rows.sort_unstable();
    let requeued = |(id, name): (Uuid, String)| {
        let repository = RepoName::new(name).map_err(|_| corrupt("a repository", "no name"))?;
        Ok((ExecutionId::from(id), repository))
    };
    rows.into_iter().map(requeued).collect()
}

pub(crate) async fn next_in_group(connection: &mut PgConnection, group: &str) -> Result<Option<ExecutionId>, Fault> {
    let first: Option<(Uuid, bool)> = sqlx::query_as(
        "SELECT id, status = 'queued' FROM workflow_executions
        WHERE concurrency_group = $1 AND status IN ('queued', 'running', 'parked') ORDER BY id LIMIT 1",
    )
    .bind(group)
    .fetch_optional(connection)
    .await
    .map_err(fault("next_in_group"))?;
    Ok(first.filter(|(_, queued)| *queued).map(|(id, _)| ExecutionId::from(id)))
}
