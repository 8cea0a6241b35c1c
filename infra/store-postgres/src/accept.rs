//! Accepting an event: its delivery, its executions, and which of them supersedes which.

use std::sync::Arc;

use autopr_core::event::Event;
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::ExecutionId;
use autopr_core::ports::store::{Accepted, Lease, NewExecution, Standing};
use autopr_core::workflow::Definition;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::lease;
use crate::row::fault;
use crate::time::Time;
use crate::workflows::Workflows;

pub(crate) async fn accept(
    connection: &mut PgConnection,
    workflows: &Workflows,
    event: &Event,
    executions: &[NewExecution],
    now: Timestamp,
) -> Result<Accepted, Fault> {
    let outcome = if executions.is_empty() { "ignored" } else { "accepted" };
    let fresh = sqlx::query(
        "INSERT INTO deliveries (id, event, received_at, outcome, repository, pull_request, head_sha)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(event.delivery.as_str())
    .bind(event.kind.as_str())
    .bind(Time(now))
    .bind(outcome)
    .bind(event.repository.as_str())
    .bind(event.number.0.cast_signed())
    .bind(event.head.as_ref().map(|head| head.as_str()))
    .execute(&mut *connection)
    .await
    .map_err(fault("insert_delivery"))?
    .rows_affected()
        > 0;
    if !fresh {
        return Ok(Accepted { fresh, live: live(connection, event).await? });
    }
    let mut latest = executions.iter().filter(|execution| execution.latest_wins());
    let mut groups: Vec<_> = latest.by_ref().filter_map(|execution| execution.group.as_deref()).collect();
    groups.sort_unstable();
    lock_groups(connection, &groups).await?;
    let mut live = Vec::new();
    for execution in executions {
        if let Some(id) = reinstate(connection, event, execution, now).await? {
            live.push(id);
        } else if insert(connection, workflows, event, execution, now).await? {
            live.push(execution.id);
        }
    }
    live.sort();
    Ok(Accepted { fresh, live })
}

/// The executions of the delivery that have not come to their end.
async fn live(connection: &mut PgConnection, event: &Event) -> Result<Vec<ExecutionId>, Fault> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM workflow_executions
        WHERE delivery_id = $1 AND status IN ('queued', 'running', 'parked') ORDER BY id",
    )
    .bind(event.delivery.as_str())
    .fetch_all(connection)
    .await
    .map_err(fault("live_executions"))?;
    Ok(ids.into_iter().map(ExecutionId::from).collect())
}

/// Lets one transaction at a time change which execution of a group goes on. The order of the names is the order of the
/// locks, so that two transactions never wait for each other.
pub(crate) async fn lock_groups(connection: &mut PgConnection, groups: &[&str]) -> Result<(), Fault> {
    for group in groups {
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(group)
            .execute(&mut *connection)
            .await
            .map_err(fault("lock_group"))?;
    }
    Ok(())
}

/// Gives an execution that had begun to publish for the head of a stand-in its place back, which then needs no new one. There
/// is none to give it back to when one of its steps failed, and none to take it from a later event.
async fn reinstate(
    connection: &mut PgConnection,
    event: &Event,
    execution: &NewExecution,
    now: Timestamp,
) -> Result<Option<ExecutionId>, Fault> {
    let (true, true, Some(head)) = (event.delivery.is_stand_in(), execution.latest_wins(), &event.head) else {
        return Ok(None);
    };
    let id: Option<Uuid> = sqlx::query_scalar(
        "WITH lost AS (
            SELECT e.id FROM workflow_executions e
            WHERE repository = $1 AND pull_request = $2 AND head_sha = $3 AND concurrency_group = $4
                AND (status = 'superseded' OR superseded_by IS NOT NULL AND status IN ('queued', 'running', 'parked'))
                AND (lease_until IS NULL OR lease_until <= $6)
                AND EXISTS (SELECT 1 FROM execution_effects WHERE execution_id = e.id)
                AND NOT EXISTS (SELECT 1 FROM execution_steps WHERE execution_id = e.id AND status = 'failed')
                AND NOT EXISTS (SELECT 1 FROM workflow_executions
                    WHERE concurrency_group = $4 AND event_at > $5 AND superseded_by IS NULL
                        AND status IN ('queued', 'running', 'parked'))
            ORDER BY id DESC LIMIT 1
        ), gone AS (
            UPDATE workflow_executions
            SET superseded_by = lost.id, updated_at = $6, not_before = NULL,
                status = CASE status WHEN 'running' THEN 'running' ELSE 'superseded' END,
                completed_at = CASE status WHEN 'running' THEN NULL ELSE $6 END
            FROM lost
            WHERE workflow_executions.id <> lost.id AND concurrency_group = $4 AND status IN ('queued', 'running', 'parked')
        )
        UPDATE workflow_executions SET status = 'queued', superseded_by = NULL, completed_at = NULL, updated_at = $6,
            lease_owner = NULL, lease_until = NULL
        WHERE id = (SELECT id FROM lost)
        RETURNING id",
    )
    .bind(event.repository.as_str())
    .bind(event.number.0.cast_signed())
    .bind(head.as_str())
    .bind(execution.group.as_deref())
    .bind(Time(event.at))
    .bind(Time(now))
    .fetch_optional(connection)
    .await
    .map_err(fault("reinstate"))?;
    Ok(id.map(ExecutionId::from))
}

/// Inserts an execution; false when it is born superseded. Where the latest wins, it takes the place of the live ones of
/// its group, unless one of them is for a later event.
async fn insert(
    connection: &mut PgConnection,
    workflows: &Workflows,
    event: &Event,
    execution: &NewExecution,
    now: Timestamp,
) -> Result<bool, Fault> {
    let (workflow, digest) = workflows.ensure(connection, &execution.definition, now).await?;
    let event_json =
        serde_json::to_string(event).map_err(|error| Fault::invalid("the event is not JSON").source(error))?;
    let superseded: bool = sqlx::query_scalar(
        "WITH later AS (
            SELECT id FROM workflow_executions
            WHERE $13 AND concurrency_group = $12 AND event_at > $11 AND superseded_by IS NULL
                AND status IN ('queued', 'running', 'parked')
            ORDER BY event_at DESC LIMIT 1
        ), gone AS (
            UPDATE workflow_executions
            SET superseded_by = $1, updated_at = $14, not_before = NULL,
                status = CASE status WHEN 'running' THEN 'running' ELSE 'superseded' END,
                completed_at = CASE status WHEN 'running' THEN NULL ELSE $14 END
            WHERE $13 AND concurrency_group = $12 AND status IN ('queued', 'running', 'parked')
                AND NOT EXISTS (SELECT 1 FROM later)
        )
        INSERT INTO workflow_executions (id, workflow_id, execution_id, status, started_at, completed_at,
            definition_digest, delivery_id, repository, pull_request, head_sha, installation_id, event, event_at,
            concurrency_group, latest_wins, superseded_by, created_at, updated_at)
        VALUES ($1, $2, $3, CASE WHEN EXISTS (SELECT 1 FROM later) THEN 'superseded' ELSE 'queued' END, NULL,
            CASE WHEN EXISTS (SELECT 1 FROM later) THEN $14 END, $4, $5, $6, $7, $8, $9, $10::json, $11, $12, $13,
            (SELECT id FROM later), $14, $14)
        RETURNING superseded_by IS NOT NULL",
    )
    .bind(execution.id.uuid())
    .bind(workflow)
    .bind(execution.id.to_string())
    .bind(digest)
    .bind(event.delivery.as_str())
    .bind(event.repository.as_str())
    .bind(event.number.0.cast_signed())
    .bind(event.head.as_ref().map(|head| head.as_str()))
    .bind(event.installation.map(|installation| installation.0.cast_signed()))
    .bind(event_json)
    .bind(Time(event.at))
    .bind(execution.group.as_deref())
    .bind(execution.latest_wins())
    .bind(Time(now))
    .fetch_one(connection)
    .await
    .map_err(fault("insert_execution"))?;
    Ok(!superseded)
}

pub(crate) async fn join(
    connection: &mut PgConnection,
    lease: &Lease,
    group: &str,
    now: Timestamp,
) -> Result<Standing, Fault> {
    lock_groups(connection, &[group]).await?;
    let standing = lease::check(connection, lease).await?;
    let (joined, event): (Option<String>, String) =
        sqlx::query_as("SELECT concurrency_group, event::text FROM workflow_executions WHERE id = $1")
            .bind(lease.execution.uuid())
            .fetch_one(&mut *connection)
            .await
            .map_err(fault("join_read"))?;
    if joined.is_some() {
        return Ok(standing);
    }
    let event: Event = serde_json::from_str(&event)
        .map_err(|error| Fault::new(FaultKind::Bug, "a kept event is not readable").json(&error))?;
    let superseded: bool = sqlx::query_scalar(
        "WITH later AS (
            SELECT id FROM workflow_executions
            WHERE concurrency_group = $2 AND event_at > $3 AND superseded_by IS NULL
                AND status IN ('queued', 'running', 'parked')
            ORDER BY event_at DESC LIMIT 1
        ), gone AS (
            UPDATE workflow_executions
            SET superseded_by = $1, updated_at = $4, not_before = NULL,
                status = CASE status WHEN 'running' THEN 'running' ELSE 'superseded' END,
                completed_at = CASE status WHEN 'running' THEN NULL ELSE $4 END
            WHERE concurrency_group = $2 AND status IN ('queued', 'running', 'parked')
                AND NOT EXISTS (SELECT 1 FROM later)
        )
        UPDATE workflow_executions
        SET concurrency_group = $2, latest_wins = TRUE, updated_at = $4,
            superseded_by = COALESCE(superseded_by, (SELECT id FROM later))
        WHERE id = $1
        RETURNING EXISTS (SELECT 1 FROM later)",
    )
    .bind(lease.execution.uuid())
    .bind(group)
    .bind(Time(event.at))
    .bind(Time(now))
    .fetch_one(connection)
    .await
    .map_err(fault("join"))?;
    Ok(if superseded { Standing::Superseded } else { standing })
}

/// Takes over a workflow's current definition; returns the workflow's id.
pub(crate) async fn upsert_workflow(
    connection: &mut PgConnection,
    definition: &Arc<Definition>,
    now: Timestamp,
) -> Result<Uuid, Fault> {
    sqlx::query_scalar(
        "INSERT INTO workflows (id, name, description, status, created_at, updated_at, config)
        VALUES ($1, $2, $3, 'enabled', $4, $4, $5::jsonb)
        ON CONFLICT (name) DO UPDATE SET description = $3, config = $5::jsonb,
            updated_at = CASE WHEN workflows.config = $5::jsonb THEN workflows.updated_at ELSE $4 END
        RETURNING id",
    )
    .bind(Uuid::now_v7())
    .bind(&definition.name)
    .bind(definition.description.as_deref())
    .bind(Time(now))
    .bind(definition.to_json())
    .fetch_one(connection)
    .await
    .map_err(fault("upsert_workflow"))
}
