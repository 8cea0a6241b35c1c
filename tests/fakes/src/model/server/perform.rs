//! Doing as a reply says.

use http::{Response, StatusCode, header};

use super::page::{Broken, Page};
use crate::model::reply::Reply;
use crate::model::request::{Refusal, Request};
use crate::model::vendor::Vendor;
use crate::model::wire;

/// The 400 for a request that is not answered as the script says.
pub(super) fn refuse(vendor: Vendor, refusal: Refusal) -> Response<Page> {
    let (param, message) = match refusal {
        Refusal::Violation(rule) => (None, rule),
        Refusal::Unsupported { param, message } => (Some(param), message),
    };
    let body = wire::error(vendor, 400, refusal_code(vendor, param), param, &message).to_string();
    respond(StatusCode::BAD_REQUEST, &[], Page::whole(body))
}

/// The code of a 400 in the vendor's words.
fn refusal_code(vendor: Vendor, param: Option<&str>) -> &'static str {
    match (vendor, param) {
        (Vendor::Gemini, _) => "INVALID_ARGUMENT",
        (Vendor::OpenAi | Vendor::AzureOpenAi, Some("temperature")) => "unsupported_value",
        (Vendor::OpenAi | Vendor::AzureOpenAi, Some(_)) => "unsupported_parameter",
        _ => "invalid_request_error",
    }
}

/// Does as the reply says.
pub(super) async fn perform(vendor: Vendor, request: &Request, mut reply: Reply) -> Result<Response<Page>, Broken> {
    let mut cut = false;
    loop {
        reply = match reply {
            Reply::Stall(gate, then) => {
                gate.passed().await;
                *then
            }
            Reply::After(wait, then) => {
                tokio::time::sleep(wait).await;
                *then
            }
            Reply::Truncate(then) => {
                cut = true;
                *then
            }
            Reply::Drop => return Err(Broken),
            Reply::Garbage => {
                return Ok(respond(StatusCode::OK, &[], Page::whole("<html>Bad gateway, says somebody</html>")));
            }
            Reply::Answer { text, tokens, stop } => {
                let body = wire::answer(vendor, &request.model, &text, tokens, stop).to_string();
                return Ok(respond(StatusCode::OK, &[], Page::new(body, cut)));
            }
            Reply::Error { status, code, message, headers } => {
                let body = wire::error(vendor, status, &code, None, &message).to_string();
                return Ok(respond(of_number(status), &headers, Page::new(body, cut)));
            }
            Reply::Status { status, body, headers } => {
                return Ok(respond(of_number(status), &headers, Page::new(body, cut)));
            }
        };
    }
}

fn of_number(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(super) fn respond(status: StatusCode, headers: &[(String, String)], page: Page) -> Response<Page> {
    let length = page.promised();
    let mut response = Response::new(page);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CONTENT_LENGTH, header::HeaderValue::from(length));
    for (name, value) in headers {
        let name = header::HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, header::HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
