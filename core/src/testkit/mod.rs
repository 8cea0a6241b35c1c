//! What tests of the engine and of its edges share: an in-memory store and cache, a fake forge, a scripted model, a queue
//! that remembers, an injector of crashes, and the conformance suites that every store and every cache must pass. Only
//! built with the feature `testkit`.
//!
//! Code here may panic: it runs in tests, and a panic is how a test fails.

pub mod cache;
pub mod cache_suite;
pub mod crash;
pub mod forge;
pub mod memory;
pub mod model;
pub mod sample;
pub mod store_suite;
pub mod world;

pub use cache::MemoryCache;
pub use crash::Crasher;
pub use forge::FakeForge;
pub use memory::MemoryStore;
pub use model::ScriptedModel;
