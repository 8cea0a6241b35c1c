//! The conversation, its reactions, and labels.

use serde_json::{Value, json};

use crate::github::auth::role_of;
use crate::github::call::{Answer, Context};
use crate::github::clock::written;
use crate::github::rules;
use crate::github::state::Permission;
use crate::github::wire;
use crate::github::written::Comment;

pub(super) fn comments(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let (repository, pull) = (context.repository()?, context.pull()?);
    let since = context.call.query("since").unwrap_or("");
    let seen = pull.comments.iter().filter(|comment| written(comment.updated).as_str() >= since);
    let shown = seen.map(|comment| wire::comment(repository, pull.number, comment, context.call.urls())).collect();
    Ok(context.page(shown))
}

pub(super) fn comment(context: &mut Context<'_>) -> Result<Answer, Answer> {
    context.pull()?;
    let body = context.text("body").unwrap_or_default().to_owned();
    if body.trim().is_empty() {
        return Err(rules::missing("IssueComment", "body"));
    }
    rules::body_length("IssueComment", Some(&body))?;
    let comment = Comment {
        id: context.state.id(),
        author: context.who.login().to_owned(),
        body,
        reactions: Vec::new(),
        reaction_ids: Vec::new(),
        created: context.now,
        updated: context.now,
    };
    let pull = context.pull_mut()?;
    let number = pull.number;
    pull.comments.push(comment.clone());
    Ok(Answer::json(201, wire::comment(context.repository()?, number, &comment, context.call.urls())))
}

/// The comment the path names, and the number of its pull request.
fn found<'a>(context: &'a Context<'_>) -> Result<(u64, &'a Comment), Answer> {
    let id = context.number("comment_id")?;
    let all = context.repository()?.pulls.iter();
    let mut all = all.flat_map(|pull| pull.comments.iter().map(|comment| (pull.number, comment)));
    all.find(|(_, comment)| comment.id == id).ok_or_else(Answer::not_found)
}

fn found_mut<'a>(context: &'a mut Context<'_>) -> Result<&'a mut Comment, Answer> {
    let id = context.number("comment_id")?;
    let mut all = context.repository_mut()?.pulls.iter_mut().flat_map(|pull| &mut pull.comments);
    all.find(|comment| comment.id == id).ok_or_else(Answer::not_found)
}

pub(super) fn get(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let (number, comment) = found(context)?;
    Ok(Answer::json(200, wire::comment(context.repository()?, number, comment, context.call.urls())))
}

pub(super) fn edit(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let author = found(context)?.1.author.clone();
    let role = role_of(context.state, context.who.login(), context.param("owner"), context.param("repo"));
    if context.who.login() != author && (context.who.app().is_some() || role < Permission::Write) {
        return Err(Answer::error(403, "You do not have permission to edit this comment"));
    }
    let body = context.text("body").unwrap_or_default().to_owned();
    if body.trim().is_empty() {
        return Err(rules::missing("IssueComment", "body"));
    }
    rules::body_length("IssueComment", Some(&body))?;
    let now = context.now;
    let comment = found_mut(context)?;
    comment.body = body;
    comment.updated = now;
    get(context)
}

pub(super) fn reactions(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let (_, comment) = found(context)?;
    let wanted = context.call.query("content");
    let all = comment.reactions.iter().zip(&comment.reaction_ids);
    let shown = all
        .filter(|((_, content), _)| wanted.is_none_or(|wanted| wanted == content))
        .map(|((login, content), id)| {
            wire::reaction(*id, login, content, &written(comment.created), context.call.urls())
        })
        .collect();
    Ok(context.page(shown))
}

pub(super) fn react(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let content = context.text("content").unwrap_or_default().to_owned();
    if !["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"].contains(&content.as_str()) {
        return Err(rules::missing("Reaction", "content"));
    }
    let (login, now) = (context.who.login().to_owned(), written(context.now));
    let fresh = context.state.id();
    let comment = found_mut(context)?;
    let given = (login.clone(), content.clone());
    // Reacting twice in the same way answers 200 with the first reaction.
    let (status, id) = match comment.reactions.iter().position(|known| *known == given) {
        Some(place) => (200, comment.reaction_ids[place]),
        None => {
            comment.reactions.push(given);
            comment.reaction_ids.push(fresh);
            (201, fresh)
        }
    };
    Ok(Answer::json(status, wire::reaction(id, &login, &content, &now, context.call.urls())))
}

pub(super) fn labels(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let (repository, pull) = (context.repository()?, context.pull()?);
    let shown = pull.labels.iter().map(|name| wire::label(repository, name, context.call.urls())).collect();
    Ok(context.page(shown))
}

pub(super) fn add_labels(context: &mut Context<'_>) -> Result<Answer, Answer> {
    // GitHub takes the list alone too, and labels as objects.
    let list = if context.body.is_array() { &context.body } else { &context.body["labels"] };
    let named = list.as_array().into_iter().flatten();
    let named = named.filter_map(|label| label.as_str().or_else(|| label["name"].as_str())).map(str::to_owned);
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        return Err(rules::missing("Label", "name"));
    }
    if let Some(long) = named.iter().find(|name| name.is_empty() || name.chars().count() > 50) {
        let message =
            format!("name {} is empty or longer than 50 characters", long.chars().take(10).collect::<String>());
        return Err(Answer::invalid(json!([
            { "resource": "Label", "code": "invalid", "field": "name", "message": message }
        ])));
    }
    context.pull()?;
    for name in named {
        let fresh = context.state.id();
        // A label the repository does not have yet is made; capitals do not tell labels apart.
        let repository = context.repository_mut()?;
        let known = repository.labels.keys().find(|known| known.eq_ignore_ascii_case(&name)).cloned();
        let name = known.unwrap_or(name);
        repository.labels.entry(name.clone()).or_insert(fresh);
        let pull = context.pull_mut()?;
        if !pull.labels.contains(&name) {
            pull.labels.push(name);
        }
    }
    let (repository, pull) = (context.repository()?, context.pull()?);
    let shown: Value = pull.labels.iter().map(|name| wire::label(repository, name, context.call.urls())).collect();
    Ok(Answer::json(200, shown))
}
