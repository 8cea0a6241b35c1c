//! The tables' versions: each is made of the one before without harm to what is in it.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::{Clock, after};
use autopr_core::event::Event;
use autopr_core::execution::ExecutionStatus;
use autopr_core::ids::ExecutionId;
use autopr_core::ports::Store;
use autopr_core::ports::store::Claim;
use autopr_core::testkit::sample;
use autopr_core::workflow::Definition;
use autopr_store_sqlite::SqliteStore;
use sqlx::migrate::{MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqlStr};

fn definition() -> Arc<Definition> {
    let yaml = "name: sample\non: { pull_request: [opened] }\nsteps: [{ id: fetch, uses: fetch }]\n";
    Arc::new(Definition::parse("sample.yaml", yaml).expect("a workflow"))
}

/// Rows of every table as the first version made them.
fn sample_rows(definition: &Definition, event: &Event) -> String {
    let (digest, body) = (definition.digest(), definition.to_json());
    let event = serde_json::to_string(event).expect("JSON");
    format!(
        "INSERT INTO workflows (id, name, status, created_at, updated_at, config) VALUES ('w', 'sample', 'enabled', 1, 1, '{body}');
        INSERT INTO workflow_definitions VALUES ('{digest}', '{body}');
        INSERT INTO deliveries VALUES ('d-1', 'pull_request', 1, 'accepted');
        INSERT INTO workflow_executions (id, workflow_id, execution_id, status, definition_digest, delivery_id, repository,
            pull_request, event, event_at, created_at, updated_at)
        VALUES ('00000000-0000-7000-8000-000000000101', 'w', 'e-1', 'queued', '{digest}', 'd-1', 'acme/shop', 7, '{event}', 1, 1, 1),
            ('00000000-0000-7000-8000-000000000102', 'w', 'e-2', 'succeeded', '{digest}', 'd-1', 'acme/shop', 7, '{event}', 1, 1, 1);
        INSERT INTO execution_steps (execution_id, step_id, attempt, interruptions, waits, status, output)
        VALUES ('00000000-0000-7000-8000-000000000102', 'fetch', 1, 0, 0, 'succeeded', '{{\"a\": 1}}');
        INSERT INTO execution_memos VALUES ('00000000-0000-7000-8000-000000000102', 'k', x'76');
        INSERT INTO execution_effects VALUES ('00000000-0000-7000-8000-000000000102', 'm', 'review', 'done', '1', NULL, 1);
        INSERT INTO messages (body, available_at) VALUES ('{{}}', 1);"
    )
}

async fn apply(connection: &mut SqliteConnection, migration: &autopr_core::ports::schema::Migration) {
    let one = sqlx::migrate::Migration::new(
        migration.version,
        migration.name.into(),
        MigrationType::Simple,
        SqlStr::from_static(migration.sql),
        false,
    );
    let mut migrator = Migrator::with_migrations(vec![one]);
    migrator.set_ignore_missing(true);
    migrator.run(connection).await.expect("it applies");
}

#[tokio::test]
async fn every_version_is_made_of_the_one_before_with_rows_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (definition, event) = (definition(), sample::opened("d-1"));
    let all = SqliteStore::migrations();
    for known in 1..=all.len() {
        let path = folder.path().join(format!("{known}.db"));
        assert_eq!(SqliteStore::schema(&path).await.expect("schema").pending, all, "nothing is there");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut connection = options.connect().await.expect("a file");
        for migration in &all[..known] {
            apply(&mut connection, migration).await;
            if migration.version == 1 {
                let rows = AssertSqlSafe(sample_rows(&definition, &event));
                sqlx::raw_sql(rows).execute(&mut connection).await.expect("the rows");
            }
        }
        connection.close().await.expect("it closes");
        assert_eq!(SqliteStore::schema(&path).await.expect("schema").pending, all[known..]);
        let store = SqliteStore::open(&path).await.expect("it migrates");
        assert!(SqliteStore::schema(&path).await.expect("schema").pending.is_empty());
        works(&store, &definition).await;
        store.close().await;
    }
}

/// What was there is there, and the queued execution can be claimed.
async fn works(store: &SqliteStore, definition: &Arc<Definition>) {
    let now = Clock::System.now();
    store.register(std::slice::from_ref(definition), now).await.expect("register");
    let id =
        |number: u32| -> ExecutionId { format!("00000000-0000-7000-8000-00000000010{number}").parse().expect("an id") };
    let done = store.execution(id(2)).await.expect("execution").expect("it is there");
    assert_eq!(
        (done.status, done.steps[0].output.clone()),
        (ExecutionStatus::Succeeded, Some(serde_json::json!({ "a": 1 })))
    );
    assert_eq!(store.memo(id(2), "k").await.expect("memo"), Some(b"v".to_vec()));
    assert_eq!(store.receive(1, now, after(now, Duration::from_secs(1))).await.expect("receive").len(), 1);
    let claim = store.claim(id(1), "w", now, after(now, Duration::from_secs(60))).await.expect("claim");
    assert!(matches!(claim, Claim::Acquired(..)), "{claim:?}");
}
