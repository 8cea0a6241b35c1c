//! What a long-lived process is made of: signals, addresses, HTTP with health and webhooks, metrics on a port of their own,
//! the engine, upkeep, and an end at which nothing is lost. Where messages come from, and what else is answered over HTTP,
//! each deployable brings along; so it does its store, so that none links a database that it has no use for.

mod exporter;
mod listener;
mod probe;
mod process;
mod signals;
mod start;
mod trace;

pub use probe::{health, own_address};
pub use process::{Backing, Failed, Parts, Process, Work, run};
pub use signals::Stopped;
pub use start::{Asked, asked, ends, exit_code, log_panics, start_logging};
