//! From settings to the parts of an engine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use autopr_core::machine::Policy;
use autopr_core::workflow::Catalog;
use autopr_core::yaml::{self, Diagnostic};

use crate::settings::{ConfigFile, Source, Workflow};

/// Where settings come from in this process: its environment, its folder, and that file.
///
/// # Errors
/// When the current folder is gone.
pub fn source(config: ConfigFile) -> io::Result<Source> {
    Ok(Source { env: environment(), config, dir: env::current_dir()?, ..Source::default() })
}

/// The environment variables that can be read as text.
pub fn environment() -> BTreeMap<String, String> {
    let readable = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    env::vars_os().filter_map(readable).collect()
}

/// What holds where a workflow is silent.
pub fn policy(settings: &Workflow) -> Policy {
    Policy {
        timeout: settings.timeout.duration(),
        attempts: settings.retry_attempts,
        delay: settings.retry_delay.duration(),
        parallel: settings.enable_parallel_execution,
    }
}

/// Why the workflows can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The folder or a file in it can't be read.
    #[error("workflow.directory: can't read {}: {error}; name a folder that this user may read", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Files have mistakes.
    #[error("{}", yaml::render(mistakes, |source| texts.iter().find(|(name, _)| name == source).map(|(_, text)| &**text)))]
    Invalid {
        /// Every mistake in every file.
        mistakes: Vec<Diagnostic>,
        /// The files' names and contents, for the lines around the mistakes.
        texts: Vec<(String, String)>,
    },
}

/// The built-in workflows and those of the operator's folder.
///
/// # Errors
/// When the folder can't be read, or with every mistake in its files.
pub fn catalog(settings: &Workflow) -> Result<Catalog, CatalogError> {
    let texts = match &settings.directory {
        Some(folder) => read_folder(folder)?,
        None => Vec::new(),
    };
    Catalog::load(texts.iter().map(|(name, text)| (name, text)))
        .map_err(|mistakes| CatalogError::Invalid { mistakes, texts })
}

/// The YAML files of a folder in the order of their names.
fn read_folder(folder: &Path) -> Result<Vec<(String, String)>, CatalogError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| CatalogError::Unreadable { path, error }
    };
    let entries = fs::read_dir(folder).map_err(unreadable(folder))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable(folder))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    paths.sort();
    let read = |path: &PathBuf| {
        fs::read_to_string(path).map(|text| (path.display().to_string(), text)).map_err(unreadable(path))
    };
    paths.iter().map(read).collect()
}
