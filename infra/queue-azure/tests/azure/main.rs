//! The queue against Azurite, and against a service that fails in ways Azurite does not.

mod consuming;
mod messages;
mod publishing;
mod service;
