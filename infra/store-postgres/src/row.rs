//! Rows to values and back.

use std::borrow::Cow;
use std::time::Duration;

use autopr_core::execution::{Execution, ExecutionStatus, StepRecord, StepStatus};
use autopr_core::fault::{Fault, FaultKind, Retry};
use autopr_core::ids::ExecutionId;
use autopr_core::workflow::DefinitionCache;
use sqlx::postgres::PgRow;
use sqlx::{Decode, PgConnection, Postgres, Row, Type};
use uuid::Uuid;

use crate::time::Time;

/// Turns a database error into a fault that names the query. What another try can't mend is a bug.
pub(crate) fn fault(query: &'static str) -> impl Fn(sqlx::Error) -> Fault {
    move |error| {
        let lasting = match &error {
            // Classes of SQLSTATE: https://www.postgresql.org/docs/15/errcodes-appendix.html
            sqlx::Error::Database(error) => {
                error.code().is_some_and(|code| matches!(&code.as_bytes()[..2], b"22" | b"23" | b"42"))
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) | sqlx::Error::Encode(_) => true,
            _ => false,
        };
        let (kind, retry) =
            if lasting { (FaultKind::Bug, Retry::Never) } else { (FaultKind::Unavailable, Retry::Backoff) };
        Fault::new(kind, format!("{query}: the database failed")).retry(retry).source(error)
    }
}

/// A duration as it is stored.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A text as it can be stored: PostgreSQL keeps no zero bytes
/// (<https://www.postgresql.org/docs/15/datatype-character.html>).
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// A stored value that does not have its form: the table was changed by something else.
pub(crate) fn corrupt(what: &str, value: &str) -> Fault {
    Fault::new(FaultKind::Bug, format!("the database holds `{value}` as {what}"))
}

/// Reads an execution with its steps.
pub(crate) async fn load(
    connection: &mut PgConnection,
    definitions: &DefinitionCache,
    id: ExecutionId,
) -> Result<Option<Execution>, Fault> {
    let row = sqlx::query(
        "SELECT id, status, error_message, event::text AS event, active_us, not_before, resumed_at, concurrency_group,
            superseded_by IS NOT NULL AS superseded, created_at, definition_digest
        FROM workflow_executions WHERE id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(&mut *connection)
    .await
    .map_err(fault("execution"))?;
    let Some(row) = row else { return Ok(None) };
    let steps = steps(connection, id).await?;
    execution(connection, definitions, &row, &steps).await.map(Some)
}

/// Reads the recorded steps of an execution.
pub(crate) async fn steps(connection: &mut PgConnection, id: ExecutionId) -> Result<Vec<StepRecord>, Fault> {
    let rows = sqlx::query(
        "SELECT step_id, attempt, interruptions, waits, status, not_before, output::text AS output, error, told,
            started_at, finished_at
        FROM execution_steps WHERE execution_id = $1",
    )
    .bind(id.uuid())
    .fetch_all(connection)
    .await
    .map_err(fault("steps"))?;
    rows.iter().map(step).collect()
}

/// An execution from its row and its steps. Its definition is read once by each process.
pub(crate) async fn execution(
    connection: &mut PgConnection,
    definitions: &DefinitionCache,
    row: &PgRow,
    recorded: &[StepRecord],
) -> Result<Execution, Fault> {
    let digest: &str = get(row, "definition_digest")?;
    let definition = match definitions.known(digest) {
        Some(definition) => definition,
        None => {
            let body: String = sqlx::query_scalar("SELECT body FROM workflow_definitions WHERE digest = $1")
                .bind(digest)
                .fetch_one(connection)
                .await
                .map_err(fault("definition"))?;
            definitions.get(digest, &body)?
        }
    };
    let steps = definition.steps.iter().map(|step| {
        let record = recorded.iter().find(|record| record.id == step.id);
        record.cloned().unwrap_or_else(|| StepRecord::pending(&step.id))
    });
    let steps = steps.collect();
    let (status, event): (&str, &str) = (get(row, "status")?, get(row, "event")?);
    Ok(Execution {
        id: ExecutionId::from(get::<Uuid>(row, "id")?),
        definition,
        event: serde_json::from_str(event).map_err(|_| corrupt("an event", "unreadable JSON"))?,
        status: ExecutionStatus::parse(status).ok_or_else(|| corrupt("an execution's status", status))?,
        created_at: get::<Time>(row, "created_at")?.0,
        active: Duration::from_micros(get::<i64>(row, "active_us")?.unsigned_abs()),
        resumed_at: get::<Option<Time>>(row, "resumed_at")?.map(|time| time.0),
        not_before: get::<Option<Time>>(row, "not_before")?.map(|time| time.0),
        concurrency_group: get(row, "concurrency_group")?,
        superseded: get(row, "superseded")?,
        steps,
        error: get(row, "error_message")?,
    })
}

fn step(row: &PgRow) -> Result<StepRecord, Fault> {
    let (status, output): (&str, Option<&str>) = (get(row, "status")?, get(row, "output")?);
    let output = output.map(serde_json::from_str).transpose();
    Ok(StepRecord {
        id: get(row, "step_id")?,
        status: StepStatus::parse(status).ok_or_else(|| corrupt("a step's status", status))?,
        attempt: count(row, "attempt")?,
        interruptions: count(row, "interruptions")?,
        waits: count(row, "waits")?,
        not_before: get::<Option<Time>>(row, "not_before")?.map(|time| time.0),
        output: output.map_err(|_| corrupt("a step's output", "unreadable JSON"))?,
        error: get(row, "error")?,
        told: get(row, "told")?,
        started_at: get::<Option<Time>>(row, "started_at")?.map(|time| time.0),
        finished_at: get::<Option<Time>>(row, "finished_at")?.map(|time| time.0),
    })
}

fn count(row: &PgRow, column: &str) -> Result<u32, Fault> {
    get::<i32>(row, column).map(i32::cast_unsigned)
}

/// A column of a row.
pub(crate) fn get<'r, T>(row: &'r PgRow, column: &str) -> Result<T, Fault>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(column).map_err(|error| Fault::new(FaultKind::Bug, format!("can't read column {column}")).source(error))
}
