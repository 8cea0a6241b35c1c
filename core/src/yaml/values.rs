//! Documents made of single values instead of a text, for what comes from the environment.

use super::path::{Path, Step};
use super::scalar;
use super::tree::{Document, Entry, Node, Place, Span, Value};

impl Document {
    /// A document made of values at paths of keys; its mistakes have no place. A later value takes the place of an
    /// earlier one at the same path.
    pub fn from_values(source: impl Into<String>, values: impl IntoIterator<Item = (Path, Value)>) -> Self {
        let mut root = Node::collection(Value::Mapping(Vec::new()), nowhere());
        for (path, value) in values {
            root.put(path.steps(), value);
        }
        Self { source: source.into(), text: String::new(), root }
    }
}

impl Value {
    /// What a text means when it stands unquoted in YAML: a number, `true`, `false`, nothing, or text.
    pub fn plain(text: &str) -> Self {
        scalar::plain(text).unwrap_or_else(|_| Self::Text(text.to_owned()))
    }

    /// A list of texts.
    pub fn texts(texts: impl IntoIterator<Item = String>) -> Self {
        let node = |(index, text)| Node { value: Self::Text(text), index, ..Node::nothing(nowhere()) };
        Self::Sequence(texts.into_iter().enumerate().map(node).collect())
    }
}

impl Node {
    fn put(&mut self, steps: &[Step], value: Value) {
        let Some((step, rest)) = steps.split_first() else {
            self.value = value;
            return;
        };
        // Only keys lead further: a list is one value here.
        let Step::Key(key) = step else { return };
        if !matches!(self.value, Value::Mapping(_)) {
            *self = Self::collection(Value::Mapping(Vec::new()), nowhere());
        }
        let Value::Mapping(entries) = &mut self.value else { return };
        match entries.iter_mut().find(|entry| entry.key == *key) {
            Some(entry) => entry.node.put(rest, value),
            None => {
                let mut node = Self::nothing(nowhere());
                node.put(rest, value);
                entries.push(Entry { key: key.clone(), node, key_span: nowhere() });
            }
        }
    }
}

fn nowhere() -> Span {
    Span { start: Place { line: 0, column: 0 }, bytes: 0..0 }
}
