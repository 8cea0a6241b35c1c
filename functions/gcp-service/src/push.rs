//! `POST /pubsub/push`: a message that a subscription of Pub/Sub pushes. An answer of 2xx acknowledges it; after any other
//! it comes again, and after too many of these it becomes a dead letter.

use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_core::clock::{Clock, after};
use autopr_core::engine::{Engine, Handled};
use autopr_core::message::{Message, V1};
use autopr_core::telemetry::MESSAGES;
use autopr_core::trace::traced;
use autopr_queue_pubsub::push::{self, Pushed};
use autopr_runtime::http::{BodyLimits, Problem, read_body};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use metrics::counter;
use tracing::{Instrument, Span};

use crate::door::Door;
use crate::tasks::{Refused, Tasks};

/// The name of the queue in metrics.
const QUEUE: &str = "pubsub";

/// How long before the end of its time a message begins to be given back: its execution is recorded and published again,
/// which takes a second or two where both services are slow.
const MARGIN: Duration = Duration::from_secs(10);

/// What takes pushed messages in.
pub(crate) struct Pushes {
    pub(crate) door: Arc<Door>,
    pub(crate) tasks: Tasks,
    pub(crate) engine: Engine,
    pub(crate) clock: Clock,
    /// After how long whoever pushes gives up.
    pub(crate) timeout: Duration,
    pub(crate) limits: BodyLimits,
}

pub(crate) async fn receive(State(pushes): State<Arc<Pushes>>, headers: HeaderMap, body: Body) -> Response {
    match take(&pushes, &headers, body).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn take(pushes: &Pushes, headers: &HeaderMap, body: Body) -> Result<(), Problem> {
    let begun = Timestamp::now();
    // Whoever is not known gets no memory.
    pushes.door.admit(headers).await?;
    let held = read_body(body, headers, &pushes.limits).await?;
    let pushed = push::read(&held.bytes).map_err(|why| {
        count("unreadable");
        tracing::error!(%why, "a pushed request can't be read: it is given back");
        Problem::new(StatusCode::BAD_REQUEST, headers, why.to_string())
    })?;
    drop(held);
    let place = pushes.tasks.place().await.map_err(|refused| {
        let (status, detail) = match refused {
            Refused::Busy => (StatusCode::TOO_MANY_REQUESTS, "this instance has as much to do as it may"),
            Refused::Ending => (StatusCode::SERVICE_UNAVAILABLE, "this instance is shutting down"),
        };
        count("busy");
        tracing::info!(message = pushed.id, detail, "a message is given back");
        Problem::new(status, headers, detail).retry_after(1)
    })?;
    let (engine, clock, timeout) = (pushes.engine.clone(), pushes.clock.clone(), pushes.timeout);
    let span = span(&pushed);
    let work = async move {
        let _place = place;
        deal_with(&engine, &clock, pushed, begun, timeout).await
    };
    match pushes.tasks.run(work.instrument(span)).await {
        Some(Handled::Ack) => Ok(()),
        Some(Handled::Redeliver) => {
            let detail = "the message could not be dealt with; send it again";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, headers, detail))
        }
        None => {
            count("panicked");
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, headers, "the server made a mistake"))
        }
    }
}

async fn deal_with(engine: &Engine, clock: &Clock, pushed: Pushed, begun: Timestamp, timeout: Duration) -> Handled {
    let started = Instant::now();
    let Pushed { body, attempt, trace, .. } = pushed;
    let work = timeout - MARGIN.min(timeout / 4);
    let handled = traced(trace, engine.handle(&body, Some(clock.at(after(begun, work)))));
    // Should giving back take longer than there is time, nobody waits any more: its lease comes to its end.
    let handled = tokio::time::timeout(timeout, handled).await.unwrap_or(Handled::Redeliver);
    let outcome = match handled {
        Handled::Ack => "done",
        Handled::Redeliver => "again",
    };
    count(outcome);
    tracing::info!(outcome, receive_count = attempt, duration_ms = started.elapsed().as_millis(), "message");
    handled
}

fn count(outcome: &'static str) {
    counter!(MESSAGES, "queue" => QUEUE, "outcome" => outcome).increment(1);
}

/// What every line that is logged for a message says besides.
fn span(pushed: &Pushed) -> Span {
    let (message, trace) = (&pushed.id, pushed.trace.as_ref().map(ToString::to_string));
    let empty = tracing::field::Empty;
    let span = tracing::info_span!("message", message, trace, delivery = empty, execution = empty);
    match Message::decode(&pushed.body) {
        Ok(Message::V1(V1::Event { event })) => span.record("delivery", event.delivery.to_string()),
        Ok(Message::V1(V1::Advance { execution, .. })) => span.record("execution", execution.to_string()),
        // It is logged when it is dealt with.
        Err(_) => &span,
    };
    span
}
