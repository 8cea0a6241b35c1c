//! Moto, which stands in for Amazon SQS and AWS Secrets Manager.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::folder::Folder;
use crate::port::free_port;
use crate::process::{Process, log_of};
use crate::program::{User, cache, find_installed};

/// The folder with the commands of the Python programs that tests use. `scripts/test` installs them.
const VARIABLE: &str = "AUTOPR_TEST_PYTHON_BIN";

/// A Moto server that forgets everything at its end. It takes any credentials and keeps what each region has apart. It ends
/// when dropped.
pub struct Moto {
    process: Process,
    folder: Folder,
    port: u16,
}

impl Moto {
    /// Starts a server.
    ///
    /// # Panics
    ///
    /// When Moto is not installed or does not start.
    pub fn start() -> Self {
        let mut server = Self { process: Process::default(), folder: Folder::new(User::Same, false), port: 0 };
        for _ in 0..5 {
            server.port = free_port();
            if server.launch() {
                return server;
            }
        }
        panic!("Moto does not start\n{}", log_of(&server.folder));
    }

    fn launch(&mut self) -> bool {
        let program = find_installed("moto_server", python_programs());
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &self.port.to_string()]);
        let port = self.port;
        self.process.start(&mut command, &self.folder, || answers(port))
    }

    /// Where both services answer, such as `http://127.0.0.1:5000`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The address, such as `127.0.0.1:5000`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Kills it: nobody answers at its address, and what it had is gone.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.process.kill();
    }
}

fn python_programs() -> PathBuf {
    std::env::var_os(VARIABLE).map_or_else(|| cache().join("tools/bin"), PathBuf::from)
}

fn answers(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /moto-api/data.json HTTP/1.0\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok::<_, std::io::Error>(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
