//! The emulator of Google Cloud Pub/Sub, which belongs to the Google Cloud CLI.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::folder::Folder;
use crate::port::free_port;
use crate::process::{Process, log_of};
use crate::program::{User, look};

/// The program, if it lies neither in the path nor where the packages put it.
const VARIABLE: &str = "AUTOPR_TEST_PUBSUB_EMULATOR";

/// Where the packages put it.
const FOLDER: &str = "/usr/lib/google-cloud-sdk/platform/pubsub-emulator/bin";

/// An emulator that forgets everything at its end. It takes any project and asks for no credentials. It ends when dropped.
pub struct PubSub {
    process: Process,
    folder: Folder,
    port: u16,
}

impl PubSub {
    /// Starts an emulator; none, and a line that says so, where there is none on this machine.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start() -> Option<Self> {
        let program = program()?;
        let mut server = Self { process: Process::default(), folder: Folder::new(User::Same, false), port: 0 };
        for _ in 0..5 {
            server.port = free_port();
            if server.launch(&program) {
                return Some(server);
            }
        }
        panic!("the emulator of Pub/Sub does not start\n{}", log_of(&server.folder));
    }

    fn launch(&mut self, program: &str) -> bool {
        let mut command = Command::new(program);
        command.args(["--host=127.0.0.1", &format!("--port={}", self.port)]);
        // It is small work, and many may run at once.
        command.env("JAVA_OPTS", "-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1");
        let port = self.port;
        self.process.start(&mut command, &self.folder, || answers(port))
    }

    /// The address, such as `127.0.0.1:8085`, as `PUBSUB_EMULATOR_HOST` has it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where its interface in JSON begins, such as `http://127.0.0.1:8085/v1`.
    pub fn rest(&self) -> String {
        format!("http://{}/v1", self.address())
    }

    /// Kills it: nobody answers at its address, and what it had is gone.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

impl Drop for PubSub {
    fn drop(&mut self) {
        self.process.kill();
    }
}

/// Where the program lies. Somebody who was told that it is there wants no test left out.
fn program() -> Option<String> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let find = || {
        if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
            assert!(PathBuf::from(&named).is_file(), "{VARIABLE} names {named:?}, which is no file");
            return Some(named.into_string().expect("a path in UTF-8"));
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = look("cloud-pubsub-emulator", std::env::split_paths(&path).chain([FOLDER.into()]));
        if found.is_none() {
            eprintln!(
                "NOT TESTED: the emulator of Google Cloud Pub/Sub is missing (apt-get install \
                 google-cloud-cli-pubsub-emulator from Google's own archive, or name it in {VARIABLE})"
            );
        }
        found
    };
    FOUND.get_or_init(find).clone()
}

fn answers(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok::<_, std::io::Error>(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
