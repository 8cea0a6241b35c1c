//! The functions of AWS Lambda by a clock that runs faster than the machine's, so that leases of a minute are over in
//! seconds. Only for tests; everything else is as in the functions themselves. `AUTOPR_FAST_FUNCTION` names the function;
//! the clock is that of `autopr-fast`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let clock = autopr_e2e::fast_clock().expect("the clock's variables");
    match std::env::var("AUTOPR_FAST_FUNCTION").as_deref() {
        Ok("aws-worker") => autopr_aws_worker::run(clock),
        Ok("aws-webhook") => autopr_aws_webhook::run(clock),
        Ok("aws-sweeper") => autopr_aws_sweeper::run(clock),
        other => panic!("{other:?} is none of the functions"),
    }
}
