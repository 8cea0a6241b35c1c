//! From a request to its answer: who calls, limits, the route, its rules, and the checks of both directions.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::auth::{self, Who};
use super::call::{Answer, Call, Context};
use super::routes::{self, Params, Route};
use super::rules::API_VERSIONS;
use super::{Shared, digest};

/// Where GitHub explains its limits.
const LIMITS: &str = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";

/// The kind of the caller, for the record.
pub(super) fn caller(shared: &Shared, call: &Call) -> &'static str {
    auth::who(&shared.state(), call, shared.clock.now()).map_or("nobody", |who| who.kind())
}

/// Answers, changes what is to be changed, and remembers the rules that were broken.
pub(super) fn answer(shared: &Arc<Shared>, call: &Call) -> Answer {
    let now = shared.clock.now();
    let mut answer = unlimited(shared, call, now).unwrap_or_else(|refused| refused);
    let tag = etag(&answer);
    if let Some(tag) = tag.filter(|_| call.method == "GET") {
        if call.header("if-none-match").is_some_and(|known| known.split(',').any(|known| same(known, &tag))) {
            shared.knobs().give_back();
            answer = Answer { status: 304, headers: answer.headers, media: "", body: bytes::Bytes::new(), json: None };
        }
        answer = answer.with("etag", tag);
    }
    let (reset, limit, left) = shared.knobs().primary(now);
    answer
        .with("date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .with("x-ratelimit-limit", limit.to_string())
        .with("x-ratelimit-remaining", left.to_string())
        .with("x-ratelimit-used", (limit - left).to_string())
        .with("x-ratelimit-reset", reset.to_string())
        .with("x-ratelimit-resource", "core")
        .with("x-github-request-id", format!("FAKE:{}", shared.record().requests.len()))
        .with("x-github-media-type", "github.v3")
}

fn etag(answer: &Answer) -> Option<String> {
    (answer.status == 200).then(|| format!("\"{}\"", digest(&answer.body)))
}

fn same(known: &str, tag: &str) -> bool {
    let known = known.trim();
    known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
}

/// The answer to a request that no limit stops.
fn unlimited(shared: &Arc<Shared>, call: &Call, now: Timestamp) -> Result<Answer, Answer> {
    if call.header("user-agent").is_none_or(|agent| agent.trim().is_empty()) {
        shared.violated(call, "the User-Agent header is missing");
        return Err(Answer::error(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
        ));
    }
    if let Some(version) = call.header("x-github-api-version").filter(|version| !API_VERSIONS.contains(version)) {
        shared.violated(call, &format!("API version {version} is not known"));
        return Err(Answer::error(400, "The X-GitHub-Api-Version header names a version that is not supported."));
    }
    let who = auth::who(&shared.state(), call, now)?;
    if call.path != "/rate_limit" {
        limits(shared, now)?;
    }
    let path = match moved(shared, call) {
        Moved::No => call.path.clone(),
        Moved::To(path) => path,
        Moved::Away(answer) => return Ok(answer),
    };
    let Some((route, params)) = routes::find(call.method.as_str(), &path) else {
        shared.violated(call, "no such route");
        return Err(Answer::not_found());
    };
    let operation = route.operation();
    let permitted = {
        let param = |name: &str| params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        auth::permit(&shared.state(), &who, route.needs, param("owner"), param("repo"))
    };
    let answer = match permitted.and_then(|()| described(shared, call, &operation, &params)) {
        Ok(()) => run(shared, call, route, &params, who, now),
        Err(refused) => refused,
    };
    if answer.status == 422 {
        let why =
            answer.json.as_ref().map(|body| format!("{} {}", body["message"], body["errors"])).unwrap_or_default();
        shared.violated(call, &format!("answered 422: {why}"));
    }
    checked(shared, call, &operation, &answer);
    Ok(answer)
}

/// Whether a repository is asked for by another name than its own.
enum Moved {
    /// It is not.
    No,
    /// By its number: this is the path by name.
    To(String),
    /// By a former name: GitHub sends the caller to the path by number.
    Away(Answer),
}

fn moved(shared: &Shared, call: &Call) -> Moved {
    let parts: Vec<&str> = call.path.splitn(5, '/').collect();
    let state = shared.state();
    if let ["", "repositories", id, ..] = parts[..] {
        let rest = call.path.trim_start_matches("/repositories/").trim_start_matches(id);
        let found = state.repositories.iter().find(|repository| repository.id.to_string() == id);
        return found.map_or(Moved::No, |found| Moved::To(format!("/repos/{}/{}{rest}", found.owner, found.name)));
    }
    let ["", "repos", owner, name, ..] = parts[..] else { return Moved::No };
    if state.repository(owner, name).is_some() {
        return Moved::No;
    }
    let was = |former: &(String, String)| former.0.eq_ignore_ascii_case(owner) && former.1.eq_ignore_ascii_case(name);
    let Some(found) = state.repositories.iter().find(|repository| repository.former.iter().any(was)) else {
        return Moved::No;
    };
    let rest = parts.get(4).map_or_else(String::new, |rest| format!("/{rest}"));
    let pairs = serde_urlencoded::to_string(&call.query).unwrap_or_default();
    let query = if pairs.is_empty() { String::new() } else { format!("?{pairs}") };
    let url = format!("{}/repositories/{}{rest}{query}", call.api, found.id);
    let (status, message) = if call.method == "GET" { (301, "Moved Permanently") } else { (307, "Temporary Redirect") };
    Moved::Away(Answer::error(status, message).with("location", url))
}

fn limits(shared: &Shared, now: Timestamp) -> Result<(), Answer> {
    let mut knobs = shared.knobs();
    if let Some((status, hint)) = knobs.secondary(now) {
        let message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        let mut refused = Answer::error(status, message);
        if let Some(body) = refused.json.as_mut() {
            body["documentation_url"] = format!("{LIMITS}#about-secondary-rate-limits").into();
            refused.body = body.to_string().into();
        }
        return Err(match hint {
            Some(seconds) => refused.with("retry-after", seconds.to_string()),
            None => refused,
        });
    }
    if knobs.spend(now) { Ok(()) } else { Err(Answer::error(403, "API rate limit exceeded for this account.")) }
}

/// Checks the request against GitHub's description. What GitHub ignores is remembered, what it refuses is refused.
fn described(shared: &Shared, call: &Call, operation: &str, params: &Params) -> Result<(), Answer> {
    let Some(description) = shared.description else { return Ok(()) };
    let body = call.json();
    if body.is_none() && !call.body.is_empty() {
        shared.violated(call, "the body is not JSON");
        return Err(Answer::error(400, "Problems parsing JSON"));
    }
    let found = description.request(operation, params, &call.query, body.as_ref());
    for difference in &found {
        shared.violated(call, &difference.text);
    }
    match found.iter().find(|difference| !difference.tolerated) {
        Some(difference) => Err(Answer::error(422, &format!("Invalid request.\n\n{}", difference.text))),
        None => Ok(()),
    }
}

fn run(shared: &Arc<Shared>, call: &Call, route: &Route, params: &Params, who: Who, now: Timestamp) -> Answer {
    let limit = shared.knobs().primary(now);
    let mut state = shared.state();
    let mut context = Context {
        state: &mut state,
        call,
        body: call.json().unwrap_or_default(),
        params,
        who,
        now,
        limit,
        violations: Vec::new(),
        redeliver: Vec::new(),
    };
    let answer = (route.run)(&mut context).unwrap_or_else(|refused| refused);
    let (violations, redeliver) = (context.violations, context.redeliver);
    drop(state);
    for text in violations {
        shared.violated(call, &text);
    }
    for id in redeliver {
        shared.redeliver(id);
    }
    answer
}

/// Checks the fake's own answer: a difference here is a mistake of the fake, and is reported like any other.
fn checked(shared: &Shared, call: &Call, operation: &str, answer: &Answer) {
    let (Some(description), Some(body)) = (shared.description, answer.json.as_ref()) else { return };
    let media = if answer.media.starts_with("application/json") { "application/json" } else { answer.media };
    let fields: &Value = body;
    for text in description.answer(operation, answer.status, media, fields) {
        shared.violated(call, &format!("the fake's own answer {} differs: {text}", answer.status));
    }
}
