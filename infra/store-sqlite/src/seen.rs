//! What the store has heard of: deliveries, heads of pull requests, repositories.

use autopr_core::fault::Fault;
use autopr_core::ids::RepoName;
use autopr_core::ports::store::Trace;
use serde_json::json;
use sqlx::sqlite::SqlitePool;

use crate::row::{corrupt, fault};

pub(crate) async fn unheard(readers: &SqlitePool, traces: &[Trace]) -> Result<Vec<Trace>, Fault> {
    let asked: Vec<_> = traces
        .iter()
        .map(|trace| {
            let head = trace.head.as_ref();
            let repository = head.map(|head| head.repository.as_str());
            let (number, commit) = (head.map(|head| head.number.0), head.map(|head| head.commit.as_str()));
            let superseded = head.is_some_and(|head| head.superseded);
            json!([trace.delivery.as_str(), repository, number, commit, superseded])
        })
        .collect();
    // Without a head nothing equals its null columns.
    let places: Vec<i64> = sqlx::query_scalar(
        "SELECT asked.key FROM json_each(?) AS asked
        WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE id = asked.value ->> 0)
            AND NOT EXISTS (SELECT 1 FROM workflow_executions
                WHERE repository = asked.value ->> 1 AND pull_request = asked.value ->> 2
                    AND head_sha = asked.value ->> 3
                    AND (asked.value ->> 4 OR status IN ('succeeded', 'failed', 'timed_out')
                        OR (status <> 'superseded' AND superseded_by IS NULL)))
            AND NOT (EXISTS (SELECT 1 FROM deliveries
                    WHERE repository = asked.value ->> 1 AND pull_request = asked.value ->> 2
                        AND head_sha = asked.value ->> 3 AND head_sha IS NOT NULL AND outcome = 'accepted')
                AND NOT EXISTS (SELECT 1 FROM workflow_executions
                    WHERE repository = asked.value ->> 1 AND pull_request = asked.value ->> 2
                        AND head_sha = asked.value ->> 3))
        ORDER BY asked.key",
    )
    .bind(json!(asked).to_string())
    .fetch_all(readers)
    .await
    .map_err(fault("unheard"))?;
    Ok(places.iter().filter_map(|place| traces.get(usize::try_from(*place).ok()?)).cloned().collect())
}

pub(crate) async fn repositories(
    readers: &SqlitePool,
    after: Option<&RepoName>,
    limit: u32,
) -> Result<Vec<RepoName>, Fault> {
    // Steps from name to name through the index, however many executions a repository has. No name is empty.
    let names: Vec<String> = sqlx::query_scalar(
        "WITH RECURSIVE names (name) AS (
            SELECT (SELECT min(repository) FROM workflow_executions WHERE repository > ?1)
            UNION ALL
            SELECT (SELECT min(repository) FROM workflow_executions WHERE repository > names.name)
            FROM names WHERE names.name IS NOT NULL)
        SELECT name FROM names WHERE name IS NOT NULL LIMIT ?2",
    )
    .bind(after.map_or("", RepoName::as_str))
    .bind(limit)
    .fetch_all(readers)
    .await
    .map_err(fault("repositories"))?;
    names.into_iter().map(|name| RepoName::new(name).map_err(|_| corrupt("a repository", "no name"))).collect()
}
