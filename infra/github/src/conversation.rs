//! The conversation of a pull request: comments, labels, reactions, and who may ask for what.

use ::http::{Method, StatusCode};
use autopr_core::fault::Fault;
use autopr_core::ids::CommentId;
use autopr_core::ports::forge::{Marker, Permission, Reaction, Remote, Target};
use serde::Deserialize;

use crate::api::{Api, read, repository};
use crate::http::Request;
use crate::marker::hidden;
use crate::operation::Operation;
use crate::review::Created;
use crate::text::{BODY, within};

#[derive(Deserialize)]
struct Granted {
    /// The nearest of `admin`, `write`, `read` and `none`, also for roles an organisation made up.
    #[serde(default)]
    permission: String,
    /// The role itself, such as `maintain` or `triage`.
    #[serde(default)]
    role_name: String,
}

#[derive(Deserialize)]
struct Numbered {
    id: u64,
}

/// Posts a comment.
pub(crate) async fn comment(api: &Api, target: &Target, marker: &Marker, body: &str) -> Result<Remote, Fault> {
    let marker = hidden(marker);
    let room = BODY.saturating_sub(marker.len() + 2);
    let body = format!("{}\n\n{marker}", within(body.trim_end(), room, "\n\n… (cut)"));
    let number = target.number.to_string();
    let path = repository(target, &["issues", &number, "comments"]);
    let body = serde_json::json!({ "body": body });
    let answer = api.send(target, &Request::write(Operation::CreateComment, Method::POST, path, &body)?).await?;
    Ok(answer.json::<Created>()?.remote())
}

/// The comment with this marker.
pub(crate) async fn find_comment(api: &Api, target: &Target, marker: &Marker) -> Result<Option<Remote>, Fault> {
    let (number, marker) = (target.number.to_string(), hidden(marker));
    let request = || read(Operation::Comments, target, &["issues", &number, "comments"]);
    api.newest(target, request, |comment: &Created| comment.carries(&marker).then(|| comment.remote())).await
}

/// Adds labels; those that do not exist are made by GitHub.
pub(crate) async fn add_labels(api: &Api, target: &Target, labels: &[String]) -> Result<Remote, Fault> {
    let number = target.number.to_string();
    if !labels.is_empty() {
        let path = repository(target, &["issues", &number, "labels"]);
        let body = serde_json::json!({ "labels": labels });
        let request = Request::write(Operation::AddLabels, Method::POST, path, &body)?;
        api.send(target, &request).await?.bytes()?;
    }
    Ok(Remote { id: number, url: None })
}

/// Reacts to a comment; GitHub keeps one of a kind for each account.
pub(crate) async fn react(api: &Api, target: &Target, comment: CommentId, reaction: Reaction) -> Result<Remote, Fault> {
    let content = match reaction {
        Reaction::Eyes => "eyes",
        Reaction::ThumbsUp => "+1",
        Reaction::ThumbsDown => "-1",
        Reaction::Confused => "confused",
    };
    let number = comment.0.to_string();
    let path = repository(target, &["issues", "comments", &number, "reactions"]);
    let body = serde_json::json!({ "content": content });
    let answer = api.send(target, &Request::write(Operation::React, Method::POST, path, &body)?).await?;
    let Numbered { id } = answer.json()?;
    Ok(Remote { id: id.to_string(), url: None })
}

/// What an account may do.
pub(crate) async fn permission(api: &Api, target: &Target, login: &str) -> Result<Permission, Fault> {
    if matches!(login, "" | "." | "..") {
        return Ok(Permission::None);
    }
    let answer =
        api.send(target, &read(Operation::Permission, target, &["collaborators", login, "permission"])).await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(Permission::None);
    }
    let Granted { permission, role_name } = answer.json()?;
    let known = [permission.as_str(), role_name.as_str()].into_iter().find_map(|word| match word {
        "admin" | "maintain" | "write" => Some(Permission::Write),
        "triage" | "read" => Some(Permission::Read),
        "none" => Some(Permission::None),
        _ => None,
    });
    // A word we do not know grants nothing.
    Ok(known.unwrap_or(Permission::None))
}
