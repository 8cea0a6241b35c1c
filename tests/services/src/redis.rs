//! Redis.

use std::process::Command;

use crate::certificate::Certificate;
use crate::folder::Folder;
use crate::port::free_port;
use crate::process::{PATIENCE, Process, log_of};
use crate::program::{User, find, output};

/// What a server is started with.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    /// The certificate for TLS; then nothing else is taken.
    pub certificate: Option<Certificate>,
    /// The name and password of the only user who may do anything.
    pub user: Option<(String, String)>,
    /// Further lines of `redis.conf`.
    pub settings: Vec<String>,
}

/// A Redis server that forgets everything at its end. It ends when dropped.
pub struct Redis {
    process: Process,
    folder: Folder,
    port: u16,
    options: RedisOptions,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Panics
    ///
    /// When Redis is not installed or does not start.
    pub fn start(options: RedisOptions) -> Self {
        let folder = Folder::new(User::Same, false);
        let mut server = Self { process: Process::default(), folder, port: 0, options };
        for _ in 0..5 {
            server.port = free_port();
            server.write_settings();
            if server.launch() {
                return server;
            }
        }
        panic!("Redis does not start\n{}", log_of(&server.folder));
    }

    fn write_settings(&self) {
        let mut text = "bind 127.0.0.1\nsave \"\"\nappendonly no\n".to_owned();
        match &self.options.certificate {
            None => text.push_str(&format!("port {}\n", self.port)),
            Some(certificate) => {
                text.push_str(&format!("port 0\ntls-port {}\ntls-auth-clients no\n", self.port));
                for (name, file, content) in [
                    ("tls-cert-file", "server.crt", &certificate.certificate),
                    ("tls-key-file", "server.key", &certificate.key),
                    ("tls-ca-cert-file", "authority.crt", &certificate.authority),
                ] {
                    text.push_str(&format!("{name} {}\n", self.folder.write(file, content)));
                }
            }
        }
        if let Some((name, password)) = &self.options.user {
            text.push_str(&format!("user default off\nuser {name} on >{password} ~* &* +@all\n"));
        }
        for line in &self.options.settings {
            text.push_str(&format!("{line}\n"));
        }
        self.folder.write("redis.conf", &text);
    }

    fn launch(&mut self) -> bool {
        let mut command = Command::new(find("redis-server", "redis-server"));
        command.arg(self.folder.file("redis.conf"));
        let mut ping = self.client(&["ping"]);
        self.process.start(&mut command, &self.folder, || ping.output().is_ok_and(|answer| answer.stdout == b"PONG\n"))
    }

    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(find("redis-cli", "redis-tools"));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if self.options.certificate.is_some() {
            command.args(["--tls", "--cacert", &self.folder.file("authority.crt")]);
        }
        if let Some((name, password)) = &self.options.user {
            command.args(["--user", name]).env("REDISCLI_AUTH", password);
        }
        command.args(arguments);
        command
    }

    /// Runs a command, such as `["get", "key"]`. Returns what it answers.
    ///
    /// # Panics
    ///
    /// When the server does not answer.
    pub fn run(&self, command: &[&str]) -> String {
        output(&mut self.client(command)).trim_end().to_owned()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, such as `127.0.0.1:6379`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL, `redis://…`, or `rediss://…` with TLS, with the user and the password if there is one.
    pub fn url(&self) -> String {
        self.url_through(&self.address())
    }

    /// The URL by way of another address, such as a proxy's.
    pub fn url_through(&self, address: &str) -> String {
        let scheme = if self.options.certificate.is_some() { "rediss" } else { "redis" };
        let user = self.options.user.as_ref().map(|(name, password)| format!("{name}:{password}@"));
        format!("{scheme}://{}{address}/0", user.unwrap_or_default())
    }

    /// Stops the server and waits for its end. Its port is kept for [`Redis::restart`].
    pub fn stop(&mut self) {
        self.process.stop("TERM", PATIENCE);
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts the server again, empty, on the same port, after stopping it if it runs.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) {
        self.stop();
        assert!(self.launch(), "Redis does not start again\n{}", log_of(&self.folder));
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.process.runs()
    }

    /// Stops the server where it is: connections are taken by the system, and nobody answers.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        self.process.resume();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.process.kill();
    }
}
