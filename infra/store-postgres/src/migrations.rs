//! The tables' versions: which there are, which are applied, and how to apply the rest.

use std::collections::HashSet;

use autopr_core::fault::Fault;
use autopr_core::ports::schema::{Migration, Schema};
use sqlx::migrate::{MigrationType, Migrator};
use sqlx::{PgConnection, SqlStr};

use crate::row::fault;

/// The lock that keeps two processes from migrating at the same time: the letters `autopr` as a number.
const LOCK: i64 = 0x61_75_74_6f_70_72;

/// The migrations in their order.
pub(crate) const ALL: [Migration; 3] = [
    Migration { version: 1, name: "initial", sql: include_str!("../migrations/0001_initial.sql") },
    Migration { version: 2, name: "operations", sql: include_str!("../migrations/0002_operations.sql") },
    Migration { version: 3, name: "heads", sql: include_str!("../migrations/0003_heads.sql") },
];

/// What is applied and what is not. A database that nobody has migrated yet has nothing applied.
pub(crate) async fn schema(connection: &mut PgConnection) -> Result<Schema, Fault> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await
        .map_err(fault("schema"))?;
    let applied: HashSet<i64> = match there {
        true => sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(connection)
            .await
            .map_err(fault("schema"))?
            .into_iter()
            .collect(),
        false => HashSet::new(),
    };
    Ok(Schema::of(&ALL, &applied))
}

/// Applies what is missing. To be run in a transaction, which holds the lock until its end. Migrations of newer versions
/// may be there already: a program of the version before goes on working with them.
pub(crate) async fn apply(connection: &mut PgConnection) -> Result<Schema, Fault> {
    // Others may hold the lock for long, and an index of a large table takes its time.
    sqlx::raw_sql("SET LOCAL statement_timeout = 0").execute(&mut *connection).await.map_err(fault("migrate"))?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await
        .map_err(fault("lock_migrations"))?;
    let before = schema(connection).await?;
    let failed = |error: sqlx::migrate::MigrateError| {
        Fault::unavailable("the database's tables could not be brought up to date").source(error)
    };
    let mut migrator = Migrator::with_migrations(ALL.iter().map(migration).collect());
    migrator.set_locking(false).set_ignore_missing(true);
    // Not `run`, whose future can't be sent to another thread.
    migrator.run_direct(None, connection, false).await.map_err(failed)?;
    Ok(before)
}

fn migration(Migration { version, name, sql }: &Migration) -> sqlx::migrate::Migration {
    sqlx::migrate::Migration::new(*version, (*name).into(), MigrationType::Simple, SqlStr::from_static(sql), false)
}
