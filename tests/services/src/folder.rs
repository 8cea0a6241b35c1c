//! The folder of a server, and who takes it away.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::program::User;

/// Ends the process that the folder's file `pid` names, and its children, if it works in the folder, and takes the folder away. It waits
/// for the end of its input, which comes when the process of the test ends in whatever way.
const KEEPER: &str = r#"
cat >/dev/null
children() {
    for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
        echo "$child"
        children "$child"
    done
}
pid=$(cat "$1/pid" 2>/dev/null)
case "${pid:+$(readlink "/proc/$pid/cwd")}" in
    "$1"*)
        family=$(children "$pid")
        kill -CONT "$pid" $family 2>/dev/null
        kill -QUIT "$pid" 2>/dev/null
        tries=0
        while [ -e "/proc/$pid" ] && [ "$tries" -lt 50 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
        kill -KILL "$pid" 2>/dev/null
        for child in $family; do
            case "$(readlink "/proc/$child/cwd")" in
                "$1"*) kill -KILL "$child" 2>/dev/null ;;
            esac
        done
        ;;
esac
[ -e "$1/keep" ] || rm -rf "$1"
"#;

/// A folder that a server has to itself. When it is dropped the server is ended and the folder goes.
pub(crate) struct Folder {
    path: PathBuf,
    user: User,
    keeper: Child,
    alive: Option<ChildStdin>,
}

impl Folder {
    /// Makes a folder that only the user can read: in memory, where the system has such a place, or on the disk.
    pub(crate) fn new(user: User, on_disk: bool) -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if on_disk || !memory.is_dir() { std::env::temp_dir() } else { memory.to_owned() };
        let made = tempfile::Builder::new().prefix("autopr-").tempdir_in(parent).expect("a temporary folder");
        // The keeper takes it away.
        let path = made.keep();
        give(&path, user);
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What stops the test by its process group must not stop the keeper.
            .process_group(0)
            .spawn()
            .expect("sh runs");
        let alive = keeper.stdin.take();
        Self { path, user, keeper, alive }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> String {
        self.path.join(name).into_os_string().into_string().expect("a path in UTF-8")
    }

    /// Writes a file that only the user can read. Returns its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        let path = self.path.join(name);
        std::fs::write(&path, content).expect("the file is written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("its mode is set");
        give(&path, self.user);
        self.file(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.alive.take());
        drop(self.keeper.wait());
    }
}

fn give(path: &Path, user: User) {
    if let User::Postgres { uid, gid } = user {
        chown(path, Some(uid), Some(gid)).expect("the file is given to the server's user");
    }
}
