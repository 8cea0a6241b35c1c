//! A proxy that passes TCP connections on, and breaks them when it is told to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use crate::port::free_port;

/// What the proxy does to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Passes them on.
    Pass,
    /// Passes everything on so much later, each way.
    Latency(Duration),
    /// Resets every connection, open ones and new ones.
    Reset,
    /// Takes connections and bytes, and passes nothing on. What was taken follows when the fault ends.
    Blackhole,
    /// Refuses new connections and resets the open ones, as when nobody listens.
    Refuse,
}

/// A proxy in front of an address. It ends when dropped, with all its connections.
pub struct FaultProxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    reached: watch::Receiver<Fault>,
    connections: Arc<AtomicUsize>,
    ended: Option<std::thread::JoinHandle<()>>,
    end: Option<oneshot::Sender<()>>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    fault: Fault,
    /// How many times all connections were reset.
    resets: u64,
}

impl State {
    fn resets_since(&self, opened: u64) -> bool {
        self.resets != opened || matches!(self.fault, Fault::Reset | Fault::Refuse)
    }
}

impl FaultProxy {
    /// Starts a proxy that passes connections on to an address such as `127.0.0.1:5432`.
    ///
    /// # Panics
    ///
    /// When it can't listen.
    pub fn start(upstream: &str) -> Self {
        let upstream = upstream.to_owned();
        let (state, changes) = watch::channel(State { fault: Fault::Pass, resets: 0 });
        let (reach, reached) = watch::channel(Fault::Pass);
        let (end, ending) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let (listener, address) = listen_anywhere().await;
                tell.send(address).expect("somebody starts it");
                let serving = serve(Some(listener), address, upstream, changes, reach, count);
                tokio::select! {
                    () = serving => {}
                    _ = ending => {}
                }
            });
        });
        let address = told.recv().expect("the proxy listens");
        Self { address, state, reached, connections, ended: Some(ended), end: Some(end) }
    }

    /// Where it listens, such as `127.0.0.1:15432`. It stays the same.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Switches what happens to connections, open ones included. From its return on nothing happens as it did before,
    /// but for bytes that are on their way.
    ///
    /// # Panics
    ///
    /// When it can't listen again after [`Fault::Refuse`].
    pub fn set(&self, fault: Fault) {
        self.state.send_modify(|state| state.fault = fault);
        while *self.reached.borrow() != fault {
            assert!(self.ended.as_ref().is_some_and(|thread| !thread.is_finished()), "the proxy has ended");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Resets the connections that are open, once. New ones are treated as before.
    pub fn reset(&self) {
        self.state.send_modify(|state| state.resets += 1);
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.ended.take() {
            drop(thread.join());
        }
    }
}

async fn listen_anywhere() -> (TcpListener, SocketAddr) {
    for _ in 0..5 {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        if let Ok(listener) = TcpListener::bind(address).await {
            return (listener, address);
        }
    }
    panic!("the proxy finds no port");
}

async fn serve(
    mut listener: Option<TcpListener>,
    address: SocketAddr,
    upstream: String,
    mut changes: watch::Receiver<State>,
    reach: watch::Sender<Fault>,
    count: Arc<AtomicUsize>,
) {
    loop {
        let state = *changes.borrow_and_update();
        if state.fault == Fault::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = Some(TcpListener::bind(address).await.expect("the proxy's port is still free"));
        }
        reach.send_replace(state.fault);
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            Ok((client, _)) = accepted => {
                let opened = changes.borrow().resets;
                let connection = Connection { opened, changes: changes.clone(), open: Open::new(&count) };
                tokio::spawn(connection.run(client, upstream.clone()));
            }
        }
    }
}

/// Counts a connection while it is open.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Connection {
    /// How many resets there had been when it was opened.
    opened: u64,
    changes: watch::Receiver<State>,
    open: Open,
}

impl Connection {
    async fn run(self, mut client: TcpStream, upstream: String) {
        let Self { opened, changes, open } = self;
        let (mut server, mut state) = (None, changes.clone());
        let ended_well = tokio::select! {
            passed = pass_on(&mut client, &mut server, &upstream, changes) => passed.is_ok(),
            _ = state.wait_for(|state| state.resets_since(opened)) => false,
        };
        if !ended_well {
            // A socket that does not linger is closed with RST.
            for stream in std::iter::once(&client).chain(&server) {
                drop(stream.set_zero_linger());
            }
        }
        drop(open);
    }
}

async fn pass_on(
    client: &mut TcpStream,
    server: &mut Option<TcpStream>,
    upstream: &str,
    mut changes: watch::Receiver<State>,
) -> io::Result<()> {
    passes(&mut changes).await;
    let server = server.insert(TcpStream::connect(upstream).await?);
    // Small messages go back and forth: none waits for another.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_reads, client_writes) = client.split();
    let (server_reads, server_writes) = server.split();
    let there = pump(client_reads, server_writes, changes.clone());
    let back = pump(server_reads, client_writes, changes);
    tokio::try_join!(there, back).map(drop)
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut changes: watch::Receiver<State>) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if let Fault::Latency(delay) = passes(&mut changes).await {
            tokio::time::sleep(delay).await;
        }
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}

/// Waits until connections are passed on; the fault of that time.
async fn passes(changes: &mut watch::Receiver<State>) -> Fault {
    match changes.wait_for(|state| state.fault != Fault::Blackhole).await {
        Ok(state) => state.fault,
        // The proxy is about to end.
        Err(_) => Fault::Pass,
    }
}
