//! The signals that stop a process.

use std::io;
use std::time::Duration;

use autopr_core::engine::GRACE;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long after a signal the process ends whatever hangs. What is left then is nobody's any more once its lease is over; ten
/// seconds is what Cloud Run and `docker stop` leave.
const END: Duration = GRACE.saturating_add(Duration::from_millis(1400));

/// Which signal stopped the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// `SIGINT`: the user's wish.
    Interrupted,
    /// `SIGTERM`: the supervisor's.
    Terminated,
}

/// The signals that ask the process to stop.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen for them. To be called before anything that must be ended in order.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Stopped {
        tokio::select! {
            _ = self.interrupt.recv() => Stopped::Interrupted,
            _ = self.terminate.recv() => Stopped::Terminated,
        }
    }

    /// Cancels `shutdown` at the first signal and waits for `stopped`; a second signal ends
    /// the waiting, and so does time.
    pub(crate) async fn until(mut self, shutdown: CancellationToken, stopped: impl Future<Output = ()>) -> Stopped {
        let mut stopped = std::pin::pin!(stopped);
        let first = tokio::select! {
            signal = self.next() => signal,
            // Nothing stops by itself; should it, there is nothing to wait for.
            () = &mut stopped => return Stopped::Terminated,
        };
        tracing::info!(signal = ?first, "stopping: what is under way is ended or given back");
        shutdown.cancel();
        tokio::select! {
            () = stopped => tracing::info!("stopped"),
            _ = self.next() => tracing::warn!("stopped at once by a second signal"),
            () = tokio::time::sleep(END) => tracing::warn!("stopped before everything had come to its end"),
        }
        first
    }
}
