//! `azure-app` by a clock that runs faster than the machine's, so that leases of a minute are over in seconds, and with limits
//! that are reached as soon. Only for tests; everything else is as in `azure-app`.
//!
//! `AUTOPR_FAST_VISIBILITY` says for how many seconds a message is hidden, `AUTOPR_FAST_RECEIVES` how often it is handed out;
//! the clock is that of `autopr-fast`.

use std::process::ExitCode;
use std::time::Duration;

use autopr_azure_app::Limits;

fn main() -> ExitCode {
    let clock = autopr_e2e::fast_clock().expect("the clock's variables");
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let (visibility, receives) = (number("AUTOPR_FAST_VISIBILITY"), number("AUTOPR_FAST_RECEIVES"));
    let visibility = Duration::from_secs(visibility.expect("AUTOPR_FAST_VISIBILITY").into());
    let most_receives = receives.expect("AUTOPR_FAST_RECEIVES");
    autopr_azure_app::run(clock, Limits { visibility, most_receives, ..Limits::default() })
}
