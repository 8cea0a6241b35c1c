//! Webhooks that never arrived, by the forge's own list of its tries to deliver them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{Pass, WINDOW};
use crate::clock::{after, before};
use crate::fault::{Fault, FaultKind};
use crate::ids::DeliveryId;
use crate::intake;
use crate::ports::forge::{Cursor, DeliveryTry};
use crate::ports::store::Trace;
use crate::telemetry;

/// How long to wait after the first, second … try before the next is asked for. There is none after the last of them: what
/// was refused so often is not lost on the way, and a person should look.
const PAUSES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(25 * 60),
    Duration::from_secs(125 * 60),
];

/// How long a try that was asked for may take to appear in the list.
const TO_APPEAR: Duration = Duration::from_secs(60);

/// By how much two lists overlap: tries under way are not listed yet, and the forge's clock is not ours.
const OVERLAP: Duration = Duration::from_secs(5 * 60);

/// How many deliveries the store is asked about at once.
const AT_ONCE: usize = 100;

/// How far this half has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Up to this time every delivery has arrived or was given up.
    settled: Option<Timestamp>,
    /// A list that was too long for a pass.
    listing: Option<Listing>,
    /// When deliveries that have not arrived yet were asked for.
    asked: BTreeMap<DeliveryId, Timestamp>,
}

/// The list from now back to the time up to which all is settled, as far as it was read.
#[derive(Debug)]
struct Listing {
    begun: Timestamp,
    until: Timestamp,
    next: Option<Cursor>,
    complete: bool,
    tries: BTreeMap<DeliveryId, Tries>,
}

/// The tries at one delivery.
#[derive(Debug)]
struct Tries {
    /// The forge's number for the last of them.
    number: u64,
    count: usize,
    first: Timestamp,
    last: Timestamp,
    arrived: bool,
}

pub(super) async fn pass(pass: &mut Pass<'_>, progress: &mut Progress) -> Result<(), Fault> {
    let begin = || {
        let window = pass.ago(WINDOW);
        let until = progress.settled.map_or(window, |settled| settled.max(window));
        Listing { begun: pass.now, until, next: None, complete: false, tries: BTreeMap::new() }
    };
    let mut listing = progress.listing.take().unwrap_or_else(begin);
    while !listing.complete {
        if !pass.may_ask() {
            progress.listing = Some(listing);
            return Ok(());
        }
        // A list that could not be read to its end is begun anew: its cursor may be what was wrong.
        let page = pass.edges.forge.deliveries(listing.next.as_ref()).await.inspect_err(|_| pass.done.requests += 1)?;
        let enough = pass.asked(page.requests, page.remaining);
        listing.complete = page.next.is_none();
        listing.next = page.next;
        page.items.into_iter().for_each(|entry| listing.add(entry));
        if !enough && !listing.complete {
            progress.listing = Some(listing);
            return Ok(());
        }
    }
    let begun = listing.begun;
    let missed = unheard(pass, listing.missed()).await?;
    let mut open = BTreeMap::new();
    let recent = before(begun, OVERLAP);
    let mut settled = recent;
    for (delivery, tries) in missed {
        let mut asked = progress.asked.get(&delivery).copied();
        let Some(due) = tries.due(asked) else {
            if asked.is_some() {
                telemetry::reconciled("given_up");
                tracing::warn!(%delivery, tries = tries.count, "a delivery is not asked for any more");
            }
            if tries.last >= recent {
                // The next list has its last try again, and must have all of them to count them.
                settled = settled.min(tries.first);
            }
            continue;
        };
        if due <= pass.now && pass.may_ask() {
            pass.asked(1, None);
            match pass.edges.forge.redeliver(tries.number).await {
                Ok(()) => {
                    pass.done.redelivered += 1;
                    telemetry::reconciled("redelivered");
                    tracing::info!(%delivery, tries = tries.count, "asked for a missed delivery again");
                    asked = Some(pass.now);
                }
                Err(fault) if is_about_one(&fault) => {
                    tracing::warn!(%delivery, %fault, "a missed delivery can't be had again");
                    continue;
                }
                Err(fault) => return Err(fault),
            }
        }
        settled = settled.min(tries.first);
        open.extend(asked.map(|asked| (delivery, asked)));
    }
    (progress.settled, progress.asked) = (Some(settled), open);
    Ok(())
}

/// Those deliveries of which the store has not heard, in the same order.
async fn unheard(pass: &Pass<'_>, missed: Vec<(DeliveryId, Tries)>) -> Result<Vec<(DeliveryId, Tries)>, Fault> {
    let mut left = Vec::new();
    let mut missed = missed.into_iter().peekable();
    while missed.peek().is_some() {
        let some: Vec<_> = missed.by_ref().take(AT_ONCE).collect();
        let traces: Vec<_> =
            some.iter().map(|(delivery, _)| Trace { delivery: delivery.clone(), head: None }).collect();
        let unheard = pass.edges.store.unheard(&traces).await?;
        left.extend(some.into_iter().filter(|(delivery, _)| unheard.iter().any(|trace| trace.delivery == *delivery)));
    }
    Ok(left)
}

/// Whether a fault says something about what was asked for, rather than about the forge.
pub(super) fn is_about_one(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Invalid | FaultKind::NotFound | FaultKind::Denied)
}

impl Listing {
    /// Takes in an entry; the newest come first.
    fn add(&mut self, entry: DeliveryTry) {
        if entry.at < self.until {
            self.complete = true;
            return;
        }
        if !intake::is_acted_on(&entry.event) {
            return;
        }
        let DeliveryTry { number, delivery, at, arrived, again, .. } = entry;
        match self.tries.get_mut(&delivery) {
            Some(tries) => {
                tries.count += 1;
                tries.first = tries.first.min(at);
                tries.arrived |= arrived;
            }
            // A first try that arrived has no other before it.
            None if arrived && !again => {}
            None => {
                self.tries.insert(delivery, Tries { number, count: 1, first: at, last: at, arrived });
            }
        }
    }

    /// The deliveries no try of which arrived, the oldest first.
    fn missed(self) -> Vec<(DeliveryId, Tries)> {
        let mut missed: Vec<_> = self.tries.into_iter().filter(|(_, tries)| !tries.arrived).collect();
        missed.sort_by_key(|(_, tries)| tries.first);
        missed
    }
}

impl Tries {
    /// When to ask for the next try; none when there have been enough.
    fn due(&self, asked: Option<Timestamp>) -> Option<Timestamp> {
        let pause = PAUSES.get(self.count.saturating_sub(1))?;
        let due = after(self.last, *pause);
        Some(asked.map_or(due, |asked| due.max(after(asked, TO_APPEAR))))
    }
}
