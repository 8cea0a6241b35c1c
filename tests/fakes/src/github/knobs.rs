//! What a test makes go wrong: faults of single requests, pauses, and rate limits.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answers this status and does nothing.
    Status(u16),
    /// Does what was asked and answers this status all the same.
    StatusAfter(u16),
    /// Closes the connection without an answer and without doing anything.
    DropBefore,
    /// Does what was asked and closes the connection without an answer.
    DropAfter,
    /// Does what was asked and closes the connection in the middle of the answer's body.
    Truncate,
}

/// Until when a secondary limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// For this many requests.
    Requests(u32),
    /// For this long by the fake's clock.
    Passed(Duration),
}

/// A request that is held at a gate. Dropping it opens the gate.
#[derive(Debug)]
pub struct Hold {
    arrived: watch::Receiver<bool>,
    open: watch::Sender<bool>,
}

impl Hold {
    /// Waits until the request is at the gate. It returns at once if it was there already.
    pub async fn arrived(&mut self) {
        self.arrived.wait_for(|arrived| *arrived).await.ok();
    }

    /// Lets it go on.
    pub fn release(self) {
        self.open.send_replace(true);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.open.send_replace(true);
    }
}

/// Where in a request's course something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It has arrived; nothing is done yet.
    Before,
    /// It is done; nothing is answered yet.
    After,
}

/// The fake's side of a hold.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    arrived: Arc<watch::Sender<bool>>,
    open: watch::Receiver<bool>,
}

impl Gate {
    fn new() -> (Self, Hold) {
        let ((arrived, told), (open, opened)) = (watch::channel(false), watch::channel(false));
        (Self { arrived: Arc::new(arrived), open: opened }, Hold { arrived: told, open })
    }

    /// Says that the request is here and waits until it may go on.
    pub(crate) async fn pass(mut self) {
        self.arrived.send_replace(true);
        self.open.wait_for(|open| *open).await.ok();
    }
}

struct Planned<T> {
    method: String,
    path: String,
    what: T,
}

/// Everything that is set.
#[derive(Default)]
pub(crate) struct Knobs {
    faults: Vec<Planned<Fault>>,
    gates: Vec<Planned<(Moment, Gate)>>,
    secondary: Option<Secondary>,
    primary: Option<Primary>,
}

struct Secondary {
    status: u16,
    retry_after: Option<u64>,
    requests: Option<u32>,
    until: Option<Timestamp>,
}

/// The primary limit.
#[derive(Debug, Clone, Copy)]
struct Primary {
    remaining: u64,
    reset: i64,
}

/// The limit of requests in an hour.
pub(crate) const HOURLY: u64 = 5000;
const HOUR: i64 = 3600;

impl Knobs {
    pub(crate) fn plan_fault(&mut self, method: &str, path: &str, what: Fault) {
        self.faults.push(Planned { method: method.to_owned(), path: path.to_owned(), what });
    }

    pub(crate) fn plan_hold(&mut self, method: &str, path: &str, moment: Moment) -> Hold {
        let (gate, hold) = Gate::new();
        self.gates.push(Planned { method: method.to_owned(), path: path.to_owned(), what: (moment, gate) });
        hold
    }

    /// The fault planned for this request, which is used up.
    pub(crate) fn fault(&mut self, method: &str, path: &str) -> Option<Fault> {
        let place = self.faults.iter().position(|planned| planned.is_for(method, path))?;
        Some(self.faults.remove(place).what)
    }

    /// The gate planned for this request at this moment, which is used up.
    pub(crate) fn gate(&mut self, method: &str, path: &str, moment: Moment) -> Option<Gate> {
        let fits = |planned: &Planned<(Moment, Gate)>| planned.is_for(method, path) && planned.what.0 == moment;
        let place = self.gates.iter().position(fits)?;
        Some(self.gates.remove(place).what.1)
    }

    /// Faults and gates that no request has met.
    pub(crate) fn unmet(&self) -> Vec<String> {
        let faults = self.faults.iter().map(|planned| format!("{} {}", planned.method, planned.path));
        let gates = self.gates.iter().map(|planned| format!("{} {}", planned.method, planned.path));
        faults.chain(gates).collect()
    }

    pub(crate) fn limit_secondary(&mut self, status: u16, retry_after: Option<u64>, until: Until, now: Timestamp) {
        let (requests, until) = match until {
            Until::Requests(count) => (Some(count), None),
            Until::Passed(time) => (None, now.checked_add(time).ok()),
        };
        self.secondary = Some(Secondary { status, retry_after, requests, until });
    }

    /// The status and hint of the secondary limit, if it holds for this request.
    pub(crate) fn secondary(&mut self, now: Timestamp) -> Option<(u16, Option<u64>)> {
        let secondary = self.secondary.as_mut()?;
        let holds = match (&mut secondary.requests, secondary.until) {
            (Some(0), _) => false,
            (Some(left), _) => {
                *left -= 1;
                true
            }
            (None, Some(until)) => now < until,
            (None, None) => false,
        };
        let found = (secondary.status, secondary.retry_after);
        if !holds {
            self.secondary = None;
        }
        holds.then_some(found)
    }

    pub(crate) fn limit_primary(&mut self, remaining: u64, reset: i64) {
        self.primary = Some(Primary { remaining: remaining.min(HOURLY), reset });
    }

    /// When the primary limit starts anew, its size and what is left.
    pub(crate) fn primary(&mut self, now: Timestamp) -> (i64, u64, u64) {
        let now = now.as_second();
        let fresh = Primary { remaining: HOURLY, reset: now + HOUR };
        let primary = *self.primary.get_or_insert(fresh);
        let primary = if primary.reset <= now { fresh } else { primary };
        self.primary = Some(primary);
        (primary.reset, HOURLY, primary.remaining)
    }

    /// Counts a request; false when none was left.
    pub(crate) fn spend(&mut self, now: Timestamp) -> bool {
        self.primary(now);
        let Some(primary) = self.primary.as_mut().filter(|primary| primary.remaining > 0) else { return false };
        primary.remaining -= 1;
        true
    }

    /// Gives a request back, because an unchanged answer costs nothing.
    pub(crate) fn give_back(&mut self) {
        if let Some(primary) = self.primary.as_mut() {
            primary.remaining = (primary.remaining + 1).min(HOURLY);
        }
    }
}

impl<T> Planned<T> {
    fn is_for(&self, method: &str, path: &str) -> bool {
        self.method.eq_ignore_ascii_case(method) && path.contains(&self.path)
    }
}
