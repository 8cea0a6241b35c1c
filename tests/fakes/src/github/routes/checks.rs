//! Check runs.

use serde_json::{Value, json};

use crate::github::call::{Answer, Context};
use crate::github::clock::written;
use crate::github::rules;
use crate::github::wire;
use crate::github::written::CheckRun;

fn answer(context: &Context<'_>, status: u16, check: &CheckRun) -> Result<Answer, Answer> {
    Ok(Answer::json(status, shown(context, check)?))
}

fn shown(context: &Context<'_>, check: &CheckRun) -> Result<Value, Answer> {
    let app = context.state.apps.iter().find(|app| app.id == check.app);
    Ok(wire::check_run(context.repository()?, check, app, context.call.urls()))
}

pub(super) fn create(context: &mut Context<'_>) -> Result<Answer, Answer> {
    rules::check_run(&context.body, true).map_err(|errors| Answer::invalid(json!(errors)))?;
    let head = context.text("head_sha").unwrap_or_default();
    let Some(head) = context.repository()?.commit(head).filter(|found| found == head) else {
        let message = format!("No commit found for SHA: {head}");
        return Err(Answer::error(422, &message));
    };
    let mut check = CheckRun {
        id: context.state.id(),
        app: context.who.app().unwrap_or_default(),
        name: String::new(),
        head_sha: head,
        status: "queued".to_owned(),
        conclusion: None,
        title: None,
        summary: None,
        text: None,
        annotations: Vec::new(),
        external_id: String::new(),
        details_url: None,
        started: Some(written(context.now)),
        completed: None,
    };
    apply(&mut check, &context.body, &written(context.now));
    context.repository_mut()?.checks.push(check.clone());
    answer(context, 201, &check)
}

pub(super) fn get(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let id = context.number("check_run_id")?;
    let check = context.repository()?.checks.iter().find(|check| check.id == id).ok_or_else(Answer::not_found)?;
    answer(context, 200, check)
}

pub(super) fn update(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let id = context.number("check_run_id")?;
    rules::check_run(&context.body, false).map_err(|errors| Answer::invalid(json!(errors)))?;
    let (body, now, app) = (context.body.clone(), written(context.now), context.who.app());
    let checks = &mut context.repository_mut()?.checks;
    let check = checks.iter_mut().find(|check| check.id == id).ok_or_else(Answer::not_found)?;
    if Some(check.app) != app {
        let message = "Invalid app_id - check run can only be modified by the GitHub App that created it.";
        return Err(Answer::error(403, message));
    }
    apply(check, &body, &now);
    let check = check.clone();
    answer(context, 200, &check)
}

/// Puts what was sent into a check run. A conclusion alone completes it.
fn apply(check: &mut CheckRun, body: &Value, now: &str) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let set = |into: &mut Option<String>, value: &Value| {
        if let Some(value) = text(value) {
            *into = Some(value);
        }
    };
    check.name = text(&body["name"]).unwrap_or_else(|| check.name.clone());
    check.status = text(&body["status"]).unwrap_or_else(|| check.status.clone());
    check.external_id = text(&body["external_id"]).unwrap_or_else(|| check.external_id.clone());
    set(&mut check.details_url, &body["details_url"]);
    set(&mut check.started, &body["started_at"]);
    set(&mut check.conclusion, &body["conclusion"]);
    let output = &body["output"];
    set(&mut check.title, &output["title"]);
    set(&mut check.summary, &output["summary"]);
    set(&mut check.text, &output["text"]);
    check.annotations.extend(output["annotations"].as_array().into_iter().flatten().cloned());
    if body["conclusion"].is_string() {
        check.status = "completed".to_owned();
        check.completed = Some(text(&body["completed_at"]).unwrap_or_else(|| now.to_owned()));
    } else if body["status"].is_string() {
        (check.conclusion, check.completed) = (None, None);
    }
}

pub(super) fn list(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let repository = context.repository()?;
    let head = repository.commit(context.param("ref")).ok_or_else(Answer::not_found)?;
    let asked = |name: &str| context.call.query(name);
    let app: Option<u64> = asked("app_id").and_then(|id| id.parse().ok());
    let mut seen: Vec<&CheckRun> = repository
        .checks
        .iter()
        .filter(|check| check.head_sha == head)
        .filter(|check| asked("check_name").is_none_or(|name| name == check.name))
        .filter(|check| asked("status").is_none_or(|status| status == check.status))
        .filter(|check| app.is_none_or(|app| app == check.app))
        .collect();
    seen.reverse();
    if asked("filter") != Some("all") {
        // The latest only: of those with the same App and name, the one made last.
        let mut names = Vec::new();
        seen.retain(|check| {
            let key = (check.app, check.name.as_str());
            let fresh = !names.contains(&key);
            names.push(key);
            fresh
        });
    }
    let total = seen.len();
    let mut all = Vec::new();
    for check in seen {
        all.push(shown(context, check)?);
    }
    let (items, link) = context.paged(all);
    Ok(Answer::json(200, json!({ "total_count": total, "check_runs": items })).with_link(link))
}
