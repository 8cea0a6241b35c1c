//! The queue against Azurite, and against a service that fails in ways Azurite does not.

mod consuming;
mod log;
mod messages;
mod publishing;
mod service;
