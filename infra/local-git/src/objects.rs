//! Reads commits, trees and files through one long-lived `git cat-file --batch`: a second process for every file would
//! cost more than the rest of a small review.

use std::process::Stdio;

use autopr_core::fault::Fault;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::clean_room::CleanRoom;
use crate::git::{TIME_LIMIT, told, too_slow};

/// The largest object that is read: far above any configuration or source file a review needs.
pub(crate) const OBJECT_LIMIT: usize = 16 * 1024 * 1024;

/// What reads objects; shared by all readers.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    session: Mutex<Option<Session>>,
}

/// An object as git stores it.
pub(crate) struct Object {
    /// Its id.
    pub(crate) id: String,
    /// Its raw content.
    pub(crate) bytes: Vec<u8>,
}

/// What a tree says of a name in it.
pub(crate) struct TreeEntry {
    /// The mode without leading zeros, such as `100644` or `40000`.
    pub(crate) mode: String,
    /// The object.
    pub(crate) id: String,
}

#[derive(Debug)]
struct Session {
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Objects {
    /// The object `name` stands for (an id, perhaps with `^{…}`), or none when the repository does not have it.
    pub(crate) async fn read(&self, room: &CleanRoom, name: &str) -> Result<Option<Object>, Fault> {
        let mut place = self.session.lock().await;
        // A session that fails, or whose caller goes away half-way, is not put back: its process ends with it.
        let mut session = match place.take() {
            Some(session) => session,
            None => Session::start(room)?,
        };
        let object = timeout(TIME_LIMIT, session.read(name)).await.unwrap_or_else(|_| Err(too_slow("git cat-file")))?;
        *place = Some(session);
        Ok(object)
    }

    /// The object of a regular file in a commit or tree; none for a path that is absent, a folder, a symbolic link or a
    /// submodule. The path is walked here, so no part of it is ever read as an expression.
    pub(crate) async fn find(&self, room: &CleanRoom, tree: &str, path: &str) -> Result<Option<String>, Fault> {
        let mut id = format!("{tree}^{{tree}}");
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let Some(tree) = self.read(room, &id).await? else {
                return Err(missing(&id));
            };
            let entry = match entry(&tree, part.as_bytes()) {
                Some(entry) => entry,
                None => return Ok(None),
            };
            match (entry.mode.as_str(), parts.peek()) {
                ("40000", Some(_)) => id = entry.id,
                (mode, None) if mode.starts_with("100") => return Ok(Some(entry.id)),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The content of a file by its object id, which is known to be in use.
    pub(crate) async fn blob(&self, room: &CleanRoom, id: &str) -> Result<Vec<u8>, Fault> {
        Ok(self.read(room, id).await?.ok_or_else(|| missing(id))?.bytes)
    }

    /// The size of an object, whose content is not read.
    pub(crate) async fn size(&self, room: &CleanRoom, id: &str) -> Result<u64, Fault> {
        let output = room.command().args(["cat-file", "-s", id]).output();
        let output = timeout(TIME_LIMIT, output).await.map_err(|_| too_slow("git cat-file"))?;
        let output = output.map_err(|error| told(format!("git cat-file could not be started: {error}")))?;
        let size = String::from_utf8_lossy(&output.stdout).trim().parse();
        size.map_err(|_| missing(id))
    }
}

impl Session {
    fn start(room: &CleanRoom) -> Result<Self, Fault> {
        let mut command = room.command();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| told(format!("git cat-file could not be started: {error}")))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self { _child: child, input, output: BufReader::new(output) }),
            _ => Err(Fault::unavailable("git cat-file started without its pipes")),
        }
    }

    async fn read(&mut self, name: &str) -> Result<Option<Object>, Fault> {
        let broken = |error: std::io::Error| {
            told(format!("git could not read the object `{name}`: `git fsck` shows what is damaged")).source(error)
        };
        self.input.write_all(format!("{name}\n").as_bytes()).await.map_err(broken)?;
        let mut header = String::new();
        self.output.read_line(&mut header).await.map_err(broken)?;
        // `ID TYPE SIZE`, or `NAME missing`.
        let mut words = header.trim_end().split(' ');
        let (id, size) = match (words.next(), words.next(), words.next()) {
            (Some(id), Some(_), Some(size)) => (id.to_owned(), size.parse::<usize>().ok()),
            (Some(_), Some("missing"), None) => return Ok(None),
            _ => (String::new(), None),
        };
        let size = size.ok_or_else(|| broken(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)))?;
        if size > OBJECT_LIMIT {
            return Err(told(format!("the object {id} has {size} bytes, more than the {OBJECT_LIMIT} that are read")));
        }
        let mut bytes = vec![0; size + 1];
        self.output.read_exact(&mut bytes).await.map_err(broken)?;
        bytes.truncate(size);
        Ok(Some(Object { id, bytes }))
    }
}

/// Finds a name in a raw tree, which is a row of `MODE SP NAME NUL ID`, the id in binary.
fn entry(tree: &Object, name: &[u8]) -> Option<TreeEntry> {
    let id_bytes = tree.id.len() / 2;
    let mut rest = tree.bytes.as_slice();
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let nul = space + rest[space..].iter().position(|byte| *byte == 0)?;
        let end = nul + 1 + id_bytes;
        if &rest[space + 1..nul] == name {
            let mode = String::from_utf8_lossy(&rest[..space]).into_owned();
            return Some(TreeEntry { mode, id: hex::encode(rest.get(nul + 1..end)?) });
        }
        rest = rest.get(end..)?;
    }
    None
}

fn missing(id: &str) -> Fault {
    told(format!(
        "the repository lacks the object `{id}`: a shallow or partial clone does not have all history; fetch it with \
         `git fetch --unshallow` or `git fetch --refetch --no-filter`"
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tree_is_read_by_name() {
        let mut bytes = b"100644 a\0".to_vec();
        bytes.extend([0x11; 20]);
        bytes.extend(b"40000 dir\0");
        bytes.extend([0x22; 20]);
        let tree = Object { id: "0".repeat(40), bytes };
        let found = entry(&tree, b"dir").unwrap();
        assert_eq!((found.mode.as_str(), found.id), ("40000", "22".repeat(20)));
        assert!(entry(&tree, b"di").is_none());
    }

    proptest! {
        #[test]
        fn a_damaged_tree_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), name in "[a-c ]{0,3}") {
            entry(&Object { id: "0".repeat(40), bytes }, name.as_bytes());
        }
    }
}
