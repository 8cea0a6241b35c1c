//! The event that stands in for one that never arrived, and how the two are kept apart.
//!
//! Its delivery id follows from the pull request's state, so that it is accepted once. The event it stands in for may
//! arrive after all: late, because the forge was asked for it again. Whichever comes second is dropped. Only events that are
//! late can have a stand-in, so that all others cost no look into the store.

use jiff::Timestamp;

use super::GRACE;
use crate::clock::between;
use crate::event::{Event, EventKind, PullRequestAction};
use crate::fault::Fault;
use crate::ids::{CommitSha, DeliveryId, PrNumber, RepoName};
use crate::ports::Store;
use crate::ports::forge::{OpenPull, Place};
use crate::ports::store::{Head, Trace};

/// The delivery id of the stand-in for a head. A draft has another one than the same head made ready.
pub(super) fn delivery(repository: &RepoName, number: PrNumber, head: &CommitSha, draft: bool) -> DeliveryId {
    DeliveryId::stand_in(&format!("{repository}#{number}@{head}{}", if draft { " draft" } else { "" }))
}

/// By what an execution for this pull request's head, or an earlier stand-in for it, can be found.
pub(super) fn trace(place: &Place, pull: &OpenPull) -> Trace {
    let (repository, number, commit) = (place.repository.clone(), pull.number, pull.head.clone());
    let delivery = delivery(&repository, number, &commit, pull.draft);
    Trace { delivery, head: Some(Head { repository, number, commit }) }
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

/// Whether this event is a late one whose stand-in was accepted, or a stand-in whose event was. Such a one is dropped,
/// unless it was accepted itself before.
pub(crate) async fn is_stood_in_for(store: &dyn Store, event: &Event, now: Timestamp) -> Result<bool, Fault> {
    let new_head = matches!(
        event.kind,
        EventKind::PullRequest { action: PullRequestAction::Opened | PullRequestAction::Synchronize }
    );
    let Some(commit) = event.head.as_ref().filter(|_| new_head && between(event.at, now) >= GRACE) else {
        return Ok(false);
    };
    let itself = Trace { delivery: event.delivery.clone(), head: None };
    let stand_in = delivery(&event.repository, event.number, commit, event.draft);
    let other = if stand_in == event.delivery {
        let (repository, number) = (event.repository.clone(), event.number);
        Trace { delivery: stand_in, head: Some(Head { repository, number, commit: commit.clone() }) }
    } else {
        Trace { delivery: stand_in, head: None }
    };
    let unheard = store.unheard(&[itself.clone(), other]).await?;
    Ok(unheard == [itself])
}
