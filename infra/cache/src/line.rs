//! A connection to Redis that many share, made when it is needed and made anew when it fails.
//!
//! The library's own `ConnectionManager` keeps a connection on which an answer did not come in time. One whose other side
//! has vanished without a word would be used for as long as the system goes on sending, which is a quarter of an hour;
//! here it is dropped.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, Value};

/// One connection, or none at the moment.
pub(crate) struct Line {
    client: Client,
    open: Mutex<Open>,
    /// Held by the one who connects.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Open {
    connection: Option<MultiplexedConnection>,
    /// How many were made before: who finds a connection broken takes down that one and no later one.
    number: u64,
}

/// Why a command came to nothing.
pub(crate) enum Failure {
    /// Redis can't be reached, does not let us in, or does not answer in time.
    Silent(String),
    /// Redis answered that it will not, by this code of its own. What else it says may quote the command.
    Refused(String),
}

impl Line {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, open: Mutex::default(), connecting: tokio::sync::Mutex::default() }
    }

    /// Sends a command and waits for its answer, all within that time. When the connection turns out to be closed, it is
    /// sent once more over a new one.
    pub(crate) async fn ask(&self, command: &Cmd, timeout: Duration) -> Result<Value, Failure> {
        let mut used = None;
        let asked = tokio::time::timeout(timeout, async {
            let mut again = true;
            loop {
                let (mut connection, number) = self.connection().await?;
                used = Some(number);
                match connection.req_packed_command(command).await {
                    // Servers and what lies between close connections that were idle: that is no outage. Doing one of
                    // our commands twice changes nothing.
                    Err(error) if again && error.kind() == ErrorKind::Io => {
                        self.discard(number);
                        again = false;
                    }
                    answer => return answer,
                }
            }
        });
        let failure = match asked.await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => match error.kind() {
                ErrorKind::Io => Failure::Silent(error.to_string()),
                ErrorKind::Server(_) | ErrorKind::Extension if used.is_some() => {
                    return Err(Failure::Refused(error.code().unwrap_or("ERR").to_owned()));
                }
                // When it was to let us in: wrong credentials, or too many who are connected.
                _ => Failure::Silent(error.category().to_owned()),
            },
            Err(_) => Failure::Silent(format!("no answer within {} ms", timeout.as_millis())),
        };
        if let Some(number) = used {
            self.discard(number);
        }
        Err(failure)
    }

    /// Takes a connection out of use, unless another has taken its place.
    fn discard(&self, number: u64) {
        let mut open = self.open();
        if open.number == number {
            open.connection = None;
        }
    }

    /// The connection, made by the first who needs it while the others wait.
    async fn connection(&self) -> redis::RedisResult<(MultiplexedConnection, u64)> {
        if let Some(open) = self.open().shared() {
            return Ok(open);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(open) = self.open().shared() {
            return Ok(open);
        }
        // Whoever asks has a limit for all of it.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut open = self.open();
        open.number += 1;
        open.connection = Some(connection.clone());
        Ok((connection, open.number))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn shared(&self) -> Option<(MultiplexedConnection, u64)> {
        self.connection.clone().map(|connection| (connection, self.number))
    }
}
