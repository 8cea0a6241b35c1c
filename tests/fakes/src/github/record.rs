//! What the fake remembers of the requests it got.

use serde_json::Value;

/// A request as it was got, and what was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, without the prefix of GitHub Enterprise.
    pub path: String,
    /// The query as it was sent, empty when there was none.
    pub query: String,
    /// Who called: `app`, `installation`, `user` or `nobody`. Tokens are never kept.
    pub caller: &'static str,
    /// The body, where it was JSON.
    pub body: Option<Value>,
    /// What was answered; none while it is being worked on or when the connection was closed instead.
    pub status: Option<u16>,
}

impl Request {
    /// True when it only asked an installation for its token.
    pub fn is_token_request(&self) -> bool {
        self.path.ends_with("/access_tokens")
    }
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) requests: Vec<Request>,
    pub(crate) violations: Vec<String>,
    forgotten: usize,
}

impl Record {
    /// Remembers a request and gives its number, counted from the start.
    pub(crate) fn begin(&mut self, request: Request) -> usize {
        self.requests.push(request);
        self.forgotten + self.requests.len() - 1
    }

    /// Says what was answered to a request.
    pub(crate) fn end(&mut self, number: usize, status: Option<u16>) {
        let place = number.checked_sub(self.forgotten);
        if let Some(request) = place.and_then(|place| self.requests.get_mut(place)) {
            request.status = status;
        }
    }

    /// Forgets the requests so far.
    pub(crate) fn forget(&mut self) {
        self.forgotten += self.requests.len();
        self.requests.clear();
    }
}
