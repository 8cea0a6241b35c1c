//! Random pairs of trees with everything in them that makes a diff hard to read.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::repository::entry_commit;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Text { lines: Vec<Vec<u8>>, newline: bool, executable: bool },
    Binary(Vec<u8>),
    Link(&'static [u8]),
    Submodule(u8),
}

/// The files of a tree by path.
pub(crate) type Tree = BTreeMap<Vec<u8>, Entry>;

/// Paths that need care: quotes, control characters, other encodings, and look-alikes of a diff's own syntax.
const PATHS: [&[u8]; 20] = [
    b"plain.txt",
    b"dir/deep/file.rs",
    b"with space.txt",
    b"x b/x",
    b"a/x",
    b"b/x",
    b"tab\there",
    b"new\nline and space",
    b"return\r",
    b"quote\"d",
    b"back\\slash",
    b"bell\x07\x7f",
    "größe.rs".as_bytes(),
    b"latin\xe9.c",
    b"\xff\xfe",
    b" leading and trailing ",
    b"dev/null",
    b"a => b",
    b"\"",
    "zero\u{200b}width".as_bytes(),
];

const LINES: [&[u8]; 18] = [
    b"",
    b" ",
    b"}",
    b"}\r",
    b"same",
    b"with a return\r",
    b"-- a/x",
    b"++ b/x",
    b"-- ",
    b"@@ -1 +1 @@",
    b"diff --git a/x b/x",
    b"\\ No newline at end of file",
    b"Binary files a/x and b/x differ",
    b"fn section() {",
    b"\tindented\t",
    b"latin \xe9\xff",
    "größe 日本".as_bytes(),
    b"\x0c",
];

impl Entry {
    pub(crate) fn mode(&self) -> u32 {
        match self {
            Self::Text { executable: true, .. } => 0o100_755,
            Self::Text { .. } | Self::Binary(_) => 0o100_644,
            Self::Link(_) => 0o120_000,
            Self::Submodule(_) => 0o160_000,
        }
    }

    /// The bytes git compares.
    pub(crate) fn content(&self) -> Vec<u8> {
        match self {
            Self::Text { lines, newline, .. } => {
                let mut content = lines.join(&b'\n');
                if *newline && !lines.is_empty() {
                    content.push(b'\n');
                }
                content
            }
            Self::Binary(bytes) => bytes.clone(),
            Self::Link(target) => target.to_vec(),
            Self::Submodule(digit) => format!("Subproject commit {}\n", entry_commit(*digit)).into_bytes(),
        }
    }
}

/// What happens to a path from the old tree to the new.
#[derive(Debug, Clone)]
enum Fate {
    Stay,
    Edit(Vec<Edit>),
    Leave,
    Become(Entry),
    /// Take over the content of another path, edited: a rename when that one leaves, a copy when it stays.
    TakeFrom(Index, Vec<Edit>),
}

#[derive(Debug, Clone)]
enum Edit {
    Insert(Index, Vec<u8>),
    Remove(Index),
    Replace(Index, Vec<u8>),
    EndOfFile,
    Mode,
}

/// An old and a new tree.
pub(crate) fn pair() -> impl Strategy<Value = (Tree, Tree)> {
    let path = (proptest::option::weighted(0.6, entry()), fate());
    proptest::collection::vec(path, PATHS.len()).prop_map(|paths| {
        let old: Tree =
            PATHS.iter().zip(&paths).filter_map(|(path, (entry, _))| Some((path.to_vec(), entry.clone()?))).collect();
        let mut new = Tree::new();
        for (path, (entry, fate)) in PATHS.iter().zip(&paths) {
            let after = match fate {
                Fate::Stay => entry.clone(),
                Fate::Edit(edits) => entry.clone().map(|entry| edited(entry, edits)),
                Fate::Leave => None,
                Fate::Become(entry) => Some(entry.clone()),
                Fate::TakeFrom(index, edits) => {
                    let source = PATHS[index.index(PATHS.len())];
                    old.get(source).cloned().map(|entry| edited(entry, edits))
                }
            };
            if let Some(entry) = after {
                new.insert(path.to_vec(), entry);
            }
        }
        (old, new)
    })
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        2 => Just(Fate::Stay),
        6 => edits().prop_map(Fate::Edit),
        3 => Just(Fate::Leave),
        2 => entry().prop_map(Fate::Become),
        3 => (any::<Index>(), edits()).prop_map(|(index, edits)| Fate::TakeFrom(index, edits)),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let text = (proptest::collection::vec(line(), 0..40), prop::bool::weighted(0.8), prop::bool::weighted(0.2));
    prop_oneof![
        12 => text.prop_map(|(lines, newline, executable)| Entry::Text { lines, newline, executable }),
        2 => proptest::collection::vec(any::<u8>(), 0..200).prop_map(|mut bytes| {
            bytes.insert(bytes.len() / 2, 0);
            Entry::Binary(bytes)
        }),
        1 => select(vec![b"target".as_slice(), b"other target", b"line\nfeed\n"]).prop_map(Entry::Link),
        1 => (1..4_u8).prop_map(Entry::Submodule),
    ]
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => (0..1000_u32).prop_map(|number| format!("let line = {number};").into_bytes()),
        2 => select(LINES.to_vec()).prop_map(<[u8]>::to_vec),
    ]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        4 => (any::<Index>(), line()).prop_map(|(at, line)| Edit::Insert(at, line)),
        4 => any::<Index>().prop_map(Edit::Remove),
        4 => (any::<Index>(), line()).prop_map(|(at, line)| Edit::Replace(at, line)),
        1 => Just(Edit::EndOfFile),
        1 => Just(Edit::Mode),
    ];
    proptest::collection::vec(edit, 0..6)
}

fn edited(mut entry: Entry, edits: &[Edit]) -> Entry {
    for edit in edits {
        match (&mut entry, edit) {
            (Entry::Text { lines, .. }, Edit::Insert(at, line)) => {
                lines.insert(at.index(lines.len() + 1), line.clone())
            }
            (Entry::Text { lines, .. }, Edit::Remove(at)) if !lines.is_empty() => {
                lines.remove(at.index(lines.len()));
            }
            (Entry::Text { lines, .. }, Edit::Replace(at, line)) if !lines.is_empty() => {
                let at = at.index(lines.len());
                lines[at] = line.clone();
            }
            (Entry::Text { newline, .. }, Edit::EndOfFile) => *newline = !*newline,
            (Entry::Text { executable, .. }, Edit::Mode) => *executable = !*executable,
            (Entry::Binary(bytes), Edit::Insert(at, line)) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, line.iter().copied());
            }
            (Entry::Submodule(digit), Edit::Replace(..)) => *digit = (*digit + 1) % 10,
            _ => {}
        }
    }
    entry
}
