//! The tables' versions: each is made of the one before without harm to what is in it, by one process at a time, while
//! older processes go on.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::{Clock, after};
use autopr_core::event::Event;
use autopr_core::execution::ExecutionStatus;
use autopr_core::ids::{ExecutionId, PrNumber};
use autopr_core::ports::Store;
use autopr_core::ports::store::{Claim, NewExecution, State, Update};
use autopr_core::testkit::sample;
use autopr_core::workflow::Definition;
use autopr_services::Postgres;
use autopr_store_postgres::{Options, Pooler, PostgresStore};
use sqlx::migrate::{MigrationType, Migrator};
use sqlx::{Connection, PgConnection, SqlStr};

fn options(url: &str) -> Options {
    Options {
        url: url.into(),
        most_connections: 4,
        wait: Duration::from_secs(30),
        recycle: Duration::from_secs(3600),
        log_statements: false,
        pooler: Pooler::None,
        hears: true,
        asks: false,
    }
}

fn definition() -> Arc<Definition> {
    let yaml = "name: sample\non: { pull_request: [opened] }\nsteps: [{ id: fetch, uses: fetch }]\n";
    Arc::new(Definition::parse("sample.yaml", yaml).expect("a workflow"))
}

/// Rows of every table as the first version made them.
fn sample_rows(definition: &Definition, event: &Event) -> String {
    let (digest, body) = (definition.digest(), definition.to_json());
    let event = serde_json::to_string(event).expect("JSON");
    format!(
        "INSERT INTO workflows (id, name, status, config) VALUES ('00000000-0000-7000-8000-000000000001', 'sample',
            'enabled', $json${body}$json$);
        INSERT INTO workflow_definitions VALUES ('{digest}', $json${body}$json$);
        INSERT INTO deliveries VALUES ('d-1', 'pull_request', now(), 'accepted');
        INSERT INTO workflow_executions (id, workflow_id, execution_id, status, definition_digest, delivery_id, repository,
            pull_request, event, event_at, created_at, updated_at)
        SELECT ('00000000-0000-7000-8000-00000000010' || n)::uuid, '00000000-0000-7000-8000-000000000001',
            '00000000-0000-7000-8000-00000000010' || n, CASE n WHEN 1 THEN 'queued' ELSE 'succeeded' END, '{digest}', 'd-1',
            'acme/shop', 7, $json${event}$json$, now(), now(), now()
        FROM generate_series(1, 3) n;
        INSERT INTO execution_steps (execution_id, step_id, attempt, interruptions, waits, status, output)
        VALUES ('00000000-0000-7000-8000-000000000102', 'fetch', 1, 0, 0, 'succeeded', '{{\"a\": 1}}');
        INSERT INTO execution_memos VALUES ('00000000-0000-7000-8000-000000000102', 'k', 'v');
        INSERT INTO execution_effects VALUES ('00000000-0000-7000-8000-000000000102', 'm', 'review', 'done', '1', NULL, now());
        INSERT INTO llm_calls (execution_id, fence, provider, model, budgets, outcome, cost_microusd, created_at, updated_at)
        VALUES ('00000000-0000-7000-8000-000000000102', 1, 'p', 'm', '{{day/2026-01-01}}', 'answered', 360, now(), now());
        INSERT INTO budget_reservations VALUES ('day/2026-01-01', 0, 360, now());
        INSERT INTO messages (body, turn, available_at) VALUES ('{{}}', 0, now());"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_is_made_of_the_one_before_with_rows_in_it() {
    let postgres = Postgres::shared();
    let (definition, event) = (definition(), sample::opened("d-1"));
    let all = PostgresStore::migrations();
    for known in 1..=all.len() {
        let url = postgres.create_database(&format!("version_{known}"));
        let mut connection = PgConnection::connect(&url).await.expect("a connection");
        for migration in all.iter().take(known) {
            let one = sqlx::migrate::Migration::new(
                migration.version,
                migration.name.into(),
                MigrationType::Simple,
                SqlStr::from_static(migration.sql),
                false,
            );
            let mut migrator = Migrator::with_migrations(vec![one]);
            migrator.set_ignore_missing(true);
            migrator.run(&mut connection).await.expect("it applies");
            if migration.version == 1 {
                let rows = sqlx::AssertSqlSafe(sample_rows(&definition, &event));
                sqlx::raw_sql(rows).execute(&mut connection).await.expect("the rows");
            }
        }
        let store = PostgresStore::new(&options(&url)).expect("a store");
        assert_eq!(store.schema().await.expect("schema").pending, all[known..]);
        let before = store.migrate().await.expect("it migrates");
        assert_eq!(before.pending, all[known..], "from version {known}");
        let after_it = store.schema().await.expect("schema");
        assert!(after_it.pending.is_empty() && after_it.newer.is_empty(), "{after_it:?}");
        works(&store, &definition).await;
        store.close().await;
    }
}

/// What was there is there, and the queued execution can be brought to its end.
async fn works(store: &PostgresStore, definition: &Arc<Definition>) {
    store.register(std::slice::from_ref(definition), Clock::System.now()).await.expect("register");
    let id =
        |number: u32| -> ExecutionId { format!("00000000-0000-7000-8000-00000000010{number}").parse().expect("an id") };
    let done = store.execution(id(2)).await.expect("execution").expect("it is there");
    assert_eq!(
        (done.status, done.steps[0].output.clone()),
        (ExecutionStatus::Succeeded, Some(serde_json::json!({ "a": 1 })))
    );
    assert_eq!(store.memo(id(2), "k").await.expect("memo"), Some(b"v".to_vec()));
    assert_eq!(store.calls(id(2)).await.expect("calls")[0].cost.0, 360);
    assert_eq!(store.backlog().await.expect("backlog").messages, 1);
    run(store, id(1)).await;
}

async fn run(store: &PostgresStore, id: ExecutionId) {
    let now = Clock::System.now();
    let claim = store.claim(id, "w", now, after(now, Duration::from_secs(60))).await.expect("claim");
    let Claim::Acquired(_, lease) = claim else { panic!("{claim:?}") };
    let state = State::Finished(ExecutionStatus::Succeeded, None);
    let update = Update { steps: Vec::new(), state, active: Duration::ZERO, now };
    store.record(&lease, &update).await.expect("record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_together_migrate_once() {
    let url = Postgres::shared().create_database("together");
    let tries = (0..6).map(|_| {
        let store = PostgresStore::new(&options(&url)).expect("a store");
        tokio::spawn(async move { store.migrate().await.expect("it migrates").pending.len() })
    });
    let mut applied = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        applied.push(one.await.expect("it ends"));
    }
    applied.sort_unstable();
    let all = PostgresStore::migrations().len();
    assert_eq!(applied, [0, 0, 0, 0, 0, all], "one applied everything, the others found nothing to do");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_replica_works_while_a_newer_one_migrates_and_starts_again_after_it() {
    let url = Postgres::shared().create_database("rolling");
    let definition = definition();
    let older = Arc::new(PostgresStore::new(&options(&url)).expect("a store"));
    older.migrate().await.expect("it migrates");
    older.register(std::slice::from_ref(&definition), Clock::System.now()).await.expect("register");
    accept_and_run(&older, &definition, 0).await;
    let busy = tokio::spawn({
        let (older, definition) = (older.clone(), definition.clone());
        async move {
            for number in 1..=300 {
                accept_and_run(&older, &definition, number).await;
            }
        }
    });
    // What the next version may do: everything that leaves the old statements valid.
    let newer = "ALTER TABLE workflow_executions ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE execution_steps ADD COLUMN note TEXT;
        ALTER TABLE messages ADD COLUMN origin TEXT DEFAULT 'store';
        CREATE INDEX idx_workflow_executions_priority ON workflow_executions (priority);
        CREATE TABLE later (id BIGINT PRIMARY KEY);";
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let next =
        sqlx::migrate::Migration::new(9999, "later".into(), MigrationType::Simple, SqlStr::from_static(newer), false);
    let mut migrator = Migrator::with_migrations(vec![next]);
    migrator.set_ignore_missing(true);
    migrator.run(&mut connection).await.expect("the newer one migrates");
    busy.await.expect("the older one goes on");
    let again = PostgresStore::new(&options(&url)).expect("a store");
    let before = again.migrate().await.expect("the older one starts again");
    assert_eq!((before.pending.len(), before.newer), (0, vec![9999]));
    again.register(std::slice::from_ref(&definition), Clock::System.now()).await.expect("register");
    accept_and_run(&again, &definition, 1000).await;
}

async fn accept_and_run(store: &PostgresStore, definition: &Arc<Definition>, number: u64) {
    let event = Event { number: PrNumber(number), ..sample::opened(&format!("d-{number}")) };
    let new = NewExecution { id: ExecutionId::new(), definition: definition.clone(), group: None };
    store.accept(&event, std::slice::from_ref(&new), Clock::System.now()).await.expect("accept");
    run(store, new.id).await;
    store.enqueue("{}", Some("acme/shop"), Clock::System.now()).await.expect("enqueue");
}
