//! `anyOf` and `oneOf`: which of the forms was meant, and what is wrong with it as that.

use serde_json::Value as Json;

use super::check::Walk;
use super::diagnostic::Diagnostic;
use super::path::{Path, Step};
use super::tree::{Found, Value};
use super::types::{alternatives, has_type, type_words};
use super::words::{list, literal, nearest};

/// Reports what is wrong when a value fits none of the forms (or, for `oneOf`, more than one).
pub(super) fn visit<'a>(
    walk: &mut Walk<'a>,
    schema: &'a Json,
    forms: &'a [Json],
    exactly_one: bool,
    at: Found<'a>,
    path: &mut Path,
) {
    let forms: Vec<&Json> = forms.iter().map(|form| walk.resolve(form)).collect();
    let mut trials: Vec<Vec<Diagnostic>> = Vec::new();
    for form in &forms {
        trials.push(walk.trial(form, at, path));
    }
    let fitting = trials.iter().filter(|trial| trial.is_empty()).count();
    if fitting == 1 || (fitting > 1 && !exactly_one) {
        return;
    }
    if fitting > 1 {
        return walk.report(at, path, schema, "the value can be read in more than one way".to_owned(), None);
    }
    let mut tried: Vec<(&Json, Vec<Diagnostic>)> = forms.into_iter().zip(trials).collect();
    if tried.len() > 1 {
        tried.retain(|(form, _)| !is_null(form));
    }
    if let Some(choices) = choices(&tried) {
        return walk.not_a_choice(schema, &choices, at, path);
    }
    if let Some(key) = tag(&tried)
        && matches!(at.node.value, Value::Mapping(_))
    {
        return by_tag(walk, schema, key, tried, at, path);
    }
    let mut same_type: Vec<(&Json, Vec<Diagnostic>)> = Vec::new();
    let mut expected = Vec::new();
    let mut types = Vec::new();
    for (form, trial) in tried {
        expected.push(describe(walk, form));
        types.extend(types_of(walk, form));
        if types_of(walk, form).iter().any(|name| has_type(&at.node.value, name)) {
            same_type.push((form, trial));
        }
    }
    if let Value::Mapping(entries) = &at.node.value
        && let Some(position) = same_type
            .iter()
            .position(|(form, _)| only_key(form).is_some_and(|key| entries.iter().any(|entry| entry.key == key)))
    {
        walk.found.append(&mut same_type.swap_remove(position).1);
        return;
    }
    let keys: Vec<&str> = same_type.iter().filter_map(|(form, _)| only_key(form)).collect();
    if keys.len() > 1 && keys.len() == same_type.len() {
        return unknown_variant(walk, schema, &keys, at, path);
    }
    match same_type.into_iter().min_by_key(|(_, trial)| trial.len()) {
        Some((_, mut trial)) => walk.found.append(&mut trial),
        None => walk.wrong_type(schema, &alternatives(expected), &types, at, path),
    }
}

/// All forms are fixed words: the words.
fn choices<'a>(forms: &[(&'a Json, Vec<Diagnostic>)]) -> Option<Vec<&'a Json>> {
    let mut words = Vec::new();
    for (form, _) in forms {
        match (form.get("const"), form.get("enum").and_then(Json::as_array)) {
            (Some(word), _) => words.push(word),
            (None, Some(several)) => words.extend(several),
            (None, None) => return None,
        }
    }
    Some(words)
}

/// The key by whose fixed value the forms are told apart (serde's `tag`).
fn tag<'a>(forms: &[(&'a Json, Vec<Diagnostic>)]) -> Option<&'a str> {
    let (first, _) = forms.first()?;
    let properties = first.get("properties")?.as_object()?;
    properties.keys().map(String::as_str).find(|key| forms.iter().all(|(form, _)| fixed(form, key).is_some()))
}

fn fixed<'a>(form: &'a Json, key: &str) -> Option<&'a Json> {
    form.get("properties")?.get(key)?.get("const")
}

fn by_tag<'a>(
    walk: &mut Walk<'a>,
    schema: &'a Json,
    key: &str,
    tried: Vec<(&'a Json, Vec<Diagnostic>)>,
    at: Found<'a>,
    path: &mut Path,
) {
    let allowed: Vec<&Json> = tried.iter().filter_map(|(form, _)| fixed(form, key)).collect();
    let Some(entry) = at.node.entries().iter().find(|entry| entry.key == key) else {
        let words: Vec<String> = allowed.iter().map(|word| literal(word)).collect();
        let fix = format!("add `{key}:` with one of {}", list(words.iter().map(String::as_str)));
        return walk.report(at, path, schema, format!("the key `{key}` is missing"), Some(fix));
    };
    let value = entry.node.to_json();
    match tried.into_iter().find(|(form, _)| fixed(form, key) == Some(&value)) {
        Some((_, mut trial)) => walk.found.append(&mut trial),
        None => {
            path.push(Step::Key(key.to_owned()));
            walk.not_a_choice(schema, &allowed, Found { node: &entry.node, entry: Some(entry) }, path);
            path.pop();
        }
    }
}

/// The one key of a form that is a mapping with a single, required key (serde's way to write an enum with data).
fn only_key(form: &Json) -> Option<&str> {
    let required = form.get("required")?.as_array()?;
    let properties = form.get("properties")?.as_object()?;
    match (required.as_slice(), properties.len()) {
        ([key], 1) => key.as_str(),
        _ => None,
    }
}

fn unknown_variant<'a>(walk: &mut Walk<'a>, schema: &Json, keys: &[&str], at: Found<'a>, path: &mut Path) {
    let near = at.node.entries().first().and_then(|entry| nearest(&entry.key, keys.iter().copied()));
    let fix = near.map(|word| format!("did you mean `{word}`?"));
    walk.report(at, path, schema, format!("expected one of the keys {}", list(keys.iter().copied())), fix);
}

fn is_null(form: &Json) -> bool {
    form.get("type").and_then(Json::as_str) == Some("null")
}

fn types_of<'a>(walk: &Walk<'a>, form: &'a Json) -> Vec<&'a str> {
    match form.get("type") {
        Some(Json::Array(types)) => types.iter().filter_map(Json::as_str).filter(|name| *name != "null").collect(),
        Some(one) => one.as_str().into_iter().collect(),
        None => match form.get("const").or_else(|| form.get("enum").and_then(|values| values.get(0))) {
            Some(Json::String(_)) => vec!["string"],
            Some(Json::Bool(_)) => vec!["boolean"],
            Some(Json::Number(_)) => vec!["number"],
            _ => inner(form).flat_map(|form| types_of(walk, walk.resolve(form))).collect(),
        },
    }
}

fn describe<'a>(walk: &Walk<'a>, form: &'a Json) -> String {
    if let Some(word) = form.get("const") {
        return list([literal(word).as_str()]);
    }
    if let Some(values) = form.get("enum").and_then(Json::as_array) {
        let words: Vec<String> = values.iter().map(literal).collect();
        return list(words.iter().map(String::as_str));
    }
    let Some(map) = form.as_object() else { return "anything".to_owned() };
    match types_of(walk, form) {
        types if !types.is_empty() && form.get("type").is_some() => {
            alternatives(types.into_iter().map(|name| type_words(name, map)))
        }
        _ => alternatives(inner(form).map(|form| describe(walk, walk.resolve(form)))),
    }
}

fn inner(form: &Json) -> impl Iterator<Item = &Json> {
    ["anyOf", "oneOf", "allOf"]
        .into_iter()
        .filter_map(|keyword| form.get(keyword).and_then(Json::as_array))
        .flatten()
        .filter(|form| !is_null(form))
}
