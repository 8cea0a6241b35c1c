//! The service for Azure Container Apps.

use std::process::ExitCode;

use autopr_azure_app::Limits;
use autopr_core::clock::Clock;

fn main() -> ExitCode {
    autopr_azure_app::run(Clock::System, Limits::default())
}
