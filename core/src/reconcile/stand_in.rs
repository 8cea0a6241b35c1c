//! The event that stands in for one that never arrived, and how the two are kept apart.
//!
//! Its delivery id follows from the pull request's state, so that it is accepted once. The event it stands in for may
//! arrive after all: late, because the forge was asked for it again. Whichever comes second is dropped. Only events that are
//! late can have a stand-in, so that all others cost no look into the store.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::between;
use crate::event::{Event, EventKind, PullRequestAction};
use crate::fault::Fault;
use crate::ids::{CommitSha, DeliveryId, PrNumber, RepoName};
use crate::ports::Store;
use crate::ports::forge::{OpenPull, Place, PullRequest};
use crate::ports::store::{Head, Trace};

/// From when on an event is late. It is less than anybody waits before there is a stand-in, and leaves room for clocks that
/// differ.
const LATE: Duration = Duration::from_secs(45);

/// The delivery id of the stand-in for a head. A draft has another one than the same head made ready.
pub(super) fn delivery(repository: &RepoName, number: PrNumber, head: &CommitSha, draft: bool) -> DeliveryId {
    DeliveryId::stand_in(&format!("{repository}#{number}@{head}{}", if draft { " draft" } else { "" }))
}

/// By what an execution for this pull request's head, or an earlier stand-in for it, can be found.
pub(super) fn trace(place: &Place, pull: &OpenPull) -> Trace {
    let (repository, number, commit) = (place.repository.clone(), pull.number, pull.head.clone());
    let delivery = delivery(&repository, number, &commit, pull.draft);
    Trace { delivery, head: Some(Head { repository, number, commit, superseded: true }) }
}

/// What the webhook of the last push would have told.
pub(super) fn event(place: &Place, pull: OpenPull) -> Event {
    let OpenPull { number, base, head, draft, labels, author, updated_at } = pull;
    Event {
        delivery: delivery(&place.repository, number, &head, draft),
        at: updated_at,
        kind: EventKind::PullRequest { action: PullRequestAction::Synchronize },
        repository: place.repository.clone(),
        number,
        base: Some(base),
        head: Some(head),
        draft,
        labels,
        sender: author,
        installation: place.installation,
    }
}

/// What the webhook of the push to this head would have told, which an execution for an earlier head has waited for.
/// That one had the event `earlier`. Each has a stand-in of its own: the one of another may have lost its place since.
pub(crate) fn of_a_push(pull: &PullRequest, earlier: &Event) -> Event {
    let PullRequest { target, base, head, draft, labels, changed_at, .. } = pull.clone();
    Event {
        delivery: DeliveryId::stand_in(&format!("{head} after {}", earlier.delivery)),
        at: changed_at.map_or(earlier.at, |changed_at| changed_at.max(earlier.at)),
        kind: EventKind::PullRequest { action: PullRequestAction::Synchronize },
        repository: target.repository,
        number: target.number,
        base: Some(base),
        head: Some(head),
        draft,
        labels,
        sender: earlier.sender.clone(),
        installation: target.installation,
    }
}

/// Whether this event is a late one, or a stand-in, whose head has an execution by another event. Such a one is dropped, unless
/// it was accepted itself before.
pub(crate) async fn is_stood_in_for(store: &dyn Store, event: &Event, now: Timestamp) -> Result<bool, Fault> {
    let new_head = matches!(
        event.kind,
        EventKind::PullRequest { action: PullRequestAction::Opened | PullRequestAction::Synchronize }
    );
    let late = event.delivery.is_stand_in() || between(event.at, now) >= LATE;
    let Some(commit) = event.head.as_ref().filter(|_| new_head && late) else {
        return Ok(false);
    };
    let itself = Trace { delivery: event.delivery.clone(), head: None };
    // An execution that lost its place does nothing for the head any more.
    let (repository, number, superseded) = (event.repository.clone(), event.number, false);
    let head = Some(Head { repository, number, commit: commit.clone(), superseded });
    let other = Trace { delivery: DeliveryId::stand_in("nothing"), head };
    let unheard = store.unheard(&[itself.clone(), other]).await?;
    Ok(unheard == [itself])
}
