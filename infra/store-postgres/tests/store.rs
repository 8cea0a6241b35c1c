//! The PostgreSQL store keeps the contract of stores, directly and through a pooler, and the engine on it survives every
//! mishap.

use std::time::Duration;

use autopr_core::testkit::{store_suite, world};
use autopr_services::{PgBouncer, Postgres};
use autopr_store_postgres::{Options, PostgresStore};

fn options(url: String, transaction_pooler: bool) -> Options {
    Options {
        url: url.into(),
        most_connections: 16,
        wait: Duration::from_secs(30),
        recycle: Duration::from_secs(3600),
        log_statements: false,
        transaction_pooler,
    }
}

/// A store with empty tables in the same database with each call.
async fn fresh(postgres: &Postgres, database: &str, options: &Options) -> PostgresStore {
    let store = PostgresStore::new(options).expect("a store");
    store.migrate().await.expect("tables");
    // Deleting from tables with few rows takes less time than truncating them. The order is that of references.
    let tables = "llm_calls execution_effects execution_memos execution_steps workflow_executions workflow_definitions \
        workflows deliveries messages budget_reservations leaders audit_log";
    let statements: String = tables.split_whitespace().map(|table| format!("DELETE FROM {table};")).collect();
    postgres.psql(database, &statements);
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgres_store_keeps_the_contract() {
    let postgres = Postgres::start();
    let options = options(postgres.create_database("suite"), false);
    let parts = store_suite::run(|| fresh(&postgres, "suite", &options)).await
        + store_suite::operations(|| fresh(&postgres, "suite", &options)).await;
    println!("store conformance, PostgreSQL: {parts} parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgres_store_keeps_the_contract_through_a_pooler_by_transaction() {
    let postgres = Postgres::start();
    postgres.create_database("suite");
    let pooler = PgBouncer::start(&postgres, 4);
    let options = options(pooler.url("suite"), true);
    let parts = store_suite::run(|| fresh(&postgres, "suite", &options)).await
        + store_suite::operations(|| fresh(&postgres, "suite", &options)).await;
    println!("store conformance, PostgreSQL behind PgBouncer: {parts} parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_crash_failure_and_lost_lease_ends_the_same_on_postgres() {
    let postgres = Postgres::start();
    let options = options(postgres.create_database("mishaps"), false);
    let tried = world::every_mishap(|| fresh(&postgres, "mishaps", &options)).await;
    println!("mishaps, PostgreSQL: points {:?}, runs {:?}", tried.points, tried.runs);
}
