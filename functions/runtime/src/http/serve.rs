//! A server that no client can hold up: connections are bounded in number, requests in time, and a shutdown ends.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::engine::GRACE;
use axum::Router;
use axum::http::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::stream::{Linger, Stream};

/// The pause after the system would not give another connection, such as for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// About the largest head of a request, in bytes: GitHub's has some hundreds.
const MOST_HEAD: usize = 16 * 1024;

/// How long a connection may stay at the shutdown when no request is being answered on it: the time for the last bytes of
/// a head or of an answer.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub struct ServeLimits {
    /// The most connections at a time; more wait in the system's queue.
    pub connections: usize,
    /// The longest a client may take to send the head of a request, the wait for it included.
    pub head: Duration,
    /// The longest a client may leave an answer unread.
    pub unread: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self { connections: 1024, head: Duration::from_secs(15), unread: Duration::from_secs(15) }
    }
}

/// How long answers may take beyond [`GRACE`]: an execution that somebody waits for is given back at its end, and that is told.
const ANSWERS: Duration = Duration::from_secs(1);

/// Serves until the shutdown, then lets requests that are under way end, for a little longer than [`GRACE`].
pub async fn serve(listener: TcpListener, router: Router, limits: ServeLimits, shutdown: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    while let Some((stream, place)) = next(&listener, &places, &shutdown).await {
        connections.spawn(connection(stream, place, router.clone(), limits, shutdown.clone()));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE + ANSWERS, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections were cut off");
    }
}

/// The next connection, once there is a place for it; none at the shutdown.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await.ok()?;
            Some((listener.accept().await, place))
        };
        let (accepted, place) = tokio::select! {
            accepted = accepted => accepted?,
            () = shutdown.cancelled() => return None,
        };
        match accepted {
            Ok((stream, _)) => return Some((stream, place)),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    router: Router,
    limits: ServeLimits,
    shutdown: CancellationToken,
) {
    // Answers are small and wanted at once.
    drop(stream.set_nodelay(true));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(MOST_HEAD);
    let (under_way, linger) = (UnderWay::default(), Linger::default());
    let service = {
        let (router, under_way, linger) = (TowerToHyperService::new(router), under_way.clone(), linger.clone());
        service_fn(move |request: Request<Incoming>| {
            let (mark, linger) = (under_way.mark(), linger.clone());
            let has_body = !request.body().is_end_stream();
            let answer = router.call(request);
            async move {
                let answer = answer.await;
                if has_body && answer.as_ref().is_ok_and(|answer| !answer.status().is_success()) {
                    linger.needed();
                }
                drop(mark);
                answer
            }
        })
    };
    let stream = TokioIo::new(Stream::new(stream, limits.unread, linger));
    let mut connection = std::pin::pin!(http.serve_connection(stream, service));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = &mut connection => ended,
                // The rest of a head that a client is in no hurry to send is not waited for.
                () = under_way.none_for(LAST_BYTES) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
    drop(place);
}

/// How many requests of a connection are being answered.
#[derive(Clone, Default)]
struct UnderWay(Arc<watch::Sender<usize>>);

/// Stands for one request that is being answered.
struct Mark(UnderWay);

impl UnderWay {
    fn mark(&self) -> Mark {
        self.0.send_modify(|count| *count += 1);
        Mark(self.clone())
    }

    /// Returns once there has been none for that long.
    async fn none_for(&self, time: Duration) {
        let mut count = self.0.subscribe();
        loop {
            // The sender lives as long as this does.
            drop(count.wait_for(|count| *count == 0).await);
            if tokio::time::timeout(time, count.wait_for(|count| *count > 0)).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}
