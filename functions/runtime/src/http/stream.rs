//! A connection that can't be held open by a client who does not read, and that is closed so that the answer arrives.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How long what a client still sends is thrown away after the last answer. Closing with unread bytes would reset the
/// connection, and the client might lose the answer that tells why it is closed (RFC 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// A connection whose writes may stall for a limited time only.
pub(super) struct Stream {
    inner: TcpStream,
    patience: Duration,
    linger: Linger,
    stalled: Option<Pin<Box<Sleep>>>,
    lingering: Option<Pin<Box<Sleep>>>,
}

/// Whether a client may still be sending what nobody will read. Cloning shares it.
#[derive(Clone, Default)]
pub(super) struct Linger(Arc<AtomicBool>);

impl Linger {
    /// Says that a request was answered whose body may not have been read to its end.
    pub(super) fn needed(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_needed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stream {
    /// Wraps a connection; `patience` is how long a client may leave an answer unread.
    pub(super) fn new(inner: TcpStream, patience: Duration, linger: Linger) -> Self {
        Self { inner, patience, linger, stalled: None, lingering: None }
    }

    fn bounded<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.bounded(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.bounded(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(context);
        self.bounded(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let lingering = match &mut this.lingering {
            Some(lingering) => lingering,
            None => {
                ready!(Pin::new(&mut this.inner).poll_shutdown(context))?;
                if !this.linger.is_needed() {
                    return Poll::Ready(Ok(()));
                }
                this.lingering.insert(Box::pin(sleep(LINGER)))
            }
        };
        let mut thrown_away = [0; 4096];
        // The time is looked at first, so that a client who never stops sending does not keep this busy.
        while lingering.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut thrown_away);
            match ready!(Pin::new(&mut this.inner).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
