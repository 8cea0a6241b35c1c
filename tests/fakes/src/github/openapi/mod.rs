//! Checks requests, answers and webhook payloads against GitHub's own OpenAPI description.
//!
//! The description is 13 MB, so it is cut to the operations this fake routes and the cut is kept in the temporary
//! folder; each operation is compiled when it is first used.

mod cut;
mod schema;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Value, json};

use crate::packages;

/// GitHub's description, cut to what the fake routes.
pub(crate) struct Description {
    document: Value,
    compiled: Mutex<HashMap<String, Option<Arc<Validator>>>>,
}

/// A way in which something differs from the description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What differs and where; never a value.
    pub(crate) text: String,
    /// True where GitHub itself takes the request all the same, because it ignores fields it does not know.
    pub(crate) tolerated: bool,
}

impl Description {
    /// The description, loaded once per process. The error says what to run.
    pub(crate) fn load() -> Result<&'static Self, String> {
        static LOADED: OnceLock<Result<Description, String>> = OnceLock::new();
        LOADED
            .get_or_init(|| {
                let file = packages::folder().join("@octokit/openapi/generated/api.github.com.json");
                let document = cut::load(&file).map_err(|why| {
                    format!(
                        "GitHub's OpenAPI description could not be read from {}: {why}; run scripts/test, which \
                         installs it, or set {} to the node_modules folder that has it",
                        file.display(),
                        packages::VARIABLE
                    )
                })?;
                Ok(Self { document, compiled: Mutex::default() })
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    /// What is wrong with the path parameters, the query and the body of a request.
    pub(crate) fn request(
        &self,
        operation: &str,
        path: &[(String, String)],
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Vec<Difference> {
        let Some(described) = self.document["operations"].get(operation) else {
            return vec![refused(format!("{operation} is not an operation of GitHub's API"))];
        };
        let mut found = Vec::new();
        for (place, given) in [("path", path), ("query", query)] {
            for (name, text) in given {
                let schema = &described["parameters"][place][name];
                if schema.is_null() {
                    found.push(Difference { text: format!("{place} parameter {name} is not known"), tolerated: true });
                    continue;
                }
                let key = format!("{operation} {place} {name}");
                found.extend(self.check(
                    &key,
                    schema,
                    &typed(schema, text),
                    false,
                    &format!("{place} parameter {name}"),
                ));
            }
        }
        match (body, described.get("body")) {
            (Some(body), Some(schema)) => {
                found.extend(self.check(&format!("{operation} body"), schema, body, true, "body"));
            }
            (Some(_), None) => {
                found.push(Difference { text: "a body was sent where none is described".to_owned(), tolerated: true });
            }
            (None, Some(_)) if described["body_required"] == true => {
                found.push(refused("no JSON body was sent where one is required".to_owned()));
            }
            (None, _) => {}
        }
        found
    }

    /// What is wrong with an answer of the fake itself.
    pub(crate) fn answer(&self, operation: &str, status: u16, media: &str, body: &Value) -> Vec<String> {
        let answers = &self.document["operations"][operation]["answers"];
        let Some(described) = answers.get(status.to_string()) else {
            // 401, 403 and 5xx can follow any request and are described for some operations only.
            return match status {
                400..=599 => Vec::new(),
                _ => vec![format!("{operation} is not described to answer {status}")],
            };
        };
        let Some(schema) = described.get(media) else { return Vec::new() };
        let key = format!("{operation} {status} {media}");
        self.check(&key, schema, body, false, "answer").into_iter().map(|difference| difference.text).collect()
    }

    /// What is wrong with a webhook payload; an event that is not among those described is an error too.
    pub(crate) fn webhook(&self, name: &str, payload: &Value) -> Vec<String> {
        match self.document["webhooks"].get(name) {
            Some(schema) => self
                .check(&format!("webhook {name}"), schema, payload, false, "payload")
                .into_iter()
                .map(|difference| difference.text)
                .collect(),
            None => vec![format!("webhook {name} is not described")],
        }
    }

    fn check(&self, key: &str, schema: &Value, instance: &Value, closed: bool, what: &str) -> Vec<Difference> {
        let Some(validator) = self.validator(key, schema, closed) else {
            return vec![refused(format!("the description of {key} could not be compiled"))];
        };
        validator
            .iter_errors(instance)
            .map(|error| Difference {
                text: format!("{what}{}: {}", error.instance_path(), error.masked()),
                tolerated: matches!(error.kind(), ValidationErrorKind::AdditionalProperties { .. }),
            })
            .collect()
    }

    fn validator(&self, key: &str, schema: &Value, closed: bool) -> Option<Arc<Validator>> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(key) {
            return known.clone();
        }
        let mut whole = schema::with_components(schema, &self.document["schemas"]);
        if closed {
            schema::close(&mut whole);
        }
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft7)
            .should_validate_formats(true)
            .build(&whole)
            .ok()
            .map(Arc::new);
        compiled.insert(key.to_owned(), validator.clone());
        validator
    }
}

fn refused(text: String) -> Difference {
    Difference { text, tolerated: false }
}

/// A parameter as the type its schema asks for; text that is not of that type stays text and fails the check.
fn typed(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer" | "number") => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        Some("boolean") => text.parse::<bool>().map_or_else(|_| json!(text), |truth| json!(truth)),
        Some("array") => text.split(',').collect(),
        _ => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::routes;

    fn description() -> &'static Description {
        Description::load().unwrap_or_else(|why| panic!("{why}"))
    }

    #[test]
    fn every_route_is_in_the_description() {
        for operation in routes::operations() {
            assert!(description().document["operations"].get(&operation).is_some(), "{operation}");
        }
    }

    #[test]
    fn an_answer_that_lacks_a_field_or_has_a_wrong_one_differs() {
        let label = |color: Value| {
            json!([{
                "id": 1, "node_id": "x", "url": "https://example.com/", "name": "bug", "color": color,
                "description": null, "default": false,
            }])
        };
        let operation = "get /repos/{owner}/{repo}/issues/{issue_number}/labels";
        let check = |body: &Value| description().answer(operation, 200, "application/json", body);
        assert_eq!(check(&label(json!("ededed"))), Vec::<String>::new());
        assert_eq!(check(&label(json!(7))), ["answer/0/color: value is not of type \"string\""]);
        let mut short = label(json!("ededed"));
        short[0].as_object_mut().map(|fields| fields.remove("url"));
        assert_eq!(check(&short), ["answer/0: \"url\" is a required property"]);
        assert_eq!(description().answer(operation, 204, "", &Value::Null).len(), 1);
    }

    #[test]
    fn nothing_that_was_sent_is_told() {
        let secret = json!({ "body": 1, "ghp_secret": "ghp_secret_value" });
        let operation = "post /repos/{owner}/{repo}/issues/{issue_number}/comments";
        let found = description().request(operation, &[], &[], Some(&secret));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(!format!("{found:?}").contains("ghp_secret_value"), "{found:?}");
    }
}
