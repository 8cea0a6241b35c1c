//! The store as the queue.

use std::sync::Arc;

use async_trait::async_trait;
use autopr_core::clock::Clock;
use autopr_core::ports::Store;
use autopr_core::ports::queue::StoreQueue;
use autopr_runtime::Worker;
use futures_util::future::BoxFuture;

use super::{Adapter, Plug, RECEIVES, Shop};

/// How many executions run at once.
const AT_ONCE: usize = 10;

/// The store of the shop. A message is hidden for a minute of its clock.
pub async fn store(shop: &Shop) -> Option<Arc<dyn Plug>> {
    Some(Arc::new(InStore { database: shop.database.clone() }))
}

struct InStore {
    database: String,
}

impl InStore {
    fn sql(&self, sql: &str) -> String {
        autopr_services::psql(&self.database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

#[async_trait]
impl Plug for InStore {
    async fn open(&self, store: Arc<dyn Store>, clock: Clock) -> Adapter {
        let queue = StoreQueue::new(store, clock.clone());
        let own = queue.clone();
        Adapter {
            queue: Arc::new(queue),
            consumer: Box::new(move |engine, shutdown, _| {
                Box::pin(Worker::new(engine, own, clock, AT_ONCE, shutdown).most_receives(RECEIVES).run())
            }),
        }
    }

    fn traced<'f>(&self, publishing: BoxFuture<'f, ()>) -> BoxFuture<'f, ()> {
        publishing
    }

    fn trace(&self) -> Option<&'static str> {
        None
    }

    async fn traces(&self) -> Vec<Option<String>> {
        self.sql("SELECT id FROM messages WHERE dead_reason IS NULL").lines().map(|_| None).collect()
    }

    async fn put(&self, body: &str) {
        let body = body.replace('\'', "''");
        self.sql(&format!("INSERT INTO messages (body, turn, available_at) VALUES ('{body}', 0, now())"));
    }

    async fn messages(&self) -> usize {
        self.sql("SELECT id FROM messages WHERE dead_reason IS NULL").lines().count()
    }

    async fn set_aside(&self) -> Vec<String> {
        self.sql("SELECT body FROM messages WHERE dead_reason IS NOT NULL").lines().map(str::to_owned).collect()
    }
}
