//! The events by which AWS hands a request on, in the forms of its developer guides, and what they are answered.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use autopr_core::clock::Clock;
use autopr_core::fault::Fault;
use autopr_core::intake::Secrets;
use autopr_core::message::Message;
use autopr_core::ports::Queue;
use autopr_runtime::settings::{Needs, Settings, Source};
use axum::http::{Response, StatusCode};
use data_encoding::BASE64;
use serde_json::{Value, json};

const SECRET: &str = "a secret of the test";

/// GitHub's own bytes are what is signed: white space, escapes and letters beyond ASCII as they are.
const BODY: &str = "{\"action\":\"opened\",  \"number\":7,\r\n\"pull_request\":{\"title\":\"Z\u{e4}hlen \\u00fc\",\
    \"updated_at\":\"2026-01-02T03:04:05Z\",\"head\":{\"sha\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"},\
    \"base\":{\"sha\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"},\"draft\":false},\
    \"repository\":{\"full_name\":\"acme/shop\"},\"sender\":{\"login\":\"dev\",\"type\":\"User\"},\
    \"installation\":{\"id\":1}}\n";

/// How a request comes to the function.
#[derive(Debug, Clone, Copy)]
enum Way {
    HttpApi,
    HttpApiStage,
    RestApi,
    LoadBalancer,
    LoadBalancerMultiValue,
    FunctionUrl,
}

const WAYS: [Way; 6] =
    [Way::HttpApi, Way::HttpApiStage, Way::RestApi, Way::LoadBalancer, Way::LoadBalancerMultiValue, Way::FunctionUrl];

/// A request as it comes that way.
fn event(way: Way, method: &str, path: &str, headers: &[(&str, &str)], body: Option<(&str, bool)>) -> Value {
    let single: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let multi: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    let (body, is_base64) = (body.map(|(text, _)| text), body.is_some_and(|(_, is_base64)| is_base64));
    let target = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/autopr/6d0ecf831eec9f09";
    match way {
        Way::HttpApi | Way::HttpApiStage | Way::FunctionUrl => {
            let (stage, raw) = match way {
                Way::HttpApiStage => ("prod", format!("/prod{path}")),
                _ => ("$default", path.to_owned()),
            };
            let domain = match way {
                Way::FunctionUrl => "abcdefghijklmnopqrstuvwxyz.lambda-url.us-east-1.on.aws",
                _ => "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            };
            json!({
                "version": "2.0",
                "routeKey": format!("{method} {path}"),
                "rawPath": raw,
                "rawQueryString": "",
                "headers": single,
                "requestContext": {
                    "accountId": "123456789012",
                    "apiId": "a1b2c3d4e5",
                    "domainName": domain,
                    "domainPrefix": "a1b2c3d4e5",
                    "http": {
                        "method": method, "path": raw, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                        "userAgent": "GitHub-Hookshot/044aadd",
                    },
                    "requestId": "JKJaXmPLvHcESHA=",
                    "routeKey": format!("{method} {path}"),
                    "stage": stage,
                    "time": "22/Nov/2026:12:00:00 +0000",
                    "timeEpoch": 1_795_348_800_000_u64,
                },
                "body": body,
                "isBase64Encoded": is_base64,
            })
        }
        Way::RestApi => json!({
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": single,
            "multiValueHeaders": multi,
            "queryStringParameters": null,
            "multiValueQueryStringParameters": null,
            "pathParameters": null,
            "stageVariables": null,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "a1b2c3d4e5",
                "extendedRequestId": "JKJaXmPLvHcESHA=",
                "httpMethod": method,
                "identity": { "sourceIp": "192.0.2.1", "userAgent": "GitHub-Hookshot/044aadd" },
                "path": format!("/webhooks{path}"),
                "protocol": "HTTP/1.1",
                "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
                "requestTime": "22/Nov/2026:12:00:00 +0000",
                "requestTimeEpoch": 1_795_348_800_000_u64,
                "resourceId": "123456",
                "resourcePath": path,
                // As the first part of a path is called, which is not taken for it.
                "stage": "webhooks",
            },
            "body": body,
            "isBase64Encoded": is_base64,
        }),
        Way::LoadBalancer => json!({
            "requestContext": { "elb": { "targetGroupArn": target } },
            "httpMethod": method,
            "path": path,
            "queryStringParameters": {},
            "headers": single,
            "body": body.unwrap_or_default(),
            "isBase64Encoded": is_base64,
        }),
        Way::LoadBalancerMultiValue => json!({
            "requestContext": { "elb": { "targetGroupArn": target } },
            "httpMethod": method,
            "path": path,
            "multiValueQueryStringParameters": {},
            "multiValueHeaders": multi,
            "body": body.unwrap_or_default(),
            "isBase64Encoded": is_base64,
        }),
    }
}

/// A queue that keeps what is published.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

#[async_trait]
impl Queue for Kept {
    async fn publish(&self, message: &Message) -> Result<(), Fault> {
        self.0.lock().unwrap().push(message.encode());
        Ok(())
    }
}

/// What the function answers, and what it puts on the queue.
async fn answer(event: &Value) -> (Response<axum::body::Body>, Vec<String>) {
    let env = [("GITHUB_WEBHOOK_SECRET", SECRET)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let source = Source { env: env.into(), ..Source::default() };
    let settings = Settings::load_for(&source, Needs::INTAKE).unwrap().settings;
    let queue = Arc::new(Kept::default());
    let router = autopr_aws_webhook::router(&settings, queue.clone(), Clock::System);
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let response = autopr_aws::http::answer(router, request, "8476a536-e9f4-11e8-9739-2dfe598c3fcd").await;
    let published = queue.0.lock().unwrap().clone();
    (response, published)
}

fn headers(signature: &str) -> [(&str, &str); 6] {
    [
        ("host", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"),
        ("content-type", "application/json"),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("x-github-event", "pull_request"),
        ("x-hub-signature-256", signature),
        ("x-request-id", "of-the-client"),
    ]
}

fn signature(body: &str) -> String {
    Secrets::new(vec![SECRET.into()]).unwrap().sign(body.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_delivery_is_queued_whichever_way_it_comes() {
    let (signature, encoded) = (signature(BODY), BASE64.encode(BODY.as_bytes()));
    for way in WAYS {
        for body in [(BODY, false), (encoded.as_str(), true)] {
            let event = event(way, "POST", "/webhooks/github", &headers(&signature), Some(body));
            let (response, published) = answer(&event).await;
            assert_eq!(response.status(), StatusCode::ACCEPTED, "{way:?} {body:?}");
            assert_eq!(response.headers()["x-request-id"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd", "{way:?}");
            assert_eq!(published.len(), 1, "{way:?}");
            assert!(published[0].contains("72d3162e-cc78-11e3-81ab-4c9367dc0958"), "{way:?}: {published:?}");
        }
    }
}

#[tokio::test]
async fn a_single_other_byte_is_refused_whichever_way_it_comes() {
    let signature = signature(BODY);
    for way in WAYS {
        // The same JSON, and another text.
        for other in [BODY.trim_end().to_owned(), BODY.replace("\\u00fc", "\u{fc}"), BODY.replace("\r\n", "\n")] {
            let encoded = BASE64.encode(other.as_bytes());
            for body in [(other.as_str(), false), (encoded.as_str(), true)] {
                let event = event(way, "POST", "/webhooks/github", &headers(&signature), Some(body));
                let (response, published) = answer(&event).await;
                assert_eq!((response.status(), published.len()), (StatusCode::UNAUTHORIZED, 0), "{way:?} {body:?}");
            }
        }
        // What is encoded is not what was signed.
        let encoded = BASE64.encode(BODY.as_bytes());
        let event = event(way, "POST", "/webhooks/github", &headers(&signature), Some((&encoded, false)));
        assert_eq!(answer(&event).await.0.status(), StatusCode::UNAUTHORIZED, "{way:?}");
    }
}

#[tokio::test]
async fn other_requests_are_answered_as_everywhere() {
    for way in WAYS {
        let status = async |method: &str, path: &str| {
            answer(&event(way, method, path, &[("host", "example.com")], None)).await.0.status()
        };
        assert_eq!(status("GET", "/api/health").await, StatusCode::OK, "{way:?}");
        assert_eq!(status("GET", "/api/ready").await, StatusCode::OK, "{way:?}");
        assert_eq!(status("GET", "/webhooks/github").await, StatusCode::METHOD_NOT_ALLOWED, "{way:?}");
        assert_eq!(status("POST", "/webhooks/github").await, StatusCode::UNAUTHORIZED, "{way:?}");
        assert_eq!(status("GET", "/webhooks").await, StatusCode::NOT_FOUND, "{way:?}");
    }
}
