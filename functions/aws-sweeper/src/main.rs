//! The Lambda function that is called each minute.

use std::process::ExitCode;

use autopr_core::clock::Clock;

fn main() -> ExitCode {
    autopr_aws_sweeper::run(Clock::System)
}
