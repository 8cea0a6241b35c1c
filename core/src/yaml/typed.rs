//! From a document to a type, strictly or leniently.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use serde_path_to_error::Segment;

use super::diagnostic::Diagnostic;
use super::path::{Path, Step};
use super::tree::Document;

impl Document {
    /// The document as a `T`: held against the type's schema, then read.
    ///
    /// # Errors
    /// Every mistake, in the order of the file.
    pub fn typed<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, Vec<Diagnostic>> {
        let (value, mistakes) = self.lenient::<T>();
        match value {
            Some(value) if mistakes.is_empty() => Ok(value),
            _ => Err(mistakes),
        }
    }

    /// The document as a `T` after setting aside only what is wrong: the value at fault, or what holds it when a
    /// required key is missing there. With it every mistake, in the order of the file. No value when nothing usable
    /// is left, so that the caller takes its default.
    pub fn lenient<T: DeserializeOwned + JsonSchema>(&self) -> (Option<T>, Vec<Diagnostic>) {
        self.lenient_against(schemars::schema_for!(T).as_value())
    }

    /// The document without what does not fit a schema, and every mistake. A value at fault is taken out, or what holds
    /// it when a required key is missing there. No document when that is the whole of it.
    pub fn prune(&self, schema: &Json) -> (Option<Self>, Vec<Diagnostic>) {
        let mut rest = self.clone();
        let mistakes = rest.check(schema);
        let mut round: Vec<Path> = mistakes.iter().map(Diagnostic::place_of_fault).collect();
        // What the schema finds in a later round follows from what was taken out, such as a key now missing.
        while !round.is_empty() {
            if !rest.remove_all(round) {
                return (None, mistakes);
            }
            round = rest.check(schema).iter().map(Diagnostic::place_of_fault).collect();
        }
        (Some(rest), mistakes)
    }

    fn lenient_against<T: DeserializeOwned>(&self, schema: &Json) -> (Option<T>, Vec<Diagnostic>) {
        let (mut rest, mut mistakes) = self.prune(schema);
        let mut value = None;
        // Each round takes at least one value out of the tree, or is the last.
        while let Some(document) = rest.take() {
            match document.deserialise() {
                Ok(read) => value = Some(read),
                Err(mistake) => {
                    let mut smaller = document;
                    if smaller.remove_all(vec![mistake.place_of_fault()]) {
                        rest = smaller.prune(schema).0;
                    }
                    mistakes.push(*mistake);
                }
            }
        }
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        (value, mistakes)
    }

    /// Takes out what stands at these paths; false when that is the whole document or nothing.
    fn remove_all(&mut self, mut paths: Vec<Path>) -> bool {
        // From the back, so that a value inside another goes before it.
        paths.sort_unstable();
        let removed = paths.iter().rev().fold(0, |removed, path| removed + usize::from(self.remove(path)));
        removed > 0 && paths.iter().all(|path| !path.steps().is_empty())
    }

    /// Reads the tree as a type whose schema it fits; what can still fail are the type's own rules.
    fn deserialise<T: DeserializeOwned>(&self) -> Result<T, Box<Diagnostic>> {
        serde_path_to_error::deserialize(self.root.to_json()).map_err(|error| {
            let path = self.existing(error.path().iter());
            Box::new(self.mistake(&path, error.inner().to_string()))
        })
    }
    /// The longest part of serde's path that leads somewhere, its list positions those of the file.
    fn existing<'s>(&self, segments: impl Iterator<Item = &'s Segment>) -> Path {
        let mut path = Path::default();
        let mut node = &self.root;
        for segment in segments {
            let next = match segment {
                Segment::Seq { index } => node.items().get(*index).map(|next| (Step::Index(next.index), next)),
                Segment::Map { key } | Segment::Enum { variant: key } => {
                    node.get(key).map(|next| (Step::Key(key.clone()), next))
                }
                Segment::Unknown => None,
            };
            let Some((step, next)) = next else { break };
            path.push(step);
            node = next;
        }
        path
    }
}
