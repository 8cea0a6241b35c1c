//! The queue: publishes, alone or in batches.

use std::time::Duration;

use async_trait::async_trait;
use autopr_core::fault::Fault;
use autopr_core::message::Message;
use autopr_core::ports::Queue;
use autopr_core::retry;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use uuid::Uuid;

use crate::fault::Trouble;
use crate::outgoing::{Outgoing, batch};
use crate::trace;

/// How long publishing a message takes at most: GitHub waits for it, and whoever takes its webhook in gives up at 1.8 s.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long one attempt takes at most, a new connection included.
const ATTEMPT: Duration = Duration::from_millis(700);

/// How long a connection takes at most to be made.
const CONNECT: Duration = Duration::from_millis(500);

/// How often a request is tried in all.
const ATTEMPTS: u32 = 3;

/// The most entries of a request ("Amazon SQS message quotas" in its developer guide).
const MOST_ENTRIES: usize = 10;

/// The wait after the first attempt; it doubles.
const WAIT: Duration = Duration::from_millis(50);

/// A queue of SQS, standard or FIFO.
pub struct SqsQueue {
    client: Client,
    url: String,
    fifo: bool,
}

/// A message of several that is not known to be safe.
#[derive(Debug)]
pub struct Unpublished {
    /// Its position among the messages, from zero.
    pub index: usize,
    /// Why.
    pub fault: Fault,
}

impl SqsQueue {
    /// The queue at that URL, a FIFO queue when it ends in `.fifo`. Of the client its connections, credentials, region
    /// and endpoint are used; how long it waits and how often it tries is decided here.
    pub fn new(client: Client, url: String) -> Self {
        let retries =
            RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(WAIT).with_max_backoff(4 * WAIT);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(PATIENCE)
            .build();
        let config = client.config().to_builder().retry_config(retries).timeout_config(timeouts).build();
        let fifo = url.ends_with(".fifo");
        Self { client: Client::from_conf(config), url, fifo }
    }

    /// Publishes messages in as few requests as SQS allows. Those that fail for a while are tried again; in a FIFO queue
    /// such a one comes behind those of its group that did not fail.
    ///
    /// # Errors
    /// Those that may not have been taken, in their order. All others are safe.
    pub async fn publish_batches(&self, messages: &[Message]) -> Result<(), Vec<Unpublished>> {
        let trace = trace::current();
        let outgoing: Vec<_> =
            messages.iter().map(|message| Outgoing::new(message, self.fifo, trace.clone())).collect();
        let mut pending: Vec<usize> = (0..outgoing.len()).collect();
        let mut unpublished = Vec::new();
        for attempt in 1..=ATTEMPTS {
            let mut again = Vec::new();
            for (index, trouble) in self.send_batches(&outgoing, pending).await {
                match trouble.may_pass() && attempt < ATTEMPTS {
                    true => again.push(index),
                    false => unpublished.push(Unpublished { index, fault: trouble.fault(self.name()) }),
                }
            }
            pending = again;
            if pending.is_empty() {
                break;
            }
            let failed = pending.len();
            tracing::info!(queue = self.name(), failed, attempt, "messages of a batch are published again");
            tokio::time::sleep(retry::backoff(WAIT, attempt, Uuid::now_v7().as_u64_pair().1)).await;
        }
        unpublished.sort_by_key(|message| message.index);
        if unpublished.is_empty() { Ok(()) } else { Err(unpublished) }
    }

    /// Sends messages by their positions, once each. Returns those that failed.
    async fn send_batches(&self, outgoing: &[Outgoing], mut pending: Vec<usize>) -> Vec<(usize, Trouble)> {
        let mut failed = Vec::new();
        while !pending.is_empty() {
            let next: Vec<&Outgoing> = pending.iter().filter_map(|index| outgoing.get(*index)).collect();
            let rest = pending.split_off(batch(&next));
            match self.send_batch(outgoing, &pending).await {
                Ok(entries) => failed.extend(entries),
                // The SDK has tried several times: the others would only wait as long.
                Err(trouble) => {
                    let all = pending.iter().chain(&rest);
                    failed.extend(all.map(|index| (*index, trouble.clone())));
                    return failed;
                }
            }
            pending = rest;
        }
        failed
    }

    async fn send_batch(&self, outgoing: &[Outgoing], indices: &[usize]) -> Result<Vec<(usize, Trouble)>, Trouble> {
        let mut request = self.client.send_message_batch().queue_url(&self.url);
        for (index, message) in indices.iter().filter_map(|index| Some((index, outgoing.get(*index)?))) {
            request = request.entries(message.entry(*index).map_err(|_| Trouble::bug())?);
        }
        let answer = request.send().await.map_err(|error| Trouble::of(&error))?;
        let outcome = |index: &usize| {
            let id = index.to_string();
            if let Some(entry) = answer.failed().iter().find(|entry| entry.id() == id) {
                return Some((*index, Trouble::of_entry(entry.code(), entry.sender_fault())));
            }
            let taken = answer.successful().iter().any(|entry| entry.id() == id);
            (!taken).then(|| (*index, Trouble::silence()))
        };
        Ok(indices.iter().filter_map(outcome).collect())
    }

    /// Has messages that were received appear again after a while of their own, instead of that of the queue. Nothing is
    /// lost when that fails: they appear by the queue's.
    pub async fn appear_after(&self, receipts: &[(String, Duration)]) {
        for some in receipts.chunks(MOST_ENTRIES) {
            let mut request = self.client.change_message_visibility_batch().queue_url(&self.url);
            for (index, (receipt, wait)) in some.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(receipt)
                    .visibility_timeout(i32::try_from(wait.as_secs()).unwrap_or(i32::MAX));
                // It has all that is required.
                if let Ok(entry) = entry.build() {
                    request = request.entries(entry);
                }
            }
            let failed = match request.send().await {
                Ok(answer) => {
                    answer.failed().first().map(|entry| Trouble::of_entry(entry.code(), entry.sender_fault()))
                }
                Err(error) => Some(Trouble::of(&error)),
            };
            if let Some(trouble) = failed {
                tracing::warn!(queue = self.name(), ?trouble, "messages that failed come again later than they should");
            }
        }
    }

    async fn send(&self, message: &Outgoing) -> Result<(), Trouble> {
        let mut request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(&message.body)
            .set_message_group_id(message.group.clone())
            .set_message_deduplication_id(message.deduplication.clone());
        for (name, value) in message.sdk_attributes().map_err(|_| Trouble::bug())? {
            request = request.message_attributes(name, value);
        }
        if let Some((name, value)) = message.sdk_trace().map_err(|_| Trouble::bug())? {
            request = request.message_system_attributes(name, value);
        }
        request.send().await.map(drop).map_err(|error| Trouble::of(&error))
    }

    /// The queue's name, for people.
    fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn publish(&self, message: &Message) -> Result<(), Fault> {
        let outgoing = Outgoing::new(message, self.fifo, trace::current());
        self.send(&outgoing).await.map_err(|trouble| trouble.fault(self.name()))
    }

    async fn publish_all(&self, messages: &[Message]) -> Result<(), Fault> {
        let published = self.publish_batches(messages).await;
        published.map_err(|mut unpublished| unpublished.swap_remove(0).fault)
    }
}
