//! The engine over fakes: what someone would see at the forge, whatever happens on the way.

use autopr_core::testkit::{MemoryStore, store_suite, world};

#[tokio::test]
async fn the_in_memory_store_keeps_the_contract() {
    let parts = store_suite::run(|| async { MemoryStore::default() }).await;
    println!("store conformance, in memory: {parts} parts");
}

#[tokio::test]
async fn every_crash_failure_and_lost_lease_ends_the_same() {
    let tried = world::every_mishap(|| async { MemoryStore::default() }).await;
    println!("mishaps, in memory: {} points, runs {:?}", tried.points, tried.runs);
}
