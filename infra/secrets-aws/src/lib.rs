//! Secrets out of AWS Secrets Manager for settings that name them: fetched all at once at start, and again after a while, so
//! that a rotation needs no restart. No value gets into an error or a log.

mod cached;
mod failure;
mod fetch;

pub use cached::{Cached, Snapshot};
pub use fetch::SecretsManager;
