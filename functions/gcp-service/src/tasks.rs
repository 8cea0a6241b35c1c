//! Work that a request asks for and that goes on when its sender hangs up.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a request waits for a place. Longer than the usual event takes that nobody wants, and shorter than anybody
/// would wait in vain.
const PATIENCE: Duration = Duration::from_secs(2);

/// The work of a process: so much at a time, and none begun after the shutdown. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Tasks {
    /// HTTP is answered on a thread of its own, which must not wait for any work.
    runtime: Handle,
    places: Arc<Semaphore>,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Everything is taken.
    Busy,
    /// The process ends.
    Ending,
}

impl Tasks {
    /// Places for so much work in the runtime that this is called in.
    pub(crate) fn new(places: usize, shutdown: CancellationToken) -> Self {
        let (runtime, places) = (Handle::current(), Arc::new(Semaphore::new(places)));
        Self { runtime, places, tracker: TaskTracker::new(), shutdown }
    }

    /// A place, which is free again when this is dropped.
    pub(crate) async fn place(&self) -> Result<OwnedSemaphorePermit, Refused> {
        let waited = tokio::time::timeout(PATIENCE, self.places.clone().acquire_owned());
        let place = tokio::select! {
            place = waited => place,
            () = self.shutdown.cancelled() => return Err(Refused::Ending),
        };
        match place {
            _ if self.shutdown.is_cancelled() => Err(Refused::Ending),
            // It is never closed.
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Refused::Busy),
        }
    }

    /// Does the work and waits for what comes of it; none when it panicked. It goes on when nobody waits any more.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        self.tracker.spawn_on(work, &self.runtime).map(Result::ok).await
    }

    /// Returns at the shutdown, once nothing is under way any more.
    pub(crate) async fn drained(self) {
        self.shutdown.cancelled().await;
        self.tracker.close();
        self.tracker.wait().await;
    }
}
