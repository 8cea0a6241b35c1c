//! The verdict on a commit: a check run where we may write one, which only Apps may, and a commit status elsewhere.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::http::Method;
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::{CommitSha, RepoName};
use autopr_core::ports::forge::{Marker, Remote, Target};
use autopr_core::review::{Check, Verdict};
use serde::Deserialize;
use url::Url;

use crate::api::{Api, read, repository};
use crate::auth::Auth;
use crate::http::Request;
use crate::marker::word;
use crate::operation::Operation;
use crate::page;
use crate::text::within;

/// The most characters of a check run's title, of its summary, and of a status's description.
const TITLE: usize = 255;
const SUMMARY: usize = 65_535;
const DESCRIPTION: usize = 140;

/// The most pages of a commit's statuses that are read: GitHub keeps 1,000 of one name.
const PAGES: u32 = 10;

/// How verdicts are posted.
#[derive(Debug)]
pub(crate) struct Checks {
    /// Their name.
    pub(crate) name: String,
    /// Where people see pull requests.
    pub(crate) web: Url,
    /// The repositories of which GitHub said that these credentials may not write check runs there.
    pub(crate) refused: Mutex<HashSet<RepoName>>,
}

#[derive(Deserialize)]
struct Run {
    id: u64,
    html_url: Option<String>,
    external_id: Option<String>,
}

#[derive(Deserialize)]
struct Runs {
    check_runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Status {
    id: u64,
    context: String,
    target_url: Option<String>,
}

impl Checks {
    /// Posts the verdict.
    pub(crate) async fn create(
        &self,
        api: &Api,
        target: &Target,
        marker: &Marker,
        check: &Check,
    ) -> Result<Remote, Fault> {
        let tokens = matches!(api.auth, Auth::Token(_));
        if tokens && self.is_refused(target) {
            return self.create_status(api, target, marker, check).await;
        }
        match self.create_run(api, target, marker, check).await {
            Err(fault) if tokens && fault.kind == FaultKind::Denied => {
                tracing::info!("this token may not write check runs; verdicts become commit statuses");
                let posted = self.create_status(api, target, marker, check).await?;
                self.refused().insert(target.repository.clone());
                Ok(posted)
            }
            done => done,
        }
    }

    /// The verdict with this marker on a commit, in whichever form it was posted.
    pub(crate) async fn find(
        &self,
        api: &Api,
        target: &Target,
        head: &CommitSha,
        marker: &Marker,
    ) -> Result<Option<Remote>, Fault> {
        let tokens = matches!(api.auth, Auth::Token(_));
        if !(tokens && self.is_refused(target)) {
            match self.find_run(api, target, head, marker).await {
                // Who may not even read check runs has written none.
                Err(fault) if tokens && fault.kind == FaultKind::Denied => {}
                Ok(None) if tokens => {}
                done => return done,
            }
        }
        self.find_status(api, target, head, marker).await
    }

    fn is_refused(&self, target: &Target) -> bool {
        self.refused().contains(&target.repository)
    }

    fn refused(&self) -> MutexGuard<'_, HashSet<RepoName>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn create_run(&self, api: &Api, target: &Target, marker: &Marker, check: &Check) -> Result<Remote, Fault> {
        let conclusion = match check.verdict {
            Verdict::Success => "success",
            Verdict::Failure => "failure",
            Verdict::Neutral => "neutral",
        };
        let body = serde_json::json!({
            "name": self.name,
            "head_sha": check.head,
            "status": "completed",
            "conclusion": conclusion,
            "external_id": marker,
            "output": {
                "title": within(&check.title, TITLE, "…"),
                "summary": within(&check.summary, SUMMARY, "\n\n… (cut)"),
            },
        });
        let path = repository(target, &["check-runs"]);
        let answer = api.send(target, &Request::write(Operation::CreateCheck, Method::POST, path, &body)?).await?;
        let run: Run = answer.json()?;
        Ok(Remote { id: run.id.to_string(), url: run.html_url })
    }

    /// A status has no neutral state. `success` would say more than is known and `failure` that something was found, so a
    /// neutral verdict is an `error`: GitHub's word for a check that could not do its work. Where the status is required it
    /// keeps the pull request from being merged, which a neutral check run does not.
    async fn create_status(&self, api: &Api, target: &Target, marker: &Marker, check: &Check) -> Result<Remote, Fault> {
        let state = match check.verdict {
            Verdict::Success => "success",
            Verdict::Failure => "failure",
            Verdict::Neutral => "error",
        };
        let url = self.target_url(target, marker);
        let body = serde_json::json!({
            "state": state,
            "context": self.name,
            "description": within(&check.title, DESCRIPTION, "…"),
            "target_url": url,
        });
        let path = repository(target, &["statuses", check.head.as_str()]);
        let answer = api.send(target, &Request::write(Operation::CreateStatus, Method::POST, path, &body)?).await?;
        let status: Status = answer.json()?;
        Ok(Remote { id: status.id.to_string(), url: Some(url) })
    }

    async fn find_run(
        &self,
        api: &Api,
        target: &Target,
        head: &CommitSha,
        marker: &Marker,
    ) -> Result<Option<Remote>, Fault> {
        for page in 1..=PAGES {
            let request = read(Operation::Checks, target, &["commits", head.as_str(), "check-runs"]);
            let request = request.query("check_name", &self.name).query("filter", "all");
            let answer = api.send(target, &request.query("per_page", 100).query("page", page)).await?;
            let more = page::next(&answer.headers).is_some();
            let runs: Runs = answer.json()?;
            let ours = |run: &Run| run.external_id.as_deref() == Some(marker.0.as_str());
            if let Some(run) = runs.check_runs.into_iter().find(ours) {
                return Ok(Some(Remote { id: run.id.to_string(), url: run.html_url }));
            }
            if !more {
                break;
            }
        }
        Ok(None)
    }

    async fn find_status(
        &self,
        api: &Api,
        target: &Target,
        head: &CommitSha,
        marker: &Marker,
    ) -> Result<Option<Remote>, Fault> {
        let fragment = format!("#{}", word(marker));
        for page in 1..=PAGES {
            let request = read(Operation::Statuses, target, &["commits", head.as_str(), "statuses"]);
            let answer = api.send(target, &request.query("per_page", 100).query("page", page)).await?;
            let more = page::next(&answer.headers).is_some();
            let statuses: Vec<Status> = answer.json()?;
            let ours = |status: &Status| {
                status.context == self.name && status.target_url.as_ref().is_some_and(|url| url.ends_with(&fragment))
            };
            if let Some(status) = statuses.into_iter().find(ours) {
                return Ok(Some(Remote { id: status.id.to_string(), url: status.target_url }));
            }
            if !more {
                break;
            }
        }
        Ok(None)
    }

    /// A status holds no hidden text, but its link may: the pull request's page, with the marker as a fragment that no
    /// page has.
    fn target_url(&self, target: &Target, marker: &Marker) -> String {
        let mut url = self.web.clone();
        let (owner, name) = target.repository.as_str().split_once('/').unwrap_or_default();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend([owner, name, "pull", &target.number.to_string()]);
        }
        url.set_fragment(Some(&word(marker)));
        url.into()
    }
}

/// Where people see what is at this API: `api.github.com` belongs to `github.com`, `HOST/api/v3` to `HOST`.
pub(crate) fn web(api: &Url) -> Url {
    let mut web = api.clone();
    let path = web.path().trim_end_matches('/').trim_end_matches("/api/v3").to_owned();
    web.set_path(&path);
    web.set_query(None);
    if let Some(host) = api.host_str().and_then(|host| host.strip_prefix("api.")).map(str::to_owned) {
        // The host was valid with its first label, and so it is without.
        let _ = web.set_host(Some(&host));
    }
    web
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_people_look() {
        let check = |api: &str, expect: &str| assert_eq!(web(&api.parse().unwrap()).as_str(), expect);
        check("https://api.github.com", "https://github.com/");
        check("https://api.github.com/", "https://github.com/");
        check("https://ghe.example/api/v3/", "https://ghe.example/");
        check("https://ghe.example:8443/git/api/v3", "https://ghe.example:8443/git");
        check("https://api.octo.ghe.com", "https://octo.ghe.com/");
    }
}
