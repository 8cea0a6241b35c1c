//! A request as the routes see it, and their answers.

use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::auth::Who;
use super::state::{Pull, Repository, State};
use super::wire::Urls;

/// Where GitHub's errors send people to read.
const DOCUMENTATION: &str = "https://docs.github.com/rest";

/// A request, taken apart.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path without the prefix of GitHub Enterprise, decoded.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The address of the API as the caller reached it, without a slash at the end.
    pub(crate) api: String,
    /// The address of GitHub's pages.
    pub(crate) web: String,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn urls(&self) -> Urls<'_> {
        Urls { api: &self.api, web: &self.web }
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// True when the caller asked for this media type, in its form with or without the version.
    pub(crate) fn accepts(&self, kind: &str) -> bool {
        let wanted = |part: &str| {
            let part = part.split(';').next().unwrap_or_default().trim();
            let rest = part.strip_prefix("application/vnd.github.").unwrap_or_default();
            let rest = rest.strip_prefix("v3.").unwrap_or(rest);
            rest == kind || rest.strip_suffix("+json") == Some(kind)
        };
        self.header("accept").is_some_and(|accept| accept.split(',').any(wanted))
    }
}

/// What a route works with.
pub(crate) struct Context<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) call: &'a Call,
    pub(crate) body: Value,
    pub(crate) params: &'a [(String, String)],
    pub(crate) who: Who,
    pub(crate) now: Timestamp,
    /// The seconds since 1970 at which the primary limit starts anew, its size and what is left.
    pub(crate) limit: (i64, u64, u64),
    /// Rules that were broken, to be remembered.
    pub(crate) violations: Vec<String>,
    /// Deliveries to send again.
    pub(crate) redeliver: Vec<u64>,
}

impl Context<'_> {
    /// A parameter of the path. Every route asks only for those in its template.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64, Answer> {
        self.param(name).parse().map_err(|_| Answer::not_found())
    }

    pub(crate) fn repository(&self) -> Result<&Repository, Answer> {
        self.state.repository(self.param("owner"), self.param("repo")).ok_or_else(Answer::not_found)
    }

    pub(crate) fn repository_mut(&mut self) -> Result<&mut Repository, Answer> {
        let (owner, name) = (self.param("owner").to_owned(), self.param("repo").to_owned());
        self.state.repository_mut(&owner, &name).ok_or_else(Answer::not_found)
    }

    pub(crate) fn pull(&self) -> Result<&Pull, Answer> {
        let number = self.pull_number()?;
        self.repository()?.pull(number).ok_or_else(Answer::not_found)
    }

    pub(crate) fn pull_mut(&mut self) -> Result<&mut Pull, Answer> {
        let number = self.pull_number()?;
        self.repository_mut()?.pull_mut(number).ok_or_else(Answer::not_found)
    }

    fn pull_number(&self) -> Result<u64, Answer> {
        if self.param("pull_number").is_empty() { self.number("issue_number") } else { self.number("pull_number") }
    }

    /// A text field of the body.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.body[field].as_str()
    }

    /// One page of a list, with links to the others.
    pub(crate) fn page(&self, all: Vec<Value>) -> Answer {
        let (items, link) = self.paged(all);
        Answer::json(200, Value::Array(items)).with_link(link)
    }

    /// The items of the page asked for, and the `Link` header.
    pub(crate) fn paged(&self, all: Vec<Value>) -> (Vec<Value>, Option<String>) {
        let asked = |name: &str, default: usize| {
            self.call.query(name).and_then(|text| text.parse().ok()).filter(|&number| number > 0).unwrap_or(default)
        };
        let (size, page) = (asked("per_page", 30).min(100), asked("page", 1));
        let last = all.len().div_ceil(size).max(1);
        let items = all.into_iter().skip((page - 1) * size).take(size).collect();
        let mut links = Vec::new();
        let mut link = |to: usize, name: &str| links.push(format!("<{}>; rel=\"{name}\"", self.address(to)));
        if page > 1 {
            link((page - 1).min(last), "prev");
        }
        if page < last {
            link(page + 1, "next");
            link(last, "last");
        }
        if page > 1 {
            link(1, "first");
        }
        (items, (!links.is_empty()).then(|| links.join(", ")))
    }

    fn address(&self, page: usize) -> String {
        let others = self.call.query.iter().filter(|(key, _)| key != "page");
        let mut query: Vec<(String, String)> = others.cloned().collect();
        query.push(("page".to_owned(), page.to_string()));
        let query = serde_urlencoded::to_string(query).unwrap_or_default();
        format!("{}{}?{query}", self.call.api, self.call.path)
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) media: &'static str,
    pub(crate) body: Bytes,
    /// The body where it is JSON, to be checked.
    pub(crate) json: Option<Box<Value>>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        let bytes = Bytes::from(body.to_string());
        Self { status, headers: Vec::new(), media: "application/json; charset=utf-8", body: bytes, json: Some(Box::new(body)) }
    }

    pub(crate) fn raw(media: &'static str, body: Bytes) -> Self {
        Self { status: 200, headers: Vec::new(), media, body, json: None }
    }

    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self::json(
            status,
            json!({ "message": message, "documentation_url": DOCUMENTATION, "status": status.to_string() }),
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::error(404, "Not Found")
    }

    /// A refusal with errors that say which resource and field.
    pub(crate) fn invalid(errors: Value) -> Self {
        Self::json(
            422,
            json!({
                "message": "Validation Failed", "errors": errors, "documentation_url": DOCUMENTATION, "status": "422",
            }),
        )
    }

    /// A refusal with errors in words, as the reviews give it.
    pub(crate) fn unprocessable(errors: &[String]) -> Self {
        Self::json(
            422,
            json!({
                "message": "Unprocessable Entity", "errors": errors, "documentation_url": DOCUMENTATION,
                "status": "422",
            }),
        )
    }

    /// GitHub's refusal to show a diff of this size.
    pub(crate) fn too_large(resource: &str, what: &str) -> Self {
        Self::json(
            406,
            json!({
                "message": format!("Sorry, the diff exceeded the maximum number of {what}."),
                "errors": [{ "resource": resource, "field": "diff", "code": "too_large" }],
                "documentation_url": DOCUMENTATION,
                "status": "406",
            }),
        )
    }

    pub(crate) fn with_link(mut self, link: Option<String>) -> Self {
        self.headers.extend(link.map(|link| ("link", link)));
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
