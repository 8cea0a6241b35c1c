//! PostgreSQL.

use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::certificate::Certificate;
use crate::folder::Folder;
use crate::port::free_port;
use crate::process::{PATIENCE, Process, log_of};
use crate::program::{User, find_postgres, output};

/// What a server is started with.
#[derive(Debug, Clone, Default)]
pub struct PostgresOptions {
    /// Whether a commit waits for the disk, on which the server then has its folder. Otherwise it is quick and its
    /// folder is in memory; what was committed still outlives the death of its processes.
    pub durable: bool,
    /// Settings of `postgresql.conf`, each a name and a value.
    pub settings: Vec<(String, String)>,
    /// The certificate for TLS, without which there is none. Connections without TLS are still taken.
    pub certificate: Option<Certificate>,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Sessions are ended, and everything is written.
    Fast,
    /// At once; the next start recovers from the log.
    Immediate,
}

/// A PostgreSQL server with the superuser `autopr`, who needs no password. It ends when dropped.
pub struct Postgres {
    process: Process,
    folder: Folder,
    port: u16,
}

impl Postgres {
    /// Starts a server that does not wait for the disk.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> Self {
        Self::start_with(&PostgresOptions::default())
    }

    /// Starts a server.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed or does not start.
    pub fn start_with(options: &PostgresOptions) -> Self {
        let user = User::not_root();
        let folder = Folder::new(user, options.durable);
        let arguments = ["--auth=trust", "--username=autopr", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"];
        let data = folder.file("data");
        output(user.command(&find_postgres("initdb")).args(arguments).arg(&data).current_dir(folder.path()));
        let mut server = Self { process: Process::default(), folder, port: 0 };
        for _ in 0..5 {
            server.port = free_port();
            server.write_settings(options);
            if server.launch() {
                return server;
            }
        }
        panic!("PostgreSQL does not start\n{}", log_of(&server.folder));
    }

    /// The server that the tests of this process share. It ends with the process. Make a database of your own in it.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed or does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn write_settings(&self, options: &PostgresOptions) {
        let durable = if options.durable { "on" } else { "off" };
        let own = [
            ("listen_addresses", "127.0.0.1"),
            ("port", &self.port.to_string()),
            ("unix_socket_directories", &self.folder.file("")),
            ("max_connections", "400"),
            ("shared_buffers", "64MB"),
            ("fsync", durable),
            // Always: what waits in the server's own memory would be lost with its processes.
            ("synchronous_commit", "on"),
            ("full_page_writes", durable),
            ("timezone", "UTC"),
        ];
        let mut text: String = own.iter().map(|(name, value)| setting(name, value)).collect();
        if let Some(certificate) = &options.certificate {
            for (name, file, content) in [
                ("ssl_cert_file", "server.crt", &certificate.certificate),
                ("ssl_key_file", "server.key", &certificate.key),
                ("ssl_ca_file", "authority.crt", &certificate.authority),
            ] {
                text.push_str(&setting(name, &self.folder.write(file, content)));
            }
            text.push_str(&setting("ssl", "on"));
        }
        // The last of two settings of one name holds.
        text.extend(options.settings.iter().map(|(name, value)| setting(name, value)));
        self.folder.write("data/postgresql.conf", &text);
    }

    fn launch(&mut self) -> bool {
        let mut ready = Command::new(find_postgres("pg_isready"));
        ready.args(["--quiet", "--host=127.0.0.1", "--dbname=postgres", "--username=autopr"]);
        ready.arg(format!("--port={}", self.port)).stdout(Stdio::null()).stderr(Stdio::null());
        let mut command = User::not_root().command(&find_postgres("postgres"));
        command.arg("-D").arg(self.folder.file("data"));
        self.process.start(&mut command, &self.folder, || ready.status().is_ok_and(|status| status.success()))
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, such as `127.0.0.1:5432`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of a database of it.
    pub fn url(&self, database: &str) -> String {
        self.url_through(&self.address(), database)
    }

    /// The URL of a database of it, by way of another address such as a proxy's.
    pub fn url_through(&self, address: &str, database: &str) -> String {
        format!("postgresql://autopr@{address}/{database}")
    }

    /// Makes a database. Returns its URL.
    ///
    /// # Panics
    ///
    /// When the server does not run or has such a database.
    pub fn create_database(&self, name: &str) -> String {
        self.psql("postgres", &format!("CREATE DATABASE \"{name}\""));
        self.url(name)
    }

    /// Runs SQL in a database. Returns what it answers, one row on a line, its columns separated by `|`.
    ///
    /// # Panics
    ///
    /// When the SQL is refused.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        self.psql_through(&self.address(), database, sql)
    }

    /// The same by way of another address such as a proxy's.
    ///
    /// # Panics
    ///
    /// When the SQL is refused.
    pub fn psql_through(&self, address: &str, database: &str, sql: &str) -> String {
        psql(&self.url_through(address, database), sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Stops the server and waits for its end. Its port is kept for [`Postgres::restart`].
    pub fn stop(&mut self, how: Stop) {
        let (signal, patience) = match how {
            Stop::Fast => ("INT", PATIENCE),
            Stop::Immediate => ("QUIT", Duration::from_secs(5)),
        };
        self.process.stop(signal, patience);
    }

    /// Kills the server with all its sessions, as a crash of the machine would, but that its files stay as they are.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts the server again on the same port, after stopping it immediately if it runs, and waits until it has
    /// recovered and takes connections.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) {
        self.stop(Stop::Immediate);
        // Sessions of a killed server may hold its memory and port for a moment.
        for _ in 0..50 {
            if self.launch() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("PostgreSQL does not start again\n{}", log_of(&self.folder));
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.process.runs()
    }

    /// Stops the server and its sessions where they are: connections are taken by the system, and nobody answers.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        self.process.resume();
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        log_of(&self.folder)
    }

    /// Keeps the server's folder after its end, to look at. Returns its path.
    pub fn keep(&self) -> String {
        self.folder.write("keep", "");
        self.folder.file("")
    }
}

/// Runs SQL in the database of a URL. Returns what it answers, one row on a line, its columns separated by `|`.
///
/// # Errors
///
/// What `psql` says when the server can't be reached or refuses the SQL.
///
/// # Panics
///
/// When PostgreSQL is not installed.
pub fn psql(url: &str, sql: &str) -> Result<String, String> {
    let arguments = ["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", sql, "-d", url];
    let output = Command::new(find_postgres("psql")).args(arguments).output().expect("psql runs");
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Writes the database of a URL into a file, as SQL.
///
/// # Errors
///
/// What `pg_dump` says when the server can't be reached.
///
/// # Panics
///
/// When PostgreSQL is not installed.
pub fn pg_dump(url: &str, file: &std::path::Path) -> Result<(), String> {
    let dumped = Command::new(find_postgres("pg_dump")).arg("--file").arg(file).arg(url).output();
    let output = dumped.expect("pg_dump runs");
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.process.runs() {
            self.process.resume();
            self.stop(Stop::Immediate);
        }
    }
}

fn setting(name: &str, value: &str) -> String {
    format!("{name} = '{}'\n", value.replace('\'', "''"))
}
