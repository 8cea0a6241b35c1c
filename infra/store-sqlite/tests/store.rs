//! The SQLite store keeps the contract of stores, and the engine on it survives every mishap.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use autopr_core::clock::after;
use autopr_core::execution::ExecutionStatus;
use autopr_core::ids::ExecutionId;
use autopr_core::ports::Store;
use autopr_core::ports::store::{Claim, NewExecution};
use autopr_core::testkit::{sample, store_suite, world};
use autopr_core::workflow::Catalog;
use autopr_store_sqlite::SqliteStore;
use jiff::Timestamp;
use sqlx::sqlite::SqlitePool;

/// A new database in `folder` with each call.
async fn fresh(folder: &tempfile::TempDir, count: &AtomicUsize) -> Arc<SqliteStore> {
    let number = count.fetch_add(1, Ordering::Relaxed);
    let path = folder.path().join(format!("{number}.db"));
    Arc::new(SqliteStore::open(&path).await.expect("a new database"))
}

/// A folder in memory where the system has such a place: a thousand databases on a disk take minutes, and what is tried
/// here are mishaps of the engine, not of the disk.
fn in_memory() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sqlite_store_keeps_the_contract() {
    let (folder, count) = (tempfile::tempdir().expect("a folder"), AtomicUsize::new(0));
    let parts =
        store_suite::run(|| fresh(&folder, &count)).await + store_suite::operations(|| fresh(&folder, &count)).await;
    println!("store conformance, SQLite: {parts} parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_crash_failure_and_lost_lease_ends_the_same_on_sqlite() {
    let (folder, count) = (in_memory(), AtomicUsize::new(0));
    let tried = world::every_mishap(|| fresh(&folder, &count)).await;
    println!("mishaps, SQLite: points {:?}, runs {:?}", tried.points, tried.runs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_version_made_waits_for_it_and_is_given_up_after_a_day() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("newer.db");
    let store = SqliteStore::open(&path).await.expect("a store");
    let tables = SqlitePool::connect(&format!("sqlite://{}", path.display())).await.expect("a connection");
    let definition = Catalog::load(std::iter::empty::<(&str, &str)>()).expect("the built-in workflows");
    let definition = definition.get("pr-review").expect("it is built in").definition.clone();
    let (event, id, start) = (sample::opened("d-1"), ExecutionId::new(), sample::start());
    let new = NewExecution { id, definition: definition.clone(), group: None };
    store.accept(&event, &[new], start).await.expect("accept");
    let bodies = ["{\"name\": \"from the future\", \"teleports\": true}".to_owned(), definition.to_json()];
    let claim = async |body: &str, at: Timestamp| {
        sqlx::query("UPDATE workflow_definitions SET body = $1")
            .bind(body)
            .execute(&tables)
            .await
            .expect("another body");
        // A process that has not read the definition before.
        let other = SqliteStore::open(&path).await.expect("a store");
        other.claim(id, "other", at, after(at, Duration::from_secs(60))).await.expect("an answer")
    };
    let later = after(start, Duration::from_secs(60));
    assert!(matches!(claim(&bodies[0], start).await, Claim::Parked(until) if until == later));
    assert!(matches!(claim(&bodies[1], later).await, Claim::Acquired(execution, _) if execution.error.is_some()));
    let next_day = after(start, Duration::from_secs(25 * 3600));
    assert!(matches!(claim(&bodies[0], next_day).await, Claim::Finished(ExecutionStatus::Failed)));
    let backlog = store.backlog().await.expect("backlog");
    assert_eq!((backlog.queued, backlog.running, backlog.parked), (0, 0, 0));
}
