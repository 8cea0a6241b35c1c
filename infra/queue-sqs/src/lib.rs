//! Amazon SQS as the queue: what publishes, and what turns the batches that Lambda brings into messages and results into
//! the answer that says which of them failed.

pub mod batch;
mod fault;
mod outgoing;
mod queue;
mod trace;

pub use outgoing::MAX_BYTES;
pub use queue::{SqsQueue, Unpublished};
pub use trace::{TraceHeader, traced};
