//! The settings themselves, and the workflows.

use autopr_core::yaml::Diagnostic;
use autopr_runtime::CatalogError;
use autopr_runtime::settings::{Reading, Settings};

use super::report::Check;
use super::{count, unclear};

/// One check for each mistake.
pub(super) fn checks(reading: &Reading) -> Vec<Check> {
    if reading.mistakes.is_empty() {
        let environment = reading.settings.as_ref().map(|settings| settings.environment).unwrap_or_default();
        let file = match &reading.file {
            Some(name) => format!("from {name}"),
            None => "without a configuration file".to_owned(),
        };
        return vec![Check::ok("settings", format!("valid: {environment}, {file} and the environment"))];
    }
    reading.mistakes.iter().map(|mistake| mistaken("settings", mistake)).collect()
}

fn mistaken(name: &str, mistake: &Diagnostic) -> Check {
    let Diagnostic { source, line, path, message, fix, .. } = mistake;
    let place = if *line > 0 { format!("{source}:{line}") } else { source.clone() };
    let key = if path.is_empty() { String::new() } else { format!("{path}: ") };
    let found = format!("{key}{message} ({place})");
    let fix = fix.clone().unwrap_or_else(|| "correct it; `autopr config schema` tells what it may be".to_owned());
    Check::failed(name, found, fix).value("key", path.as_str()).value("source", place)
}

/// The built-in workflows and those of the operator's folder.
pub(super) fn workflows(settings: &Settings, mistakes: &[Diagnostic]) -> Check {
    const NAME: &str = "workflows";
    const FIX: &str = "correct what `autopr workflows validate` shows";
    if let Some(check) = unclear(NAME, mistakes, &["workflow.directory"]) {
        return check;
    }
    match autopr_runtime::catalog(&settings.workflow) {
        Ok(catalog) => {
            let number = catalog.iter().count();
            Check::ok(NAME, format!("{} can be used", count(number as u64, "workflow"))).value("workflows", number)
        }
        Err(CatalogError::Invalid { mistakes, .. }) => {
            let shown: Vec<_> = mistakes.iter().take(3).map(ToString::to_string).collect();
            let number = mistakes.len();
            let found = format!("{}: {}", count(number as u64, "mistake"), shown.join("; "));
            Check::failed(NAME, found, FIX).value("mistakes", number)
        }
        Err(error @ CatalogError::Unreadable { .. }) => {
            Check::failed(NAME, error.to_string(), "set workflow.directory to a folder that this user may read")
        }
    }
}
