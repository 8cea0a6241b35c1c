//! Open pull requests whose head has no execution.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::deliveries::is_about_one;
use super::{GRACE, MOST_PUBLISHED, Pass, WINDOW, stand_in};
use crate::fault::Fault;
use crate::ids::{DeliveryId, RepoName};
use crate::message::Message;
use crate::ports::forge::{Cursor, OpenPull, Place};
use crate::telemetry;

/// How many repositories are taken from the store at once.
const AT_ONCE: u32 = 100;

/// How long a message may lie on the queue before its pull request is put there once more.
const UNHEARD: Duration = Duration::from_secs(3600);

/// How far this half has come: it goes round all repositories, at most once in a pass.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Those to be looked at next.
    waiting: VecDeque<Visit>,
    /// Where the list of repositories goes on behind them; none at its beginning.
    next: Option<Next>,
    /// Whether the list has come to its end: the round is over with those that wait.
    listed: bool,
    /// What was put on the queue lately, and when: it may still lie there.
    published: BTreeMap<DeliveryId, Timestamp>,
}

/// A repository to look at, and where in it.
#[derive(Debug)]
struct Visit {
    place: Place,
    from: Option<Cursor>,
}

/// Where the list of repositories goes on.
#[derive(Debug)]
enum Next {
    Forge(Cursor),
    Store(RepoName),
}

pub(super) async fn pass(pass: &mut Pass<'_>, progress: &mut Progress) -> Result<(), Fault> {
    let long_ago = pass.ago(UNHEARD);
    progress.published.retain(|_, at| *at > long_ago);
    if progress.waiting.is_empty() {
        progress.listed = false;
    }
    while pass.may_ask() && pass.done.published < MOST_PUBLISHED {
        match progress.waiting.pop_front() {
            Some(visit) => {
                if !look(pass, progress, visit).await? {
                    break;
                }
            }
            None if progress.listed => break,
            None => more(pass, progress).await?,
        }
    }
    Ok(())
}

/// Takes more repositories from the list.
async fn more(pass: &mut Pass<'_>, progress: &mut Progress) -> Result<(), Fault> {
    let from = match progress.next.take() {
        Some(Next::Forge(cursor)) => Some(cursor),
        None => None,
        Some(Next::Store(name)) => return from_store(pass, progress, Some(name)).await,
    };
    let listed = pass.edges.forge.places(from.as_ref()).await.inspect_err(|_| pass.done.requests += 1)?;
    let Some(page) = listed else { return from_store(pass, progress, None).await };
    pass.asked(page.requests, None);
    progress.waiting.extend(page.items.into_iter().map(|place| Visit { place, from: None }));
    progress.next = page.next.map(Next::Forge);
    progress.listed = progress.next.is_none();
    Ok(())
}

/// The same where the forge does not tell: whence webhooks came before, they are wanted.
async fn from_store(pass: &Pass<'_>, progress: &mut Progress, after: Option<RepoName>) -> Result<(), Fault> {
    let names = pass.edges.store.repositories(after.as_ref(), AT_ONCE).await?;
    let full = names.len() == AT_ONCE as usize;
    progress.next = names.last().filter(|_| full).cloned().map(Next::Store);
    let place = |repository| Place { repository, installation: None, since: None };
    progress.waiting.extend(names.into_iter().map(|name| Visit { place: place(name), from: None }));
    progress.listed = !full;
    Ok(())
}

/// Looks at one page of a repository's pull requests. False when the forge should be asked nothing more now.
async fn look(pass: &mut Pass<'_>, progress: &mut Progress, visit: Visit) -> Result<bool, Fault> {
    let Visit { place, from } = visit;
    let page = match pass.edges.forge.open_pull_requests(&place, from.as_ref()).await {
        Ok(page) => page,
        Err(fault) => {
            pass.done.requests += 1;
            if !is_about_one(&fault) {
                return Err(fault);
            }
            tracing::info!(repository = %place.repository, %fault, "its pull requests can't be listed");
            return Ok(true);
        }
    };
    let goes_on = pass.asked(page.requests, page.remaining);
    let oldest = place.since.map_or(pass.ago(WINDOW), |since| since.max(pass.ago(WINDOW)));
    let further = page.items.last().is_some_and(|pull| pull.updated_at >= oldest);
    let next = page.next.filter(|_| further);
    if publish(pass, progress, &place, page.items, oldest).await? {
        progress.waiting.extend(next.map(|next| Visit { place, from: Some(next) }));
    } else {
        // The page is read once more by the next pass: by then it knows what was published of it.
        progress.waiting.push_front(Visit { place, from });
    }
    Ok(goes_on)
}

/// Puts those pull requests on the queue whose head nobody has heard of. False when a pass may not do more.
async fn publish(
    pass: &mut Pass<'_>,
    progress: &mut Progress,
    place: &Place,
    pulls: Vec<OpenPull>,
    oldest: Timestamp,
) -> Result<bool, Fault> {
    let newest = pass.ago(GRACE);
    let at_rest = |pull: &OpenPull| pull.updated_at >= oldest && pull.updated_at <= newest;
    let candidates: Vec<_> =
        pulls.into_iter().filter(at_rest).map(|pull| (stand_in::trace(place, &pull), pull)).collect();
    if candidates.is_empty() {
        return Ok(true);
    }
    let traces: Vec<_> = candidates.iter().map(|(trace, _)| trace.clone()).collect();
    let unheard = pass.edges.store.unheard(&traces).await?;
    for (trace, pull) in candidates {
        if progress.published.contains_key(&trace.delivery) || !unheard.contains(&trace) {
            continue;
        }
        if pass.done.published >= MOST_PUBLISHED {
            return Ok(false);
        }
        let (repository, number) = (&place.repository, pull.number);
        tracing::info!(%repository, %number, head = pull.head.short(), "nobody told of this pull request");
        pass.edges.queue.publish(&Message::event(stand_in::event(place, pull))).await?;
        progress.published.insert(trace.delivery, pass.now);
        pass.done.published += 1;
        telemetry::reconciled("published");
    }
    Ok(true)
}
