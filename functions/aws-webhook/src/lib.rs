//! The Lambda function that takes webhooks: verifies them, puts them on the queue and answers GitHub. It needs the webhooks'
//! secret and nothing else: no database, no network of its own, no key of GitHub or of a model.

use std::process::ExitCode;
use std::sync::Arc;

use autopr_aws::{Failed, Function, Kind, Live};
use autopr_core::clock::Clock;
use autopr_core::intake;
use autopr_core::ports::Queue;
use autopr_runtime::http::{self, BodyLimits, Health, Intake};
use autopr_runtime::settings::{Needs, Settings};
use axum::Router;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

/// It reads its variables only, which makes it start sooner.
const KIND: Kind = Kind { name: "aws-webhook", needs: Needs::INTAKE, reads_file: false, unused: &[], threads: false };

/// Runs the function by a clock; another one than the machine's is for tests.
pub fn run(clock: Clock) -> ExitCode {
    autopr_aws::main(KIND, clock, serve)
}

async fn serve(function: Function) -> Result<(), Failed> {
    let (queue, clock) = (function.queue.clone(), function.clock.clone());
    let routers = Live::start(&function, move |settings| {
        let router = router(&settings, queue.clone(), clock.clone());
        async move { Ok(router) }
    })
    .await?;
    autopr_aws::http::serve(&function, async || routers.current().await.as_ref().clone()).await
}

/// The routes of the function.
pub fn router(settings: &Settings, queue: Arc<dyn Queue>, clock: Clock) -> Router {
    let secrets = settings.github.webhook_secrets.iter().map(|secret| SecretString::from(secret.expose()));
    // Settings hold two at most.
    let secrets = intake::Secrets::new(secrets.collect()).unwrap_or_default();
    let intake = Intake::new(secrets, queue, clock, BodyLimits::default());
    let health = Health::new(env!("CARGO_PKG_VERSION"), CancellationToken::new(), Vec::new());
    http::router(Arc::new(intake), Router::new(), Arc::new(health))
}
