//! Prometheus.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::folder::Folder;
use crate::port::free_port;
use crate::process::{Process, log_of};
use crate::program::{User, find};

/// A Prometheus server with a memory of its own. It ends when dropped.
pub struct Prometheus {
    process: Process,
    folder: Folder,
    port: u16,
}

impl Prometheus {
    /// Starts a server with this configuration and the files of rules beside it, each of which it sees under its own name in
    /// the folder `rules`.
    ///
    /// # Panics
    ///
    /// When Prometheus is not installed, or does not start, as it does not with a configuration it can't read.
    pub fn start(configuration: &str, rules: &[PathBuf]) -> Self {
        let folder = Folder::new(User::Same, false);
        std::fs::create_dir(folder.path().join("rules")).expect("a folder for rules");
        for file in rules {
            let name = file.file_name().and_then(|name| name.to_str()).expect("a file's name");
            let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            folder.write(&format!("rules/{name}"), &text);
        }
        folder.write("prometheus.yml", configuration);
        let mut server = Self { process: Process::default(), folder, port: 0 };
        for _ in 0..5 {
            server.port = free_port();
            if server.launch() {
                return server;
            }
        }
        panic!("Prometheus does not start\n{}", log_of(&server.folder));
    }

    fn launch(&mut self) -> bool {
        let mut command = Command::new(find("prometheus", "prometheus"));
        command.arg(format!("--config.file={}", self.folder.file("prometheus.yml")));
        command.arg(format!("--storage.tsdb.path={}", self.folder.file("data")));
        command.arg(format!("--web.listen-address={}", self.address()));
        let port = self.port;
        self.process.start(&mut command, &self.folder, || ready(port))
    }

    /// The address, such as `127.0.0.1:9090`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of a path of its interface, such as `/api/v1/query`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Its folder, which the configuration's relative paths begin at.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        log_of(&self.folder)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.process.kill();
    }
}

fn ready(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok::<_, std::io::Error>(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
