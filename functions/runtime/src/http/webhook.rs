//! `POST /webhooks/github`: verify, parse, publish, answer. No database and no model is asked before the answer.

use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::Clock;
use autopr_core::ids::DeliveryId;
use autopr_core::intake::{Headers, Parsed, Secrets, Signature, Unverified, parse};
use autopr_core::message::Message;
use autopr_core::ports::Queue;
use autopr_core::telemetry::DELIVERIES;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use bytes::Bytes;
use metrics::counter;
use moka::sync::Cache;
use serde::Serialize;

use super::around::REQUEST_ID;
use super::body::{self, BodyLimits};
use super::problem::Problem;

/// How long the queue may take. GitHub gives up after ten seconds ("Best practices for using webhooks").
const PUBLISH: Duration = Duration::from_millis(1800);

/// Deliveries that are remembered, to answer "duplicate" without asking anybody.
const REMEMBERED: u64 = 10_000;

/// Bodies from this size on are verified and parsed beside the threads that wait for the network.
const LARGE: usize = 256 * 1024;

/// What takes webhooks in.
pub struct Intake {
    secrets: Secrets,
    queue: Arc<dyn Queue>,
    clock: Clock,
    limits: BodyLimits,
    /// Deliveries that this process has published. The store is what makes sure of "once"; this only saves work.
    published: Cache<DeliveryId, ()>,
}

impl Intake {
    /// An intake that publishes to `queue` what is signed with one of `secrets`.
    pub fn new(secrets: Secrets, queue: Arc<dyn Queue>, clock: Clock, limits: BodyLimits) -> Self {
        let published = Cache::builder().max_capacity(REMEMBERED).time_to_live(Duration::from_secs(3600)).build();
        Self { secrets, queue, clock, limits, published }
    }
}

/// What a delivery is answered with.
#[derive(Serialize)]
struct Answer {
    delivery: DeliveryId,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(super) async fn receive(State(intake): State<Arc<Intake>>, headers: HeaderMap, body: Body) -> Response {
    let event = known_event(&headers);
    let request_id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
    let answer = take(&intake, &headers, body).await;
    let outcome = match &answer {
        Ok(answer) => answer.status,
        Err((outcome, _)) => outcome,
    };
    counter!(DELIVERIES, "event" => event, "outcome" => outcome).increment(1);
    match answer {
        Ok(answer) => {
            tracing::info!(request_id, delivery = %answer.delivery, event, status = answer.status, "delivery");
            (StatusCode::ACCEPTED, Json(answer)).into_response()
        }
        Err((outcome, problem)) => {
            let why = problem.detail();
            tracing::warn!(request_id, event, outcome, why, "a delivery was refused");
            problem.into_response()
        }
    }
}

/// The event's name as a label: one of a closed set.
fn known_event(headers: &HeaderMap) -> &'static str {
    match headers.get("x-github-event").map(|value| value.as_bytes()) {
        Some(b"pull_request") => "pull_request",
        Some(b"issue_comment") => "issue_comment",
        Some(b"check_run") => "check_run",
        Some(b"ping") => "ping",
        Some(_) => "other",
        None => "none",
    }
}

type Refused = (&'static str, Problem);

fn unverified(headers: &HeaderMap, error: Unverified) -> Refused {
    ("unverified", Problem::new(StatusCode::UNAUTHORIZED, headers, error.to_string()))
}

async fn take(intake: &Intake, headers: &HeaderMap, body: Body) -> Result<Answer, Refused> {
    // Whoever does not even try to sign gets no memory.
    let signatures = headers.get_all("x-hub-signature-256").iter().map(|value| value.as_bytes());
    let signature = intake.secrets.signature(signatures).map_err(|error| unverified(headers, error))?;
    let held = body::read(body, headers, &intake.limits).await.map_err(|problem| ("unread", problem))?;
    let (delivery, parsed) = read(intake, headers, signature, &held.bytes).await?;
    let answer = |status, reason| Answer { delivery: delivery.clone(), status, reason };
    let event = match parsed {
        Parsed::Event(event) => event,
        Parsed::Ignored(reason) => return Ok(answer("ignored", Some(reason.into_owned()))),
    };
    if intake.published.contains_key(&delivery) {
        return Ok(answer("duplicate", None));
    }
    let unavailable = |why: String| {
        tracing::error!(%delivery, why, "a delivery could not be queued");
        let detail = "the queue can't be reached; the delivery was not accepted, send it again";
        ("unavailable", Problem::new(StatusCode::SERVICE_UNAVAILABLE, headers, detail).retry_after(30))
    };
    match tokio::time::timeout(PUBLISH, intake.queue.publish(&Message::event(*event))).await {
        Ok(Ok(())) => intake.published.insert(delivery.clone(), ()),
        Ok(Err(fault)) => return Err(unavailable(fault.to_string())),
        Err(_) => return Err(unavailable(format!("no answer within {} s", PUBLISH.as_secs_f64()))),
    }
    Ok(answer("queued", None))
}

/// The signature first, everything else afterwards.
async fn read(
    intake: &Intake,
    headers: &HeaderMap,
    signature: Signature,
    bytes: &Bytes,
) -> Result<(DeliveryId, Parsed), Refused> {
    let now = intake.clock.now();
    if bytes.len() < LARGE {
        return verify_and_parse(&intake.secrets, now, headers, &signature, bytes);
    }
    let (secrets, bytes, copy) = (intake.secrets.clone(), bytes.clone(), headers.clone());
    let work = tokio::task::spawn_blocking(move || verify_and_parse(&secrets, now, &copy, &signature, &bytes));
    work.await.unwrap_or_else(|_| {
        let detail = "the server made a mistake";
        Err(("failed", Problem::new(StatusCode::INTERNAL_SERVER_ERROR, headers, detail)))
    })
}

fn verify_and_parse(
    secrets: &Secrets,
    received_at: jiff::Timestamp,
    headers: &HeaderMap,
    signature: &Signature,
    bytes: &[u8],
) -> Result<(DeliveryId, Parsed), Refused> {
    let verified = secrets.verify(bytes, signature).map_err(|error| unverified(headers, error))?;
    let malformed = |detail: String| ("malformed", Problem::new(StatusCode::BAD_REQUEST, headers, detail));
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let missing = |name: &str| malformed(format!("the header {name} is missing"));
    let delivery = text("x-github-delivery").ok_or_else(|| missing("X-GitHub-Delivery"))?;
    let delivery = DeliveryId::new(delivery).map_err(|error| malformed(error.to_string()))?;
    let event = text("x-github-event").ok_or_else(|| missing("X-GitHub-Event"))?;
    let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let parts = Headers { delivery: delivery.clone(), event, content_type, received_at };
    let parsed = parse(verified, &parts).map_err(|error| malformed(error.to_string()))?;
    Ok((delivery, parsed))
}
