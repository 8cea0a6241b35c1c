//! The rules that GitHub's documentation tells in prose and its OpenAPI description leaves out.

use serde_json::{Value, json};

use super::call::Answer;
use super::diff::{File, Side};
use super::state::Pull;

/// The longest body of a comment, a review or a description, in characters.
pub(crate) const LONGEST_BODY: usize = 65_536;
/// The longest text of a check run's output, in characters.
const LONGEST_OUTPUT: usize = 65_535;
/// How many annotations one request may bring.
const MOST_ANNOTATIONS: usize = 50;
/// The versions of the API that may be asked for.
pub(crate) const API_VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];

/// A review that may be posted.
pub(crate) struct Proposed {
    pub(crate) state: &'static str,
    pub(crate) commit: String,
    pub(crate) body: String,
    pub(crate) comments: Vec<Anchored>,
}

/// A comment on lines that are in the diff.
pub(crate) struct Anchored {
    pub(crate) path: String,
    pub(crate) start: Option<(u64, Side)>,
    pub(crate) line: u64,
    pub(crate) side: Side,
    pub(crate) body: String,
}

/// The answer to a body that lacks a field it needs.
pub(crate) fn missing(resource: &str, field: &str) -> Answer {
    Answer::invalid(json!([{ "resource": resource, "code": "missing_field", "field": field }]))
}

/// Refuses a body that is too long.
pub(crate) fn body_length(resource: &str, body: Option<&str>) -> Result<(), Answer> {
    if body.is_some_and(too_long) {
        let message = "body is too long (maximum is 65536 characters)";
        return Err(Answer::invalid(
            json!([{ "resource": resource, "code": "custom", "field": "body", "message": message }]),
        ));
    }
    Ok(())
}

fn too_long(body: &str) -> bool {
    body.chars().count() > LONGEST_BODY
}

/// Checks a review against the pull request it is for; the errors are GitHub's words.
pub(crate) fn review(pull: &Pull, author: &str, sent: &Value) -> Result<Proposed, Vec<String>> {
    let mut errors = Vec::new();
    let body = sent["body"].as_str().unwrap_or_default();
    let state = match sent["event"].as_str() {
        None => "PENDING",
        Some("APPROVE") => "APPROVED",
        Some("REQUEST_CHANGES") => "CHANGES_REQUESTED",
        Some("COMMENT") => "COMMENTED",
        Some(other) => {
            return Err(vec![format!(
                "Variable $event of type PullRequestReviewEvent was provided invalid value {other}"
            )]);
        }
    };
    if matches!(state, "COMMENTED" | "CHANGES_REQUESTED") && body.trim().is_empty() {
        errors.push("Body can't be blank".to_owned());
    }
    if too_long(body) {
        errors.push("Body is too long (maximum is 65536 characters)".to_owned());
    }
    if pull.author == author && state == "APPROVED" {
        errors.push("Can not approve your own pull request".to_owned());
    }
    if pull.author == author && state == "CHANGES_REQUESTED" {
        errors.push("Can not request changes on your own pull request".to_owned());
    }
    if state == "PENDING" && pull.reviews.iter().any(|known| known.state == "PENDING" && known.author == author) {
        errors.push("User can only have one pending review per pull request".to_owned());
    }
    let commit = sent["commit_id"].as_str().unwrap_or(pull.head());
    let Some(revision) = pull.revision(commit) else {
        errors.push("The commit_id is not part of the pull request".to_owned());
        return Err(errors);
    };
    let files = revision.files();
    let mut comments = Vec::new();
    for comment in sent["comments"].as_array().into_iter().flatten() {
        match anchor(&files, comment) {
            Ok(anchored) => comments.push(anchored),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(Proposed { state, commit: commit.to_owned(), body: body.to_owned(), comments })
    } else {
        Err(errors)
    }
}

/// Finds the lines of a comment in the diff.
fn anchor(files: &[File], comment: &Value) -> Result<Anchored, String> {
    let body = comment["body"].as_str().unwrap_or_default();
    if body.trim().is_empty() {
        return Err("Pull request review thread body can't be blank".to_owned());
    }
    if too_long(body) {
        return Err("Pull request review thread body is too long (maximum is 65536 characters)".to_owned());
    }
    let path = comment["path"].as_str().unwrap_or_default();
    let file = files.iter().find(|file| file.path == path).ok_or("Path could not be resolved")?;
    let side = |field: &str, default: Side| match comment[field].as_str() {
        None => Ok(default),
        Some(text) => Side::parse(text).ok_or(format!("{field} is neither LEFT nor RIGHT")),
    };
    let (line, side) = match (comment["line"].as_u64(), comment["position"].as_u64()) {
        (Some(line), _) => (line, side("side", Side::Right)?),
        (None, Some(position)) => {
            let line = file.at_position(position).ok_or("Position could not be resolved")?;
            let side = if line.right.is_some() { Side::Right } else { Side::Left };
            (line.number(side).ok_or("Position could not be resolved")?, side)
        }
        (None, None) => return Err("Line could not be resolved".to_owned()),
    };
    let (hunk, place) = file.find(line, side).ok_or("Pull request review thread line must be part of the diff")?;
    let mut start = None;
    if let Some(from) = comment["start_line"].as_u64() {
        let on = self::start_side(comment, side)?;
        let found = file.find(from, on).filter(|(in_hunk, _)| *in_hunk == hunk);
        let (_, before) =
            found.ok_or("Pull request review thread start line must be part of the same hunk as the line.")?;
        if before >= place || (on == side && from >= line) {
            return Err("Pull request review thread start line must precede the end line.".to_owned());
        }
        start = Some((from, on));
    } else if !comment["start_side"].is_null() {
        return Err("Pull request review thread start side needs a start line".to_owned());
    }
    Ok(Anchored { path: path.to_owned(), start, line, side, body: body.to_owned() })
}

fn start_side(comment: &Value, default: Side) -> Result<Side, String> {
    match comment["start_side"].as_str() {
        None => Ok(default),
        Some(text) => Side::parse(text).ok_or("start_side is neither LEFT nor RIGHT".to_owned()),
    }
}

/// Checks what is sent for a check run, a new one or a change.
pub(crate) fn check_run(sent: &Value, new: bool) -> Result<(), Vec<Value>> {
    let mut errors = Vec::new();
    let mut wrong =
        |field: &str, code: &str| errors.push(json!({ "resource": "CheckRun", "code": code, "field": field }));
    for field in ["name", "head_sha"] {
        let given = sent[field].as_str();
        if (new && given.is_none()) || given.is_some_and(|text| text.trim().is_empty()) {
            wrong(field, "missing_field");
        }
    }
    if sent["status"] == "completed" && !sent["conclusion"].is_string() {
        wrong("conclusion", "missing_field");
    }
    let output = &sent["output"];
    if !output.is_null() {
        for (field, needed) in [("title", new), ("summary", true), ("text", false)] {
            match output[field].as_str() {
                None if needed => wrong(field, "missing_field"),
                Some(text) if text.chars().count() > LONGEST_OUTPUT => wrong(field, "invalid"),
                _ => {}
            }
        }
    }
    if output["annotations"].as_array().is_some_and(|all| all.len() > MOST_ANNOTATIONS) {
        wrong("annotations", "invalid");
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
