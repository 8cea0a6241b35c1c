//! Pull requests, their diffs and their files.

use serde_json::Value;

use crate::github::auth::role_of;
use crate::github::call::{Answer, Context};
use crate::github::diff::File;
use crate::github::rules;
use crate::github::state::Permission;
use crate::github::wire;

/// GitHub's limits of a diff it shows whole, from its page on the limits of repositories.
const MOST_LINES: usize = 20_000;
const MOST_BYTES: usize = 1024 * 1024;
const MOST_FILES: usize = 300;
/// How many files the listing has at most.
const MOST_LISTED: usize = 3000;
/// Above which size a file's lines are left out of listings, in bytes.
const LARGE_PATCH: usize = 500 * 1024;

pub(super) fn list(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let repository = context.repository()?;
    let (state, base) = (context.call.query("state").unwrap_or("open"), context.call.query("base"));
    let head = context.call.query("head").and_then(|head| head.split_once(':'));
    let mut pulls: Vec<_> = repository.pulls.iter().collect();
    if context.call.query("sort") == Some("updated") {
        pulls.sort_by_key(|pull| pull.updated);
    }
    let mut shown: Vec<Value> = pulls
        .into_iter()
        .filter(|pull| state == "all" || (state == "open") == pull.open)
        .filter(|pull| base.is_none_or(|base| base == pull.base_ref))
        .filter(|pull| {
            let owner = pull.fork.as_ref().unwrap_or(&repository.owner);
            head.is_none_or(|(user, branch)| user == owner && branch == pull.head_ref)
        })
        .map(|pull| wire::pull(repository, pull, false, context.call.urls()))
        .collect();
    if context.call.query("direction") != Some("asc") {
        shown.reverse();
    }
    Ok(context.page(shown))
}

pub(super) fn get(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let pull = context.pull()?;
    if context.call.accepts("diff") {
        let revision = pull.current();
        return match oversize(pull.diff_too_large, &revision.diff, &revision.files()) {
            Some(what) => Err(Answer::too_large("PullRequest", &what)),
            None => Ok(Answer::raw("application/vnd.github.diff; charset=utf-8", revision.diff.clone())),
        };
    }
    Ok(Answer::json(200, wire::pull(context.repository()?, pull, true, context.call.urls())))
}

pub(super) fn update(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let (title, body) = (context.text("title").map(str::to_owned), context.text("body").map(str::to_owned));
    let open = context.text("state").map(|state| state == "open");
    let author = context.pull()?.author.clone();
    let role = role_of(context.state, context.who.login(), context.param("owner"), context.param("repo"));
    if context.who.app().is_none() && author != context.who.login() && role < Permission::Write {
        return Err(Answer::error(403, "Resource not accessible by personal access token"));
    }
    if title.as_ref().is_some_and(|title| title.trim().is_empty()) {
        return Err(rules::missing("PullRequest", "title"));
    }
    rules::body_length("PullRequest", body.as_deref())?;
    let now = context.now;
    let pull = context.pull_mut()?;
    pull.title = title.unwrap_or_else(|| pull.title.clone());
    pull.body = body.or_else(|| pull.body.clone());
    pull.open = open.unwrap_or(pull.open);
    pull.updated = now;
    let shown = wire::pull(context.repository()?, context.pull()?, true, context.call.urls());
    Ok(Answer::json(200, shown))
}

pub(super) fn files(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let (repository, pull) = (context.repository()?, context.pull()?);
    let urls = context.call.urls();
    let full = format!("{}/{}", repository.owner, repository.name);
    let (api, web) = (format!("{}/repos/{full}", urls.api), format!("{}/{full}", urls.web));
    let listed = pull.current().files().into_iter().take(MOST_LISTED).map(|file| {
        let mut shown = with_or_without_patch(&file, &api, &web, pull.head());
        if let Some(fields) = shown.as_object_mut().filter(|_| pull.without_patch.contains(&file.path)) {
            fields.remove("patch");
        }
        shown
    });
    let listed = listed.collect();
    Ok(context.page(listed))
}

/// A file of a listing, its lines left out where they are too many.
pub(super) fn with_or_without_patch(file: &File, api: &str, web: &str, head: &str) -> Value {
    let mut shown = file.listed(api, web, head);
    let large =
        shown["patch"].as_str().is_some_and(|patch| patch.len() > LARGE_PATCH || patch.lines().count() > MOST_LINES);
    if let Some(fields) = shown.as_object_mut().filter(|_| large) {
        fields.remove("patch");
    }
    shown
}

/// Which limit of a diff is passed, in words, if one is.
pub(super) fn oversize(knob: bool, diff: &[u8], files: &[File]) -> Option<String> {
    if files.len() > MOST_FILES {
        Some(format!("files ({MOST_FILES})"))
    } else if knob || diff.iter().filter(|&&byte| byte == b'\n').count() > MOST_LINES {
        Some(format!("lines ({MOST_LINES})"))
    } else {
        (diff.len() > MOST_BYTES).then(|| format!("bytes ({MOST_BYTES})"))
    }
}
