//! The settings' JSON Schema, and what is made of it.

use autopr_core::secrets::AWS;
use serde_json::{Map, Value as Json};

use super::Settings;

/// The schema of the settings as they are when all secrets are in their places.
pub(super) fn of_settings() -> Json {
    schemars::schema_for!(Settings).to_value()
}

/// A schema by which no value is ever shown in a mistake: for those that come out of secrets.
pub(super) fn hiding(schema: Json) -> Json {
    each(schema, &|map| {
        if !map.contains_key("$ref") {
            map.insert("writeOnly".to_owned(), Json::Bool(true));
        }
    })
}

/// A schema by which an address that has a form may also be a secret's name: for editors.
pub(super) fn naming_secrets(schema: Json) -> Json {
    each(schema, &|map| {
        let secret = map.get("writeOnly").and_then(Json::as_bool) == Some(true);
        if let Some(Json::String(pattern)) = map.get_mut("pattern").filter(|_| secret) {
            *pattern = format!("{pattern}|^{AWS}.");
        }
    })
}

/// Changes a schema and all schemas in it.
fn each(mut schema: Json, change: &impl Fn(&mut Map<String, Json>)) -> Json {
    let Some(map) = schema.as_object_mut() else { return schema };
    for keyword in ["properties", "$defs"] {
        let inner = map.get_mut(keyword).and_then(Json::as_object_mut);
        inner.into_iter().flat_map(|inner| inner.values_mut()).for_each(|inner| *inner = each(inner.take(), change));
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let inner = map.get_mut(keyword).and_then(Json::as_array_mut);
        inner.into_iter().flatten().for_each(|inner| *inner = each(inner.take(), change));
    }
    for keyword in ["items", "additionalProperties"] {
        map.get_mut(keyword).into_iter().for_each(|inner| *inner = each(inner.take(), change));
    }
    change(map);
    schema
}
