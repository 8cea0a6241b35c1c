//! The one HTTP client that all models share.

use std::time::Duration;

use autopr_core::fault::{Fault, FaultKind};
use reqwest::redirect;

/// The shared HTTP client. Cloning it is cheap and keeps the pool of connections.
pub type HttpClient = reqwest::Client;

/// Builds the client: rustls, no redirects (a redirect would carry prompt and key somewhere else), no retries, and ten
/// seconds to connect. How long a whole call may take is each call's own limit. Making a client reads the system's
/// certificates, so make one and share it.
///
/// # Errors
///
/// `Bug` when the TLS library can't be set up.
pub fn client() -> Result<HttpClient, Fault> {
    reqwest::Client::builder()
        .user_agent(concat!("autopr/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(32)
        .tcp_nodelay(true)
        .build()
        .map_err(|error| Fault::new(FaultKind::Bug, "can't set up the HTTP client for models").source(error))
}
