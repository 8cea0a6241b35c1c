//! Turns the schemas of OpenAPI 3.0 into JSON Schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Keywords whose value is one schema.
const ONE: [&str; 2] = ["items", "not"];
/// Keywords whose value is a list of schemas.
const LIST: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose value is kept as it is. What only describes is left out.
const KEPT: [&str; 13] = [
    "type",
    "format",
    "pattern",
    "enum",
    "required",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "$ref",
];

/// The same schema in the words of JSON Schema: `nullable` becomes a type, descriptions and examples go.
pub(super) fn convert(schema: &Value) -> Value {
    let Some(given) = schema.as_object() else { return schema.clone() };
    let mut made = Map::new();
    for (key, value) in given {
        let key = key.as_str();
        if KEPT.contains(&key) {
            made.insert(key.to_owned(), value.clone());
        } else if ONE.contains(&key) || key == "additionalProperties" {
            made.insert(key.to_owned(), convert(value));
        } else if LIST.contains(&key) {
            made.insert(key.to_owned(), value.as_array().into_iter().flatten().map(convert).collect());
        } else if key == "properties" {
            let properties =
                value.as_object().into_iter().flatten().map(|(name, inner)| (name.clone(), convert(inner)));
            made.insert(key.to_owned(), Value::Object(properties.collect()));
        }
    }
    if given.get("nullable") == Some(&Value::Bool(true)) { nullable(made) } else { Value::Object(made) }
}

fn nullable(mut schema: Map<String, Value>) -> Value {
    if let Some(Value::String(kind)) = schema.get("type") {
        schema.insert("type".to_owned(), json!([kind, "null"]));
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.push(Value::Null);
        }
        return Value::Object(schema);
    }
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// The names of the components a schema names, itself included only when it does.
pub(super) fn references(schema: &Value, into: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|text| text.rsplit('/').next()) {
                into.insert(name.to_owned());
            }
            map.values().for_each(|value| references(value, into));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

/// Every component that can be reached from a schema.
fn reachable(schema: &Value, components: &Value) -> Map<String, Value> {
    let mut open = BTreeSet::new();
    references(schema, &mut open);
    let mut found = Map::new();
    while let Some(name) = open.pop_first() {
        if found.contains_key(&name) {
            continue;
        }
        let component = components[&name].clone();
        references(&component, &mut open);
        found.insert(name, component);
    }
    found
}

/// A schema that stands alone: with the components it names where its references look for them.
pub(super) fn with_components(schema: &Value, components: &Value) -> Value {
    json!({ "allOf": [schema], "components": { "schemas": reachable(schema, components) } })
}

/// Forbids fields that are not described, so that a misspelt one is noticed.
pub(super) fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let described = map.get("properties").is_some_and(Value::is_object) && map.get("type").is_some();
            if described && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}
