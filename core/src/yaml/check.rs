//! A document held against a JSON Schema: every mistake, in words for the person who wrote the file.
//!
//! This is a walk of our own over the part of JSON Schema (2020-12) that `schemars` writes, rather than a general
//! validator, because the message needs what a validator's verdict no longer has: which keys were allowed, which
//! variant was meant, whether the value may be shown. A keyword it does not know is reported, never passed over,
//! and a property test holds its verdicts against those of the `jsonschema` crate.

use serde_json::{Map, Value as Json};

use super::diagnostic::{Diagnostic, Excerpt, SecretSpan};
use super::forms;
use super::path::{Path, Step};
use super::tree::{Document, Entry, Found, Node, Value};
use super::types::{alternatives, has_type, integer_bounds, type_fix, type_words};
use super::words::{count, found, found_kind, list, literal, nearest, shorten};

impl Document {
    /// Every way in which the document does not fit a schema, in the order of the file.
    ///
    /// A schema may carry two annotations for it: `writeOnly: true` marks a secret, whose value is then never shown;
    /// `x-fix` is a text that says what to do about a value that does not fit.
    pub fn check(&self, schema: &Json) -> Vec<Diagnostic> {
        let mut walk = Walk::new(self, schema, holds_secret(schema));
        walk.visit(schema, Found { node: &self.root, entry: None }, &mut Path::default());
        let (mut found, secrets) = (walk.found, walk.secret_spans);
        for diagnostic in &mut found {
            diagnostic.hide_excerpt_beside(&secrets);
        }
        found.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        found
    }
}

/// A walk over document and schema together. Cheap to make, so that a form of `anyOf` is tried with one of its own.
pub(super) struct Walk<'a> {
    pub(super) document: &'a Document,
    schema: &'a Json,
    /// True when the schema knows secrets: then no line is shown that may hold one.
    secrets: bool,
    pub(super) found: Vec<Diagnostic>,
    /// Where secrets stand, and values of unknown keys, which may be secrets under a mistyped name.
    secret_spans: Vec<SecretSpan>,
}

/// Keywords that say nothing about whether a value fits.
const ANNOTATIONS: &[&str] = &[
    "$schema",
    "$id",
    "$defs",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "x-fix",
];
/// Keywords the walk acts on.
const KEYWORDS: &[&str] = &[
    "$ref",
    "type",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "required",
    "additionalProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "allOf",
    "anyOf",
    "oneOf",
];

impl<'a> Walk<'a> {
    fn new(document: &'a Document, schema: &'a Json, secrets: bool) -> Self {
        Self { document, schema, secrets, found: Vec::new(), secret_spans: Vec::new() }
    }

    /// The mistakes a node has under one form of an `anyOf`.
    pub(super) fn trial(&mut self, schema: &'a Json, at: Found<'a>, path: &mut Path) -> Vec<Diagnostic> {
        let mut walk = Walk::new(self.document, self.schema, self.secrets);
        walk.visit(schema, at, path);
        self.secret_spans.append(&mut walk.secret_spans);
        walk.found
    }

    /// A schema with its references followed.
    pub(super) fn resolve(&self, mut schema: &'a Json) -> &'a Json {
        // A reference that only leads to itself is left alone after a few rounds.
        for _ in 0..16 {
            let target = schema.get("$ref").and_then(Json::as_str).and_then(|name| name.strip_prefix('#'));
            match target.and_then(|pointer| self.schema.pointer(pointer)) {
                Some(next) if schema.as_object().is_some_and(says_no_more) => schema = next,
                _ => break,
            }
        }
        schema
    }

    pub(super) fn visit(&mut self, schema: &'a Json, at: Found<'a>, path: &mut Path) {
        let schema = self.resolve(schema);
        let map = match schema {
            Json::Bool(true) => return,
            Json::Object(map) => map,
            _ => {
                return self.report(
                    at,
                    path,
                    schema,
                    "nothing is allowed here".to_owned(),
                    Some("remove it".to_owned()),
                );
            }
        };
        if is_secret(schema) {
            self.secret_spans.push(SecretSpan::of(at.node, self.document));
        }
        self.refuse_unknown_keywords(map, at, path);
        if let Some(target) = map.get("$ref").and_then(Json::as_str) {
            match target.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer)) {
                Some(target) => self.visit(target, at, path),
                None => self.report(at, path, schema, format!("the schema has no `{target}`"), None),
            }
        }
        if !self.type_fits(schema, map, at, path) || !self.choice_fits(schema, map, at, path) {
            return;
        }
        match &at.node.value {
            Value::Number(number) => self.number(schema, map, number, at, path),
            Value::Text(text) => self.text(schema, map, text, at, path),
            Value::Sequence(items) => self.sequence(schema, map, items, at, path),
            Value::Mapping(entries) => self.mapping(schema, map, entries, at, path),
            Value::Null | Value::Bool(_) => {}
        }
        for part in map.get("allOf").and_then(Json::as_array).into_iter().flatten() {
            self.visit(part, at, path);
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(forms) = map.get(keyword).and_then(Json::as_array) {
                forms::visit(self, schema, forms, keyword == "oneOf", at, path);
            }
        }
    }

    fn refuse_unknown_keywords(&mut self, map: &Map<String, Json>, at: Found<'a>, path: &Path) {
        for keyword in map.keys().filter(|keyword| !keyword.starts_with("x-")) {
            if !ANNOTATIONS.contains(&keyword.as_str()) && !KEYWORDS.contains(&keyword.as_str()) {
                let message = format!("the schema uses `{keyword}`, which is not checked");
                self.report(at, path, &Json::Null, message, Some("report this: it is a mistake in the program".into()));
            }
        }
    }

    fn type_fits(&mut self, schema: &'a Json, map: &Map<String, Json>, at: Found<'a>, path: &Path) -> bool {
        let Some(types) = map.get("type") else { return true };
        let types: Vec<&str> = match types {
            Json::Array(types) => types.iter().filter_map(Json::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        let value = &at.node.value;
        if types.iter().any(|name| has_type(value, name)) {
            return true;
        }
        let expected = alternatives(types.iter().filter(|name| **name != "null").map(|name| type_words(name, map)));
        self.wrong_type(schema, &expected, &types, at, path);
        false
    }

    /// Reports that something else was expected. `types` are the JSON types that would do.
    pub(super) fn wrong_type(&mut self, schema: &Json, expected: &str, types: &[&str], at: Found<'a>, path: &Path) {
        let value = &at.node.value;
        let scalar = types.iter().any(|name| !matches!(*name, "object" | "array"));
        let shown = if scalar && !is_secret(schema) { found(value) } else { found_kind(value).to_owned() };
        let fix = fix_of(schema).or_else(|| type_fix(value, types, path)).or_else(|| Some(example(expected, schema)));
        self.report(at, path, schema, format!("expected {expected}, found {shown}"), fix);
    }

    fn choice_fits(&mut self, schema: &'a Json, map: &Map<String, Json>, at: Found<'a>, path: &Path) -> bool {
        let allowed: Vec<&Json> = match (map.get("enum").and_then(Json::as_array), map.get("const")) {
            (Some(values), _) => values.iter().collect(),
            (None, Some(value)) => vec![value],
            (None, None) => return true,
        };
        let value = at.node.to_json();
        if allowed.iter().any(|candidate| same(candidate, &value)) {
            return true;
        }
        self.not_a_choice(schema, &allowed, at, path);
        false
    }

    /// Reports a value that is not one of those allowed.
    pub(super) fn not_a_choice(&mut self, schema: &Json, allowed: &[&Json], at: Found<'a>, path: &Path) {
        let words: Vec<String> = allowed.iter().filter(|value| !value.is_null()).map(|value| literal(value)).collect();
        let choice = list(words.iter().map(String::as_str));
        let shown = if is_secret(schema) { found_kind(&at.node.value).to_owned() } else { found(&at.node.value) };
        let expected = if words.len() == 1 { choice } else { format!("one of {choice}") };
        let fix = at.node.text().and_then(|text| nearest(text, words.iter().map(String::as_str)));
        let fix = fix_of(schema)
            .or_else(|| fix.map(|word| format!("did you mean `{word}`?")))
            .or_else(|| default_of(schema))
            .or_else(|| Some("write one of these".to_owned()));
        self.report(at, path, schema, format!("expected {expected}, found {shown}"), fix);
    }

    fn number(
        &mut self,
        schema: &'a Json,
        map: &Map<String, Json>,
        value: &serde_json::Number,
        at: Found<'a>,
        path: &Path,
    ) {
        let Some(float) = value.as_f64() else { return };
        let format = map.get("format").and_then(Json::as_str);
        let bounds = format.and_then(integer_bounds);
        let bound = |keyword: &str| map.get(keyword).and_then(Json::as_f64);
        let low = bound("minimum").into_iter().chain(bounds.map(|bounds| bounds.0)).reduce(f64::max);
        let high = bound("maximum").into_iter().chain(bounds.map(|bounds| bounds.1)).reduce(f64::min);
        let (above, below) = (bound("exclusiveMinimum"), bound("exclusiveMaximum"));
        let fits = low.is_none_or(|low| float >= low)
            && high.is_none_or(|high| float <= high)
            && above.is_none_or(|above| float > above)
            && below.is_none_or(|below| float < below);
        if !fits {
            let range = match (low, high, above, below) {
                (Some(low), Some(high), None, None) => format!("from {low} to {high}"),
                _ => {
                    let mut limits = Vec::new();
                    limits.extend(low.map(|low| format!("at least {low}")));
                    limits.extend(above.map(|above| format!("more than {above}")));
                    limits.extend(high.map(|high| format!("at most {high}")));
                    limits.extend(below.map(|below| format!("less than {below}")));
                    limits.join(" and ")
                }
            };
            let shown = if is_secret(schema) { "the number".to_owned() } else { value.to_string() };
            let message = format!("{shown} is out of range: it must be {range}");
            self.report(at, path, schema, message, fix_of(schema).or_else(|| default_of(schema)));
        }
    }

    fn text(&mut self, schema: &'a Json, map: &Map<String, Json>, text: &str, at: Found<'a>, path: &Path) {
        let length = text.chars().count() as u64;
        let limit = |keyword: &str| map.get(keyword).and_then(Json::as_u64);
        if let Some(least) = limit("minLength").filter(|least| length < *least) {
            let message = if length == 0 {
                "the text is empty".to_owned()
            } else {
                format!("the text has {}, fewer than {least}", count(length, "character", "characters"))
            };
            let fix = fix_of(schema).unwrap_or_else(|| "give it a value or remove the key".to_owned());
            self.report(at, path, schema, message, Some(fix));
        }
        if let Some(most) = limit("maxLength").filter(|most| length > *most) {
            let message = format!("the text has {length} characters, more than {most}");
            self.report(at, path, schema, message, fix_of(schema).or_else(|| Some("shorten it".to_owned())));
        }
        if map.get("format").and_then(Json::as_str) == Some("ip") && text.parse::<std::net::IpAddr>().is_err() {
            let shown = if is_secret(schema) { "the value".to_owned() } else { format!("`{}`", shorten(text)) };
            let message = format!("{shown} is not an IP address");
            self.report(at, path, schema, message, fix_of(schema).or_else(|| default_of(schema)));
        }
        let Some(pattern) = map.get("pattern").and_then(Json::as_str) else { return };
        match regex_lite::Regex::new(pattern) {
            Ok(regex) if regex.is_match(text) => {}
            Ok(_) => {
                let shown = if is_secret(schema) { "the value".to_owned() } else { format!("`{}`", shorten(text)) };
                let fix = fix_of(schema).unwrap_or_else(|| format!("it must match {pattern}"));
                self.report(at, path, schema, format!("{shown} does not have the expected form"), Some(fix));
            }
            Err(_) => self.report(at, path, schema, format!("the schema's pattern {pattern} can't be read"), None),
        }
    }

    fn sequence(
        &mut self,
        schema: &'a Json,
        map: &'a Map<String, Json>,
        items: &'a [Node],
        at: Found<'a>,
        path: &mut Path,
    ) {
        let length = items.len() as u64;
        let limit = |keyword: &str| map.get(keyword).and_then(Json::as_u64);
        if let Some(least) = limit("minItems").filter(|least| length < *least) {
            let message = format!("the list has {}, fewer than {least}", count(length, "entry", "entries"));
            self.report(at, path, schema, message, fix_of(schema));
        }
        if let Some(most) = limit("maxItems").filter(|most| length > *most) {
            let message = format!("the list has {}, more than {most}", count(length, "entry", "entries"));
            self.report(at, path, schema, message, fix_of(schema));
        }
        if map.get("uniqueItems").and_then(Json::as_bool) == Some(true) {
            self.unique(schema, items, path);
        }
        let Some(item_schema) = map.get("items") else { return };
        for node in items {
            path.push(Step::Index(node.index));
            self.visit(item_schema, Found { node, entry: None }, path);
            path.pop();
        }
    }

    fn unique(&mut self, schema: &Json, items: &'a [Node], path: &mut Path) {
        let mut seen = std::collections::HashMap::new();
        for node in items {
            if let Some(line) = seen.insert(node.to_json().to_string(), node.place().line) {
                path.push(Step::Index(node.index));
                let message = format!("the entry is already in the list, on line {line}");
                self.report(Found { node, entry: None }, path, schema, message, Some("remove one of them".to_owned()));
                path.pop();
            }
        }
    }

    fn mapping(
        &mut self,
        schema: &'a Json,
        map: &'a Map<String, Json>,
        entries: &'a [Entry],
        at: Found<'a>,
        path: &mut Path,
    ) {
        static NO_PROPERTIES: std::sync::LazyLock<Map<String, Json>> = std::sync::LazyLock::new(Map::new);
        let properties = map.get("properties").and_then(Json::as_object).unwrap_or(&NO_PROPERTIES);
        for entry in entries {
            path.push(Step::Key(entry.key.clone()));
            let inner = Found { node: &entry.node, entry: Some(entry) };
            match (properties.get(&entry.key), map.get("additionalProperties")) {
                (Some(schema), _) => self.visit(schema, inner, path),
                (None, Some(Json::Bool(false))) => self.unknown_key(entry, properties, path),
                (None, Some(schema)) => self.visit(schema, inner, path),
                (None, None) => {}
            }
            if let Some(names) = map.get("propertyNames") {
                self.key_name(names, entry, path);
            }
            path.pop();
        }
        for key in map.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
            if !entries.iter().any(|entry| entry.key == key) {
                let fix = properties.get(key).and_then(|schema| fix_of(self.resolve(schema)));
                let fix = fix.unwrap_or_else(|| format!("add `{key}:`"));
                self.report(at, path, &Json::Null, format!("the key `{key}` is missing"), Some(fix));
            }
        }
        let size = entries.len() as u64;
        if let Some(least) = map.get("minProperties").and_then(Json::as_u64).filter(|least| size < *least) {
            let message = format!("the mapping has {}, fewer than {least}", count(size, "key", "keys"));
            self.report(at, path, schema, message, fix_of(schema));
        }
        if let Some(most) = map.get("maxProperties").and_then(Json::as_u64).filter(|most| size > *most) {
            let message = format!("the mapping has {}, more than {most}", count(size, "key", "keys"));
            self.report(at, path, schema, message, fix_of(schema));
        }
    }

    fn key_name(&mut self, names: &'a Json, entry: &'a Entry, path: &mut Path) {
        let node = Node { value: Value::Text(entry.key.clone()), ..Node::nothing(entry.key_span.clone()) };
        let mut walk = Walk::new(self.document, self.schema, self.secrets);
        walk.visit(names, Found { node: &node, entry: None }, path);
        self.found.append(&mut walk.found);
    }

    fn unknown_key(&mut self, entry: &Entry, properties: &Map<String, Json>, path: &Path) {
        let known = || properties.keys().map(String::as_str);
        let fix = match nearest(&entry.key, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if properties.is_empty() => "remove it: no key is allowed here".to_owned(),
            None => format!("allowed here: {}", list(known())),
        };
        let excerpt = if self.secrets { Excerpt::UpToEnd } else { Excerpt::Line };
        if self.secrets {
            self.secret_spans.push(SecretSpan::of(&entry.node, self.document));
        }
        let diagnostic = self
            .document
            .mistake_in_key(path, format!("unknown key `{}`", shorten(&entry.key)))
            .fix(fix)
            .showing(excerpt);
        self.found.push(diagnostic);
    }

    pub(super) fn report(&mut self, at: Found<'a>, path: &Path, schema: &Json, message: String, fix: Option<String>) {
        let mut diagnostic =
            Diagnostic::new(&self.document.source, path.to_string(), message).spanning(at.span(), &self.document.text);
        diagnostic.fix = fix;
        let instead = self.secrets && !matches!(at.node.value, Value::Sequence(_) | Value::Mapping(_));
        if is_secret(schema) || (instead && self.expects_collection(schema)) {
            // A secret where a mapping with secrets belongs is one of the likelier mistakes.
            diagnostic = diagnostic.showing(Excerpt::Hidden);
            self.secret_spans.push(SecretSpan::of(at.node, self.document));
        }
        self.found.push(diagnostic);
    }

    fn expects_collection(&self, schema: &Json) -> bool {
        let collection = |value: &Json| matches!(value.as_str(), Some("object" | "array"));
        let typed = match schema.get("type") {
            Some(Json::Array(types)) => types.iter().any(collection),
            Some(one) => collection(one),
            None => false,
        };
        let forms = |keyword| schema.get(keyword).and_then(Json::as_array).into_iter().flatten();
        // A reference is followed no further here: what it leads to may well be a mapping.
        typed
            || forms("anyOf")
                .chain(forms("oneOf"))
                .any(|form| form.get("$ref").is_some() || self.expects_collection(form))
    }
}

fn same(a: &Json, b: &Json) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn fix_of(schema: &Json) -> Option<String> {
    schema.get("x-fix").and_then(Json::as_str).map(str::to_owned)
}

/// What to write instead, with the default as an example.
fn example(expected: &str, schema: &Json) -> String {
    match schema.get("default") {
        Some(default @ Json::Number(_)) => format!("write {expected} such as {default}"),
        _ if expected == "a mapping" => "write keys and values, one `key: value` per line".to_owned(),
        _ => format!("write {expected}"),
    }
}

fn default_of(schema: &Json) -> Option<String> {
    match schema.get("default") {
        Some(Json::String(text)) if !is_secret(schema) => Some(format!("the default is `{}`", shorten(text))),
        Some(default @ (Json::Bool(_) | Json::Number(_))) => Some(format!("the default is {default}")),
        _ => None,
    }
}

/// Whether a value must not be shown: the schema, or one of its forms, is marked as a secret.
fn is_secret(schema: &Json) -> bool {
    let marked = |schema: &Json| schema.get("writeOnly").and_then(Json::as_bool) == Some(true);
    let forms = |keyword| schema.get(keyword).and_then(Json::as_array).into_iter().flatten();
    marked(schema) || forms("anyOf").chain(forms("oneOf")).any(marked)
}

/// Whether a schema with a reference says nothing else that matters here.
fn says_no_more(schema: &Map<String, Json>) -> bool {
    let matters = |key: &String| matches!(key.as_str(), "writeOnly" | "x-fix" | "default");
    schema.keys().all(|key| key == "$ref" || (ANNOTATIONS.contains(&key.as_str()) && !matters(key)))
}

fn holds_secret(schema: &Json) -> bool {
    match schema {
        Json::Object(map) => is_secret(schema) || map.values().any(holds_secret),
        Json::Array(values) => values.iter().any(holds_secret),
        _ => false,
    }
}
