//! Rows to values and back.

use std::str::FromStr;
use std::time::Duration;

use autopr_core::execution::{Execution, ExecutionStatus, StepRecord, StepStatus};
use autopr_core::fault::{Fault, FaultKind, Retry};
use autopr_core::ids::ExecutionId;
use autopr_core::workflow::DefinitionCache;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// Turns a database error into a fault that names the query.
pub(crate) fn fault(query: &'static str) -> impl Fn(sqlx::Error) -> Fault {
    move |error| {
        Fault::new(FaultKind::Unavailable, format!("{query}: the database failed")).retry(Retry::Backoff).source(error)
    }
}

/// A time as it is stored.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A duration as it is stored.
pub(crate) fn duration_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A stored time.
pub(crate) fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A stored value that does not have its form: the file was changed by something else.
pub(crate) fn corrupt(what: &str, value: &str) -> Fault {
    Fault::new(FaultKind::Bug, format!("the database holds `{value}` as {what}"))
}

/// A stored execution id.
pub(crate) fn execution_id(text: &str) -> Result<ExecutionId, Fault> {
    ExecutionId::from_str(text).map_err(|_| corrupt("an execution id", text))
}

/// Reads an execution with its steps.
pub(crate) async fn load(
    connection: &mut SqliteConnection,
    definitions: &DefinitionCache,
    id: ExecutionId,
) -> Result<Option<Execution>, Fault> {
    let select = "SELECT e.id, e.status, e.error_message, e.event, e.active_us, e.not_before,
            e.resumed_at, e.concurrency_group, e.superseded_by, e.created_at, e.definition_digest, d.body AS definition
        FROM workflow_executions e JOIN workflow_definitions d ON d.digest = e.definition_digest
        WHERE e.id = ?";
    let id = id.to_string();
    let row = sqlx::query(select).bind(&id).fetch_optional(&mut *connection).await.map_err(fault("execution"))?;
    let Some(row) = row else { return Ok(None) };
    let steps = sqlx::query(
        "SELECT step_id, attempt, interruptions, waits, status, not_before, output, error, told, started_at, finished_at
        FROM execution_steps WHERE execution_id = ?",
    )
    .bind(&id)
    .fetch_all(&mut *connection)
    .await
    .map_err(fault("execution"))?;
    execution(&row, &steps, definitions).map(Some)
}

fn execution(row: &SqliteRow, steps: &[SqliteRow], definitions: &DefinitionCache) -> Result<Execution, Fault> {
    let status: &str = get(row, "status")?;
    let event: &str = get(row, "event")?;
    let definition = definitions.get(get(row, "definition_digest")?, get(row, "definition")?)?;
    let recorded = steps.iter().map(step).collect::<Result<Vec<_>, Fault>>()?;
    let steps = definition
        .steps
        .iter()
        .map(|step| {
            recorded
                .iter()
                .find(|record| record.id == step.id)
                .cloned()
                .unwrap_or_else(|| StepRecord::pending(&step.id))
        })
        .collect();
    Ok(Execution {
        id: execution_id(get(row, "id")?)?,
        definition,
        event: serde_json::from_str(event).map_err(|_| corrupt("an event", "unreadable JSON"))?,
        status: ExecutionStatus::parse(status).ok_or_else(|| corrupt("an execution's status", status))?,
        created_at: time(get(row, "created_at")?),
        active: Duration::from_micros(get::<i64>(row, "active_us")?.unsigned_abs()),
        resumed_at: get::<Option<i64>>(row, "resumed_at")?.map(time),
        not_before: get::<Option<i64>>(row, "not_before")?.map(time),
        concurrency_group: get(row, "concurrency_group")?,
        superseded: get::<Option<&str>>(row, "superseded_by")?.is_some(),
        steps,
        error: get(row, "error_message")?,
    })
}

fn step(row: &SqliteRow) -> Result<StepRecord, Fault> {
    let status: &str = get(row, "status")?;
    let output: Option<&str> = get(row, "output")?;
    Ok(StepRecord {
        id: get(row, "step_id")?,
        status: StepStatus::parse(status).ok_or_else(|| corrupt("a step's status", status))?,
        attempt: get(row, "attempt")?,
        interruptions: get(row, "interruptions")?,
        waits: get(row, "waits")?,
        not_before: get::<Option<i64>>(row, "not_before")?.map(time),
        output: output
            .map(serde_json::from_str)
            .transpose()
            .map_err(|_| corrupt("a step's output", "unreadable JSON"))?,
        error: get(row, "error")?,
        told: get(row, "told")?,
        started_at: get::<Option<i64>>(row, "started_at")?.map(time),
        finished_at: get::<Option<i64>>(row, "finished_at")?.map(time),
    })
}

/// A column of a row.
pub(crate) fn get<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, Fault>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(|error| Fault::new(FaultKind::Bug, format!("can't read column {column}")).source(error))
}
