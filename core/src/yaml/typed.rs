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

    fn lenient_against<T: DeserializeOwned>(&self, schema: &Json) -> (Option<T>, Vec<Diagnostic>) {
        let mut rest = self.clone();
        let mut mistakes: Vec<Diagnostic> = Vec::new();
        // Each round takes at least one value out of the tree, or is the last.
        let value = loop {
            let mut round = rest.check(schema);
            let mut places: Vec<Path> = round.iter().map(Diagnostic::place_of_fault).collect();
            // What the schema finds in a later round follows from what was taken out, such as a key now missing.
            if mistakes.is_empty() {
                mistakes.append(&mut round);
            }
            if places.is_empty() {
                match rest.deserialise() {
                    Ok(value) => break Some(value),
                    Err(mistake) => {
                        places.push(mistake.place_of_fault());
                        mistakes.push(*mistake);
                    }
                }
            }
            // From the back, so that a value inside another goes before it.
            places.sort_unstable();
            let removed = places.iter().rev().fold(0, |removed, path| removed + usize::from(rest.remove(path)));
            if removed == 0 || places.iter().any(|path| path.steps().is_empty()) {
                break None;
            }
        };
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        (value, mistakes)
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
