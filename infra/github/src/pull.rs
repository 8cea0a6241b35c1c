//! The pull request itself, and the section of its description that is ours.

use ::http::{Method, StatusCode};
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::CommitSha;
use autopr_core::ports::forge::{PullRequest, Remote, Target};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::{Api, read, repository};
use crate::http::Request;
use crate::operation::Operation;
use crate::remembered::Remembered;
use crate::text::{BODY, within};

/// What stands around our section of a description.
const START: &str = "<!-- autopr:description -->";
const END: &str = "<!-- /autopr:description -->";

/// A section shorter than this is not worth posting.
const LEAST: usize = 200;

/// A pull request as GitHub tells it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pull {
    title: Option<String>,
    body: Option<String>,
    user: Option<Account>,
    base: Side,
    pub(crate) head: Side,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    labels: Vec<Label>,
    html_url: Option<String>,
    updated_at: Option<Timestamp>,
    pub(crate) changed_files: Option<usize>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Side {
    pub(crate) sha: CommitSha,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Account {
    login: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Label {
    name: String,
}

impl Pull {
    /// In our words. An account that was deleted shows as `ghost`, as on GitHub's pages.
    pub(crate) fn told(self, target: &Target) -> PullRequest {
        PullRequest {
            target: target.clone(),
            title: self.title.unwrap_or_default(),
            body: self.body.unwrap_or_default(),
            author: self.user.map_or_else(|| "ghost".to_owned(), |user| user.login),
            base: self.base.sha,
            head: self.head.sha,
            draft: self.draft,
            labels: self.labels.into_iter().map(|label| label.name).collect(),
            changed_at: self.updated_at,
        }
    }
}

/// The pull request as it is now. GitHub does not count a request that it answers with "not modified".
pub(crate) async fn get(api: &Api, remembered: &Remembered, target: &Target) -> Result<Pull, Fault> {
    let key = remembered.key("pull", target, target.number);
    let known = remembered.tagged(&key).await;
    let known = known.and_then(|(etag, pull)| Some((etag, serde_json::from_slice::<Pull>(&pull).ok()?)));
    let number = target.number.to_string();
    let etag = known.as_ref().map(|(etag, _)| etag.clone());
    let answer = api.send(target, &read(Operation::PullRequest, target, &["pulls", &number]).unless(etag)).await?;
    match known {
        Some((_, pull)) if answer.status == StatusCode::NOT_MODIFIED => return Ok(pull),
        _ => {}
    }
    let etag = answer.etag();
    let pull: Pull = answer.json()?;
    if let (Some(etag), Ok(pull)) = (etag, serde_json::to_vec(&pull)) {
        remembered.put_tagged(&key, &etag, &pull).await;
    }
    Ok(pull)
}

/// Puts the section into the description, unless it stands there already. The description is read first: what its author
/// wrote stays as it is. GitHub has no conditional write, so an edit that the author saves between the two requests is
/// lost; that is a fraction of a second.
pub(crate) async fn describe(
    api: &Api,
    remembered: &Remembered,
    target: &Target,
    section: &str,
) -> Result<Remote, Fault> {
    let pull = get(api, remembered, target).await?;
    let number = target.number.to_string();
    let done = Remote { id: number.clone(), url: pull.html_url };
    let before = pull.body.unwrap_or_default();
    let after = merged(&before, section).ok_or_else(|| {
        Fault::invalid("writing the description: the author's own text leaves no room for another section")
            .user("The description is so long that nothing fits below it.")
    })?;
    if after == before {
        return Ok(done);
    }
    let path = repository(target, &["pulls", &number]);
    let body = serde_json::json!({ "body": after });
    let answer = api.send(target, &Request::write(Operation::Describe, Method::PATCH, path, &body)?).await?;
    answer.bytes().map(|_| done).map_err(|fault| match fault.kind {
        FaultKind::Denied => fault.user("I may not edit the description of this pull request."),
        _ => fault,
    })
}

/// The description with the section in it, or none when it does not fit.
fn merged(before: &str, section: &str) -> Option<String> {
    let (head, tail) = match ours(before) {
        Some((start, end)) => (before[..start].to_owned(), &before[end..]),
        None if before.trim().is_empty() => (before.to_owned(), ""),
        None => (format!("{}\n\n", before.trim_end_matches(['\n', '\r'])), ""),
    };
    // Our own signs within the section would end it early the next time.
    let section = section.replace(START, "&lt;!-- autopr:description --&gt;");
    let section = section.replace(END, "&lt;!-- /autopr:description --&gt;");
    let around = head.chars().count() + tail.chars().count() + START.len() + END.len() + 2;
    let room = BODY.saturating_sub(around);
    if room < LEAST && room < section.chars().count() {
        return None;
    }
    let section = within(section.trim(), room, "\n\n… (cut)");
    Some(format!("{head}{START}\n{section}\n{END}{tail}"))
}

/// Where our section starts and ends: the last one that does both.
fn ours(text: &str) -> Option<(usize, usize)> {
    let end = text.rfind(END)?;
    let start = text[..end].rfind(START)?;
    Some((start, end + END.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_comes_below_what_the_author_wrote_and_replaces_itself() {
        let first = merged("Fixes #1.\r\n", "one").unwrap();
        assert_eq!(first, "Fixes #1.\n\n<!-- autopr:description -->\none\n<!-- /autopr:description -->");
        let edited = format!("{first}\n\nPS: thanks");
        let second = merged(&edited, "two").unwrap();
        assert_eq!(second, "Fixes #1.\n\n<!-- autopr:description -->\ntwo\n<!-- /autopr:description -->\n\nPS: thanks");
        assert_eq!(merged(&second, "two").unwrap(), second);
        assert_eq!(merged("", "x").unwrap(), "<!-- autopr:description -->\nx\n<!-- /autopr:description -->");
    }

    #[test]
    fn half_a_section_is_the_authors() {
        for text in [START, END, "<!-- /autopr:description --> <!-- autopr:description -->"] {
            let text = format!("see {text} there");
            let with = merged(&text, "x").unwrap();
            assert!(with.starts_with(&text), "{with}");
            assert_eq!(merged(&with, "x").unwrap(), with);
        }
    }

    #[test]
    fn a_section_that_holds_our_signs_does_not_grow() {
        let hostile = format!("a {END} b {START} c {END}");
        let once = merged("mine", &hostile).unwrap();
        assert_eq!(merged(&once, &hostile).unwrap(), once);
        assert_eq!(merged(&once, "").unwrap(), format!("mine\n\n{START}\n\n{END}"));
    }

    #[test]
    fn a_long_section_is_cut_and_a_long_description_refused() {
        let cut = merged("mine", &"ä".repeat(70_000)).unwrap();
        assert_eq!(cut.chars().count(), BODY);
        assert!(cut.starts_with("mine\n\n<!--") && cut.ends_with(&format!("… (cut)\n{END}")));
        assert_eq!(merged(&"ä".repeat(65_500), "section"), None);
    }
}
