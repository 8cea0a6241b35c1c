//! The floor: a bare server that checks the signature, reads four fields, and inserts one row, in the same transaction as
//! whoever else waits.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use sqlx::{Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};

use autopr_core::intake::Secrets;
use secrecy::SecretString;

use crate::load::SECRET;

/// The most rows of one transaction.
const BATCH: usize = 256;

#[derive(Deserialize)]
struct Payload {
    action: String,
    number: u64,
    repository: Repository,
    pull_request: Pull,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Deserialize)]
struct Pull {
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    sha: String,
}

type Job = (String, oneshot::Sender<()>);

#[derive(Clone)]
struct Server {
    secrets: Secrets,
    jobs: mpsc::Sender<Job>,
}

/// The server's routes; its rows go into the database at `url`.
pub(crate) async fn router(url: &str) -> Router {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let table =
        "CREATE TABLE IF NOT EXISTS floor (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT NOT NULL)";
    sqlx::raw_sql(table).execute(&mut connection).await.expect("a table");
    let (jobs, mut waiting) = mpsc::channel::<Job>(1024);
    tokio::spawn(async move {
        let mut batch = Vec::new();
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let bodies: Vec<_> = batch.iter().map(|(body, _)| body.as_str()).collect();
            let insert = sqlx::query("INSERT INTO floor (body) SELECT * FROM unnest($1::text[])").bind(bodies);
            insert.execute(&mut connection).await.expect("the rows");
            for (_, done) in batch.drain(..) {
                // Whoever waited may have gone.
                let _ = done.send(());
            }
        }
    });
    let secrets = Secrets::new(vec![SecretString::from(SECRET)]).expect("a secret");
    Router::new().route("/webhooks/github", post(receive)).with_state(Server { secrets, jobs })
}

async fn receive(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signatures = headers.get_all("x-hub-signature-256").iter().map(|value| value.as_bytes());
    let Ok(signature) = server.secrets.signature(signatures) else { return StatusCode::UNAUTHORIZED };
    if server.secrets.verify(&body, &signature).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(payload) = serde_json::from_slice::<Payload>(&body) else { return StatusCode::BAD_REQUEST };
    let (action, repository, number) = (payload.action, payload.repository.full_name, payload.number);
    let row = serde_json::json!([action, repository, number, payload.pull_request.head.sha]).to_string();
    let (done, committed) = oneshot::channel();
    if server.jobs.send((row, done)).await.is_err() || committed.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::ACCEPTED
}
