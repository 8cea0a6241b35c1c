//! Files at a commit.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::github::call::{Answer, Context};
use crate::github::wire;

/// Up to which size GitHub gives a file at all, in bytes.
const AT_ALL: usize = 100 * 1024 * 1024;

pub(super) fn get(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let repository = context.repository()?;
    let reference = context.call.query("ref").unwrap_or(&repository.default_branch);
    let Some(files) = repository.commit(reference).and_then(|sha| repository.commits.get(&sha)) else {
        return Err(Answer::error(404, &format!("No commit found for the ref {reference}")));
    };
    let path = context.param("path").trim_matches('/');
    let urls = context.call.urls();
    let Some(bytes) = files.get(path) else {
        let entries = folder(files.keys(), path);
        if entries.is_empty() {
            return Err(Answer::not_found());
        }
        let shown = entries.iter().map(|(name, kind)| {
            wire::file(repository, name, reference, files.get(name).map(Bytes::as_ref), kind, urls)
        });
        let mut shown: Vec<Value> = shown.collect();
        for entry in shown.iter_mut().filter_map(Value::as_object_mut) {
            entry.retain(|field, _| field != "content" && field != "encoding");
        }
        return Ok(Answer::json(200, Value::Array(shown)));
    };
    let raw = context.call.accepts("raw");
    if bytes.len() > AT_ALL {
        return Err(too_large());
    }
    if raw {
        return Ok(Answer::raw("application/vnd.github.raw+json; charset=utf-8", bytes.clone()));
    }
    Ok(Answer::json(200, wire::file(repository, path, reference, Some(bytes), "file", urls)))
}

fn too_large() -> Answer {
    Answer::json(
        403,
        json!({
            "message": "This API returns blobs up to 100 MB in size.",
            "errors": [{ "resource": "Blob", "field": "data", "code": "too_large" }],
            "documentation_url": "https://docs.github.com/rest/repos/contents#get-repository-content",
        }),
    )
}

/// What stands directly in a folder: path and kind.
fn folder<'a>(paths: impl Iterator<Item = &'a String>, folder: &str) -> BTreeSet<(String, &'static str)> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    paths
        .filter_map(|path| path.strip_prefix(&prefix))
        .map(|rest| match rest.split_once('/') {
            Some((name, _)) => (format!("{prefix}{name}"), "dir"),
            None => (format!("{prefix}{rest}"), "file"),
        })
        .collect()
}
