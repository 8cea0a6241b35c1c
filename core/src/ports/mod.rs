//! The edges of the engine. Each is a trait because two implementations ship, and each has a conformance suite in
//! `testkit` that all of its implementations run.

pub mod cache;
pub mod forge;
pub mod model;
pub mod operations;
pub mod queue;
pub mod schema;
pub mod store;

pub use cache::Cache;
pub use forge::Forge;
pub use model::Model;
pub use operations::Operations;
pub use queue::Queue;
pub use store::Store;
