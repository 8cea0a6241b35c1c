//! The Lambda function that answers the API: so far whether the process lives, and whether it may take traffic.

use std::process::ExitCode;
use std::sync::Arc;

use autopr_aws::{Failed, Function, Kind, Live};
use autopr_core::clock::Clock;
use autopr_runtime::http::{self, Dependency, Health};
use autopr_runtime::settings::{Needs, Settings};
use autopr_store_postgres::PostgresStore;
use axum::Router;
use tokio_util::sync::CancellationToken;

/// It writes nothing to GitHub and asks no model.
const NEEDS: Needs = Needs { postgres: true, ..Needs::NOTHING };

const KIND: Kind =
    Kind { name: "aws-api", needs: NEEDS, reads_file: true, unused: &["github", "llm.providers"], threads: false };

/// The most connections: an environment answers one request at a time.
const MOST_CONNECTIONS: u32 = 2;

/// Runs the function by a clock; another one than the machine's is for tests.
pub fn run(clock: Clock) -> ExitCode {
    autopr_aws::main(KIND, clock, serve)
}

async fn serve(function: Function) -> Result<(), Failed> {
    let shutdown = CancellationToken::new();
    let stopping = shutdown.clone();
    let api = Live::start(&function, move |settings| start(settings, stopping.clone()));
    let api = Arc::new(api.await?);
    autopr_aws::at_end(&api, shutdown, |api: Arc<Api>| async move { api.store.close().await }).await;
    autopr_aws::http::serve(&function, async || api.current().await.router.clone()).await
}

/// What a request is answered with.
struct Api {
    router: Router,
    store: Arc<PostgresStore>,
}

async fn start(settings: Settings, shutdown: CancellationToken) -> Result<Api, Failed> {
    let opened = autopr_wiring::open_few(&settings.database, MOST_CONNECTIONS).await;
    let store = opened.map_err(|error| Failed::database(&error))?;
    let health = Health::new(env!("CARGO_PKG_VERSION"), shutdown, vec![Dependency::database(store.clone())]);
    Ok(Api { router: http::router_with(Router::new(), Arc::new(health)), store })
}
