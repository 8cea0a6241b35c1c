//! Servers that stand in for the world around AutoPR Engine: a GitHub that keeps state, a Google that signs tokens, and
//! language models that follow a script. The whole-system tests run against them and `scripts/demo` shows the engine with
//! them.

pub mod github;
pub mod google;
pub mod model;
pub mod packages;
