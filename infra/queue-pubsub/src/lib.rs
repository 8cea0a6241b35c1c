//! Google Cloud Pub/Sub as the queue: what publishes, and what reads the requests by which a subscription pushes messages.

mod fault;
mod outgoing;
pub mod push;
mod queue;
mod topic;

pub use outgoing::{MAX_BYTES, TRACE_ATTRIBUTE};
pub use queue::PubSubQueue;
pub use topic::{NoTopic, Topic};
