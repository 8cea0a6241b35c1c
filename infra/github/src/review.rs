//! A review: its summary and its comments on lines, in one request.

use ::http::{Method, StatusCode};
use autopr_core::diff::{Side, path_bytes};
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ports::forge::{Marker, Remote, Target};
use autopr_core::review::{Finding, Location, Review, markdown};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::api::{Api, read, repository};
use crate::http::Request;
use crate::marker::hidden;
use crate::operation::Operation;

/// What GitHub takes ("Create a review for a pull request").
#[derive(Serialize)]
struct Posted<'a> {
    commit_id: &'a str,
    event: &'static str,
    body: String,
    comments: Vec<Comment>,
}

#[derive(Serialize)]
struct Comment {
    path: String,
    body: String,
    line: u32,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_side: Option<&'static str>,
}

/// What GitHub says of a thing that was posted.
#[derive(Deserialize)]
pub(crate) struct Created {
    id: u64,
    html_url: Option<String>,
    body: Option<String>,
}

impl Created {
    /// In our words.
    pub(crate) fn remote(&self) -> Remote {
        Remote { id: self.id.to_string(), url: self.html_url.clone() }
    }

    /// Whether it carries the marker.
    pub(crate) fn carries(&self, marker: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.contains(marker))
    }
}

/// Posts the review. GitHub refuses all of it when one line is not in the diff as it sees it, and does not say which: then
/// it is posted once more with every finding in its body.
pub(crate) async fn create(api: &Api, target: &Target, marker: &Marker, review: &Review) -> Result<Remote, Fault> {
    let (comments, body): (Vec<_>, Vec<_>) = review.findings.iter().map(on_line).unzip();
    let comments: Vec<_> = comments.into_iter().flatten().collect();
    let in_body = Review { findings: body, ..review.clone() };
    let had_comments = !comments.is_empty();
    let mut answer = post(api, target, marker, &in_body, comments, "").await?;
    if had_comments && answer.status == StatusCode::UNPROCESSABLE_ENTITY && answer.fault().kind == FaultKind::Invalid {
        let refusal = answer.fault();
        tracing::warn!(error = %refusal, "posting the review again without comments on lines");
        let all = Review { findings: review.findings.iter().map(moved).collect(), ..review.clone() };
        let note = "GitHub took no comments on lines, so all findings stand here.\n\n";
        answer = post(api, target, marker, &all, Vec::new(), note).await?;
    }
    Ok(answer.json::<Created>()?.remote())
}

/// The review with this marker.
pub(crate) async fn find(api: &Api, target: &Target, marker: &Marker) -> Result<Option<Remote>, Fault> {
    let (number, marker) = (target.number.to_string(), hidden(marker));
    let request = || read(Operation::Reviews, target, &["pulls", &number, "reviews"]);
    api.newest(target, request, |review: &Created| review.carries(&marker).then(|| review.remote())).await
}

async fn post(
    api: &Api,
    target: &Target,
    marker: &Marker,
    review: &Review,
    comments: Vec<Comment>,
    note: &str,
) -> Result<Answer, Fault> {
    let body = format!("{note}{}\n{}", markdown::summary(review), hidden(marker));
    let posted = Posted { commit_id: review.head.as_str(), event: "COMMENT", body, comments };
    let number = target.number.to_string();
    let path = repository(target, &["pulls", &number, "reviews"]);
    api.send(target, &Request::write(Operation::CreateReview, Method::POST, path, &posted)?).await
}

/// The comment for a finding on a line, and the finding as it has to stand in the body.
fn on_line(finding: &Finding) -> (Option<Comment>, Finding) {
    let place = finding.location.as_ref().and_then(|location| {
        // A path that is not text can't be written in JSON.
        Some((location, String::from_utf8(path_bytes(&location.path).into_owned()).ok()?))
    });
    let Some((location, path)) = place else { return (None, moved(finding)) };
    let side = match location.side {
        Side::Left => "LEFT",
        Side::Right => "RIGHT",
    };
    let several = location.start < location.end;
    let comment = Comment {
        path,
        body: markdown::comment(finding),
        line: location.end,
        side,
        start_line: several.then_some(location.start),
        start_side: several.then_some(side),
    };
    (Some(comment), finding.clone())
}

/// The finding without its place, which its title names instead.
fn moved(finding: &Finding) -> Finding {
    let Some(Location { path, start, end, .. }) = &finding.location else { return finding.clone() };
    let lines = if start == end { start.to_string() } else { format!("{start}-{end}") };
    let title = format!("{} {}", markdown::code(&format!("{path}:{lines}")), finding.title);
    Finding { title, location: None, ..finding.clone() }
}
