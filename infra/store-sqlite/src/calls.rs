//! Calls of language models and the budgets they count against.

use std::time::Duration;

use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::ExecutionId;
use autopr_core::model_chain::MicroUsd;
use autopr_core::ports::store::{
    BudgetLine, Call, CallId, CallOutcome, Lease, NewCall, Reservation, SettledCall, Spending, Standing,
};
use jiff::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Executor, Sqlite, SqliteConnection};

use crate::row::{corrupt, duration_micros, fault, get, micros};
use crate::{effects, lease};

pub(crate) async fn reserve(
    connection: &mut SqliteConnection,
    lease: &Lease,
    call: &NewCall,
    now: Timestamp,
) -> Result<Reservation, Fault> {
    if lease::check(connection, lease).await? == Standing::Superseded {
        let context = format!("execution {} may not buy any more", lease.execution);
        return Err(Fault::new(FaultKind::Superseded, context));
    }
    for BudgetLine { scope, limit } in &call.budgets {
        let Spending { reserved, spent } = spending(&mut *connection, scope).await?;
        if reserved + spent + call.amount > *limit {
            return Ok(Reservation::Exhausted { scope: scope.clone(), left: limit.less(reserved + spent) });
        }
    }
    let scopes: Vec<_> = call.budgets.iter().map(|line| line.scope.as_str()).collect();
    for scope in &scopes {
        book(connection, scope, amount(call.amount), 0, now).await?;
    }
    let id = sqlx::query_scalar(
        "INSERT INTO llm_calls (execution_id, fence, provider, model, budgets, cost_microusd, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) RETURNING id",
    )
    .bind(lease.execution.to_string())
    .bind(lease.fence)
    .bind(&call.provider)
    .bind(&call.model)
    .bind(serde_json::json!(scopes).to_string())
    .bind(amount(call.amount))
    .bind(micros(now))
    .fetch_one(connection)
    .await
    .map_err(fault("reserve"))?;
    Ok(Reservation::Granted(CallId(id)))
}

pub(crate) async fn settle(
    connection: &mut SqliteConnection,
    lease: &Lease,
    call: CallId,
    settled: &SettledCall,
    now: Timestamp,
) -> Result<(), Fault> {
    lease::check(connection, lease).await?;
    close(connection, call, settled, now).await?;
    match &settled.memo {
        Some((key, value)) => effects::put_memo(connection, lease, key, value.clone()).await,
        None => Ok(()),
    }
}

/// Closes the calls whose worker does not hold its execution any more, at what was set aside for them.
pub(crate) async fn close_lost(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), Fault> {
    let lost: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT c.id, c.cost_microusd FROM llm_calls c WHERE c.outcome IS NULL AND NOT EXISTS (
            SELECT 1 FROM workflow_executions e WHERE e.id = c.execution_id AND e.fence = c.fence AND e.status = 'running')",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(fault("close_lost"))?;
    for (id, cost) in lost {
        let (outcome, cost, latency) = (CallOutcome::Lost, money(cost), Duration::ZERO);
        let settled = SettledCall { outcome, input_tokens: 0, output_tokens: 0, cost, latency, memo: None };
        close(connection, CallId(id), &settled, now).await?;
    }
    Ok(())
}

pub(crate) async fn calls(readers: &SqlitePool, execution: ExecutionId) -> Result<Vec<Call>, Fault> {
    let rows = sqlx::query(
        "SELECT id, provider, model, outcome, input_tokens, output_tokens, cost_microusd FROM llm_calls
        WHERE execution_id = ? ORDER BY id",
    )
    .bind(execution.to_string())
    .fetch_all(readers)
    .await
    .map_err(fault("calls"))?;
    rows.iter().map(call).collect()
}

pub(crate) async fn spending<'c>(
    executor: impl Executor<'c, Database = Sqlite>,
    scope: &str,
) -> Result<Spending, Fault> {
    let row: Option<(i64, i64)> = sqlx::query_as("SELECT reserved, spent FROM budget_reservations WHERE scope = ?")
        .bind(scope)
        .fetch_optional(executor)
        .await
        .map_err(fault("spending"))?;
    let (reserved, spent) = row.unwrap_or_default();
    Ok(Spending { reserved: money(reserved), spent: money(spent) })
}

/// Closes an open call; one that is closed already stays as it is.
async fn close(
    connection: &mut SqliteConnection,
    call: CallId,
    settled: &SettledCall,
    now: Timestamp,
) -> Result<(), Fault> {
    let open: Option<(String, i64)> =
        sqlx::query_as("SELECT budgets, cost_microusd FROM llm_calls WHERE id = ? AND outcome IS NULL")
            .bind(call.0)
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault("settle_call"))?;
    let Some((scopes, reserved)) = open else { return Ok(()) };
    sqlx::query(
        "UPDATE llm_calls SET outcome = ?, input_tokens = ?, output_tokens = ?, cost_microusd = ?, latency_us = ?,
            updated_at = ?
        WHERE id = ?",
    )
    .bind(settled.outcome.as_str())
    .bind(count(settled.input_tokens))
    .bind(count(settled.output_tokens))
    .bind(amount(settled.cost))
    .bind(duration_micros(settled.latency))
    .bind(micros(now))
    .bind(call.0)
    .execute(&mut *connection)
    .await
    .map_err(fault("settle_call"))?;
    let scopes: Vec<String> = serde_json::from_str(&scopes)
        .map_err(|error| Fault::new(FaultKind::Bug, "a call's budgets are not readable").json(&error))?;
    for scope in scopes {
        book(connection, &scope, -reserved, amount(settled.cost), now).await?;
    }
    Ok(())
}

async fn book(
    connection: &mut SqliteConnection,
    scope: &str,
    reserved: i64,
    spent: i64,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO budget_reservations (scope, reserved, spent, updated_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (scope) DO UPDATE SET reserved = reserved + ?2, spent = spent + ?3, updated_at = ?4",
    )
    .bind(scope)
    .bind(reserved)
    .bind(spent)
    .bind(micros(now))
    .execute(connection)
    .await
    .map_err(fault("book"))?;
    Ok(())
}

fn call(row: &SqliteRow) -> Result<Call, Fault> {
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
