//! Statuses of commits.

use serde_json::json;

use crate::github::call::{Answer, Context};
use crate::github::rules;
use crate::github::wire;
use crate::github::written::Status;

/// The longest description, in characters.
const LONGEST: usize = 140;

pub(super) fn create(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let state = context.text("state").unwrap_or_default();
    if !["error", "failure", "pending", "success"].contains(&state) {
        return Err(rules::missing("Status", "state"));
    }
    let text = |field: &str| context.text(field).map(str::to_owned);
    let description = text("description");
    if description.as_ref().is_some_and(|description| description.chars().count() > LONGEST) {
        let message = "description is too long (maximum is 140 characters)";
        return Err(Answer::invalid(json!([
            { "resource": "Status", "code": "custom", "field": "description", "message": message }
        ])));
    }
    let sha = context.param("sha");
    let Some(sha) = context.repository()?.commit(sha).filter(|found| found == sha) else {
        return Err(Answer::error(422, &format!("No commit found for SHA: {sha}")));
    };
    let mut status = Status {
        id: 0,
        author: context.who.login().to_owned(),
        sha,
        state: state.to_owned(),
        context: text("context").unwrap_or_else(|| "default".to_owned()),
        description,
        target_url: text("target_url"),
        created: context.now,
    };
    status.id = context.state.id();
    context.repository_mut()?.statuses.push(status.clone());
    Ok(Answer::json(201, wire::status(context.repository()?, &status, context.call.urls())))
}

pub(super) fn list(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let repository = context.repository()?;
    let sha = repository.commit(context.param("ref")).ok_or_else(Answer::not_found)?;
    let newest_first = repository.statuses.iter().rev().filter(|status| status.sha == sha);
    let shown = newest_first.map(|status| wire::status(repository, status, context.call.urls())).collect();
    Ok(context.page(shown))
}
