//! What stands in for API Gateway: hands requests to a function as events in format 2.0.

use std::sync::Arc;

use autopr_services::Rie;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// Serves the function on a port of its own until the test ends; the address.
pub async fn gateway(function: Arc<Rie>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().fallback(hand_on).with_state(function);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// The trace that it puts every request into, as an API with tracing does.
pub const TRACE: &str = "1-67891233-abcdef012345678912345678";

async fn hand_on(
    State(function): State<Arc<Rie>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let event = event(&method, &uri, &headers, &body);
    match function.invoke(&event).await {
        Ok(answer) => response(&answer),
        // What API Gateway says when a function fails.
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}")).into_response(),
    }
}

/// An event in format 2.0 (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
fn event(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Value {
    let mut headers: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().into())).collect();
    headers.insert("x-amzn-trace-id".to_owned(), format!("Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1").into());
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": uri.path(),
        "rawQueryString": uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "test",
            "domainName": "test.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "test",
            "http": {
                "method": method.as_str(),
                "path": uri.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test",
            },
            "requestId": "test",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_348_800_000_u64,
        },
        "body": String::from_utf8_lossy(body),
        "isBase64Encoded": false,
    })
}

fn response(answer: &Value) -> Response {
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let mut response = answer["body"].as_str().unwrap_or_default().to_owned().into_response();
    *response.status_mut() = status.and_then(|status| StatusCode::from_u16(status).ok()).expect("a status");
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name: HeaderName = name.parse().expect("a header's name");
        response.headers_mut().insert(name, value.as_str().and_then(|text| text.parse().ok()).expect("a header"));
    }
    response
}
