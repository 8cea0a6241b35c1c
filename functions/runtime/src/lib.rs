//! What every deployable of AutoPR Engine shares: its settings, the wiring of its parts, and the worker loop.

pub mod http;
pub mod settings;
mod upkeep;
mod wiring;
mod worker;

pub use upkeep::Upkeep;
pub use wiring::{CatalogError, catalog, environment, policy, source};
pub use worker::Worker;
