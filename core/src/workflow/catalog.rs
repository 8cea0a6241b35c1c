//! The workflows that are known: those that ship and those an operator added.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use super::builtin;
use super::definition::Definition;
use super::expression::ExpressionError;
use crate::event::Event;
use crate::yaml::{Diagnostic, Document};

/// Workflows by name.
#[derive(Debug, Clone)]
pub struct Catalog {
    entries: BTreeMap<String, Entry>,
}

/// A known workflow and where it comes from.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The workflow.
    pub definition: Arc<Definition>,
    /// The file it was read from, or `built-in …`.
    pub source: Arc<str>,
    /// Its YAML as it was written, comments included.
    pub text: Arc<str>,
    /// True for one that ships with the engine.
    pub built_in: bool,
}

/// A workflow that an event would start, had its condition a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("workflow `{workflow}` was not started: {error}")]
pub struct MatchError {
    /// The workflow's name.
    pub workflow: String,
    /// What went wrong.
    #[source]
    pub error: ExpressionError,
}

impl Catalog {
    /// The built-in workflows and those in `files`, each a file name and its YAML. A file that defines a workflow with
    /// the name of a built-in one takes its place.
    ///
    /// # Errors
    /// Every mistake in every file, and every name that two files define.
    pub fn load<N, T>(files: impl IntoIterator<Item = (N, T)>) -> Result<Self, Vec<Diagnostic>>
    where
        N: AsRef<str>,
        T: AsRef<str>,
    {
        let mut catalog = Self { entries: BTreeMap::new() };
        let mut mistakes = Vec::new();
        for (source, text) in builtin::WORKFLOWS {
            catalog.add(source, text, true, &mut mistakes);
        }
        for (source, text) in files {
            catalog.add(source.as_ref(), text.as_ref(), false, &mut mistakes);
        }
        if mistakes.is_empty() { Ok(catalog) } else { Err(mistakes) }
    }

    /// Whether the command of that name is a workflow's trigger.
    pub fn knows_command(&self, name: &str) -> bool {
        self.iter().any(|entry| entry.definition.on.command.iter().any(|command| command == name))
    }

    /// The workflows that `event` starts, in the order of their names. One whose condition has no value for the event
    /// stands there as an error and keeps no other from starting.
    pub fn matching(&self, event: &Event) -> Vec<Result<Arc<Definition>, MatchError>> {
        let outcome = |entry: &Entry| match entry.definition.matches(event) {
            Ok(true) => Some(Ok(Arc::clone(&entry.definition))),
            Ok(false) => None,
            Err(error) => Some(Err(MatchError { workflow: entry.definition.name.clone(), error })),
        };
        self.entries.values().filter_map(outcome).collect()
    }

    /// The workflow called `name`.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// All workflows in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    fn add(&mut self, source: &str, text: &str, built_in: bool, mistakes: &mut Vec<Diagnostic>) {
        let definition = match Definition::parse(source, text) {
            Ok(definition) => definition,
            Err(mut found) => return mistakes.append(&mut found),
        };
        let name = definition.name.clone();
        let entry = Entry { definition: Arc::new(definition), source: source.into(), text: text.into(), built_in };
        match self.entries.entry(name) {
            Slot::Vacant(slot) => drop(slot.insert(entry)),
            Slot::Occupied(mut slot) if slot.get().built_in && !built_in => drop(slot.insert(entry)),
            Slot::Occupied(slot) => {
                let message = format!("workflow `{}` is already defined in {}", slot.key(), slot.get().source);
                let fix = "give it another name or remove one of the files";
                match Document::parse(source, text) {
                    Ok(document) => mistakes.push(document.mistake("name", message).fix(fix)),
                    Err(mut found) => mistakes.append(&mut found),
                }
            }
        }
    }
}
