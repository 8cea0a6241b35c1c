//! Azure Storage Queue as the queue: what publishes, and the loop that takes messages, keeps them hidden while an execution
//! runs, and sets aside what was handed out too often, because the service has no dead letters of its own.

mod address;
mod consumer;
mod envelope;
mod fault;
mod identity;
mod inbox;
mod queue;
mod resting;

pub use address::{BadAddress, QueueAddress};
pub use consumer::{Consumer, Limits};
pub use envelope::MAX_BYTES;
pub use queue::AzureQueue;
