//! Memos and effects: what must not be done twice.

use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::ExecutionId;
use autopr_core::ports::forge::{EffectKind, Marker, Remote};
use autopr_core::ports::store::{Intent, Lease, Standing};
use jiff::Timestamp;
use sqlx::PgConnection;

use crate::lease::standing;
use crate::row::{corrupt, fault, get};
use crate::time::Time;

pub(crate) async fn memo(
    connection: &mut PgConnection,
    execution: ExecutionId,
    key: &str,
) -> Result<Option<Vec<u8>>, Fault> {
    sqlx::query_scalar("SELECT value FROM execution_memos WHERE execution_id = $1 AND key = $2")
        .bind(execution.uuid())
        .bind(key)
        .fetch_optional(connection)
        .await
        .map_err(fault("memo"))
}

pub(crate) async fn put_memo(
    connection: &mut PgConnection,
    lease: &Lease,
    key: &str,
    value: &[u8],
) -> Result<(), Fault> {
    let superseded = sqlx::query_scalar(
        "WITH held AS (
            SELECT superseded_by IS NOT NULL AS superseded FROM workflow_executions
            WHERE id = $1 AND fence = $2 AND status = 'running' FOR SHARE
        ), kept AS (
            INSERT INTO execution_memos (execution_id, key, value) SELECT $1, $3, $4 FROM held
            ON CONFLICT (execution_id, key) DO NOTHING
        )
        SELECT superseded FROM held",
    )
    .bind(lease.execution.uuid())
    .bind(lease.fence)
    .bind(key)
    .bind(value)
    .fetch_optional(connection)
    .await
    .map_err(fault("put_memo"))?;
    standing(superseded, lease).map(drop)
}

pub(crate) async fn begin(
    connection: &mut PgConnection,
    lease: &Lease,
    kind: EffectKind,
    marker: &Marker,
    now: Timestamp,
    until: Timestamp,
) -> Result<Intent, Fault> {
    let row = sqlx::query(
        "WITH held AS (
            UPDATE workflow_executions SET lease_until = $3 WHERE id = $1 AND fence = $2 AND status = 'running'
            RETURNING superseded_by IS NOT NULL AS superseded
        ), known AS (
            SELECT state, remote_id, remote_url FROM execution_effects WHERE execution_id = $1 AND marker = $4
        ), begun AS (
            INSERT INTO execution_effects (execution_id, marker, kind, state, updated_at)
            SELECT $1, $4, $5, 'intent', $6 FROM held WHERE NOT superseded AND NOT EXISTS (SELECT 1 FROM known)
        )
        SELECT superseded, state, remote_id, remote_url FROM held LEFT JOIN known ON TRUE",
    )
    .bind(lease.execution.uuid())
    .bind(lease.fence)
    .bind(Time(until))
    .bind(&marker.0)
    .bind(kind.as_str())
    .bind(Time(now))
    .fetch_optional(connection)
    .await
    .map_err(fault("begin_effect"))?;
    let Some(row) = row else { return standing(None, lease).map(|_| Intent::Fresh) };
    let state: Option<&str> = get(&row, "state")?;
    match (state, standing(get(&row, "superseded")?, lease)?) {
        (Some("done"), _) => {
            let id = get::<Option<String>>(&row, "remote_id")?.ok_or_else(|| corrupt("an effect", "done"))?;
            Ok(Intent::Done(Remote { id, url: get(&row, "remote_url")? }))
        }
        (_, Standing::Superseded) => {
            let context = format!("execution {} may not publish any more", lease.execution);
            Err(Fault::new(FaultKind::Superseded, context))
        }
        (Some(_), Standing::Current) => Ok(Intent::Uncertain),
        (None, Standing::Current) => Ok(Intent::Fresh),
    }
}

pub(crate) async fn finish(
    connection: &mut PgConnection,
    lease: &Lease,
    marker: &Marker,
    remote: &Remote,
    now: Timestamp,
) -> Result<(), Fault> {
    let superseded = sqlx::query_scalar(
        "WITH held AS (
            SELECT superseded_by IS NOT NULL AS superseded FROM workflow_executions
            WHERE id = $1 AND fence = $2 AND status = 'running' FOR SHARE
        ), done AS (
            UPDATE execution_effects SET state = 'done', remote_id = $4, remote_url = $5, updated_at = $6 FROM held
            WHERE execution_id = $1 AND marker = $3
        )
        SELECT superseded FROM held",
    )
    .bind(lease.execution.uuid())
    .bind(lease.fence)
    .bind(&marker.0)
    .bind(&remote.id)
    .bind(remote.url.as_deref())
    .bind(Time(now))
    .fetch_optional(connection)
    .await
    .map_err(fault("finish_effect"))?;
    standing(superseded, lease).map(drop)
}
