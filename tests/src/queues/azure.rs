//! Azure Storage Queue.

use std::sync::Arc;

use async_trait::async_trait;
use autopr_core::clock::Clock;
use autopr_core::ports::Store;
use autopr_core::trace::{TraceParent, traced};
use autopr_queue_azure::{AzureQueue, Consumer, Limits, QueueAddress};
use autopr_services::Azurite;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{Adapter, Plug, RECEIVES, Shop, TRACE_PARENT, VISIBILITY};
use crate::azure::{POISON, QUEUE};

/// A queue of Azurite and the one beside it.
pub async fn azure(_: &Shop) -> Option<Arc<dyn Plug>> {
    let azurite = Azurite::start();
    azurite.create(QUEUE).await;
    Some(Arc::new(OfAzurite { azurite }))
}

struct OfAzurite {
    azurite: Azurite,
}

#[async_trait]
impl Plug for OfAzurite {
    async fn open(&self, _: Arc<dyn Store>, clock: Clock) -> Adapter {
        let address = QueueAddress::parse(&self.azurite.queue_url(QUEUE)).expect("an address");
        let queue = AzureQueue::new(address, None).expect("a queue");
        let own = queue.clone();
        let limits = Limits { visibility: VISIBILITY, most_receives: RECEIVES, ..Limits::default() };
        Adapter {
            queue: Arc::new(queue),
            consumer: Box::new(move |engine, shutdown, _| {
                Box::pin(Consumer::new(engine, own, clock, limits, shutdown).run())
            }),
        }
    }

    fn traced<'f>(&self, publishing: BoxFuture<'f, ()>) -> BoxFuture<'f, ()> {
        Box::pin(traced(TraceParent::parse(TRACE_PARENT), publishing))
    }

    fn trace(&self) -> Option<&'static str> {
        Some(TRACE_PARENT)
    }

    async fn traces(&self) -> Vec<Option<String>> {
        let told = self.azurite.peek(QUEUE).await;
        let trace = |text: &str| Some(serde_json::from_str::<Value>(text).ok()?["trace"].as_str()?.to_owned());
        told.iter().map(|message| trace(&message.text)).collect()
    }

    async fn put(&self, body: &str) {
        self.azurite.put(QUEUE, body).await;
    }

    async fn messages(&self) -> usize {
        self.azurite.messages(QUEUE).await as usize
    }

    async fn set_aside(&self) -> Vec<String> {
        self.azurite.peek(POISON).await.into_iter().map(|message| message.text).collect()
    }
}
