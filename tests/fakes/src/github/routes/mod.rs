//! The routes, named as GitHub's OpenAPI description names them.

mod app;
mod checks;
mod compare;
mod contents;
mod issues;
mod pulls;
mod repos;
mod reviews;
mod statuses;

use super::auth::Needs;
use super::call::{Answer, Context};
use super::state::Permission;

/// One operation: what it is called, what it needs and what it does.
pub(crate) struct Route {
    /// The method in small letters.
    pub(crate) method: &'static str,
    /// The path with its parameters in braces.
    pub(crate) template: &'static str,
    /// Who may call it.
    pub(crate) needs: Needs,
    /// Does it.
    pub(crate) run: fn(&mut Context<'_>) -> Result<Answer, Answer>,
}

impl Route {
    /// Its name: method and template.
    pub(crate) fn operation(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

const PULLS_READ: Needs = Needs::Repository(&[("pull_requests", false)], Permission::Read);
const PULLS_WRITE: Needs = Needs::Repository(&[("pull_requests", true)], Permission::Read);
const TALK_READ: Needs = Needs::Repository(&[("issues", false), ("pull_requests", false)], Permission::Read);
const TALK_WRITE: Needs = Needs::Repository(&[("issues", true), ("pull_requests", true)], Permission::Read);
const LABEL_WRITE: Needs = Needs::Repository(&[("issues", true), ("pull_requests", true)], Permission::Triage);
const CONTENTS: Needs = Needs::Repository(&[("contents", false)], Permission::Read);
const STATUS_READ: Needs = Needs::Repository(&[("statuses", false)], Permission::Read);
const STATUS_WRITE: Needs = Needs::Repository(&[("statuses", true)], Permission::Write);
const METADATA: Needs = Needs::Repository(&[("metadata", false)], Permission::Read);
const CHECKS_READ: Needs = Needs::Repository(&[("checks", false)], Permission::Read);

macro_rules! routes {
    ($($method:literal $template:literal $needs:expr => $run:path;)*) => {
        &[$(Route { method: $method, template: $template, needs: $needs, run: $run },)*]
    };
}

/// All of them.
pub(crate) const ROUTES: &[Route] = routes! {
    "get" "/rate_limit" Needs::Token => app::rate_limit;
    "get" "/user" Needs::Person => app::user;
    "get" "/app" Needs::App => app::own;
    "get" "/app/installations" Needs::App => app::installations;
    "post" "/app/installations/{installation_id}/access_tokens" Needs::App => app::token;
    "get" "/installation/repositories" Needs::Installation => app::repositories;
    "get" "/app/hook/config" Needs::App => app::hook;
    "get" "/app/hook/deliveries" Needs::App => app::deliveries;
    "get" "/app/hook/deliveries/{delivery_id}" Needs::App => app::delivery;
    "post" "/app/hook/deliveries/{delivery_id}/attempts" Needs::App => app::redeliver;
    "get" "/repos/{owner}/{repo}" METADATA => repos::get;
    "get" "/repos/{owner}/{repo}/installation" Needs::App => app::of_repository;
    "get" "/repos/{owner}/{repo}/collaborators/{username}/permission" METADATA => repos::permission;
    "get" "/repos/{owner}/{repo}/contents/{path}" CONTENTS => contents::get;
    "get" "/repos/{owner}/{repo}/compare/{basehead}" CONTENTS => compare::get;
    "get" "/repos/{owner}/{repo}/pulls" PULLS_READ => pulls::list;
    "get" "/repos/{owner}/{repo}/pulls/{pull_number}" PULLS_READ => pulls::get;
    "patch" "/repos/{owner}/{repo}/pulls/{pull_number}" PULLS_WRITE => pulls::update;
    "get" "/repos/{owner}/{repo}/pulls/{pull_number}/files" PULLS_READ => pulls::files;
    "get" "/repos/{owner}/{repo}/pulls/{pull_number}/comments" PULLS_READ => reviews::all_comments;
    "get" "/repos/{owner}/{repo}/pulls/{pull_number}/reviews" PULLS_READ => reviews::list;
    "post" "/repos/{owner}/{repo}/pulls/{pull_number}/reviews" PULLS_WRITE => reviews::create;
    "get" "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}" PULLS_READ => reviews::get;
    "get" "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/comments" PULLS_READ => reviews::comments;
    "get" "/repos/{owner}/{repo}/issues/{issue_number}/comments" TALK_READ => issues::comments;
    "post" "/repos/{owner}/{repo}/issues/{issue_number}/comments" TALK_WRITE => issues::comment;
    "get" "/repos/{owner}/{repo}/issues/comments/{comment_id}" TALK_READ => issues::get;
    "patch" "/repos/{owner}/{repo}/issues/comments/{comment_id}" TALK_WRITE => issues::edit;
    "get" "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions" TALK_READ => issues::reactions;
    "post" "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions" TALK_WRITE => issues::react;
    "get" "/repos/{owner}/{repo}/issues/{issue_number}/labels" TALK_READ => issues::labels;
    "post" "/repos/{owner}/{repo}/issues/{issue_number}/labels" LABEL_WRITE => issues::add_labels;
    "post" "/repos/{owner}/{repo}/statuses/{sha}" STATUS_WRITE => statuses::create;
    "get" "/repos/{owner}/{repo}/commits/{ref}/statuses" STATUS_READ => statuses::list;
    "post" "/repos/{owner}/{repo}/check-runs" Needs::ChecksOfApps => checks::create;
    "get" "/repos/{owner}/{repo}/check-runs/{check_run_id}" CHECKS_READ => checks::get;
    "patch" "/repos/{owner}/{repo}/check-runs/{check_run_id}" Needs::ChecksOfApps => checks::update;
    "get" "/repos/{owner}/{repo}/commits/{ref}/check-runs" CHECKS_READ => checks::list;
};

/// Parameters that take in slashes.
const LONG: [&str; 3] = ["{path}", "{basehead}", "{ref}"];

/// The name of every operation.
pub(crate) fn operations() -> impl Iterator<Item = String> {
    ROUTES.iter().map(Route::operation)
}

/// Parameters of a path: name and value.
pub(crate) type Params = Vec<(String, String)>;

/// The route for a request and the parameters in its path, decoded.
pub(crate) fn find(method: &str, path: &str) -> Option<(&'static Route, Params)> {
    let given: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    ROUTES.iter().filter(|route| route.method.eq_ignore_ascii_case(method)).find_map(|route| {
        let wanted: Vec<&str> = route.template.trim_start_matches('/').split('/').collect();
        let mut params = Vec::new();
        matches(&wanted, &given, &mut params).then_some((route, params))
    })
}

fn matches(wanted: &[&str], given: &[&str], params: &mut Params) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return given.is_empty() };
    if !first.starts_with('{') {
        return given.first() == Some(first) && matches(rest, &given[1..], params);
    }
    let longest = if LONG.contains(first) { given.len().saturating_sub(rest.len()) } else { 1 };
    if longest == 0 || given.len() < longest || given[0].is_empty() {
        return false;
    }
    let name = first.trim_matches(['{', '}']).to_owned();
    params.push((name, super::http::decoded(&given[..longest].join("/"))));
    matches(rest, &given[longest..], params)
}
