//! The addresses that a process listens on.

use std::net::{IpAddr, SocketAddr};
use std::{io, thread};

use autopr_runtime::http::{self, ServeLimits};
use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

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

/// Serves on a thread of its own until the shutdown: GitHub is answered within milliseconds however much the other
/// threads have to do. Returns once everything is answered.
pub(crate) async fn serve_apart(listener: TcpListener, router: Router, shutdown: CancellationToken) -> io::Result<()> {
    let listener = listener.into_std()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (ended, end) = oneshot::channel();
    thread::Builder::new().name("http".to_owned()).spawn(move || {
        let served = runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            http::serve(listener, router, ServeLimits::default(), shutdown).await;
            Ok(())
        });
        // A body that is still being read must not hold up the end.
        runtime.shutdown_background();
        drop(ended.send(served));
    })?;
    end.await.unwrap_or_else(|_| Err(io::Error::other("the thread ended early")))
}
