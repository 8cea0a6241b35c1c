//! `autopr workflows`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autopr_core::workflow::{self, Catalog, Definition};
use autopr_core::yaml;

use super::{Done, FOUND, Failure};
use crate::cli::WorkflowsAction;

pub(crate) fn run(action: &WorkflowsAction, config: Option<PathBuf>) -> Done {
    match action {
        WorkflowsAction::List => list(&catalog(config)?),
        WorkflowsAction::Show { name } => return show(&catalog(config)?, name),
        WorkflowsAction::Validate { files } if files.is_empty() => {
            let count = catalog(config)?.iter().count();
            anstream::println!("{count} {} valid", if count == 1 { "workflow is" } else { "workflows are" });
        }
        WorkflowsAction::Validate { files } => return validate(files),
        WorkflowsAction::Schema => anstream::println!("{:#}", workflow::schema()),
    }
    Ok(ExitCode::SUCCESS)
}

fn catalog(config: Option<PathBuf>) -> Result<Catalog, Failure> {
    let loaded = super::settings(config)?;
    autopr_runtime::catalog(&loaded.settings.workflow).map_err(|error| Failure::new(FOUND, error))
}

fn list(catalog: &Catalog) {
    let width = catalog.iter().map(|entry| entry.definition.name.len()).max().unwrap_or(0);
    for entry in catalog.iter() {
        let definition = &entry.definition;
        let about = definition.description.as_deref().unwrap_or("(no description)");
        anstream::println!("{:width$}  {about}  ({})", definition.name, entry.source);
    }
}

fn show(catalog: &Catalog, name: &str) -> Done {
    let Some(entry) = catalog.get(name) else {
        let known: Vec<_> = catalog.iter().map(|entry| entry.definition.name.as_str()).collect();
        return Err(Failure::unusable(format!("there is no workflow `{name}`; there are {}", known.join(", "))));
    };
    anstream::print!("{}", entry.text);
    Ok(ExitCode::SUCCESS)
}

/// Reads every file; reports every mistake of all of them.
fn validate(files: &[PathBuf]) -> Done {
    let mut mistakes = 0;
    for file in files {
        mistakes += validate_file(file);
    }
    match mistakes {
        0 => Ok(ExitCode::SUCCESS),
        1 => Err(Failure::new(FOUND, "1 mistake")),
        count => Err(Failure::new(FOUND, format!("{count} mistakes"))),
    }
}

/// Returns how many mistakes the file has; one that can't be read has one.
fn validate_file(file: &Path) -> usize {
    let name = file.display().to_string();
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            anstream::eprintln!("{name}: the file can't be read: {error}; name a YAML file that exists");
            return 1;
        }
    };
    match Definition::parse(&name, &text) {
        Ok(definition) => {
            anstream::println!("{name}: workflow `{}` is valid", definition.name);
            0
        }
        Err(mistakes) => {
            anstream::eprintln!("{}", yaml::render(&mistakes, |_| Some(&text)));
            mistakes.len()
        }
    }
}
