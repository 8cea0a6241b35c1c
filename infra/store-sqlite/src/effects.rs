//! Memos and effects: what must not be done twice.

use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::ExecutionId;
use autopr_core::ports::forge::{EffectKind, Marker, Remote};
use autopr_core::ports::store::{Intent, Lease, Standing};
use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use crate::lease;
use crate::row::{corrupt, fault, micros};

pub(crate) async fn memo(readers: &SqlitePool, execution: ExecutionId, key: &str) -> Result<Option<Vec<u8>>, Fault> {
    sqlx::query_scalar("SELECT value FROM execution_memos WHERE execution_id = ? AND key = ?")
        .bind(execution.to_string())
        .bind(key)
        .fetch_optional(readers)
        .await
        .map_err(fault("memo"))
}

pub(crate) async fn put_memo(
    connection: &mut SqliteConnection,
    lease: &Lease,
    key: &str,
    value: Vec<u8>,
) -> Result<(), Fault> {
    lease::check(connection, lease).await?;
    sqlx::query(
        "INSERT INTO execution_memos (execution_id, key, value) VALUES (?, ?, ?)
        ON CONFLICT (execution_id, key) DO NOTHING",
    )
    .bind(lease.execution.to_string())
    .bind(key)
    .bind(value)
    .execute(connection)
    .await
    .map_err(fault("put_memo"))?;
    Ok(())
}

pub(crate) async fn begin(
    connection: &mut SqliteConnection,
    lease: &Lease,
    kind: EffectKind,
    marker: &Marker,
    now: Timestamp,
    until: Timestamp,
) -> Result<Intent, Fault> {
    let standing = lease::renew(connection, lease, until).await?;
    let known: Option<(String, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT state, remote_id, remote_url FROM execution_effects WHERE execution_id = ? AND marker = ?",
    )
    .bind(lease.execution.to_string())
    .bind(&marker.0)
    .fetch_optional(&mut *connection)
    .await
    .map_err(fault("effect"))?;
    match (known, standing) {
        (Some((state, Some(id), url)), _) if state == "done" => return Ok(Intent::Done(Remote { id, url })),
        (Some((state, _, _)), _) if state != "intent" => return Err(corrupt("an effect's state", &state)),
        (_, Standing::Superseded) => {
            let context = format!("execution {} may not publish any more", lease.execution);
            return Err(Fault::new(FaultKind::Superseded, context));
        }
        (Some(_), Standing::Current) => return Ok(Intent::Uncertain),
        (None, Standing::Current) => {}
    }
    sqlx::query(
        "INSERT INTO execution_effects (execution_id, marker, kind, state, updated_at) VALUES (?, ?, ?, 'intent', ?)",
    )
    .bind(lease.execution.to_string())
    .bind(&marker.0)
    .bind(kind.as_str())
    .bind(micros(now))
    .execute(connection)
    .await
    .map_err(fault("begin_effect"))?;
    Ok(Intent::Fresh)
}

pub(crate) async fn finish(
    connection: &mut SqliteConnection,
    lease: &Lease,
    marker: &Marker,
    remote: &Remote,
    now: Timestamp,
) -> Result<(), Fault> {
    lease::check(connection, lease).await?;
    sqlx::query(
        "UPDATE execution_effects SET state = 'done', remote_id = ?, remote_url = ?, updated_at = ?
        WHERE execution_id = ? AND marker = ?",
    )
    .bind(&remote.id)
    .bind(remote.url.as_deref())
    .bind(micros(now))
    .bind(lease.execution.to_string())
    .bind(&marker.0)
    .execute(connection)
    .await
    .map_err(fault("finish_effect"))?;
    Ok(())
}
