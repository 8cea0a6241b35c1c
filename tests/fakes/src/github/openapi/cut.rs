//! Reads the description, cuts it to what the fake routes and keeps the cut.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::schema::{convert, references};
use crate::github::routes;

/// Counts up when the form of the cut changes, so that an old one is not read.
const FORM: u32 = 2;

/// The webhooks the fake sends, by the name the description gives them.
const WEBHOOKS: [&str; 12] = [
    "check-run-rerequested",
    "installation-created",
    "issue-comment-created",
    "ping",
    "pull-request-closed",
    "pull-request-converted-to-draft",
    "pull-request-edited",
    "pull-request-labeled",
    "pull-request-opened",
    "pull-request-ready-for-review",
    "pull-request-reopened",
    "pull-request-synchronize",
];

/// The cut of the description in this file, from the temporary folder if it was made before.
pub(super) fn load(file: &Path) -> Result<Value, String> {
    let kept = place_of_the_cut(file)?;
    if let Some(known) = fs::read(&kept).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(known);
    }
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    let whole = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let cut = cut(&whole);
    // Written aside and renamed, because another test process may read it at this moment. A cut that can't be kept is
    // made again next time.
    let aside = kept.with_extension(std::process::id().to_string());
    if fs::write(&aside, cut.to_string()).is_ok() {
        fs::rename(&aside, &kept).ok();
    }
    Ok(cut)
}

/// Named by everything the cut depends on: the form, the routes, and the file it was made from.
fn place_of_the_cut(file: &Path) -> Result<PathBuf, String> {
    let meta = fs::metadata(file).map_err(|error| error.to_string())?;
    let changed = meta.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let routed: Vec<String> = routes::operations().collect();
    let described = format!("{FORM} {WEBHOOKS:?} {routed:?} {} {changed:?}", meta.len());
    let name = &crate::github::digest(described.as_bytes())[..16];
    Ok(std::env::temp_dir().join(format!("autopr-github-openapi-{name}.json")))
}

fn cut(whole: &Value) -> Value {
    let mut operations = Map::new();
    for operation in routes::operations() {
        let Some((method, template)) = operation.split_once(' ') else { continue };
        let described = &whole["paths"][template][method];
        if !described.is_null() {
            operations.insert(operation.clone(), self::operation(whole, described));
        }
    }
    // GitHub's description of this list wants an account to be a person and an enterprise at once; that of a single
    // installation is right.
    if let Some(list) = operations.get_mut("get /app/installations") {
        list["answers"]["200"]["application/json"]["items"] = json!({ "$ref": "#/components/schemas/installation" });
    }
    let mut webhooks = Map::new();
    for name in WEBHOOKS {
        let body = &whole["x-webhooks"][name]["post"]["requestBody"]["content"]["application/json"]["schema"];
        if !body.is_null() {
            webhooks.insert(name.to_owned(), convert(body));
        }
    }
    let used = json!([operations, webhooks]);
    json!({ "operations": operations, "webhooks": webhooks, "schemas": components(whole, &used) })
}

fn operation(whole: &Value, described: &Value) -> Value {
    let mut parameters = json!({ "path": {}, "query": {} });
    for parameter in described["parameters"].as_array().into_iter().flatten() {
        let parameter = resolve(whole, parameter);
        if let (Some(place), Some(name)) = (parameter["in"].as_str(), parameter["name"].as_str()) {
            parameters[place][name] = convert(&parameter["schema"]);
        }
    }
    let mut answers = Map::new();
    for (status, answer) in described["responses"].as_object().into_iter().flatten() {
        let content = resolve(whole, answer)["content"].as_object();
        let media = content.into_iter().flatten().map(|(media, inner)| (media.clone(), convert(&inner["schema"])));
        answers.insert(status.clone(), Value::Object(media.collect()));
    }
    let mut made = json!({ "parameters": parameters, "answers": answers });
    let body = &described["requestBody"];
    if !body.is_null() {
        made["body"] = convert(&body["content"]["application/json"]["schema"]);
        made["body_required"] = body["required"].clone();
    }
    made
}

fn resolve<'a>(whole: &'a Value, given: &'a Value) -> &'a Value {
    match given["$ref"].as_str() {
        Some(reference) => whole.pointer(reference.trim_start_matches('#')).unwrap_or(given),
        None => given,
    }
}

fn components(whole: &Value, used: &Value) -> Value {
    let given = &whole["components"]["schemas"];
    let mut open = BTreeSet::new();
    references(used, &mut open);
    let mut made = Map::new();
    while let Some(name) = open.pop_first() {
        if !made.contains_key(&name) {
            let component = convert(&given[&name]);
            references(&component, &mut open);
            made.insert(name, component);
        }
    }
    Value::Object(made)
}
