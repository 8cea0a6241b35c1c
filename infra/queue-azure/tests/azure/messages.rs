//! Messages, and the queues they go to.

use autopr_core::event::{Event, EventKind, PullRequestAction, Sender};
use autopr_core::ids::{DeliveryId, ExecutionId, PrNumber, RepoName};
use autopr_core::message::Message;
use autopr_queue_azure::{AzureQueue, QueueAddress};
use autopr_services::Azurite;
use jiff::Timestamp;

/// The name of the queue.
pub(crate) const QUEUE: &str = "reviews";

/// An Azurite with the queue, and the queue.
pub(crate) async fn azurite() -> (Azurite, AzureQueue) {
    let azurite = Azurite::start();
    azurite.create(QUEUE).await;
    let queue = queue(&azurite.queue_url(QUEUE));
    (azurite, queue)
}

pub(crate) fn queue(url: &str) -> AzureQueue {
    AzureQueue::new(QueueAddress::parse(url).expect("an address"), None).expect("a queue")
}

fn event(delivery: &str, kind: EventKind) -> Event {
    Event {
        delivery: DeliveryId::new(delivery).unwrap(),
        at: Timestamp::UNIX_EPOCH,
        kind,
        repository: RepoName::new("acme/shop").unwrap(),
        number: PrNumber(7),
        base: None,
        head: None,
        draft: false,
        labels: vec!["needs <review> & \"more\"".to_owned()],
        sender: Sender { login: "dev".to_owned(), bot: false },
        installation: None,
    }
}

pub(crate) fn opened(delivery: &str) -> Message {
    Message::event(event(delivery, EventKind::PullRequest { action: PullRequestAction::Opened }))
}

pub(crate) fn advance(execution: ExecutionId) -> Message {
    Message::advance(execution, RepoName::new("acme/shop").unwrap())
}

pub(crate) fn command(delivery: &str, arguments: String) -> Message {
    Message::event(event(delivery, EventKind::Command { name: "review".to_owned(), arguments, comment: None }))
}
