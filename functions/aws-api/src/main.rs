//! The Lambda function that answers the API.

use std::process::ExitCode;

use autopr_core::clock::Clock;

fn main() -> ExitCode {
    autopr_aws_api::run(Clock::System)
}
