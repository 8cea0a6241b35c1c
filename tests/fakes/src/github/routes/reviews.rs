//! Reviews with comments on lines.

use serde_json::Value;

use crate::github::call::{Answer, Context};
use crate::github::rules;
use crate::github::wire;
use crate::github::written::{Review, ReviewComment};

pub(super) fn list(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let (repository, pull) = (context.repository()?, context.pull()?);
    let seen = pull.reviews.iter().filter(|review| review.state != "PENDING" || review.author == context.who.login());
    let shown = seen.map(|review| wire::review(repository, pull.number, review, context.call.urls())).collect();
    Ok(context.page(shown))
}

pub(super) fn get(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let (repository, pull, id) = (context.repository()?, context.pull()?, context.number("review_id")?);
    let review = pull.reviews.iter().find(|review| review.id == id).ok_or_else(Answer::not_found)?;
    Ok(Answer::json(200, wire::review(repository, pull.number, review, context.call.urls())))
}

pub(super) fn create(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let login = context.who.login().to_owned();
    let proposed = match rules::review(context.pull()?, &login, &context.body) {
        Ok(proposed) => proposed,
        Err(errors) => {
            context.violations.extend(errors.iter().map(|error| format!("a review was refused: {error}")));
            return Err(Answer::unprocessable(&errors));
        }
    };
    let mut comments = Vec::new();
    for anchored in proposed.comments {
        let id = context.state.id();
        comments.push(ReviewComment {
            id,
            path: anchored.path,
            start_line: anchored.start.map(|(line, _)| line),
            start_side: anchored.start.map(|(_, side)| side),
            line: anchored.line,
            side: anchored.side,
            body: anchored.body,
        });
    }
    let review = Review {
        id: context.state.id(),
        author: login,
        state: proposed.state.to_owned(),
        commit_id: proposed.commit,
        body: proposed.body,
        comments,
        submitted: context.now,
    };
    let now = context.now;
    let pull = context.pull_mut()?;
    pull.updated = now;
    pull.reviews.push(review.clone());
    let number = pull.number;
    Ok(Answer::json(200, wire::review(context.repository()?, number, &review, context.call.urls())))
}

pub(super) fn comments(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let id = context.number("review_id")?;
    let pull = context.pull()?;
    let review = pull.reviews.iter().find(|review| review.id == id).ok_or_else(Answer::not_found)?;
    let shown = shown(context, review)?;
    Ok(context.page(shown))
}

pub(super) fn all_comments(context: &mut Context<'_>) -> Result<Answer, Answer> {
    let mut all = Vec::new();
    for review in context.pull()?.reviews.iter().filter(|review| review.state != "PENDING") {
        all.extend(shown(context, review)?);
    }
    Ok(context.page(all))
}

fn shown(context: &Context<'_>, review: &Review) -> Result<Vec<Value>, Answer> {
    let (repository, pull) = (context.repository()?, context.pull()?);
    let urls = context.call.urls();
    let comments = review.comments.iter();
    Ok(comments.map(|comment| wire::review_comment(repository, pull, review, comment, urls)).collect())
}
