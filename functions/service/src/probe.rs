//! Asking a process for its health, from a program of its own: what a container's health check runs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use autopr_runtime::settings::Settings;

/// How long the process may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where a process with these settings answers on this machine: a worker, which takes no webhooks, beside its metrics.
pub fn own_address(settings: &Settings, serves: bool) -> SocketAddr {
    let host = match settings.server.host {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    SocketAddr::new(host, if serves { settings.server.port } else { settings.monitoring.metrics_port })
}

/// Asks the process at that address whether it lives, and prints why it does not; what `program` then ends with.
pub fn health(program: &str, address: SocketAddr) -> ExitCode {
    match asked(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{program}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn asked(address: SocketAddr) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("can't start the async runtime: {error}"))?;
    let answered = runtime.block_on(async {
        // Whatever proxy the environment names, this is the same machine.
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        client.get(format!("http://{address}/api/health")).send().await?.error_for_status()
    });
    match answered {
        Ok(_) => Ok(()),
        Err(error) if error.is_status() => Err(format!("{address} answers {}", error.status().unwrap_or_default())),
        Err(error) if error.is_timeout() => Err(format!("{address} does not answer within {} s", PATIENCE.as_secs())),
        Err(_) => Err(format!("nobody listens at {address}")),
    }
}
