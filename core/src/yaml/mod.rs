//! YAML documents read so that every mistake is reported at once, with its place and its fix.
//!
//! Workflows, settings and `.autopr.yml` all come in through here. A [`Document`] is a tree in which every key and
//! value knows its place; [`Document::check`] holds it against a JSON Schema, [`Document::typed`] turns it into a type
//! and [`Document::lenient`] does so after setting aside only what is wrong. What none of these can know (a cycle, a
//! bad expression) the caller reports with [`Document::mistake`] and its kin, so that it looks like every other mistake.
//!
//! The reader is deliberately stricter than YAML: one document per file, no duplicate keys, no merge keys, no tags
//! other than the core ones, and limits on size, depth and what aliases may expand to.

mod check;
mod diagnostic;
mod forms;
mod offset;
mod parse;
mod path;
mod scalar;
mod tree;
mod typed;
mod types;
mod values;
mod words;

pub use diagnostic::{Diagnostic, render};
pub use path::{InvalidPath, Path, Step};
pub use tree::{Document, Entry, Node, Place, Value};
pub use words::nearest;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
