//! Webhooks acknowledged a second, beside the floor.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_core::clock::Clock;
use autopr_core::intake::Secrets;
use autopr_core::ports::Store;
use autopr_core::ports::queue::StoreQueue;
use autopr_core::testkit::sample;
use autopr_runtime::http::{BodyLimits, Health, Intake, ServeLimits, router, serve};
use autopr_store_postgres::PostgresStore;
use axum::Router;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::load::{Deliveries, SECRET};
use crate::{floor, median};

/// Measures both in turn, then what a duplicate costs.
pub(crate) async fn run(store: Arc<PostgresStore>, url: &str, rounds: usize, time: Duration) {
    let shutdown = CancellationToken::new();
    let ours = listen(ours(store.clone(), &shutdown), &shutdown).await;
    let bare = listen(floor::router(url).await, &shutdown).await;
    let deliveries = Deliveries::new();
    let (mut rates, mut floors, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let floor = deliveries.send(&bare, &format!("floor-{round}"), time).await;
        let rate = deliveries.send(&ours, &format!("ours-{round}"), time).await;
        // The first round warms up.
        if round > 0 {
            floors.push(floor);
            rates.push(rate);
            ratios.push(rate / floor);
        }
    }
    let (rate, floor, ratio) = (median(&mut rates), median(&mut floors), median(&mut ratios));
    println!("acknowledged webhooks a second, durable: {rate:.0}; bare server with group commit: {floor:.0}");
    println!("ratio: {ratio:.2} (median of {rounds} rounds, {:.2} to {:.2})", ratios[0], ratios[ratios.len() - 1]);
    duplicates(&*store, &deliveries, &ours).await;
    shutdown.cancel();
}

fn ours(store: Arc<PostgresStore>, shutdown: &CancellationToken) -> Router {
    let queue = Arc::new(StoreQueue::new(store, Clock::System));
    let secrets = Secrets::new(vec![SecretString::from(SECRET)]).expect("a secret");
    let intake = Arc::new(Intake::new(secrets, queue, Clock::System, BodyLimits::default()));
    router(intake, axum::Router::new(), Arc::new(Health::new("bench", shutdown.clone(), Vec::new())))
}

/// Serves on a free port; returns where webhooks go.
async fn listen(router: Router, shutdown: &CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, router, ServeLimits::default(), shutdown.clone()));
    format!("http://{address}/webhooks/github")
}

/// What a delivery costs that came before: to the process that took it, and to another one, whose worker finds it in the
/// store.
async fn duplicates(store: &dyn Store, deliveries: &Deliveries, url: &str) {
    const MANY: u32 = 500;
    let http = reqwest::Client::new();
    deliveries.one(&http, url, "again").await;
    let begun = Instant::now();
    for _ in 0..MANY {
        deliveries.one(&http, url, "again").await;
    }
    println!("a duplicate at the same process: {:.2} ms from request to answer", millis(begun.elapsed() / MANY));
    let event = sample::opened("accepted");
    store.accept(&event, &[], Clock::System.now()).await.expect("accepted");
    let begun = Instant::now();
    for _ in 0..MANY {
        let accepted = store.accept(&event, &[], Clock::System.now()).await.expect("accepted");
        assert!(!accepted.fresh);
    }
    println!("a duplicate in the store: {:.2} ms", millis(begun.elapsed() / MANY));
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
