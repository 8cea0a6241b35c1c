//! `gcp-service` by a clock that runs faster than the machine's, so that leases of a minute are over in seconds. Only for
//! tests; everything else is as in the service itself. The clock is that of `autopr-fast`.

use std::process::ExitCode;

fn main() -> ExitCode {
    autopr_gcp_service::run(autopr_e2e::fast_clock().expect("the clock's variables"))
}
