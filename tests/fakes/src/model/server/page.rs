//! The body of an answer, whole or broken off in the middle.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::{Hook, Moment};
use crate::model::request::Request;

/// A connection that is to be broken.
#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the script breaks the connection")
    }
}

impl std::error::Error for Broken {}

/// The body of an answer.
pub(crate) struct Page {
    data: Option<Bytes>,
    promised: u64,
    cut: bool,
    /// Dropped with the page, which is when the connection has taken it.
    after: Option<After>,
}

impl Page {
    pub(crate) fn whole(body: impl Into<Bytes>) -> Self {
        Self::new(body, false)
    }

    /// A page that promises all of the body and, if it is to be cut, delivers half.
    pub(crate) fn new(body: impl Into<Bytes>, cut: bool) -> Self {
        let body = body.into();
        let promised = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let data = if cut { body.slice(..body.len() / 2) } else { body };
        Self { data: Some(data), promised, cut, after: None }
    }

    pub(crate) fn then(mut self, after: Option<After>) -> Self {
        self.after = after;
        self
    }

    pub(crate) fn promised(&self) -> u64 {
        self.promised
    }
}

impl Body for Page {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.data.take() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None if self.cut => {
                // Once more round the connection's loop, so that the half is sent before the connection breaks.
                if std::mem::take(&mut self.promised) > 0 {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(Broken)))
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

/// Calls a hook when it is dropped.
pub(crate) struct After {
    hook: Hook,
    request: Arc<Request>,
}

impl After {
    pub(super) fn new(hook: Hook, request: Arc<Request>) -> Self {
        Self { hook, request }
    }
}

impl Drop for After {
    fn drop(&mut self) {
        (self.hook)(Moment::After, &self.request);
    }
}
