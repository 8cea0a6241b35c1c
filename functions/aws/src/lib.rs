//! What the functions on AWS Lambda share: their start, their settings with secrets of AWS Secrets Manager in them, and what
//! surrounds an invocation. It knows no database, no GitHub and no model, so that the webhook's function links none.
//!
//! A function starts once and is then invoked many times, frozen in between. What takes time is done at the start; what
//! must not be lost is written at the end of each invocation.

mod aws;
mod failed;
pub mod http;
mod invocation;
mod live;
mod start;

pub use failed::Failed;
pub use invocation::{at_end, deadline, flush, time_left};
pub use live::Live;
pub use start::{Function, Kind, main};
