//! The Lambda function that runs executions.

use std::process::ExitCode;

use autopr_core::clock::Clock;

fn main() -> ExitCode {
    autopr_aws_worker::run(Clock::System)
}
