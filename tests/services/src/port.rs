//! Ports that a server can have again after its restart.

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;

/// A port of 127.0.0.1 that nobody has. It lies below the range from which systems give ports to outgoing connections
/// (32768 on Linux): a client that knocks in vain while the server is down could otherwise be given the port itself.
///
/// # Panics
///
/// When no port is free.
pub fn free_port() -> u16 {
    const FIRST: u16 = 15_000;
    const COUNT: u16 = 17_000;
    // Every hasher has random keys, so that processes do not all begin with the same port.
    let start = (RandomState::new().hash_one(std::process::id()) % u64::from(COUNT)) as u16;
    (0..COUNT)
        .map(|step| FIRST + (start + step) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
