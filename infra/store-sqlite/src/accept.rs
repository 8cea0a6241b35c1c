//! Accepting an event: its delivery, its executions, and which of them supersedes which.

use std::sync::Arc;

use autopr_core::event::Event;
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::ExecutionId;
use autopr_core::ports::store::{Accepted, Lease, NewExecution, Standing};
use autopr_core::workflow::Definition;
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use crate::lease;
use crate::row::{execution_id, fault, micros};

pub(crate) async fn accept(
    connection: &mut SqliteConnection,
    event: &Event,
    executions: &[NewExecution],
    now: Timestamp,
) -> Result<Accepted, Fault> {
    let outcome = if executions.is_empty() { "ignored" } else { "accepted" };
    let inserted = sqlx::query(
        "INSERT INTO deliveries (id, event, received_at, outcome, repository, pull_request, head_sha)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    )
    .bind(event.delivery.as_str())
    .bind(event.kind.as_str())
    .bind(micros(now))
    .bind(outcome)
    .bind(event.repository.as_str())
    .bind(event.number.0.cast_signed())
    .bind(event.head.as_ref().map(|head| head.as_str()))
    .execute(&mut *connection)
    .await
    .map_err(fault("insert_delivery"))?;
    let fresh = inserted.rows_affected() > 0;
    let mut reinstated = Vec::new();
    if fresh {
        for execution in executions {
            match reinstate(connection, event, execution, now).await? {
                Some(id) => reinstated.push(id),
                None => insert(connection, event, execution, now).await?,
            }
        }
    }
    let mut live = live(connection, event).await?;
    live.append(&mut reinstated);
    live.sort();
    Ok(Accepted { fresh, live })
}

async fn live(connection: &mut SqliteConnection, event: &Event) -> Result<Vec<ExecutionId>, Fault> {
    let rows = sqlx::query(
        "SELECT id FROM workflow_executions
        WHERE delivery_id = ? AND status IN ('queued', 'running', 'parked') ORDER BY id",
    )
    .bind(event.delivery.as_str())
    .fetch_all(connection)
    .await
    .map_err(fault("live_executions"))?;
    rows.iter().map(|row| execution_id(row.get(0))).collect()
}

/// Gives an execution that had begun to publish for the head of a stand-in its place back, which then needs no new one. There
/// is none to give it back to when one of its steps failed, and none to take it from a later event.
async fn reinstate(
    connection: &mut SqliteConnection,
    event: &Event,
    execution: &NewExecution,
    now: Timestamp,
) -> Result<Option<ExecutionId>, Fault> {
    let (Some(group), Some(head)) = (&execution.group, &event.head) else { return Ok(None) };
    if !event.delivery.is_stand_in() || !execution.latest_wins() {
        return Ok(None);
    }
    let lost: Option<String> = sqlx::query_scalar(
        "SELECT id FROM workflow_executions e
        WHERE repository = ? AND pull_request = ? AND head_sha = ? AND concurrency_group = ?
            AND (status = 'superseded' OR superseded_by IS NOT NULL AND status IN ('queued', 'running', 'parked'))
            AND (lease_until IS NULL OR lease_until <= ?)
            AND EXISTS (SELECT 1 FROM execution_effects WHERE execution_id = e.id)
            AND NOT EXISTS (SELECT 1 FROM execution_steps WHERE execution_id = e.id AND status = 'failed')
        ORDER BY id DESC LIMIT 1",
    )
    .bind(event.repository.as_str())
    .bind(event.number.0.cast_signed())
    .bind(head.as_str())
    .bind(group)
    .bind(micros(now))
    .fetch_optional(&mut *connection)
    .await
    .map_err(fault("lost_place"))?;
    let Some(lost) = lost else { return Ok(None) };
    if supersede(connection, event, group, &lost, now).await?.is_some() {
        return Ok(None);
    }
    sqlx::query(
        "UPDATE workflow_executions SET status = 'queued', superseded_by = NULL, completed_at = NULL, updated_at = ?,
            lease_owner = NULL, lease_until = NULL
        WHERE id = ?",
    )
    .bind(micros(now))
    .bind(&lost)
    .execute(connection)
    .await
    .map_err(fault("reinstate"))?;
    execution_id(&lost).map(Some)
}

async fn insert(
    connection: &mut SqliteConnection,
    event: &Event,
    execution: &NewExecution,
    now: Timestamp,
) -> Result<(), Fault> {
    let definition = &execution.definition;
    let workflow = match workflow_id(connection, &definition.name).await? {
        Some(id) => id,
        None => upsert_workflow(connection, definition, now).await?,
    };
    sqlx::query("INSERT INTO workflow_definitions (digest, body) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING")
        .bind(definition.digest())
        .bind(definition.to_json())
        .execute(&mut *connection)
        .await
        .map_err(fault("insert_definition"))?;
    let id = execution.id.to_string();
    let superseded_by = match &execution.group {
        Some(group) if execution.latest_wins() => supersede(connection, event, group, &id, now).await?,
        _ => None,
    };
    let late = superseded_by.is_some();
    sqlx::query(
        "INSERT INTO workflow_executions (id, workflow_id, execution_id, status, completed_at, definition_digest,
            delivery_id, repository, pull_request, head_sha, installation_id, event, event_at, concurrency_group,
            latest_wins, superseded_by, created_at, updated_at)
        VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?16)",
    )
    .bind(&id)
    .bind(workflow)
    .bind(if late { "superseded" } else { "queued" })
    .bind(late.then(|| micros(now)))
    .bind(definition.digest())
    .bind(event.delivery.as_str())
    .bind(event.repository.as_str())
    .bind(event.number.0.cast_signed())
    .bind(event.head.as_ref().map(|head| head.as_str()))
    .bind(event.installation.map(|installation| installation.0.cast_signed()))
    .bind(serde_json::to_string(event).map_err(|error| Fault::invalid("the event is not JSON").source(error))?)
    .bind(micros(event.at))
    .bind(execution.group.as_deref())
    .bind(execution.latest_wins())
    .bind(superseded_by)
    .bind(micros(now))
    .execute(&mut *connection)
    .await
    .map_err(fault("insert_execution"))?;
    Ok(())
}

pub(crate) async fn join(
    connection: &mut SqliteConnection,
    lease: &Lease,
    group: &str,
    now: Timestamp,
) -> Result<Standing, Fault> {
    let standing = lease::check(connection, lease).await?;
    let id = lease.execution.to_string();
    let (joined, event): (Option<String>, String) =
        sqlx::query_as("SELECT concurrency_group, event FROM workflow_executions WHERE id = ?")
            .bind(&id)
            .fetch_one(&mut *connection)
            .await
            .map_err(fault("join_read"))?;
    if joined.is_some() {
        return Ok(standing);
    }
    let event: Event = serde_json::from_str(&event)
        .map_err(|error| Fault::new(FaultKind::Bug, "a kept event is not readable").json(&error))?;
    let later = supersede(connection, &event, group, &id, now).await?;
    sqlx::query(
        "UPDATE workflow_executions
        SET concurrency_group = ?1, latest_wins = 1, superseded_by = COALESCE(superseded_by, ?2), updated_at = ?3
        WHERE id = ?4",
    )
    .bind(group)
    .bind(&later)
    .bind(micros(now))
    .bind(&id)
    .execute(connection)
    .await
    .map_err(fault("join"))?;
    Ok(if later.is_some() { Standing::Superseded } else { standing })
}

/// Lets the execution `id` take the place of the live ones of its group, unless one of them is for a later event: then
/// returns that one. Those that no worker holds end at once; those held are told when they next record something.
async fn supersede(
    connection: &mut SqliteConnection,
    event: &Event,
    group: &str,
    id: &str,
    now: Timestamp,
) -> Result<Option<String>, Fault> {
    let later: Option<String> = sqlx::query_scalar(
        "SELECT id FROM workflow_executions
        WHERE concurrency_group = ? AND event_at > ? AND superseded_by IS NULL
            AND status IN ('queued', 'running', 'parked')
        ORDER BY event_at DESC LIMIT 1",
    )
    .bind(group)
    .bind(micros(event.at))
    .fetch_optional(&mut *connection)
    .await
    .map_err(fault("later_in_group"))?;
    if later.is_some() {
        return Ok(later);
    }
    sqlx::query(
        "UPDATE workflow_executions
        SET superseded_by = ?1, updated_at = ?2,
            status = CASE status WHEN 'running' THEN 'running' ELSE 'superseded' END,
            completed_at = CASE status WHEN 'running' THEN NULL ELSE ?2 END,
            not_before = NULL
        WHERE concurrency_group = ?3 AND status IN ('queued', 'running', 'parked')",
    )
    .bind(id)
    .bind(micros(now))
    .bind(group)
    .execute(&mut *connection)
    .await
    .map_err(fault("supersede"))?;
    Ok(None)
}

async fn workflow_id(connection: &mut SqliteConnection, name: &str) -> Result<Option<String>, Fault> {
    sqlx::query_scalar("SELECT id FROM workflows WHERE name = ?")
        .bind(name)
        .fetch_optional(connection)
        .await
        .map_err(fault("workflow_id"))
}

/// Takes over a workflow's current definition; returns the workflow's id.
pub(crate) async fn upsert_workflow(
    connection: &mut SqliteConnection,
    definition: &Arc<Definition>,
    now: Timestamp,
) -> Result<String, Fault> {
    sqlx::query_scalar(
        "INSERT INTO workflows (id, name, description, status, created_at, updated_at, config)
        VALUES (?1, ?2, ?3, 'enabled', ?4, ?4, ?5)
        ON CONFLICT (name) DO UPDATE SET description = ?3, config = ?5,
            updated_at = CASE WHEN config = ?5 THEN updated_at ELSE ?4 END
        RETURNING id",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(&definition.name)
    .bind(definition.description.as_deref())
    .bind(micros(now))
    .bind(definition.to_json())
    .fetch_one(connection)
    .await
    .map_err(fault("upsert_workflow"))
}
