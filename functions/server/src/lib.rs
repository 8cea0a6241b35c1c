//! The long-running process of the self-hosted binary, apart from the command line so that tests can run it with other
//! edges.

mod process;
pub mod store;

pub use autopr_service::{Failed, Stopped};
pub use process::{Role, run};
