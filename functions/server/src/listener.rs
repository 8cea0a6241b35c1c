//! The addresses the process listens on.

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpListener;

use crate::process::Failed;

/// Listens on an address; `setting` is the key that names its port.
pub(crate) async fn listen(host: IpAddr, port: u16, setting: &'static str) -> Result<TcpListener, Failed> {
    let address = SocketAddr::new(host, port);
    TcpListener::bind(address).await.map_err(|error| Failed::Listen { address, setting, error })
}

/// The address a listener got, for the log.
pub(crate) fn address(listener: &TcpListener) -> String {
    listener.local_addr().map_or_else(|error| error.to_string(), |address| address.to_string())
}
