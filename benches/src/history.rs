//! What many finished executions cost those who claim, list and purge.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_core::clock::{Clock, after};
use autopr_core::event::Event;
use autopr_core::execution::ExecutionStatus;
use autopr_core::ids::{ExecutionId, PrNumber, RepoName};
use autopr_core::ports::operations::Filter;
use autopr_core::ports::store::{Claim, NewExecution, Retention};
use autopr_core::ports::{Operations, Store};
use autopr_core::testkit::sample;
use autopr_core::workflow::Definition;
use autopr_services::Postgres;
use autopr_store_postgres::PostgresStore;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::median;

/// How often each is measured.
const TIMES: usize = 101;

/// Measures with `few` finished executions, then with `many`.
pub(crate) async fn run(store: Arc<PostgresStore>, postgres: &Postgres, few: i64, many: i64, explain: bool) {
    let mut connection = PgConnection::connect(&postgres.url("bench")).await.expect("a connection");
    let workflow = "name: pr-review\non: { pull_request: [opened] }\nsteps: [{ id: fetch, uses: fetch }]\n";
    let definition = Arc::new(Definition::parse("bench.yaml", workflow).expect("a workflow"));
    store.register(std::slice::from_ref(&definition), Clock::System.now()).await.expect("register");
    let mut rows = 0;
    let mut before: Vec<(&str, f64)> = Vec::new();
    for size in [few, many] {
        fill(&mut connection, rows, size, &definition.digest()).await;
        rows = size;
        let now = measure(&store, &definition, size).await;
        for (position, (what, millis)) in now.iter().enumerate() {
            let ratio = before.get(position).map(|(_, few)| format!(", {:.2} times as long", millis / few));
            println!("{size:>9} executions, {what}: {millis:.3} ms{}", ratio.unwrap_or_default());
        }
        before = now;
    }
    if explain {
        plans(&store, postgres, &definition).await;
    }
}

/// Fills the table up to `size` finished executions, as old as they are many.
async fn fill(connection: &mut PgConnection, from: i64, size: i64, digest: &str) {
    let event = serde_json::to_string(&sample::opened("d")).expect("JSON");
    sqlx::query(
        "INSERT INTO workflow_executions (id, workflow_id, execution_id, status, started_at, completed_at,
            definition_digest, delivery_id, repository, pull_request, head_sha, event, event_at, concurrency_group,
            latest_wins, created_at, updated_at)
        SELECT id, (SELECT id FROM workflows LIMIT 1), id::text,
            CASE n % 20 WHEN 0 THEN 'failed' WHEN 1 THEN 'superseded' ELSE 'succeeded' END, at, at, $3,
            'd-' || n, 'acme/repository-' || n % 200, n % 5000, repeat('a', 40), $4::json, at,
            'review/acme/repository-' || n % 200 || '/' || n % 5000, TRUE, at, at
        FROM (SELECT n, now() - n * interval '1 second' AS at, (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint
            - n * 1000), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid AS id
            FROM generate_series($1::bigint + 1, $2) n) made",
    )
    .bind(from)
    .bind(size)
    .bind(digest)
    .bind(event)
    .execute(&mut *connection)
    .await
    .expect("the rows");
    sqlx::query(
        "INSERT INTO execution_steps (execution_id, step_id, attempt, interruptions, waits, status, output)
        SELECT id, 'fetch', 1, 0, 0, 'succeeded', '{}' FROM workflow_executions e
        WHERE NOT EXISTS (SELECT 1 FROM execution_steps s WHERE s.execution_id = e.id)",
    )
    .execute(&mut *connection)
    .await
    .expect("the steps");
    // What is measured must not wait for the disk to take in what was only put there for it.
    for statement in ["VACUUM ANALYZE", "CHECKPOINT"] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await.expect("the tables are at rest");
    }
}

/// The medians in milliseconds.
async fn measure(store: &PostgresStore, definition: &Arc<Definition>, size: i64) -> Vec<(&'static str, f64)> {
    let [mut claims, mut lists, mut failures, mut own, mut purges] = [const { Vec::new() }; 5];
    let repository = RepoName::new("acme/repository-7").expect("a name");
    // All but the newest are too many: each purge removes a batch of the oldest.
    let retention = Retention { executions: 1000, age: Duration::from_secs(86_400 * 365) };
    for time in 0..TIMES {
        let now = Clock::System.now();
        let number = PrNumber(1_000_000 + time as u64);
        let event = Event { number, at: now, ..sample::opened(&format!("claim-{size}-{time}")) };
        let new = NewExecution { id: ExecutionId::new(), definition: definition.clone(), group: None };
        store.accept(&event, std::slice::from_ref(&new), now).await.expect("accept");
        let begun = Instant::now();
        let claim = store.claim(new.id, "bench", now, after(now, Duration::from_secs(60))).await.expect("claim");
        claims.push(millis(begun));
        assert!(matches!(claim, Claim::Acquired(..)));
        let begun = Instant::now();
        assert_eq!(store.executions(&Filter::default(), None, 50).await.expect("list").len(), 50);
        lists.push(millis(begun));
        let begun = Instant::now();
        let failed = Filter { status: Some(ExecutionStatus::Failed), ..Filter::default() };
        assert_eq!(store.executions(&failed, None, 50).await.expect("list").len(), 50);
        failures.push(millis(begun));
        let begun = Instant::now();
        let of_one = Filter { repository: Some(repository.clone()), ..Filter::default() };
        assert!(!store.executions(&of_one, None, 50).await.expect("list").is_empty());
        own.push(millis(begun));
        let begun = Instant::now();
        let purged = store.purge(&retention, now, 10).await.expect("purge");
        purges.push(millis(begun));
        assert_eq!(purged.executions, 10);
    }
    [
        ("claim", claims),
        ("list the newest 50", lists),
        ("list the newest 50 that failed", failures),
        ("list the newest 50 of a repository", own),
        ("purge 10", purges),
    ]
    .into_iter()
    .map(|(what, mut times)| (what, median(&mut times)))
    .collect()
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

/// Prints how the server goes about the store's own statements, by its log.
async fn plans(store: &PostgresStore, postgres: &Postgres, definition: &Arc<Definition>) {
    for statement in ["ALTER SYSTEM SET auto_explain.log_min_duration = 0", "SELECT pg_reload_conf()"] {
        let mut connection = PgConnection::connect(&postgres.url("bench")).await.expect("a connection");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("the server takes a setting");
    }
    let now = Clock::System.now();
    let (number, retention) =
        (PrNumber(2_000_000), Retention { executions: 1000, age: Duration::from_secs(86_400 * 90) });
    let event = Event { number, at: now, ..sample::opened("explain") };
    let new = NewExecution { id: ExecutionId::new(), definition: definition.clone(), group: None };
    let begun = postgres.log().len();
    store.accept(&event, std::slice::from_ref(&new), now).await.expect("accept");
    store.claim(new.id, "bench", now, after(now, Duration::from_secs(60))).await.expect("claim");
    let repository = RepoName::new("acme/repository-7").expect("a name");
    for filter in [
        Filter::default(),
        Filter { status: Some(ExecutionStatus::Failed), ..Filter::default() },
        Filter { repository: Some(repository), ..Filter::default() },
    ] {
        store.executions(&filter, None, 50).await.expect("list");
    }
    store.requeue_due(now, Duration::from_secs(60), 200).await.expect("sweep");
    store.purge(&retention, now, 10).await.expect("purge");
    println!("{}", &postgres.log()[begun..]);
}
