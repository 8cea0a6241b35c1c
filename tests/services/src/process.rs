//! A server's process: started, awaited, stopped, killed, paused.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::folder::Folder;

/// How long a server may take to start or to stop. Only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A process that may not run at the moment.
#[derive(Default)]
pub(crate) struct Process {
    child: Option<Child>,
}

impl Process {
    /// Starts a command that works in the folder and writes to its file `log`, and waits until `answers`. False when it
    /// ends before, as it does when its port is taken.
    pub(crate) fn start(&mut self, command: &mut Command, folder: &Folder, mut answers: impl FnMut() -> bool) -> bool {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options().create(true).append(true).open(folder.file("log")).expect("the log is opened");
        let child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("one more handle"))
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        folder.write("pid", &child.id().to_string());
        let child = self.child.insert(child);
        let begun = Instant::now();
        loop {
            if child.try_wait().expect("the process is known").is_some() {
                self.child = None;
                return false;
            }
            if answers() {
                return true;
            }
            assert!(begun.elapsed() < PATIENCE, "{command:?} does not answer\n{}", log_of(folder));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether it runs.
    pub(crate) fn runs(&self) -> bool {
        self.child.is_some()
    }

    /// Its number, if it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Asks it to end by a signal and waits for it; kills it when it takes too long. Nothing happens when it does not
    /// run.
    pub(crate) fn stop(&mut self, by: &str, patience: Duration) {
        let Some(mut child) = self.child.take() else { return };
        signal(by, &[child.id()]);
        let begun = Instant::now();
        while child.try_wait().expect("the process is known").is_none() {
            if begun.elapsed() > patience {
                eprintln!("the process {} does not end by {by}: it is killed", child.id());
                signal("KILL", &family(child.id()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Kills it and its children at once. Nothing happens when it does not run.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let family = family(child.id());
        signal("KILL", &family);
        child.wait().expect("the process has ended");
        // Nobody waits for grandchildren: they are gone once their entries are.
        let begun = Instant::now();
        while family.iter().any(|pid| runs(*pid)) {
            assert!(begun.elapsed() < PATIENCE, "{family:?} do not end");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Stops it and its children where they are.
    pub(crate) fn pause(&self) {
        let child = self.child.as_ref().expect("it runs");
        // First the parent, so that it makes no more children.
        signal("STOP", &[child.id()]);
        signal("STOP", &family(child.id()));
    }

    /// Lets it and its children go on.
    pub(crate) fn resume(&self) {
        let child = self.child.as_ref().expect("it runs");
        let mut family = family(child.id());
        family.reverse();
        signal("CONT", &family);
    }
}

/// What a server wrote to its log.
pub(crate) fn log_of(folder: &Folder) -> String {
    std::fs::read_to_string(folder.file("log")).unwrap_or_default()
}

/// A process and its children, and theirs.
pub(crate) fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(pid) = family.get(next) {
        next += 1;
        // Every thread has children of its own.
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let children =
            threads.map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
        family.extend(
            children
                .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
                .filter_map(|child| child.parse::<u32>().ok())
                .collect::<Vec<_>>(),
        );
    }
    family
}

/// Whether a process runs. One that has ended and that nobody has asked for its end does not.
fn runs(pid: u32) -> bool {
    // The state follows the program's name, which stands in parentheses and may hold anything.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

pub(crate) fn signal(name: &str, pids: &[u32]) {
    // A child may have ended in between: `kill` says so and still signals the others.
    drop(Command::new("kill").args(["-s", name]).args(pids.iter().map(u32::to_string)).stderr(Stdio::null()).status());
}
