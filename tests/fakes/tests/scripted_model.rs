//! The scripted model holds requests to the vendors' rules and tells a test what it saw.

use std::sync::{Arc, Mutex};

use autopr_fakes::model::{Moment, Reply, ScriptedModel, Vendor};
use serde_json::{Value, json};

async fn server() -> ScriptedModel {
    ScriptedModel::start().await.expect("a free port")
}

/// Posts the body as this vendor's client would, and gives status and body of the answer.
async fn post(server: &ScriptedModel, path: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
    let mut request = reqwest::Client::new().post(format!("http://{}{path}", server.address())).json(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

const OPENAI: (&str, &[(&str, &str)]) = ("/v1/chat/completions", &[("authorization", "Bearer k")]);
const ANTHROPIC: (&str, &[(&str, &str)]) = ("/v1/messages", &[("x-api-key", "k"), ("anthropic-version", "2023-06-01")]);

fn chat(more: Value) -> Value {
    let mut body = json!({ "model": "gpt-4o", "messages": [{ "role": "user", "content": "hello" }] });
    body.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
    body
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_is_refused_in_the_vendors_words_and_counted() {
    let schema = |schema: Value| {
        let json_schema = json!({ "name": "answer", "strict": true, "schema": schema });
        chat(json!({ "response_format": { "type": "json_schema", "json_schema": json_schema } }))
    };
    let open = json!({ "type": "object", "properties": {}, "required": [] });
    let optional = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": [],
        "additionalProperties": false });
    let limited = json!({ "type": "object", "properties": { "a": { "type": "integer", "format": "uint32" } },
        "required": ["a"], "additionalProperties": false });
    let messages = json!([{ "role": "user", "content": "hello" }]);
    let cases = [
        (OPENAI, chat(json!({ "temprature": 1 })), "unknown field `temprature`"),
        (OPENAI, chat(json!({ "temperature": 3 })), "temperature must be between 0 and 2"),
        (OPENAI, chat(json!({ "max_tokens": 5, "max_completion_tokens": 5 })), "must not be set both"),
        (OPENAI, chat(json!({ "response_format": { "type": "json_object" } })), "must contain the word 'json'"),
        (OPENAI, chat(json!({ "messages": [{ "role": "assistant", "content": "hi" }] })), "must be of role user"),
        (OPENAI, schema(open), "additionalProperties at # must be false"),
        (OPENAI, schema(optional), "the property a at # is not required"),
        (OPENAI, schema(limited), "the keyword format at #/properties/a is not permitted"),
        ((OPENAI.0, &[]), chat(json!({})), "the header authorization is missing"),
        (ANTHROPIC, json!({ "model": "claude", "messages": messages }), "missing field `max_tokens`"),
        ((ANTHROPIC.0, &[("x-api-key", "k")]), chat(json!({ "max_tokens": 5 })), "anthropic-version is missing"),
        (("/v1beta/models/g:generateContent", &[]), json!({ "contents": [] }), "x-goog-api-key is missing"),
        (("/openai/deployments/d/chat/completions", &[("api-key", "k")]), chat(json!({})), "api-version"),
        (("/api/chat", &[]), chat(json!({})), "does not stream"),
    ];
    let server = server().await;
    for (nth, ((path, headers), body, says)) in cases.into_iter().enumerate() {
        let (status, answer) = post(&server, path, headers, &body).await;
        assert_eq!(status, 400, "{path} {body}");
        assert!(answer.get("error").is_some(), "{answer}");
        assert!(answer.to_string().contains(says), "{says}: {answer}");
        assert_eq!(server.violations().len(), nth + 1, "{path} {body}");
        assert!(server.violations()[nth].contains(says), "{:?}", server.violations());
    }
}

#[tokio::test]
async fn what_a_model_does_not_know_is_refused_but_no_violation() {
    let server = server().await;
    let (status, answer) = post(&server, OPENAI.0, OPENAI.1, &chat(json!({ "model": "o3", "max_tokens": 9 }))).await;
    assert_eq!((status, &answer["error"]["param"]), (400, &json!("max_tokens")));
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_script_goes_first_then_the_function_then_the_default() {
    let server = server().await;
    server.then(Vendor::OpenAi, Reply::answer("queued"));
    server.answer_with(|request| (request.user() == "who?").then(|| Reply::answer("function")));
    server.by_default(Reply::answer("default"));
    let mut said = Vec::new();
    for user in ["who?", "who?", "hello"] {
        let body = chat(json!({ "messages": [{ "role": "user", "content": user }] }));
        let (_, answer) = post(&server, OPENAI.0, OPENAI.1, &body).await;
        said.push(answer["choices"][0]["message"]["content"].clone());
    }
    assert_eq!(said, ["queued", "function", "default"]);
    assert_eq!((server.count(), server.unread()), (3, 0));
    assert!(server.requests()[0].contains("who?") && !server.requests()[2].contains("who?"));
}

#[tokio::test]
async fn a_call_can_be_held_and_the_hook_sees_both_moments() {
    let server = server().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    server.on_request(move |moment, request| {
        sink.lock().expect("nobody panicked").push((moment, request.user().to_owned()));
    });
    let held = server.hold();
    let body = chat(json!({}));
    let call = post(&server, OPENAI.0, OPENAI.1, &body);
    let watch = async {
        held.arrived().await;
        let before = seen.lock().expect("nobody panicked").clone();
        assert_eq!(before, [(Moment::Before, "hello".to_owned())], "it is not answered yet");
        held.release();
    };
    let ((status, _), ()) = tokio::join!(call, watch);
    assert_eq!(status, 200);
    let after = seen.lock().expect("nobody panicked").clone();
    assert_eq!(after.last(), Some(&(Moment::After, "hello".to_owned())));
}

#[tokio::test]
async fn a_request_to_nowhere_is_counted() {
    let server = server().await;
    let (status, _) = post(&server, "/v2/completions", &[], &json!({})).await;
    assert_eq!(status, 404);
    assert_eq!(server.violations(), ["POST /v2/completions"]);
}
