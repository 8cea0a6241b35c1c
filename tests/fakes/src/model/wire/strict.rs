//! What vendors demand of a schema they hold a model to.

use serde_json::Value;

use crate::model::request::Refusal;

/// Keywords OpenAI documents for structured outputs that are not about limits of values.
const KNOWN: [&str; 11] = [
    "type",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "$ref",
    "$defs",
];

/// Requires a schema whose objects are all closed and which uses only what every vendor knows; OpenAI and Mistral also
/// want every property required.
pub(crate) fn check(schema: &Value, all_required: bool) -> Result<(), Refusal> {
    if schema.get("type").is_none_or(|kind| kind != "object") {
        return Err(Refusal::violation("the schema's root must be an object"));
    }
    walk(schema, all_required, "#").map_err(Refusal::violation)
}

fn walk(schema: &Value, all_required: bool, at: &str) -> Result<(), String> {
    let Some(map) = schema.as_object() else { return Err(format!("the schema at {at} is not an object")) };
    if let Some(keyword) = map.keys().find(|keyword| !KNOWN.contains(&keyword.as_str())) {
        return Err(format!("the keyword {keyword} at {at} is not permitted"));
    }
    if map.contains_key("$ref") && map.len() > 1 && at != "#" {
        return Err(format!("the $ref at {at} has neighbours"));
    }
    let is_object = map.get("type").is_some_and(|kind| {
        kind == "object" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "object"))
    });
    if is_object || map.contains_key("properties") {
        if map.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Err(format!("additionalProperties at {at} must be false"));
        }
        let required = map.get("required").and_then(Value::as_array).ok_or(format!("required is missing at {at}"))?;
        let names = map.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name);
        if let Some(name) =
            names.clone().find(|name| all_required && !required.iter().any(|have| have == name.as_str()))
        {
            return Err(format!("the property {name} at {at} is not required"));
        }
        if let Some(name) = required.iter().find(|have| !names.clone().any(|name| *have == name.as_str())) {
            return Err(format!("{name} is required at {at} but is no property"));
        }
    }
    for section in ["properties", "$defs"] {
        for (name, schema) in map.get(section).and_then(Value::as_object).into_iter().flatten() {
            walk(schema, all_required, &format!("{at}/{section}/{name}"))?;
        }
    }
    for (place, schema) in map.get("anyOf").and_then(Value::as_array).into_iter().flatten().enumerate() {
        walk(schema, all_required, &format!("{at}/anyOf/{place}"))?;
    }
    map.get("items").map_or(Ok(()), |items| walk(items, all_required, &format!("{at}/items")))
}
