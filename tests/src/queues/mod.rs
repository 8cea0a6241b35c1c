//! What holds of every queue, whatever service lies behind it. One list of behaviours ([`suite`]) and one comparison
//! ([`rows`]) over all queues, each of which is plugged in by a [`Plug`].
//!
//! A queue is plugged in by what the product itself is made of: its adapter publishes, and its own code takes messages,
//! keeps them, gives them back and sets them aside. What a cloud does between its queue and our code (Lambda's event source
//! mapping, the requests of a push subscription) is played by a test's double, which calls what the function or service reads
//! with; those themselves are started in `tests/tests/aws.rs` and `gcp.rs`.
//!
//! To plug in another queue: implement [`Plug`], write a function `async fn NAME(shop: &Shop) -> Option<Arc<dyn Plug>>` that
//! starts its service with a queue in which a message stays hidden for [`VISIBILITY`] and is set aside after [`RECEIVES`],
//! which returns none after it has said so on stderr where the service can't be had, and add it to the lists in
//! `tests/tests/queues.rs`.

mod azure;
mod process;
mod pubsub;
pub mod rows;
mod shop;
mod sqs;
mod store;
pub mod suite;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use autopr_core::clock::Clock;
use autopr_core::engine::Engine;
use autopr_core::ports::{Queue, Store};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use azure::azure;
pub use process::Process;
pub use pubsub::pubsub;
pub use shop::Shop;
pub use sqs::sqs;
pub use store::store;

/// For how long a message stays hidden that nobody renews.
pub const VISIBILITY: Duration = Duration::from_secs(3);

/// How often a message is handed out before it is set aside, where its service lets that be chosen.
pub const RECEIVES: u32 = 3;

/// The trace of tests, as the W3C writes it.
const TRACE_PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A queue of the product, in front of its service.
#[async_trait]
pub trait Plug: Send + Sync {
    /// What a process publishes through and takes messages with. Called once by each, in a runtime of its own, which ends
    /// with the process.
    async fn open(&self, store: Arc<dyn Store>, clock: Clock) -> Adapter;

    /// Runs `publishing` inside of the trace that [`Plug::traces`] is to tell.
    fn traced<'f>(&self, publishing: BoxFuture<'f, ()>) -> BoxFuture<'f, ()>;

    /// The trace of [`Plug::traced`] as the queue carries it; none for a queue that carries none.
    fn trace(&self) -> Option<&'static str>;

    /// The traces of the messages that can be had now. They may be hidden by it.
    async fn traces(&self) -> Vec<Option<String>>;

    /// Puts a text on the queue that no adapter has made.
    async fn put(&self, body: &str);

    /// How many messages there are, hidden ones among them.
    async fn messages(&self) -> usize;

    /// The messages that were set aside.
    async fn set_aside(&self) -> Vec<String>;
}

/// Takes messages, each of which may be worked on for so long, by the engine's clock, where its queue hands messages out for a
/// fixed time.
pub type Consume = Box<dyn FnOnce(Engine, CancellationToken, Option<Duration>) -> BoxFuture<'static, ()> + Send>;

/// What a process publishes through and takes messages with.
pub struct Adapter {
    /// What publishes.
    pub queue: Arc<dyn Queue>,
    /// Takes messages and hands them to the engine until the shutdown, then waits for what is under way. When it is dropped,
    /// or its runtime, it has died.
    pub consumer: Consume,
}
