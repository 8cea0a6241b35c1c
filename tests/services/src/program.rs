//! Where the servers' programs lie, and as whom they run.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Who the servers run as: PostgreSQL and PgBouncer refuse to be root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// Whoever runs the test.
    Same,
    /// The user `postgres`, because root runs the test.
    Postgres {
        /// The user's number.
        uid: u32,
        /// The number of the user's group.
        gid: u32,
    },
}

impl User {
    /// The user for servers that refuse root.
    pub(crate) fn not_root() -> Self {
        static USER: OnceLock<User> = OnceLock::new();
        *USER.get_or_init(|| {
            if number(&["-u"]) != 0 {
                return Self::Same;
            }
            Self::Postgres { uid: number(&["-u", "postgres"]), gid: number(&["-g", "postgres"]) }
        })
    }

    /// A command that runs as this user and keeps the process's number.
    pub(crate) fn command(self, program: &str) -> Command {
        match self {
            Self::Same => Command::new(program),
            Self::Postgres { uid, gid } => {
                let mut command = Command::new(find("setpriv", "util-linux"));
                command.args([format!("--reuid={uid}"), format!("--regid={gid}")]).args(["--clear-groups", program]);
                command
            }
        }
    }
}

fn number(arguments: &[&str]) -> u32 {
    let text = output(Command::new("id").args(arguments));
    text.trim().parse().unwrap_or_else(|_| panic!("id {arguments:?} says {text:?}: is postgresql-15 installed?"))
}

/// The path of a program of the `PATH`, or of the folders that only root has in it.
pub(crate) fn find(program: &str, package: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    found(program, package, folders)
}

/// The path of one of PostgreSQL's programs: of the newest version that Debian's packages have installed, or of the
/// `PATH`.
pub(crate) fn find_postgres(program: &str) -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = versions.into_iter().rev().map(|(_, folder)| folder).chain(std::env::split_paths(&path));
    found(program, "postgresql-15", folders)
}

fn found(program: &str, package: &str, folders: impl Iterator<Item = PathBuf>) -> String {
    look(program, folders).unwrap_or_else(|| {
        panic!("{program} is missing: apt-get install {package}, or run scripts/test, which installs what tests need")
    })
}

/// The path of a program that `scripts/test` has installed into this folder, or else of the `PATH`.
pub(crate) fn find_installed(program: &str, folder: PathBuf) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let shown = folder.display().to_string();
    look(program, std::iter::once(folder).chain(std::env::split_paths(&path))).unwrap_or_else(|| {
        panic!("{program} is neither in {shown} nor in the PATH: run scripts/test, which installs what tests need")
    })
}

/// Where `scripts/test` installs programs that are no packages of the system.
pub(crate) fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty());
    cache.map_or_else(home, PathBuf::from).join("autopr")
}

pub(crate) fn look(program: &str, folders: impl Iterator<Item = PathBuf>) -> Option<String> {
    let path = folders.map(|folder| folder.join(program)).find(|path| path.is_file())?;
    Some(path.into_os_string().into_string().expect("a path in UTF-8"))
}

/// Runs a program to its end, which must be a good one; its standard output.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?} ended with {}\n{}", output.status, all(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn all(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}
