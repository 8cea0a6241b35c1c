//! The long-running process of the self-hosted binary, apart from the command line so that tests can run it with other
//! edges.

mod listener;
mod process;
mod signals;
pub mod store;

pub use process::{Failed, Role, run};
pub use signals::Stopped;
