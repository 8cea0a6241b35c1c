//! PgBouncer, in transaction mode: each transaction of a client may run in another session of the server.

use std::process::{Command, Stdio};

use crate::folder::Folder;
use crate::port::free_port;
use crate::postgres::Postgres;
use crate::process::{PATIENCE, Process, log_of};
use crate::program::{User, find, find_postgres};

/// A PgBouncer in front of a PostgreSQL server. It ends when dropped.
pub struct PgBouncer {
    process: Process,
    folder: Folder,
    port: u16,
}

impl PgBouncer {
    /// Starts one in transaction mode with so many sessions of the server for a database.
    ///
    /// # Panics
    ///
    /// When PgBouncer is not installed or does not start.
    pub fn start(postgres: &Postgres, sessions: u16) -> Self {
        let folder = Folder::new(User::not_root(), false);
        let users = folder.write("users.txt", "\"autopr\" \"\"\n");
        let mut server = Self { process: Process::default(), folder, port: 0 };
        for _ in 0..5 {
            server.port = free_port();
            let settings = format!(
                "[databases]\n* = host=127.0.0.1 port={} user=autopr\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
                 listen_port = {}\nunix_socket_dir =\nauth_type = trust\nauth_file = {users}\npool_mode = transaction\n\
                 default_pool_size = {sessions}\nmax_client_conn = 1000\nadmin_users = autopr\n",
                postgres.port(),
                server.port,
            );
            server.folder.write("pgbouncer.ini", &settings);
            if server.launch() {
                return server;
            }
        }
        panic!("PgBouncer does not start\n{}", log_of(&server.folder));
    }

    fn launch(&mut self) -> bool {
        let mut ready = Command::new(find_postgres("pg_isready"));
        ready.args(["--quiet", "--host=127.0.0.1", "--dbname=pgbouncer", "--username=autopr"]);
        ready.arg(format!("--port={}", self.port)).stdout(Stdio::null()).stderr(Stdio::null());
        let mut command = User::not_root().command(&find("pgbouncer", "pgbouncer"));
        command.arg(self.folder.file("pgbouncer.ini"));
        self.process.start(&mut command, &self.folder, || ready.status().is_ok_and(|status| status.success()))
    }

    /// The address, such as `127.0.0.1:6432`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of a database of the server behind it.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://autopr@{}/{database}", self.address())
    }

    /// Kills it; every client loses its connection.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port, after stopping it if it runs.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) {
        self.process.stop("TERM", PATIENCE);
        assert!(self.launch(), "PgBouncer does not start again\n{}", log_of(&self.folder));
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.process.kill();
    }
}
