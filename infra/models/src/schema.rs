//! JSON Schemas as vendors' constrained output understands them: a small part of the language, in which every object is
//! closed. OpenAI, Azure and Mistral ("strict") also want every property required, so an optional one may be `null`
//! instead; [`without_invented_nulls`] takes those out of the answer again.

use std::cell::RefCell;

use serde_json::{Map, Value, json};

/// What becomes of optional properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Optional {
    /// They stay optional.
    Kept,
    /// They become required and may be `null`.
    Nullable,
}

/// How deep schemas are followed: references may run in circles.
const DEPTH: usize = 64;

/// The schema in the part of JSON Schema that vendors accept: types, properties, items, enumerations, alternatives,
/// references and descriptions stay; limits, formats, patterns, defaults and titles go (an answer is checked against the
/// whole schema afterwards anyway). All objects are closed, so a map with free keys becomes an empty object. Doing it
/// twice changes nothing more.
pub(crate) fn close(schema: &Value, optional: Optional) -> Value {
    Closing { root: schema, optional, merging: RefCell::default() }.close(schema, DEPTH)
}

struct Closing<'a> {
    root: &'a Value,
    optional: Optional,
    /// The references whose content is being merged: one that leads back to itself is not followed again.
    merging: RefCell<Vec<String>>,
}

impl Closing<'_> {
    fn close(&self, schema: &Value, depth: usize) -> Value {
        let (Some(from), Some(depth)) = (schema.as_object(), depth.checked_sub(1)) else { return json!({}) };
        let outside = self.merging.borrow().len();
        let merged;
        let from = match from.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) if !from.contains_key("properties") && !from.contains_key("anyOf") => {
                // A choice of one: a reference stays a reference.
                let rest = from.iter().filter(|(keyword, _)| *keyword != "allOf");
                let choice = ("anyOf".to_owned(), json!([only]));
                merged = rest.map(|(keyword, value)| (keyword.clone(), value.clone())).chain([choice]).collect();
                &merged
            }
            Some(parts) => {
                merged = self.merge(from, parts, depth);
                &merged
            }
            None => from,
        };
        let mut to = Map::new();
        if let Some(text) = from.get("description").filter(|text| text.is_string()) {
            to.insert("description".to_owned(), text.clone());
        }
        if let Some(reference) = from.get("$ref").and_then(Value::as_str) {
            self.reference(&mut to, reference);
        } else {
            self.body(&mut to, from, depth);
        }
        if let Some(definitions) = self.definitions(from, depth) {
            to.insert("$defs".to_owned(), definitions);
        }
        self.merging.borrow_mut().truncate(outside);
        Value::Object(to)
    }

    /// A reference stands alone; a description beside it has to hold it at arm's length.
    fn reference(&self, to: &mut Map<String, Value>, reference: &str) {
        let reference = json!(reference.replacen("#/definitions/", "#/$defs/", 1));
        if to.is_empty() {
            to.insert("$ref".to_owned(), reference);
        } else {
            to.insert("anyOf".to_owned(), json!([{ "$ref": reference }]));
        }
    }

    fn body(&self, to: &mut Map<String, Value>, from: &Map<String, Value>, depth: usize) {
        if let Some(kind) = from.get("type") {
            to.insert("type".to_owned(), kind.clone());
        }
        if let Some(values) = from.get("enum").filter(|values| values.is_array()) {
            to.insert("enum".to_owned(), values.clone());
        } else if let Some(value) = from.get("const") {
            to.insert("enum".to_owned(), json!([value]));
        }
        if let Some(choices) = from.get("anyOf").or_else(|| from.get("oneOf")).and_then(Value::as_array) {
            let choices = choices.iter().map(|choice| self.close(choice, depth)).collect();
            to.insert("anyOf".to_owned(), Value::Array(choices));
        }
        if let Some(items) = from.get("items").filter(|items| items.is_object()) {
            to.insert("items".to_owned(), self.close(items, depth));
        } else if let Some(items) = from.get("prefixItems").and_then(Value::as_array) {
            // A tuple: what may stand at any place may stand at each.
            let items: Vec<Value> = items.iter().map(|item| self.close(item, depth)).collect();
            to.insert("items".to_owned(), json!({ "anyOf": items }));
        }
        if is_object(from) {
            self.object(to, from, depth);
        }
    }

    fn object(&self, to: &mut Map<String, Value>, from: &Map<String, Value>, depth: usize) {
        let none = Map::new();
        let declared = from.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, schema) in declared {
            let mut schema = self.close(schema, depth);
            let is_required = is_required(from, name);
            if !is_required && self.optional == Optional::Nullable {
                schema = nullable(schema);
            }
            if is_required || self.optional == Optional::Nullable {
                required.push(json!(name));
            }
            properties.insert(name.clone(), schema);
        }
        to.entry("type").or_insert_with(|| json!("object"));
        to.insert("properties".to_owned(), Value::Object(properties));
        to.insert("required".to_owned(), Value::Array(required));
        to.insert("additionalProperties".to_owned(), json!(false));
    }

    fn definitions(&self, from: &Map<String, Value>, depth: usize) -> Option<Value> {
        let mut definitions = Map::new();
        for section in ["$defs", "definitions"] {
            for (name, schema) in from.get(section).and_then(Value::as_object).into_iter().flatten() {
                definitions.insert(name.clone(), self.close(schema, depth));
            }
        }
        (!definitions.is_empty()).then_some(Value::Object(definitions))
    }

    /// One object with what all the parts ask for; a part that is a reference is looked up.
    fn merge(&self, from: &Map<String, Value>, parts: &[Value], depth: usize) -> Map<String, Value> {
        let mut merged = from.clone();
        merged.remove("allOf");
        for part in parts {
            if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
                let mut merging = self.merging.borrow_mut();
                if merging.iter().any(|known| known == reference) {
                    continue;
                }
                merging.push(reference.to_owned());
            }
            let Some(part) = resolve(self.root, part).as_object() else { continue };
            let nested;
            let part = match (part.get("allOf").and_then(Value::as_array), depth.checked_sub(1)) {
                (Some(parts), Some(depth)) => {
                    nested = self.merge(part, parts, depth);
                    &nested
                }
                _ => part,
            };
            for (keyword, value) in part {
                match (merged.get_mut(keyword), value) {
                    (Some(Value::Object(have)), Value::Object(more)) => have.extend(more.clone()),
                    (Some(Value::Array(have)), Value::Array(more)) if keyword == "required" => {
                        have.extend(more.iter().cloned());
                    }
                    (Some(_), _) => {}
                    (None, _) => {
                        merged.insert(keyword.clone(), value.clone());
                    }
                }
            }
        }
        merged.remove("allOf");
        merged
    }
}

/// The answer without the properties that are `null` only because [`close`] made them required. An answer that is not
/// JSON comes back as it is.
pub(crate) fn without_invented_nulls(text: &str, schema: &Value) -> String {
    let Ok(mut answer) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    let before = answer.clone();
    prune(&mut answer, &[schema], schema, DEPTH);
    if answer == before { text.to_owned() } else { answer.to_string() }
}

/// Prunes a value to which any of these schemas may apply.
fn prune(value: &mut Value, schemas: &[&Value], root: &Value, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let schemas = alternatives(schemas, root, depth);
    match value {
        Value::Object(properties) => {
            properties.retain(|name, value| {
                let declaring = || schemas.iter().filter(|schema| property(schema, name).is_some());
                let invented = value.is_null()
                    && declaring().next().is_some()
                    && declaring().all(|schema| {
                        let optional = schema.as_object().is_some_and(|schema| !is_required(schema, name));
                        optional && !property(schema, name).is_some_and(|schema| takes_null(schema, root, depth))
                    });
                !invented
            });
            for (name, value) in properties {
                let schemas: Vec<&Value> = schemas.iter().filter_map(|schema| property(schema, name)).collect();
                prune(value, &schemas, root, depth);
            }
        }
        Value::Array(items) => {
            let schemas: Vec<&Value> = schemas.iter().filter_map(|schema| schema.get("items")).collect();
            for item in items {
                prune(item, &schemas, root, depth);
            }
        }
        _ => {}
    }
}

/// The schemas and everything they may stand for: references followed, alternatives and parts laid open.
fn alternatives<'a>(schemas: &[&'a Value], root: &'a Value, depth: usize) -> Vec<&'a Value> {
    let mut open: Vec<(&Value, usize)> = schemas.iter().map(|schema| (*schema, depth)).collect();
    let mut all = Vec::new();
    while let Some((schema, depth)) = open.pop() {
        let schema = resolve(root, schema);
        all.push(schema);
        // Circles of alternatives end here; a schema of a sane size never comes near.
        let Some(depth) = depth.checked_sub(1).filter(|_| all.len() < 1000) else { continue };
        let more = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array());
        open.extend(more.flatten().map(|schema| (schema, depth)));
    }
    all
}

fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get("properties")?.get(name)
}

/// Whether the schema as it was written lets the value be `null`.
fn takes_null(schema: &Value, root: &Value, depth: usize) -> bool {
    let all = alternatives(&[schema], root, depth);
    let names_null = |schema: &&Value| {
        let kind = schema.get("type");
        let listed = |keyword: &str| schema.get(keyword).and_then(Value::as_array);
        kind.is_some_and(|kind| kind == "null")
            || kind.and_then(Value::as_array).is_some_and(|kinds| kinds.contains(&json!("null")))
            || listed("enum").is_some_and(|values| values.contains(&Value::Null))
            || schema.get("const").is_some_and(Value::is_null)
    };
    let says_nothing = |schema: &&Value| {
        let keywords = ["type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "properties", "items"];
        keywords.iter().all(|keyword| schema.get(keyword).is_none())
    };
    all.iter().any(|schema| names_null(schema) || says_nothing(schema))
}

/// The schema with `null` among what it allows.
fn nullable(mut schema: Value) -> Value {
    let null = Value::from("null");
    let Some(map) = schema.as_object_mut() else { return schema };
    if let Some(values) = map.get_mut("enum").and_then(Value::as_array_mut)
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if let Some(kind) = map.get_mut("type") {
        match kind {
            Value::Array(kinds) if kinds.contains(&null) => {}
            Value::Array(kinds) => kinds.push(null),
            Value::String(name) if name == "null" => {}
            other => *other = Value::Array(vec![other.take(), null]),
        }
        return schema;
    }
    let null = json!({ "type": "null" });
    if let Some(choices) = map.get_mut("anyOf").and_then(Value::as_array_mut) {
        if !choices.contains(&null) {
            choices.push(null);
        }
        return schema;
    }
    if map.contains_key("$ref") {
        return json!({ "anyOf": [schema, { "type": "null" }] });
    }
    schema
}

fn is_object(schema: &Map<String, Value>) -> bool {
    let kind = schema.get("type");
    schema.contains_key("properties")
        || kind.is_some_and(|kind| kind == "object")
        || kind.and_then(Value::as_array).is_some_and(|kinds| kinds.contains(&json!("object")))
}

fn is_required(schema: &Map<String, Value>, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|required| required == name))
}

/// The schema a reference within the document stands for, or the schema itself.
fn resolve<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    for _ in 0..DEPTH {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
        let Some(target) = target.and_then(|path| root.pointer(path)) else { return schema };
        schema = target;
    }
    schema
}

#[cfg(test)]
mod tests;
