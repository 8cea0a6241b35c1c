//! The PostgreSQL store keeps the contract of stores, directly and through a pooler, and the engine on it survives every
//! mishap.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_core::clock::after;
use autopr_core::event::Event;
use autopr_core::execution::ExecutionStatus;
use autopr_core::ids::{ExecutionId, PrNumber};
use autopr_core::ports::Store;
use autopr_core::ports::store::{Backlog, Claim, NewExecution};
use autopr_core::testkit::model::Answer;
use autopr_core::testkit::world::World;
use autopr_core::testkit::{sample, store_suite, world};
use autopr_core::workflow::Catalog;
use autopr_services::{Certificate, PgBouncer, Postgres, PostgresOptions};
use autopr_store_postgres::{Options, Pooler, PostgresStore};
use futures_util::future::join_all;
use jiff::Timestamp;
use sqlx::postgres::{PgPool, PgPoolOptions};

fn options(url: String, pooler: Pooler) -> Options {
    Options {
        url: url.into(),
        most_connections: 16,
        wait: Duration::from_secs(30),
        recycle: Duration::from_secs(3600),
        log_statements: false,
        pooler,
        hears: true,
        asks: false,
    }
}

/// A store whose tables are emptied for each part of a suite: making another database takes too long.
struct Emptied {
    store: Arc<PostgresStore>,
    tables: PgPool,
}

impl Emptied {
    /// `direct` leads to the same database without a pooler.
    async fn new(options: Options, direct: &str) -> Self {
        let store = Arc::new(PostgresStore::new(&options).expect("a store"));
        store.migrate().await.expect("tables");
        let tables = PgPoolOptions::new().max_connections(1).connect(direct).await.expect("a connection");
        Self { store, tables }
    }

    async fn fresh(&self) -> Arc<PostgresStore> {
        // Deleting from tables with few rows takes less time than truncating them. The order is that of references; the
        // workflows and their definitions stay, since a store remembers them.
        let statements = "DELETE FROM workflow_executions; DELETE FROM deliveries; DELETE FROM messages;
            DELETE FROM budget_reservations; DELETE FROM leaders; DELETE FROM audit_log";
        sqlx::raw_sql(statements).execute(&self.tables).await.expect("the tables are emptied");
        self.store.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgres_store_keeps_the_contract() {
    let postgres = Postgres::start();
    let url = postgres.create_database("suite");
    let emptied = Emptied::new(options(url.clone(), Pooler::None), &url).await;
    let parts = store_suite::run(|| emptied.fresh()).await + store_suite::operations(|| emptied.fresh()).await;
    println!("store conformance, PostgreSQL: {parts} parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgres_store_keeps_the_contract_through_a_pooler_by_transaction() {
    let postgres = Postgres::start();
    let url = postgres.create_database("suite");
    let pooler = PgBouncer::start(&postgres, 4);
    let emptied = Emptied::new(options(pooler.url("suite"), Pooler::Transaction), &url).await;
    let parts = store_suite::run(|| emptied.fresh()).await + store_suite::operations(|| emptied.fresh()).await;
    println!("store conformance, PostgreSQL behind PgBouncer: {parts} parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgres_store_keeps_the_contract_as_rds_proxy_wants_it() {
    // Only what the store sends is tested here: there is no RDS Proxy outside of AWS.
    let settings = vec![("log_statement".to_owned(), "all".to_owned())];
    let postgres = Postgres::start_with(&PostgresOptions { settings, ..PostgresOptions::default() });
    let url = postgres.create_database("suite");
    let emptied = Emptied::new(options(url.clone(), Pooler::RdsProxy), &url).await;
    let parts = store_suite::run(|| emptied.fresh()).await + store_suite::operations(|| emptied.fresh()).await;
    println!("store conformance, PostgreSQL as behind RDS Proxy: {parts} parts");
    let log = postgres.log();
    assert!(log.contains("SET LOCAL synchronous_commit = off"), "statements are logged");
    let ties = |line: &&str| ["DEALLOCATE", "LISTEN ", "DISCARD", ": SET "].iter().any(|word| line.contains(word));
    let found: Vec<_> = log.lines().filter(ties).filter(|line| !line.contains("SET LOCAL")).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_crash_failure_and_lost_lease_ends_the_same_on_postgres() {
    let postgres = Postgres::start();
    let url = postgres.create_database("mishaps");
    let emptied = Emptied::new(options(url.clone(), Pooler::None), &url).await;
    let tried = world::every_mishap(|| emptied.fresh()).await;
    println!("mishaps, PostgreSQL: points {:?}, runs {:?}", tried.points, tried.runs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_executions_at_once_do_not_wait_for_each_other_for_ever() {
    const MANY: u64 = 40;
    let postgres = Postgres::start();
    let url = postgres.create_database("many");
    // Behind a pooler every query is several round trips, with its locks held between them.
    let pooler = PgBouncer::start(&postgres, 16);
    let emptied = Emptied::new(options(pooler.url("many"), Pooler::Transaction), &url).await;
    let answers = (0..MANY).map(|_| Answer::Text(world::ANSWER.to_owned()));
    let world = World::with_model(emptied.store.clone(), answers);
    world.forge.show_under_every_number();
    for number in 1..=MANY {
        let event = sample::opened(&format!("d-{number}"));
        world.send(Event { number: PrNumber(number), ..event }).await;
    }
    let engine = world.engine(world.edges.clone(), "w");
    let begun = Instant::now();
    let workers = (0..12).map(|_| async { while world.one_message(&engine).await {} });
    join_all(workers).await;
    assert_eq!(world.forge.reviews().len() as u64, MANY);
    assert_eq!(emptied.store.backlog().await.expect("backlog"), Backlog::default());
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let log = postgres.log();
    assert!(!log.contains("deadlock"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_tls_is_told_from_an_impostor() {
    let certificate = Certificate::for_loopback();
    let folder = tempfile::tempdir().expect("a folder");
    let written = |name: &str, certificate: &Certificate| {
        let file = folder.path().join(name);
        std::fs::write(&file, &certificate.authority).expect("it is written");
        file.display().to_string()
    };
    let authority = written("authority.pem", &certificate);
    let postgres =
        Postgres::start_with(&PostgresOptions { certificate: Some(certificate), ..PostgresOptions::default() });
    let url = postgres.create_database("tls");
    let separator = if url.contains('?') { '&' } else { '?' };
    let verified = format!("{url}{separator}sslmode=verify-full&sslrootcert=");
    let store = PostgresStore::new(&options(format!("{verified}{authority}"), Pooler::None)).expect("a store");
    store.migrate().await.expect("it connects");
    let wrong = format!("{verified}{}", written("other.pem", &Certificate::for_loopback()));
    let store =
        PostgresStore::new(&Options { wait: Duration::from_secs(3), ..options(wrong, Pooler::None) }).expect("a store");
    let refused = store.migrate().await.expect_err("another authority");
    assert_eq!(refused.kind, autopr_core::fault::FaultKind::Unavailable, "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_version_made_waits_for_it_and_is_given_up_after_a_day() {
    let postgres = Postgres::start();
    let url = postgres.create_database("newer");
    let store = PostgresStore::new(&options(url.clone(), Pooler::None)).expect("a store");
    store.migrate().await.expect("tables");
    let tables = PgPool::connect(&url).await.expect("a connection");
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
        let other = PostgresStore::new(&options(url.clone(), Pooler::None)).expect("a store");
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
