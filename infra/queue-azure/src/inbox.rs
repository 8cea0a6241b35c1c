//! What a consumer does with the queue, one request each.

use std::sync::Arc;
use std::time::Duration;

use azure_core::http::headers::HeaderName;
use azure_core::time::OffsetDateTime;
use azure_storage_queue::QueueClient;
use azure_storage_queue::models::{QueueClientPeekMessagesOptions, QueueClientReceiveMessagesOptions, ReceivedMessage};
use jiff::Timestamp;

use crate::envelope::{self, Opened};
use crate::fault::Trouble;
use crate::queue::{REQUEST, send};

/// The most messages one request brings ("Get Messages" of the REST API's reference).
pub(crate) const MOST_AT_ONCE: usize = 32;

/// What a renewal answers with.
const POP_RECEIPT: HeaderName = HeaderName::from_static("x-ms-popreceipt");

/// A message that this process has until its time is over.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Its identity in the queue.
    pub(crate) id: String,
    /// What shows that it is this process that has it. Each renewal makes another one.
    receipt: String,
    /// Its text as it came, to be set aside unchanged.
    text: String,
    /// What the text holds.
    pub(crate) opened: Opened,
    /// How often it was handed out, this time included.
    pub(crate) receive_count: u32,
    /// When it was published, if the service said so.
    pub(crate) published: Option<Timestamp>,
}

/// The consumer's side of a queue.
#[derive(Clone)]
pub(crate) struct Inbox {
    queue: Arc<QueueClient>,
    poison: Arc<QueueClient>,
}

impl Inbox {
    pub(crate) fn new(queue: Arc<QueueClient>, poison: Arc<QueueClient>) -> Self {
        Self { queue, poison }
    }

    /// Takes at most `limit` messages, which nobody else gets for that long.
    pub(crate) async fn receive(&self, limit: usize, hidden: Duration) -> Result<Vec<Taken>, Trouble> {
        let options = QueueClientReceiveMessagesOptions {
            number_of_messages: i32::try_from(limit.clamp(1, MOST_AT_ONCE)).ok(),
            visibility_timeout: Some(seconds(hidden).max(1)),
            ..Default::default()
        };
        let answer = in_time(REQUEST, self.queue.receive_messages(Some(options))).await?;
        let received = answer.into_model().map_err(|error| Trouble::of(&error))?;
        // One that lacks something comes again by itself, and could not be given back.
        Ok(received.items.unwrap_or_default().into_iter().filter_map(taken).collect())
    }

    /// Keeps a message from others for that long from now on; with no time it is handed out at once.
    pub(crate) async fn hide(&self, message: &mut Taken, hidden: Duration) -> Result<(), Trouble> {
        let updating = self.queue.update_message(&message.id, &message.receipt, seconds(hidden), None);
        let updated = in_time(REQUEST, updating).await?;
        let receipt = updated.headers().get_optional_string(&POP_RECEIPT);
        message.receipt = receipt.ok_or_else(Trouble::incomplete)?;
        Ok(())
    }

    /// Removes a message, which was dealt with.
    pub(crate) async fn delete(&self, message: &Taken) -> Result<(), Trouble> {
        in_time(REQUEST, self.queue.delete_message(&message.id, &message.receipt, None)).await.map(drop)
    }

    /// Puts a copy of a message into the queue beside this one. It is removed here only after that: at worst it is there
    /// twice.
    pub(crate) async fn copy_aside(&self, message: &Taken) -> Result<(), Trouble> {
        let sent = tokio::time::timeout(REQUEST, send(&self.poison, message.text.clone())).await;
        sent.unwrap_or_else(|_| Err(Trouble::timeout()))
    }

    /// When the message was published that is next to be handed out; none when there is none.
    pub(crate) async fn next(&self) -> Result<Option<Timestamp>, Trouble> {
        let options = QueueClientPeekMessagesOptions { number_of_messages: Some(1), ..Default::default() };
        let answer = in_time(REQUEST, self.queue.peek_messages(Some(options))).await?;
        let peeked = answer.into_model().map_err(|error| Trouble::of(&error))?;
        Ok(peeked.items.unwrap_or_default().into_iter().find_map(|message| timestamp(message.insertion_time)))
    }
}

/// What a request of the client's answers within that time. The client's own limit leaves out the wait for a token.
pub(crate) async fn in_time<T>(
    most: Duration,
    request: impl Future<Output = azure_core::Result<T>>,
) -> Result<T, Trouble> {
    let answer = tokio::time::timeout(most, request).await.map_err(|_| Trouble::timeout())?;
    answer.map_err(|error| Trouble::of(&error))
}

fn timestamp(time: Option<OffsetDateTime>) -> Option<Timestamp> {
    Timestamp::from_second(time?.unix_timestamp()).ok()
}

fn taken(message: ReceivedMessage) -> Option<Taken> {
    let ReceivedMessage { message_id, pop_receipt, message_text, dequeue_count, insertion_time, .. } = message;
    let text = message_text.unwrap_or_default();
    let receive_count = u32::try_from(dequeue_count.unwrap_or_default()).unwrap_or(u32::MAX);
    let (opened, published) = (envelope::open(&text), timestamp(insertion_time));
    Some(Taken { id: message_id?, receipt: pop_receipt?, text, opened, receive_count, published })
}

/// The service counts in whole seconds.
fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}
