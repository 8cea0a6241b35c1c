//! What the store has heard of: deliveries, heads of pull requests, repositories.

use autopr_core::fault::Fault;
use autopr_core::ids::RepoName;
use autopr_core::ports::store::Trace;
use sqlx::PgConnection;

use crate::row::{corrupt, fault};

pub(crate) async fn unheard(connection: &mut PgConnection, traces: &[Trace]) -> Result<Vec<Trace>, Fault> {
    let heads: Vec<_> = traces.iter().map(|trace| trace.head.as_ref()).collect();
    // Without a head nothing equals its null columns.
    let places: Vec<i64> = sqlx::query_scalar(
        "SELECT place FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[])
            WITH ORDINALITY AS asked (delivery, repository, number, commit, superseded, place)
        WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE id = asked.delivery)
            AND NOT EXISTS (SELECT 1 FROM workflow_executions e
                WHERE e.repository = asked.repository AND e.pull_request = asked.number AND e.head_sha = asked.commit
                    AND (asked.superseded OR e.status IN ('succeeded', 'failed', 'timed_out')
                        OR (e.status <> 'superseded' AND e.superseded_by IS NULL)))
            AND NOT (EXISTS (SELECT 1 FROM deliveries d
                    WHERE d.repository = asked.repository AND d.pull_request = asked.number AND d.head_sha = asked.commit
                        AND d.head_sha IS NOT NULL AND d.outcome = 'accepted')
                AND NOT EXISTS (SELECT 1 FROM workflow_executions e
                    WHERE e.repository = asked.repository AND e.pull_request = asked.number
                        AND e.head_sha = asked.commit))
        ORDER BY place",
    )
    .bind(traces.iter().map(|trace| trace.delivery.as_str()).collect::<Vec<_>>())
    .bind(heads.iter().map(|head| head.map(|head| head.repository.as_str())).collect::<Vec<_>>())
    .bind(heads.iter().map(|head| head.map(|head| head.number.0.cast_signed())).collect::<Vec<_>>())
    .bind(heads.iter().map(|head| head.map(|head| head.commit.as_str())).collect::<Vec<_>>())
    .bind(heads.iter().map(|head| head.is_some_and(|head| head.superseded)).collect::<Vec<_>>())
    .fetch_all(connection)
    .await
    .map_err(fault("unheard"))?;
    let trace = |place: i64| usize::try_from(place - 1).ok().and_then(|place| traces.get(place)).cloned();
    Ok(places.into_iter().filter_map(trace).collect())
}

pub(crate) async fn repositories(
    connection: &mut PgConnection,
    after: Option<&RepoName>,
    limit: u32,
) -> Result<Vec<RepoName>, Fault> {
    // Steps from name to name through the index, however many executions a repository has. No name is empty.
    let names: Vec<String> = sqlx::query_scalar(
        "WITH RECURSIVE names (name) AS (
            (SELECT repository FROM workflow_executions WHERE repository > $1 ORDER BY repository LIMIT 1)
            UNION ALL
            SELECT (SELECT repository FROM workflow_executions WHERE repository > names.name ORDER BY repository LIMIT 1)
            FROM names WHERE names.name IS NOT NULL)
        SELECT name FROM names WHERE name IS NOT NULL LIMIT $2",
    )
    .bind(after.map_or("", RepoName::as_str))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
    .map_err(fault("repositories"))?;
    names.into_iter().map(|name| RepoName::new(name).map_err(|_| corrupt("a repository", "no name"))).collect()
}
