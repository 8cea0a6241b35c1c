//! What surrounds an invocation.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::{Clock, before, between};
use jiff::Timestamp;
use lambda_http::Context;
use tokio_util::sync::CancellationToken;

use crate::live::Live;
use crate::start::Function;

/// How long before the end of its time an invocation begins to give back what it has: an execution is recorded and
/// published again, which takes a second or two where both services are slow, and all of a batch do so at once.
const MARGIN: Duration = Duration::from_secs(5);

/// How long before the end of its time an invocation answers, whatever is under way.
const LAST: Duration = Duration::from_millis(1000);

/// The time by `clock` at which an invocation must begin to give back. Of a short one it is the last quarter, so that most
/// of the time is for work whatever the function's time-out is.
pub fn deadline(context: &Context, clock: &Clock) -> Timestamp {
    let now = Timestamp::now();
    let end = i64::try_from(context.deadline).ok().and_then(|end| Timestamp::from_millisecond(end).ok());
    let end = end.unwrap_or(now);
    clock.at(before(end, MARGIN.min(between(now, end) / 4)))
}

/// How long an invocation may still take when nothing else helps: a little less than until Lambda kills it.
pub fn time_left(context: &Context) -> Duration {
    let end = i64::try_from(context.deadline).ok().and_then(|end| Timestamp::from_millisecond(end).ok());
    let now = Timestamp::now();
    end.map_or(Duration::ZERO, |end| between(now, before(end, LAST.min(between(now, end) / 4))))
}

/// Has Lambda tell this process before it ends it, which takes an extension: then `close` has half a second.
pub async fn at_end<T, F>(
    live: &Arc<Live<T>>,
    shutdown: CancellationToken,
    close: impl FnOnce(Arc<T>) -> F + Send + 'static,
) where
    T: Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    let live = live.clone();
    let end = async move || {
        shutdown.cancel();
        close(live.last().await).await;
        tracing::info!("closed: Lambda ends this process");
    };
    lambda_runtime::spawn_graceful_shutdown_handler(end).await;
}

/// Writes the metrics of an invocation. To be called at its end: a function that is frozen then may never be thawed.
pub fn flush(function: &Function, request_id: &str) {
    let properties = [("request_id", request_id), ("function", function.kind.name)];
    if let Err(error) = function.emf.flush(&properties) {
        tracing::warn!(request_id, %error, "the metrics of an invocation are lost");
    }
}
