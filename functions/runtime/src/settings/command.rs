//! What `config check`, `config show` and `config schema` print.

use std::collections::BTreeMap;

use autopr_core::yaml::{Path, Step};
use serde_json::{Value as Json, json};

use super::load::{Loaded, Source};
use super::origin::Origin;
use super::secret::MASK;
use super::{Environment, Needs, Settings, json_schema};

/// What `config check` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What to print.
    pub text: String,
    /// Whether the settings are valid.
    pub valid: bool,
}

/// How `config show` writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// A table for people.
    #[default]
    Table,
    /// One JSON object: each key with its value and origin.
    Json,
}

/// Checks all settings: a summary when they are valid, otherwise every mistake.
pub fn check(source: &Source) -> Checked {
    // Outside of development the settings are those of a server, whichever command they are checked for.
    let needs = |settings: &Settings| match settings.environment {
        Environment::Development => Needs::NOTHING,
        Environment::Staging | Environment::Production => Needs::SERVE,
    };
    match Settings::load_as(source, needs) {
        Ok(loaded) => {
            let file = match &loaded.file {
                Some(name) => format!("from {name}"),
                None => "without a configuration file".to_owned(),
            };
            let environment = loaded.settings.environment;
            let variables = match loaded.variables() {
                1 => "1 environment variable".to_owned(),
                count => format!("{count} environment variables"),
            };
            Checked { text: format!("settings are valid: {environment}, {file} and {variables}\n"), valid: true }
        }
        Err(invalid) => {
            let summary = match invalid.mistakes.len() {
                1 => "1 mistake in the settings".to_owned(),
                count => format!("{count} mistakes in the settings"),
            };
            Checked { text: format!("{invalid}\n{summary}\n"), valid: false }
        }
    }
}

/// Every setting with its value and origin; secrets are masked.
///
/// # Errors
/// When a value can't be written as JSON, which is a mistake in the program.
pub fn show(loaded: &Loaded, format: Format) -> Result<String, serde_json::Error> {
    let mut values = BTreeMap::new();
    leaves(serde_json::to_value(&loaded.settings)?, &mut Vec::new(), &mut values);
    let rows = values.into_iter().map(|(path, value)| {
        let origin = loaded.origin(&path);
        // What comes out of a secret is one, whichever setting it is; an address is masked in part.
        let hides = matches!(origin, Origin::Secret { .. }) && !value.is_null() && !value.to_string().contains(MASK);
        (path.to_string(), if hides { json!(MASK) } else { value }, origin)
    });
    match format {
        Format::Json => {
            let rows: serde_json::Map<String, Json> =
                rows.map(|(key, value, origin)| (key, json!({ "value": value, "origin": origin }))).collect();
            Ok(format!("{}\n", serde_json::to_string_pretty(&rows)?))
        }
        Format::Table => Ok(table(rows.map(|(key, value, origin)| [key, plain(&value), origin.to_string()]))),
    }
}

/// The JSON Schema of the configuration file, for editors.
///
/// # Errors
/// When it can't be written as JSON, which is a mistake in the program.
pub fn schema() -> Result<String, serde_json::Error> {
    let mut schema = json_schema::naming_secrets(json_schema::of_settings());
    schema["$id"] = json!("urn:autopr:settings");
    Ok(format!("{}\n", serde_json::to_string_pretty(&schema)?))
}

/// The values at the ends of the tree; a list is one value.
fn leaves(value: Json, steps: &mut Vec<Step>, found: &mut BTreeMap<Path, Json>) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                steps.push(Step::Key(key));
                leaves(value, steps, found);
                steps.pop();
            }
        }
        value => {
            found.insert(Path::from(steps.clone()), value);
        }
    }
}

/// A value on one line, as it could stand in the file.
fn plain(value: &Json) -> String {
    match value {
        Json::Null => "(not set)".to_owned(),
        Json::String(text) => text.escape_debug().to_string(),
        Json::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Json::Object(_) => "(none)".to_owned(),
        other => other.to_string(),
    }
}

fn table(rows: impl Iterator<Item = [String; 3]>) -> String {
    let header = ["KEY", "VALUE", "ORIGIN"].map(str::to_owned);
    let rows: Vec<[String; 3]> = std::iter::once(header).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (key, value) = (width(0), width(1));
    rows.iter().map(|[a, b, c]| format!("{a:key$}  {b:value$}  {c}\n")).collect()
}
