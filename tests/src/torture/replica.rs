//! One of the replicas: a process that is started again whenever it was ended.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use autopr_services::{FaultProxy, free_port};

use super::PATIENCE;
use crate::server::{Setup, signal};

/// A replica with the proxies it reaches the database and Redis by.
pub(super) struct Replica {
    pub(super) name: String,
    pub(super) database: FaultProxy,
    pub(super) redis: FaultProxy,
    folder: PathBuf,
    port: u16,
    setup: Setup,
    process: Mutex<Option<Child>>,
}

impl Replica {
    /// Starts it in the folder, and waits until it takes webhooks. `setup` gets the settings that all have.
    pub(super) fn start(
        name: &str,
        folder: &Path,
        database: FaultProxy,
        redis: FaultProxy,
        setup: impl FnOnce(&FaultProxy, &FaultProxy) -> Setup,
    ) -> Self {
        let folder = folder.join(name);
        std::fs::create_dir(&folder).expect("the replica's folder is made");
        let port = free_port();
        let setup = setup(&database, &redis).set("AUTOPR_PORT", &port.to_string());
        setup.write(&folder);
        let replica = Self { name: name.to_owned(), database, redis, folder, port, setup, process: Mutex::new(None) };
        replica.revive(&mut replica.process(), 0);
        replica
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where webhooks are delivered.
    pub(super) fn webhook(&self) -> String {
        format!("http://127.0.0.1:{}/webhooks/github", self.port)
    }

    /// Where its log lies.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Kills it and starts it again by a clock that is so many seconds ahead. Returns a complaint when it had ended before.
    pub(super) fn kill(&self, ahead: u64) -> Option<String> {
        let complaint = self.ended();
        let mut process = self.process();
        end(&mut process);
        self.revive(&mut process, ahead);
        complaint
    }

    /// Asks it to stop and starts it again. Returns why it did not stop as it should, if so.
    pub(super) fn terminate(&self, ahead: u64) -> Option<String> {
        let mut process = self.process();
        let child = process.as_mut().expect("it runs");
        signal(child.id(), "TERM");
        let begun = Instant::now();
        let complaint = loop {
            match child.try_wait().expect("the process is known") {
                Some(status) if status.success() => break None,
                Some(status) => break Some(format!("{}: SIGTERM ended it with {status}", self.name)),
                None if begun.elapsed() > PATIENCE => break Some(format!("{}: SIGTERM does not end it", self.name)),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        end(&mut process);
        self.revive(&mut process, ahead);
        complaint
    }

    /// Stops it where it is for so long.
    pub(super) fn freeze(&self, time: Duration) {
        let process = self.process();
        let pid = process.as_ref().expect("it runs").id();
        signal(pid, "STOP");
        std::thread::sleep(time);
        signal(pid, "CONT");
    }

    /// Starts it until it listens, as a supervisor would: without its database it can't start.
    fn revive(&self, process: &mut Option<Child>, ahead: u64) {
        let begun = Instant::now();
        let http = reqwest::blocking::Client::builder().timeout(Duration::from_secs(1)).build().expect("a client");
        let health = format!("http://127.0.0.1:{}/api/health", self.port);
        let log = File::options().create(true).append(true).open(self.log()).expect("the log is opened");
        loop {
            let mut command = self.setup.command(&self.folder);
            command.env("AUTOPR_FAST_AHEAD", ahead.to_string());
            let stderr = log.try_clone().expect("one more handle");
            let child = command.stderr(Stdio::from(stderr)).spawn().expect("the replica starts");
            let child = process.insert(child);
            while child.try_wait().expect("the process is known").is_none() {
                // Its port is open before its database is.
                if http.get(&health).send().is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                assert!(begun.elapsed() < PATIENCE, "{} does not listen; see {}", self.name, self.log().display());
                std::thread::sleep(Duration::from_millis(10));
            }
            assert!(begun.elapsed() < PATIENCE, "{} does not start; see {}", self.name, self.log().display());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Why it has ended by itself, if it has.
    pub(super) fn ended(&self) -> Option<String> {
        let status = self.process().as_mut()?.try_wait().expect("the process is known")?;
        Some(format!("{} ended by itself with {status}", self.name))
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        end(&mut self.process());
    }
}

fn end(process: &mut Option<Child>) {
    if let Some(mut child) = process.take() {
        // It may have ended.
        drop(child.kill());
        child.wait().expect("the process has ended");
    }
}
