//! The service for Google Cloud Run.

use std::process::ExitCode;

use autopr_core::clock::Clock;

fn main() -> ExitCode {
    autopr_gcp_service::run(Clock::System)
}
