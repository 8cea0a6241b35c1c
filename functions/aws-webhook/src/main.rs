//! The Lambda function that takes webhooks.

use std::process::ExitCode;

use autopr_core::clock::Clock;

fn main() -> ExitCode {
    autopr_aws_webhook::run(Clock::System)
}
