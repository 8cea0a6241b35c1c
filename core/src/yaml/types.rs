//! The types of JSON Schema: what has them, and what they are called in a message.

use serde_json::{Map, Value as Json};

use super::path::{Path, Step};
use super::scalar;
use super::tree::Value;
use super::words::{list, literal, shorten};

/// Whether a value has a JSON Schema type; a number without a fraction is an integer, as the standard says.
pub(super) fn has_type(value: &Value, name: &str) -> bool {
    match (name, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
        }
        ("string", Value::Text(_)) | ("array", Value::Sequence(_)) | ("object", Value::Mapping(_)) => true,
        _ => false,
    }
}

/// A JSON Schema type in words.
pub(super) fn type_words(name: &str, map: &Map<String, Json>) -> String {
    match name {
        "boolean" => "true or false".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "string" => match map.get("enum").and_then(Json::as_array) {
            Some(values) => {
                let words: Vec<String> = values.iter().filter(|value| value.is_string()).map(literal).collect();
                format!("one of {}", list(words.iter().map(String::as_str)))
            }
            None => "text".to_owned(),
        },
        "array" => "a list".to_owned(),
        "object" => "a mapping".to_owned(),
        "null" => "nothing".to_owned(),
        other => other.to_owned(),
    }
}

/// `a, b or c`.
pub(super) fn alternatives(words: impl IntoIterator<Item = String>) -> String {
    let mut words: Vec<String> = words.into_iter().collect();
    words.dedup();
    match words.split_last() {
        Some((last, front)) if !front.is_empty() => format!("{} or {last}", front.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}

/// What to do about a value of another type than those that would do.
pub(super) fn type_fix(value: &Value, types: &[&str], path: &Path) -> Option<String> {
    let text = match value {
        Value::Text(text) => text.as_str(),
        Value::Null if path.steps().is_empty() => return Some("the file is empty".to_owned()),
        Value::Null => return Some("give it a value or remove the key".to_owned()),
        Value::Mapping(_) | Value::Sequence(_) => return None,
        Value::Bool(_) | Value::Number(_) if types.contains(&"string") => return Some("put it in quotes".to_owned()),
        _ if types == ["array"] => return Some("write it as a list: [a, b]".to_owned()),
        _ => return None,
    };
    if types.contains(&"boolean") && matches!(text.to_lowercase().as_str(), "yes" | "on" | "y") {
        return Some("write true".to_owned());
    }
    if types.contains(&"boolean") && matches!(text.to_lowercase().as_str(), "no" | "off" | "n") {
        return Some("write false".to_owned());
    }
    let scalar = types.iter().any(|name| matches!(*name, "integer" | "number" | "boolean"));
    if scalar && scalar::plain(text).is_ok_and(|plain| types.iter().any(|name| has_type(&plain, name))) {
        return Some("remove the quotes".to_owned());
    }
    if types == ["array"] {
        return Some("write it as a list, with `-` before each entry or in [ ]".to_owned());
    }
    let key = match path.last() {
        Some(Step::Key(key)) => key.as_str(),
        _ => return None,
    };
    (types == ["object"]).then(|| format!("write its keys on indented lines below `{}:`", shorten(key)))
}

/// The range of an integer format `schemars` names.
pub(super) fn integer_bounds(format: &str) -> Option<(f64, f64)> {
    Some(match format {
        "uint8" => (0.0, f64::from(u8::MAX)),
        "uint16" => (0.0, f64::from(u16::MAX)),
        "uint32" => (0.0, f64::from(u32::MAX)),
        "uint64" | "uint" => (0.0, u64::MAX as f64),
        "int8" => (f64::from(i8::MIN), f64::from(i8::MAX)),
        "int16" => (f64::from(i16::MIN), f64::from(i16::MAX)),
        "int32" => (f64::from(i32::MIN), f64::from(i32::MAX)),
        "int64" | "int" => (i64::MIN as f64, i64::MAX as f64),
        _ => return None,
    })
}
