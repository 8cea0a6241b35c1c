//! `autopr serve` and `autopr worker`: a process whose messages lie in its own store.

use std::sync::Arc;

use autopr_core::clock::Clock;
use autopr_core::engine::{Edges, PATIENCE};
use autopr_core::ports::queue::StoreQueue;
use autopr_core::workflow::Catalog;
use autopr_runtime::Worker;
use autopr_runtime::settings::Settings;
use autopr_service::{Backing, Failed, Process, Stopped, Work};
use autopr_wiring::Unusable;
use axum::Router;

use crate::store::{self, AnyStore};

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Takes webhooks and runs executions.
    Serve,
    /// Runs executions only.
    Work,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Work => "worker",
        }
    }
}

/// Runs until a signal stops it. Tests run it by another clock than the machine's, and `wrap` may put something between the
/// engine and its edges; the product puts nothing.
///
/// # Errors
/// When it can't start.
pub async fn run(
    settings: &Settings,
    catalog: Catalog,
    role: Role,
    version: &'static str,
    clock: Clock,
    wrap: impl FnOnce(Edges) -> Edges,
) -> Result<Stopped, Failed> {
    let backing = {
        let clock = clock.clone();
        async move {
            let opened = AnyStore::open(&settings.database).await;
            let opened = opened.map_err(|error| Unusable::new(store::place(&settings.database), error))?;
            let queue = Arc::new(StoreQueue::new(opened.port(), clock));
            Ok(Backing { store: opened.port(), queue, close: Box::pin(async move { opened.close().await }) })
        }
    };
    let at_once = settings.workflow.max_concurrent as usize;
    let serves = role == Role::Serve;
    let process = Process { name: role.name(), version, settings, catalog, clock, serves, upkeep: Some(PATIENCE) };
    autopr_service::run(process, backing, wrap, |parts| {
        let queue = StoreQueue::clone(&parts.queue);
        let worker = Worker::new(parts.engine, queue, parts.clock, at_once, parts.shutdown);
        Ok(Work { routes: Router::new(), consumer: Box::pin(worker.run()) })
    })
    .await
}
