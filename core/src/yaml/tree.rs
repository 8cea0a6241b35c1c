//! The tree of a document, in which every key and value knows its place.

use std::ops::Range;

use serde_json::Value as Json;

use super::diagnostic::Diagnostic;
use super::offset;
use super::parse;
use super::path::{Path, Step};

/// A YAML document and the text it was read from.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) source: String,
    pub(super) text: String,
    pub(super) root: Node,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    pub(super) span: Span,
    pub(super) style: Style,
    /// Its position in the list it stands in, as in the file; it stays when others are taken out of the list.
    pub(super) index: usize,
}

/// What a YAML value is, by the core schema of YAML 1.2 (so `on`, `yes` and `no` are text).
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Text.
    Text(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping in the order of the file.
    Mapping(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub node: Node,
    pub(super) key_span: Span,
}

/// A place in a text: line and column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// A stretch of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: Place,
    pub(super) bytes: Range<usize>,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Block,
    Collection,
}

impl Document {
    /// Reads one document. `source` is the name mistakes are reported under; the text must be UTF-8.
    ///
    /// # Errors
    /// Everything that is wrong with the text as YAML: syntax, duplicate keys, unknown anchors, a second document,
    /// too large, too deep, or aliases that expand to too much.
    pub fn parse(source: impl Into<String>, text: impl AsRef<[u8]>) -> Result<Self, Vec<Diagnostic>> {
        parse::document(source.into(), text.as_ref())
    }

    /// The name mistakes are reported under.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text the document was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value at the top.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// True for a file with nothing in it but white space and comments.
    pub fn is_empty(&self) -> bool {
        self.root.value == Value::Null && self.root.span.bytes.is_empty()
    }

    /// The value at a path, if there is one.
    pub fn get(&self, path: impl Into<Path>) -> Option<&Node> {
        let path = path.into();
        let (found, depth) = self.descend(&path);
        (depth == path.steps().len()).then_some(found.node)
    }

    /// The place of a value: of the value itself for a scalar or a list entry, of its key for a mapping or a list.
    /// A path that leads nowhere gives the place of the part that exists.
    pub fn at(&self, path: impl Into<Path>) -> Place {
        self.descend(&path.into()).0.span().start
    }

    /// The place of a key: for a value in a mapping its key, otherwise as [`Document::at`].
    pub fn at_key(&self, path: impl Into<Path>) -> Place {
        self.descend(&path.into()).0.key_span().start
    }

    /// The place `offset` bytes into the text of a scalar, whatever its quoting, for a mistake inside an expression.
    pub fn at_offset(&self, path: impl Into<Path>, offset: usize) -> Place {
        let path = path.into();
        let (found, depth) = self.descend(&path);
        if depth < path.steps().len() {
            return found.span().start;
        }
        offset::place(found.node, &self.text, offset)
    }

    /// A mistake at the value of a path.
    pub fn mistake(&self, path: impl Into<Path>, message: impl Into<String>) -> Diagnostic {
        let path = path.into();
        let found = self.descend(&path).0;
        Diagnostic::new(&self.source, path.to_string(), message).spanning(found.span(), &self.text)
    }

    /// A mistake at the key of a path.
    pub fn mistake_in_key(&self, path: impl Into<Path>, message: impl Into<String>) -> Diagnostic {
        let path = path.into();
        let found = self.descend(&path).0;
        Diagnostic::new(&self.source, path.to_string(), message).spanning(found.key_span(), &self.text)
    }

    /// A mistake that covers the bytes `range` of the text of a scalar, such as a part of an expression.
    pub fn mistake_within(&self, path: impl Into<Path>, range: Range<usize>, message: impl Into<String>) -> Diagnostic {
        let path = path.into();
        let start = self.at_offset(&path, range.start);
        let end = self.at_offset(&path, range.end.max(range.start));
        let width = if end.line == start.line { end.column.saturating_sub(start.column) } else { 1 };
        Diagnostic::new(&self.source, path.to_string(), message).at(start, width)
    }

    pub(super) fn descend(&self, path: &Path) -> (Found<'_>, usize) {
        let mut found = Found { node: &self.root, entry: None };
        for (depth, step) in path.steps().iter().enumerate() {
            let next = match (step, &found.node.value) {
                (Step::Key(key), Value::Mapping(entries)) => entries
                    .iter()
                    .find(|entry| entry.key == *key)
                    .map(|entry| Found { node: &entry.node, entry: Some(entry) }),
                (Step::Index(index), Value::Sequence(items)) => {
                    items.iter().find(|node| node.index == *index).map(|node| Found { node, entry: None })
                }
                _ => None,
            };
            match next {
                Some(next) => found = next,
                None => return (found, depth),
            }
        }
        (found, path.steps().len())
    }

    /// Takes out the value at a path; false when the path is the whole document or leads nowhere.
    pub fn remove(&mut self, path: &Path) -> bool {
        let Some((last, front)) = path.steps().split_last() else { return false };
        let mut node = &mut self.root;
        for step in front {
            let next = match (step, &mut node.value) {
                (Step::Key(key), Value::Mapping(entries)) => {
                    entries.iter_mut().find(|entry| entry.key == *key).map(|entry| &mut entry.node)
                }
                (Step::Index(index), Value::Sequence(items)) => items.iter_mut().find(|node| node.index == *index),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => return false,
            }
        }
        match (last, &mut node.value) {
            (Step::Key(key), Value::Mapping(entries)) => {
                let before = entries.len();
                entries.retain(|entry| entry.key != *key);
                entries.len() < before
            }
            (Step::Index(index), Value::Sequence(items)) => {
                let before = items.len();
                items.retain(|node| node.index != *index);
                items.len() < before
            }
            _ => false,
        }
    }
}

/// A node on the way down, with the entry it is the value of.
#[derive(Clone, Copy)]
pub(super) struct Found<'d> {
    pub(super) node: &'d Node,
    pub(super) entry: Option<&'d Entry>,
}

impl Found<'_> {
    pub(super) fn span(&self) -> &Span {
        match self.entry {
            Some(entry) if self.node.style == Style::Collection || self.node.span.bytes.is_empty() => &entry.key_span,
            _ => &self.node.span,
        }
    }

    pub(super) fn key_span(&self) -> &Span {
        self.entry.map_or(&self.node.span, |entry| &entry.key_span)
    }
}

impl Node {
    pub(super) fn nothing(span: Span) -> Self {
        Self { value: Value::Null, span, style: Style::Plain, index: 0 }
    }

    pub(super) fn collection(value: Value, span: Span) -> Self {
        Self { value, style: Style::Collection, ..Self::nothing(span) }
    }

    /// Where it begins.
    pub fn place(&self) -> Place {
        self.span.start
    }

    /// The value under a key, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The entries of a mapping; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The text, when this is text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The same value as JSON, without the places.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String(text.clone()),
            Value::Sequence(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Mapping(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect())
            }
        }
    }
}

impl Entry {
    /// Where the key begins.
    pub fn place(&self) -> Place {
        self.key_span.start
    }
}

impl Span {
    /// The part of the stretch that stands on its first line, without trailing white space.
    pub(super) fn first_line<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.bytes.clone()).unwrap_or_default().lines().next().unwrap_or_default().trim_end()
    }
}
