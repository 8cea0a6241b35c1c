//! Properties: no text makes the reader panic, and its verdicts are those of a general JSON Schema validator.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        exercise(&bytes);
    }

    #[test]
    fn no_yaml_like_text_makes_it_panic(text in "([a-c]: |- |\\[|\\]|\\{|\\}|, |\\n|  |\\t|'|\"|\\\\u00|\\|\n|>-\n|&a |\\*a|!t |#|\\? |---\n|é|\u{feff}|1|x|\r\n){0,60}") {
        exercise(text.as_bytes());
    }

    #[test]
    fn verdicts_agree_with_a_general_validator(value in value(), schema in schema()) {
        let text = serde_json::to_string(&value).unwrap();
        let document = Document::parse("x.yaml", &text).unwrap();
        prop_assert_eq!(document.root().to_json(), value.clone());
        let ours = document.check(&schema);
        let theirs = jsonschema::validator_for(&schema).unwrap().is_valid(&value);
        prop_assert_eq!(ours.is_empty(), theirs, "{:?}", ours);
    }
}

fn exercise(bytes: &[u8]) {
    match Document::parse("x.yaml", bytes) {
        Err(found) => {
            assert!(!found.is_empty());
            assert!(found.iter().all(|mistake| mistake.line > 0 && mistake.column > 0));
            render(&found, |_| std::str::from_utf8(bytes).ok());
        }
        Ok(document) => {
            let found = document.check(&json!({ "type": "object", "properties": { "a": { "type": "integer" } }, "additionalProperties": false }));
            render(&found, |_| std::str::from_utf8(bytes).ok());
            for path in ["", "a", "a[0]", "a.b"] {
                for offset in [0, 1, 3, 100] {
                    let place = document.at_offset(path, offset);
                    assert!(place.line > 0 && place.column > 0);
                }
            }
            document.lenient::<std::collections::BTreeMap<String, Vec<u8>>>();
        }
    }
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-3i64..12).prop_map(Json::from),
        (-3i64..12).prop_map(|n| Json::from(n as f64 / 2.0)),
        "[a-c]{0,3}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map("[a-c]", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn schema() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!({ "type": "null" })),
        Just(json!({ "type": ["string", "null"] })),
        Just(json!({ "type": "boolean" })),
        Just(json!({ "type": "number", "exclusiveMinimum": 1, "maximum": 4 })),
        Just(json!({ "type": "integer", "minimum": 2, "exclusiveMaximum": 9 })),
        Just(json!({ "type": "string", "minLength": 1, "maxLength": 2, "pattern": "^[ab]" })),
        Just(json!({ "enum": ["a", 1, null] })),
        Just(json!({ "type": "string", "const": "b" })),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let forms = proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            forms.clone().prop_map(|forms| json!({ "anyOf": forms })),
            forms.clone().prop_map(|forms| json!({ "oneOf": forms })),
            forms.prop_map(|forms| json!({ "allOf": forms })),
            (inner.clone(), any::<bool>()).prop_map(|(items, unique)| {
                json!({ "type": "array", "items": items, "minItems": 1, "maxItems": 3, "uniqueItems": unique })
            }),
            (inner.clone(), inner.clone(), any::<bool>()).prop_map(|(a, more, closed)| json!({
                "type": "object",
                "properties": { "a": a },
                "required": ["a"],
                "additionalProperties": if closed { json!(false) } else { more },
                "maxProperties": 2,
                "propertyNames": { "enum": ["a", "b"] },
            })),
        ]
    })
}
