//! Reading a body without letting anybody hold memory: bounded in size, in time, and in the sum of all that is read.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;

/// The largest body that is taken: what GitHub sends at most ("Webhook events and payloads").
pub const MOST_BYTES: usize = 25 * 1024 * 1024;

/// The unit in which memory is counted.
const KIB: usize = 1024;

/// What every body may hold outside of the sum, so that a few large ones never keep the usual ones out: more than
/// nearly every delivery of GitHub has.
const SMALL: usize = 64 * KIB;

/// What reading bodies may take.
#[derive(Debug, Clone)]
pub struct BodyLimits {
    /// The largest body, in bytes.
    pub bytes: usize,
    /// The longest time from the first byte to the last.
    pub time: Duration,
    memory: Arc<Semaphore>,
}

impl BodyLimits {
    /// Limits for one body, and for the sum of all that are read at a time, of which the first 64 KiB of each don't count.
    pub fn new(bytes: usize, time: Duration, all: usize) -> Self {
        Self { bytes, time, memory: Arc::new(Semaphore::new(all.div_ceil(KIB))) }
    }
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self::new(MOST_BYTES, Duration::from_secs(10), 4 * MOST_BYTES)
    }
}

/// A body and the memory it stands for, which is given back when this is dropped.
pub struct Held {
    /// The body.
    pub bytes: Bytes,
    _memory: Option<OwnedSemaphorePermit>,
}

/// Reads a whole body of a request with these headers.
///
/// # Errors
/// With what is to be answered: when it is too large, too slow or cut off, or when too much is being read already.
pub async fn read(body: Body, headers: &HeaderMap, limits: &BodyLimits) -> Result<Held, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limits.bytes) {
        return Err(too_large(headers, limits));
    }
    match tokio::time::timeout(limits.time, collect(body, announced.unwrap_or(0), headers, limits)).await {
        Ok(held) => held,
        Err(_) => {
            let seconds = limits.time.as_secs_f64();
            let detail = format!("the body did not arrive within {seconds} s");
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, headers, detail))
        }
    }
}

/// Memory is taken as the bytes arrive, not as they are announced: an announcement costs its sender nothing.
async fn collect(mut body: Body, announced: usize, headers: &HeaderMap, limits: &BodyLimits) -> Result<Held, Problem> {
    let mut bytes = BytesMut::with_capacity(announced.min(SMALL));
    let mut memory: Option<OwnedSemaphorePermit> = None;
    while let Some(frame) = body.frame().await {
        let cut = |_| Problem::new(StatusCode::BAD_REQUEST, headers, "the body ended before its end");
        let Ok(data) = frame.map_err(cut)?.into_data() else { continue };
        if bytes.len() + data.len() > limits.bytes {
            return Err(too_large(headers, limits));
        }
        bytes.extend_from_slice(&data);
        let held = memory.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let counted = bytes.len().saturating_sub(SMALL).div_ceil(KIB);
        let more = u32::try_from(counted.saturating_sub(held)).unwrap_or(u32::MAX);
        if more == 0 {
            continue;
        }
        let full = |_| {
            let detail = "too many large deliveries are being read; send it again later";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, headers, detail).retry_after(10)
        };
        let taken = limits.memory.clone().try_acquire_many_owned(more).map_err(full)?;
        match &mut memory {
            Some(memory) => memory.merge(taken),
            None => memory = Some(taken),
        }
    }
    Ok(Held { bytes: bytes.freeze(), _memory: memory })
}

fn too_large(headers: &HeaderMap, limits: &BodyLimits) -> Problem {
    let detail = format!("the body has more than {} bytes", limits.bytes);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, headers, detail)
}
