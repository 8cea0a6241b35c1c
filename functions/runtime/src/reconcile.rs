//! The loop around [`Engine::reconcile`].

use autopr_core::clock::Clock;
use autopr_core::engine::Engine;
use autopr_core::reconcile::{Progress, Reconciled, Settings};
use tokio_util::sync::CancellationToken;

use crate::settings::Reconcile;

/// Reconciles with the forge now and after each interval, until the shutdown. Comes to an end at once when nothing is
/// to be reconciled.
pub async fn reconcile(engine: &Engine, settings: &Reconcile, clock: Clock, shutdown: &CancellationToken) {
    let Reconcile { deliveries, pull_requests, interval, max_requests } = *settings;
    let settings = Settings { deliveries, pull_requests, requests: max_requests, ..Settings::default() };
    let mut progress = Progress::default();
    while (deliveries || pull_requests) && !shutdown.is_cancelled() {
        tokio::select! {
            outcome = engine.reconcile(&settings, &mut progress) => match outcome {
                Ok(Reconciled { redelivered, published, requests }) => {
                    tracing::debug!(redelivered, published, requests, "reconciled with the forge");
                }
                Err(fault) => tracing::warn!(%fault, "reconciling with the forge failed; the next look goes on"),
            },
            () = shutdown.cancelled() => return,
        }
        tokio::select! {
            () = clock.elapsed(interval.duration()) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
