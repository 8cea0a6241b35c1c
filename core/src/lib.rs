//! The rules of AutoPR Engine and the ports through which they reach the world.
//!
//! Nothing here opens a socket, speaks SQL, links a cloud's SDK or reads an environment variable.
//! ARCHITECTURE.md shows how the modules fit; in reading order they are:
//! identities ([`ids`]), what happened ([`event`], [`intake`]), what runs because of it ([`workflow`],
//! [`execution`], [`machine`], [`engine`], [`actions`]), what is reviewed ([`diff`], [`analysis`],
//! [`review`]) and the edges ([`ports`]).

pub mod actions;
pub mod analysis;
pub mod clock;
pub mod diff;
pub mod engine;
pub mod event;
pub mod execution;
pub mod fault;
pub mod ids;
pub mod intake;
pub mod machine;
pub mod message;
pub mod model_chain;
pub mod ports;
pub mod reconcile;
pub mod repo_config;
pub mod retry;
pub mod review;
pub mod secrets;
pub mod telemetry;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod trace;
pub mod workflow;
pub mod yaml;
