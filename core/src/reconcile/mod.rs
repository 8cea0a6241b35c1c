//! Reconciliation: what the forge knows and we were never told of, because a webhook did not arrive.
//!
//! One pass of [`Engine::reconcile`] has two halves. The first reads the forge's own list of deliveries and asks for those
//! again that never arrived (`deliveries`). The second looks through the open pull requests and puts an event on the
//! queue for each whose head has no execution (`pulls`); it also helps where the forge keeps no list of deliveries.
//! Both halves go on where the last pass ended, and stop when their requests are used up or the forge's allowance is low.
//! Both may find the same; `stand_in` has what keeps that from becoming two reviews.

mod deliveries;
mod pulls;
mod stand_in;

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::before;
use crate::engine::{Edges, Engine};
use crate::fault::Fault;

pub(crate) use stand_in::{is_stood_in_for, of_a_push};

/// How far back anything is looked for: GitHub keeps deliveries for three days ("Redelivering webhooks"), and a pull request
/// that nobody touched for longer is not waited for.
pub const WINDOW: Duration = Duration::from_secs(3 * 24 * 3600);

/// How long a pull request must have been at rest before it counts as missed: its webhook may still be on its way.
pub const GRACE: Duration = Duration::from_secs(5 * 60);

/// The most pull requests one pass puts on the queue, so that whatever made so many be missed does not flood it.
pub const MOST_PUBLISHED: u32 = 10;

/// What is reconciled, and how much the forge is asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether deliveries that never arrived are asked for again.
    pub deliveries: bool,
    /// Whether open pull requests without an execution for their head are looked for.
    pub pull_requests: bool,
    /// The most requests to the forge in one pass; an App's tokens are not counted.
    pub requests: u32,
    /// How many requests of the forge's allowance are left to reviews: below that nothing more is asked.
    pub reserve: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { deliveries: true, pull_requests: true, requests: 50, reserve: 500 }
    }
}

/// How far reconciliation has come. Kept by the caller from pass to pass; a new one looks at everything once more, which
/// costs requests and nothing else.
#[derive(Debug, Default)]
pub struct Progress {
    deliveries: deliveries::Progress,
    pulls: pulls::Progress,
}

/// What a pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// Deliveries asked for again.
    pub redelivered: u32,
    /// Pull requests put on the queue.
    pub published: u32,
    /// Requests made to the forge.
    pub requests: u32,
}

impl Engine {
    /// Makes one pass. Only one process should, or the forge is asked twice; a pass that ended early or was made twice
    /// harms nothing. To be called again after some minutes.
    ///
    /// # Errors
    /// The first fault of the forge, the store or the queue that was not about a single repository or delivery; the other
    /// half of the pass was made all the same.
    pub async fn reconcile(&self, settings: &Settings, progress: &mut Progress) -> Result<Reconciled, Fault> {
        let mut pass =
            Pass { edges: self.edges(), settings, now: self.now(), done: Reconciled::default(), limit: 0, low: false };
        let mut outcome = Ok(());
        if settings.deliveries {
            // The other half gets its share, however many deliveries there are.
            let share = if settings.pull_requests { settings.requests.div_ceil(2) } else { settings.requests };
            pass.limit = share;
            outcome = deliveries::pass(&mut pass, &mut progress.deliveries).await;
        }
        if settings.pull_requests {
            (pass.limit, pass.low) = (settings.requests, false);
            outcome = outcome.and(pulls::pass(&mut pass, &mut progress.pulls).await);
        }
        outcome.map(|()| pass.done)
    }
}

/// A pass under way.
struct Pass<'e> {
    edges: &'e Edges,
    settings: &'e Settings,
    now: Timestamp,
    done: Reconciled,
    /// How many requests may have been made by the end of this half.
    limit: u32,
    /// Whether the forge has so few left that the rest is for reviews; the two halves of a pass have allowances of their
    /// own.
    low: bool,
}

impl Pass<'_> {
    fn may_ask(&self) -> bool {
        self.done.requests < self.limit && !self.low
    }

    /// Counts requests; false when the forge has so few left that nothing more should be asked.
    fn asked(&mut self, requests: u32, remaining: Option<u64>) -> bool {
        self.done.requests = self.done.requests.saturating_add(requests);
        self.low |= remaining.is_some_and(|remaining| remaining < self.settings.reserve);
        !self.low
    }

    /// The time this long ago.
    fn ago(&self, duration: Duration) -> Timestamp {
        before(self.now, duration)
    }
}
