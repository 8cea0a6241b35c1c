//! The SQLite store keeps the contract of stores, and the engine on it survives every mishap.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use autopr_core::testkit::{store_suite, world};
use autopr_store_sqlite::SqliteStore;

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
