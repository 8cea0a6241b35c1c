//! The part of JSON Schema that vendors understand: whatever schema comes in, every object that goes out is closed, and
//! doing it twice changes nothing.

use super::{Optional, close};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Schemas such as schemars makes of Rust types: structures, options, lists, maps, enums with and without content,
/// tuples, references (also in circles), and the limits it adds.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({ "type": "string" })),
        Just(json!({ "type": "integer", "format": "uint32", "minimum": 0 })),
        Just(json!({ "type": ["string", "null"], "default": null })),
        Just(json!({ "enum": ["a", "b"], "type": "string" })),
        Just(json!({ "const": "only", "description": "the one" })),
        Just(json!({ "$ref": "#/$defs/A" })),
        Just(json!({ "$ref": "#/$defs/B", "description": "a neighbour" })),
        Just(json!({ "type": "null" })),
        Just(json!({ "type": "object", "additionalProperties": { "type": "string" } })),
        Just(json!(true)),
    ];
    let nested = leaf.prop_recursive(4, 48, 4, |inner| {
        let properties = prop::collection::btree_map("[a-z]{1,6}", (inner.clone(), any::<bool>()), 0..4);
        prop_oneof![
            properties.prop_map(object),
            inner.clone().prop_map(|items| json!({ "type": "array", "items": items, "maxItems": 3 })),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|choices| json!({ "anyOf": choices })),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|choices| json!({ "oneOf": choices, "title": "T" })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| json!({ "allOf": parts })),
            prop::collection::vec(inner, 1..3).prop_map(|items| json!({ "type": "array", "prefixItems": items })),
        ]
    });
    let properties = prop::collection::btree_map("[a-z]{1,6}", (nested.clone(), any::<bool>()), 0..4);
    (properties, nested.clone(), nested).prop_map(|(properties, a, b)| {
        let mut root = object(properties);
        root["$defs"] = json!({ "A": a, "B": b });
        root
    })
}

fn object(properties: std::collections::BTreeMap<String, (Value, bool)>) -> Value {
    let required: Vec<&String> =
        properties.iter().filter_map(|(name, (_, required))| required.then_some(name)).collect();
    let required = json!(required);
    let properties: Map<String, Value> = properties.into_iter().map(|(name, (schema, _))| (name, schema)).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// Every schema within, with what leads there.
fn visit(schema: &Value, at: &str, check: &mut dyn FnMut(&Map<String, Value>, &str)) {
    let Some(map) = schema.as_object() else { panic!("{at} is {schema}") };
    check(map, at);
    for section in ["properties", "$defs"] {
        for (name, schema) in map.get(section).and_then(Value::as_object).into_iter().flatten() {
            visit(schema, &format!("{at}/{section}/{name}"), check);
        }
    }
    for schema in map.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        visit(schema, &format!("{at}/anyOf"), check);
    }
    if let Some(items) = map.get("items") {
        visit(items, &format!("{at}/items"), check);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn all_objects_are_closed_and_twice_is_once(schema in schemas()) {
        for optional in [Optional::Kept, Optional::Nullable] {
            let closed = close(&schema, optional);
            prop_assert_eq!(&close(&closed, optional), &closed, "twice is not once");
            visit(&closed, "#", &mut |schema, at| {
                let known = [
                    "type", "description", "properties", "required", "additionalProperties", "items", "enum", "anyOf",
                    "$ref", "$defs",
                ];
                assert!(schema.keys().all(|keyword| known.contains(&keyword.as_str())), "{at}: {schema:?}");
                let object = schema.get("type").is_some_and(|kind| kind.to_string().contains("\"object\""));
                if object || schema.contains_key("properties") {
                    assert_eq!(schema.get("additionalProperties"), Some(&json!(false)), "{at}");
                    let properties = schema["properties"].as_object().expect("properties");
                    let required = schema["required"].as_array().expect("required");
                    if optional == Optional::Nullable {
                        assert_eq!(properties.len(), required.len(), "{at}: {schema:?}");
                    }
                }
            });
        }
    }
}

#[test]
fn optional_properties_may_be_null_or_stay_away() {
    let schema = json!({
        "type": "object",
        "properties": {
            "kept": { "type": "string", "pattern": "^x" },
            "number": { "type": ["integer", "null"], "format": "uint64", "minimum": 0.0 },
            "word": { "enum": ["a"], "type": "string" },
            "other": { "$ref": "#/definitions/Other" },
            "choice": { "oneOf": [{ "type": "string" }, { "type": "boolean" }] },
        },
        "required": ["kept"],
        "definitions": { "Other": { "type": "object", "properties": {}, "title": "Other" } },
    });
    let other = json!({ "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    assert_eq!(
        close(&schema, Optional::Nullable),
        json!({
            "type": "object",
            "properties": {
                "kept": { "type": "string" },
                "number": { "type": ["integer", "null"] },
                "word": { "enum": ["a", null], "type": ["string", "null"] },
                "other": { "anyOf": [{ "$ref": "#/$defs/Other" }, { "type": "null" }] },
                "choice": { "anyOf": [{ "type": "string" }, { "type": "boolean" }, { "type": "null" }] },
            },
            "required": required(&schema),
            "additionalProperties": false,
            "$defs": { "Other": other },
        })
    );
    assert_eq!(close(&schema, Optional::Kept)["required"], json!(["kept"]));
    assert_eq!(close(&schema, Optional::Kept)["properties"]["word"], json!({ "enum": ["a"], "type": "string" }));
}

/// All names, in the order the map has them.
fn required(schema: &Value) -> Vec<String> {
    schema["properties"].as_object().expect("properties").keys().cloned().collect()
}
