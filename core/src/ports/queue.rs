//! Where messages go. The consumer's side differs from platform to platform and lives in the adapters.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::Store;
use crate::clock::Clock;
use crate::fault::Fault;
use crate::message::Message;

/// Takes messages. There is no delay: "not before" lives in the store.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Returns once the message is safe. It will be delivered at least once.
    async fn publish(&self, message: &Message) -> Result<(), Fault>;

    /// Publishes several, which some queues take in one request. When it fails, some of them may be safe.
    async fn publish_all(&self, messages: &[Message]) -> Result<(), Fault> {
        for message in messages {
            self.publish(message).await?;
        }
        Ok(())
    }
}

/// The store as the queue: what a self-hosted engine uses. Cloning shares it.
#[derive(Clone)]
pub struct StoreQueue {
    store: Arc<dyn Store>,
    clock: Clock,
    published: Arc<Notify>,
}

impl StoreQueue {
    /// A queue in that store.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock, published: Arc::default() }
    }

    /// Returns after a message was published, through this queue also if that was before the call, or by another process
    /// if the store can tell.
    pub async fn published(&self) {
        tokio::select! {
            () = self.published.notified() => {}
            () = self.store.enqueued_elsewhere() => {}
        }
    }
}

#[async_trait]
impl Queue for StoreQueue {
    async fn publish(&self, message: &Message) -> Result<(), Fault> {
        self.store.enqueue(&message.encode(), message.lane(), self.clock.now()).await?;
        self.published.notify_one();
        Ok(())
    }
}
