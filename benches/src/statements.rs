//! What the statements cost the server.

use sqlx::{Connection, PgConnection, Row};

/// Prints the dearest statements of the server's whole life.
pub(crate) async fn print(url: &str) {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        .execute(&mut connection)
        .await
        .expect("the extension, which is a part of PostgreSQL's contrib");
    let rows = sqlx::query(
        "SELECT calls, plans, round(total_plan_time) AS planned, round(total_exec_time) AS executed,
            shared_blks_hit / GREATEST(calls, 1) AS blocks, left(regexp_replace(query, '\\s+', ' ', 'g'), 90) AS query
        FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        ORDER BY total_plan_time + total_exec_time DESC LIMIT 30",
    )
    .fetch_all(&mut connection)
    .await
    .expect("the statements");
    println!("{:>8} {:>8} {:>9} {:>9} {:>7}", "calls", "plans", "plan ms", "run ms", "blocks");
    for row in rows {
        let (calls, plans, blocks): (i64, i64, i64) = (row.get("calls"), row.get("plans"), row.get("blocks"));
        let (planned, executed): (f64, f64) = (row.get("planned"), row.get("executed"));
        println!("{calls:>8} {plans:>8} {planned:>9.0} {executed:>9.0} {blocks:>7}  {}", row.get::<&str, _>("query"));
    }
}
