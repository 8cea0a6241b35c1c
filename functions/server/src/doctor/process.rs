//! The process that runs on this machine with these settings, if one does: its health and its metrics.

use std::net::SocketAddr;
use std::time::Duration;

use autopr_core::yaml::Diagnostic;
use autopr_runtime::settings::Settings;
use serde::Deserialize;

use super::report::Check;
use super::unclear;

/// How long it may take to answer: it asks its dependencies first.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Health {
    status: String,
    version: String,
    #[serde(default)]
    dependencies: serde_json::Map<String, serde_json::Value>,
}

pub(super) async fn checks(settings: &Settings, mistakes: &[Diagnostic], version: &str) -> Vec<Check> {
    const NAME: &str = "server.health";
    if let Some(check) = unclear(NAME, mistakes, &["server.host", "server.port", "monitoring"]) {
        return vec![check];
    }
    // Whatever proxy the environment names, this is the same machine.
    let client = match reqwest::Client::builder().timeout(PATIENCE).no_proxy().build() {
        Ok(client) => client,
        Err(error) => return vec![Check::skipped(NAME, format!("no HTTP client: {error}"))],
    };
    let (health, runs) = health(&client, settings, version).await;
    vec![health, metrics(&client, settings, runs).await]
}

/// The health of the server, or of a worker, and whether one of them runs.
async fn health(client: &reqwest::Client, settings: &Settings, version: &str) -> (Check, bool) {
    const NAME: &str = "server.health";
    let addresses = [true, false].map(|serves| autopr_service::own_address(settings, serves));
    for address in addresses.into_iter().filter(|address| address.port() != 0) {
        let answer = client.get(format!("http://{address}/api/health?detailed=true")).send().await;
        let Ok(answer) = answer else { continue };
        return (answered(answer.json().await.ok(), address, version), true);
    }
    let [address, _] = addresses;
    let found = match address.port() {
        0 => "the system chooses the port, so that nobody knows where it answers".to_owned(),
        _ => format!("nobody listens at {address}"),
    };
    let fix = "start `autopr serve`, or run this on the machine where it runs";
    (Check::warning(NAME, found, fix), false)
}

fn answered(health: Option<Health>, address: SocketAddr, version: &str) -> Check {
    const NAME: &str = "server.health";
    let Some(Health { status, version: theirs, dependencies }) = health else {
        let found = format!("something else than AutoPR Engine answers at {address}");
        return Check::failed(NAME, found, "choose another port with server.port (AUTOPR_PORT)");
    };
    let ill = |(name, state): (&String, &serde_json::Value)| {
        let status = state["status"].as_str().filter(|status| *status != "healthy")?;
        Some(format!("{name} is {status}"))
    };
    let ill: Vec<_> = dependencies.iter().filter_map(ill).collect();
    let found = format!("the process at {address} is {status}");
    let found = if ill.is_empty() { found } else { format!("{found}: {}", ill.join(", ")) };
    let check = if status == "unhealthy" {
        Check::failed(NAME, found, "see in its log why it can't reach what it needs")
    } else if status != "healthy" {
        Check::warning(NAME, found, "see in its log what is slow or away")
    } else if theirs != version {
        Check::warning(NAME, format!("{found}, and its version is {theirs}"), "start it anew with this version")
    } else {
        Check::ok(NAME, found)
    };
    check.value("status", status).value("version", theirs)
}

async fn metrics(client: &reqwest::Client, settings: &Settings, runs: bool) -> Check {
    const NAME: &str = "server.metrics";
    if !settings.monitoring.enable_metrics {
        return Check::warning(
            NAME,
            "there are no metrics",
            "set monitoring.enable_metrics: true, and let Prometheus read them",
        );
    }
    let address = autopr_service::own_address(settings, false);
    if !runs || address.port() == 0 {
        return Check::skipped(
            NAME,
            format!("no process of these settings is known to run here (port {})", address.port()),
        );
    }
    let text = async { client.get(format!("http://{address}/metrics")).send().await?.error_for_status()?.text().await };
    let series = match text.await {
        Ok(text) => text.lines().filter(|line| line.starts_with("autopr_")).count(),
        Err(_) => 0,
    };
    match series {
        0 => {
            let fix = "start the server anew with these settings: its monitoring.metrics_port is another, or taken";
            Check::failed(NAME, format!("http://{address}/metrics does not answer with metrics"), fix)
        }
        _ => Check::ok(NAME, format!("{series} series at http://{address}/metrics")).value("series", series),
    }
}
