//! Calls of language models and the budgets they count against.

use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::ExecutionId;
use autopr_core::model_chain::MicroUsd;
use autopr_core::ports::store::{
    Call, CallId, CallOutcome, Lease, NewCall, Reservation, SettledCall, Spending, Standing,
};
use jiff::Timestamp;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::lease;
use crate::row::{corrupt, fault, get, micros};
use crate::time::Time;

/// Makes sure that budgets have rows, which can then be locked.
pub(crate) async fn ensure(connection: &mut PgConnection, call: &NewCall, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO budget_reservations (scope, updated_at) SELECT scope, $2 FROM unnest($1::text[]) AS scope ORDER BY scope
        ON CONFLICT (scope) DO NOTHING",
    )
    .bind(call.budgets.iter().map(|line| line.scope.as_str()).collect::<Vec<_>>())
    .bind(Time(now))
    .execute(connection)
    .await
    .map_err(fault("ensure_budgets"))?;
    Ok(())
}

/// Waits until everything that was committed before is on the disk, by a commit that locks nothing and changes nothing
/// (<https://www.postgresql.org/docs/15/functions-admin.html>).
pub(crate) async fn flush(connection: &mut PgConnection) -> Result<(), Fault> {
    let emit = sqlx::query("SELECT pg_logical_emit_message(true, 'autopr', '')");
    emit.execute(connection).await.map_err(fault("flush"))?;
    Ok(())
}

/// Sets money aside; none when a budget has no row, which can't be locked.
pub(crate) async fn reserve(
    connection: &mut PgConnection,
    lease: &Lease,
    call: &NewCall,
    now: Timestamp,
) -> Result<Option<Reservation>, Fault> {
    let scopes: Vec<_> = call.budgets.iter().map(|line| line.scope.as_str()).collect();
    let limits: Vec<_> = call.budgets.iter().map(|line| amount(line.limit)).collect();
    // The budgets are locked in the order of their names, so that two statements never wait for each other; what they hold
    // is read with the lock.
    let row = sqlx::query(
        "WITH held AS (
            SELECT superseded_by IS NOT NULL AS superseded FROM workflow_executions
            WHERE id = $1 AND fence = $2 AND status = 'running' FOR SHARE
        ), line AS (
            SELECT * FROM unnest($3::text[], $4::bigint[]) WITH ORDINALITY AS l (scope, most, place)
        ), there AS (
            SELECT count(*) = cardinality($3) AS complete FROM budget_reservations WHERE scope = ANY ($3)
        ), locked AS (
            SELECT b.scope, b.reserved + b.spent AS used, line.most, line.place
            FROM budget_reservations b JOIN line ON line.scope = b.scope JOIN there ON complete
            ORDER BY b.scope FOR UPDATE OF b
        ), full_up AS (
            SELECT scope, used FROM locked WHERE used + $5 > most ORDER BY place LIMIT 1
        ), booked AS (
            UPDATE budget_reservations b SET reserved = b.reserved + $5, updated_at = $6
            FROM locked, held, there
            WHERE b.scope = locked.scope AND complete AND NOT superseded AND NOT EXISTS (SELECT 1 FROM full_up)
        ), opened AS (
            INSERT INTO llm_calls (execution_id, fence, provider, model, budgets, cost_microusd, created_at, updated_at)
            SELECT $1, $2, $7, $8, $3, $5, $6, $6 FROM held, there
            WHERE complete AND NOT superseded AND NOT EXISTS (SELECT 1 FROM full_up)
            RETURNING id
        )
        SELECT superseded, (SELECT id FROM opened) AS id, (SELECT scope FROM full_up) AS scope,
            (SELECT used FROM full_up) AS used, complete
        FROM held, there",
    )
    .bind(lease.execution.uuid())
    .bind(lease.fence)
    .bind(&scopes)
    .bind(&limits)
    .bind(amount(call.amount))
    .bind(Time(now))
    .bind(&call.provider)
    .bind(&call.model)
    .fetch_optional(connection)
    .await
    .map_err(fault("reserve"))?;
    let superseded = row.as_ref().map(|row| get(row, "superseded")).transpose()?;
    if lease::standing(superseded, lease)? == Standing::Superseded {
        let context = format!("execution {} may not buy any more", lease.execution);
        return Err(Fault::new(FaultKind::Superseded, context));
    }
    let Some(row) = row.filter(|row| get(row, "complete").unwrap_or(false)) else { return Ok(None) };
    if let Some(id) = get(&row, "id")? {
        return Ok(Some(Reservation::Granted(CallId(id))));
    }
    let scope: String = get(&row, "scope")?;
    let limit = call.budgets.iter().find(|line| line.scope == scope).map_or(MicroUsd(0), |line| line.limit);
    Ok(Some(Reservation::Exhausted { scope, left: limit.less(money(get(&row, "used")?)) }))
}

pub(crate) async fn settle(
    connection: &mut PgConnection,
    lease: &Lease,
    call: CallId,
    settled: &SettledCall,
    now: Timestamp,
) -> Result<(), Fault> {
    let (key, value) = settled.memo.as_ref().map(|(key, value)| (key.as_str(), value.as_slice())).unzip();
    // What was set aside is what the open call costs: it has to be read before it is overwritten. The budgets are locked
    // in the order of their names, as when money is set aside.
    let superseded = sqlx::query_scalar(
        "WITH held AS (
            SELECT superseded_by IS NOT NULL AS superseded FROM workflow_executions
            WHERE id = $1 AND fence = $2 AND status = 'running' FOR SHARE
        ), open AS (
            SELECT c.id, c.cost_microusd AS reserved, c.budgets FROM llm_calls c, held
            WHERE c.id = $3 AND c.outcome IS NULL FOR UPDATE OF c
        ), closed AS (
            UPDATE llm_calls c SET outcome = $4, input_tokens = $5, output_tokens = $6, cost_microusd = $7,
                latency_us = $8, updated_at = $9
            FROM open WHERE c.id = open.id
        ), locked AS (
            SELECT b.scope, open.reserved FROM budget_reservations b JOIN open ON b.scope = ANY (open.budgets)
            ORDER BY b.scope FOR UPDATE OF b
        ), booked AS (
            UPDATE budget_reservations b
            SET reserved = b.reserved - locked.reserved, spent = b.spent + $7, updated_at = $9
            FROM locked WHERE b.scope = locked.scope
        ), kept AS (
            INSERT INTO execution_memos (execution_id, key, value) SELECT $1, $10, $11 FROM held WHERE $10 IS NOT NULL
            ON CONFLICT (execution_id, key) DO NOTHING
        )
        SELECT superseded FROM held",
    )
    .bind(lease.execution.uuid())
    .bind(lease.fence)
    .bind(call.0)
    .bind(settled.outcome.as_str())
    .bind(count(settled.input_tokens))
    .bind(count(settled.output_tokens))
    .bind(amount(settled.cost))
    .bind(micros(settled.latency))
    .bind(Time(now))
    .bind(key)
    .bind(value)
    .fetch_optional(connection)
    .await
    .map_err(fault("settle_call"))?;
    lease::standing(superseded, lease).map(drop)
}

/// Closes the calls whose worker does not hold its execution any more, at what was set aside for them.
pub(crate) async fn close_lost(connection: &mut PgConnection, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "WITH lost AS (
            SELECT c.id, c.cost_microusd AS cost, c.budgets FROM llm_calls c
            WHERE c.outcome IS NULL AND NOT EXISTS (
                SELECT 1 FROM workflow_executions e
                WHERE e.id = c.execution_id AND e.fence = c.fence AND e.status = 'running')
            FOR UPDATE OF c SKIP LOCKED
        ), closed AS (
            UPDATE llm_calls c SET outcome = $1, latency_us = 0, updated_at = $2 FROM lost WHERE c.id = lost.id
        ), sums AS (
            SELECT scope, sum(cost)::bigint AS cost FROM lost, unnest(budgets) AS scope GROUP BY scope
        ), locked AS (
            SELECT b.scope, sums.cost FROM budget_reservations b JOIN sums ON sums.scope = b.scope
            ORDER BY b.scope FOR UPDATE OF b
        )
        UPDATE budget_reservations b SET reserved = b.reserved - locked.cost, spent = b.spent + locked.cost, updated_at = $2
        FROM locked WHERE b.scope = locked.scope",
    )
    .bind(CallOutcome::Lost.as_str())
    .bind(Time(now))
    .execute(connection)
    .await
    .map_err(fault("close_lost"))?;
    Ok(())
}

pub(crate) async fn calls(connection: &mut PgConnection, execution: ExecutionId) -> Result<Vec<Call>, Fault> {
    let rows = sqlx::query(
        "SELECT id, provider, model, outcome, input_tokens, output_tokens, cost_microusd FROM llm_calls
        WHERE execution_id = $1 ORDER BY id",
    )
    .bind(execution.uuid())
    .fetch_all(connection)
    .await
    .map_err(fault("calls"))?;
    rows.iter().map(call).collect()
}

pub(crate) async fn spending(connection: &mut PgConnection, scope: &str) -> Result<Spending, Fault> {
    let row: Option<(i64, i64)> = sqlx::query_as("SELECT reserved, spent FROM budget_reservations WHERE scope = $1")
        .bind(scope)
        .fetch_optional(connection)
        .await
        .map_err(fault("spending"))?;
    let (reserved, spent) = row.unwrap_or_default();
    Ok(Spending { reserved: money(reserved), spent: money(spent) })
}

fn call(row: &PgRow) -> Result<Call, Fault> {
    let outcome = get::<Option<&str>>(row, "outcome")?
        .map(|word| CallOutcome::parse(word).ok_or_else(|| corrupt("a call's outcome", word)));
    let tokens = |column| get::<i64>(row, column).map(i64::unsigned_abs);
    Ok(Call {
        id: CallId(get(row, "id")?),
        provider: get(row, "provider")?,
        model: get(row, "model")?,
        outcome: outcome.transpose()?,
        input_tokens: tokens("input_tokens")?,
        output_tokens: tokens("output_tokens")?,
        cost: money(get(row, "cost_microusd")?),
    })
}

fn amount(amount: MicroUsd) -> i64 {
    count(amount.0)
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn money(amount: i64) -> MicroUsd {
    MicroUsd(u64::try_from(amount).unwrap_or_default())
}
