//! What every deployable of AutoPR Engine shares: its settings, the wiring of its parts, and the worker loop.

pub mod http;
mod reconcile;
pub mod settings;
mod wiring;
mod worker;

pub use reconcile::reconcile;
pub use wiring::{CatalogError, catalog, policy, source};
pub use worker::Worker;
