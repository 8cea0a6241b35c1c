//! Requests about a pull request, made with the right token.

use ::http::StatusCode;
use autopr_core::fault::Fault;
use autopr_core::ports::forge::Target;
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::auth::Auth;
use crate::http::{Http, Request};
use crate::operation::Operation;
use crate::page;
use crate::quiet::Quiet;

/// The most pages of a listing that are read.
const PAGES: usize = 50;

/// GitHub, as somebody.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) http: Http,
    pub(crate) auth: Auth,
    pub(crate) quiet: Quiet,
}

impl Api {
    /// Sends a request, unless GitHub wants none for now. An installation's token that GitHub no longer accepts is renewed once; the request it refused was
    /// not acted on, so that it may be a write.
    pub(crate) async fn send(&self, target: &Target, request: &Request) -> Result<Answer, Fault> {
        self.quiet.admits(target, request.operation).await?;
        let header = self.auth.header(&self.http, target).await?;
        let mut answer = self.http.send(request, &header).await?;
        if let Auth::App(app) = &self.auth
            && answer.status == StatusCode::UNAUTHORIZED
        {
            let header = app.token(&self.http, target, Some(&header)).await?;
            answer = self.http.send(request, &header).await?;
        }
        self.quiet.learn(target, &answer).await;
        Ok(answer)
    }

    /// The newest entry of a listing for which `pick` answers. `request` makes the request for a page of a listing that
    /// starts with the oldest entry; after the first page, which tells how many there are, the last come first.
    pub(crate) async fn newest<T: DeserializeOwned, R>(
        &self,
        target: &Target,
        request: impl Fn() -> Request,
        pick: impl Fn(&T) -> Option<R>,
    ) -> Result<Option<R>, Fault> {
        let page = |number: u32| request().query("per_page", 100).query("page", number);
        let answer = self.send(target, &page(1)).await?;
        let last = page::last(&answer.headers).unwrap_or(1);
        let mut found = answer.json::<Vec<T>>()?.iter().rev().find_map(&pick);
        for number in (2..=last).rev().take(PAGES) {
            if found.is_some() {
                break;
            }
            found = self.send(target, &page(number)).await?.json::<Vec<T>>()?.iter().rev().find_map(&pick);
        }
        Ok(found)
    }
}

/// The address of something in the target's repository.
pub(crate) fn repository<'a>(target: &'a Target, rest: &[&'a str]) -> Vec<&'a str> {
    let (owner, name) = target.repository.as_str().split_once('/').unwrap_or_default();
    ["repos", owner, name].iter().chain(rest).copied().collect()
}

/// A read of something in the target's repository.
pub(crate) fn read(operation: Operation, target: &Target, rest: &[&str]) -> Request {
    Request::get(operation, repository(target, rest))
}
