//! What an operator asks of GitHub before anything is run: who we are there, what we may do, and whether its webhooks arrive.

use std::collections::BTreeMap;

use ::http::HeaderMap;
use ::http::header::DATE;
use autopr_core::clock::Clock;
use autopr_core::fault::{Fault, FaultKind};
use autopr_core::ids::InstallationId;
use jiff::Timestamp;
use serde::Deserialize;

use crate::GitHub;
use crate::app::App;
use crate::auth::Auth;
use crate::github::{Identity, Oneself};
use crate::http::Request;
use crate::operation::Operation;
use crate::page;

/// The most entries GitHub puts on a page.
const PER_PAGE: u32 = 100;

/// The most pages of installations that are read.
const PAGES: u32 = 10;

/// The answer to who we are, with what its headers tell.
#[derive(Debug)]
pub struct Introduction {
    /// Who we are, or why GitHub does not say.
    pub identity: Result<Identity, Fault>,
    /// By how many seconds this machine's clock is ahead of GitHub's; below zero when it is behind. GitHub tells whole seconds.
    pub ahead: Option<i64>,
    /// The scopes of a classic token; none for others, of which GitHub does not tell.
    pub scopes: Option<Vec<String>>,
    /// When the token ends, if it does.
    pub token_ends: Option<Timestamp>,
}

/// Where the App is installed.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Its number.
    pub id: InstallationId,
    /// The account it is installed for.
    pub account: String,
    /// What the account's owner granted, such as `checks` to `write`.
    pub permissions: BTreeMap<String, String>,
    /// The events that are sent for it.
    pub events: Vec<String>,
    /// Whether it was suspended.
    pub suspended: bool,
}

/// How GitHub delivers the App's webhooks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Hook {
    /// Where to.
    pub url: Option<String>,
    /// `json` or `form`.
    pub content_type: Option<String>,
    /// Whether it signs them. What GitHub shows of the secret are stars.
    #[serde(rename = "secret", deserialize_with = "is_there")]
    pub has_secret: bool,
    /// Whether it looks at the receiver's certificate: `0` when it does.
    insecure_ssl: Option<serde_json::Value>,
}

impl Hook {
    /// Whether GitHub takes any certificate for the receiver's.
    pub fn takes_any_certificate(&self) -> bool {
        // GitHub's description allows a text and a number.
        self.insecure_ssl.as_ref().is_some_and(|value| *value != "0" && *value != 0)
    }
}

fn is_there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.is_some_and(|secret| !secret.is_empty()))
}

/// One try of a delivery.
#[derive(Debug, Clone, Deserialize)]
pub struct Try {
    /// The delivery's id, the same for each of its tries.
    pub guid: String,
    /// When.
    #[serde(rename = "delivered_at")]
    pub at: Timestamp,
    /// What the receiver answered; GitHub makes up one when it could not be reached.
    pub status_code: i64,
}

/// How many requests GitHub still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Allowance {
    /// Of how many in an hour.
    pub limit: u64,
    /// How many are left.
    pub remaining: u64,
}

#[derive(Deserialize)]
struct Listed {
    id: InstallationId,
    account: Option<Account>,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    #[serde(default)]
    events: Vec<String>,
    suspended_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Account {
    /// An enterprise has a `slug` in its place.
    #[serde(alias = "slug")]
    login: String,
}

#[derive(Deserialize)]
struct Limits {
    resources: Resources,
}

#[derive(Deserialize)]
struct Resources {
    core: Allowance,
}

impl GitHub {
    /// Whether we are known as an App.
    pub fn is_app(&self) -> bool {
        matches!(self.api.auth, Auth::App(_))
    }

    /// Asks who we are, in one request.
    ///
    /// # Errors
    /// When there is no answer. One that refuses the credentials is an answer, and tells GitHub's time.
    pub async fn introduce(&self) -> Result<Introduction, Fault> {
        let path = if self.is_app() { "app" } else { "user" };
        let header = self.api.auth.own_header()?;
        let begun = Clock::System.now();
        let answer = self.api.http.send(&Request::get(Operation::Identity, [path]), &header).await?;
        let ended = Clock::System.now();
        let ahead = date(&answer.headers).map(|theirs| {
            // Somewhere between the beginning and the end, in whole seconds: what may be nothing is nothing.
            let (first, last) = (begun.as_second() - theirs.as_second(), ended.as_second() - theirs.as_second());
            if first <= 1 && last >= 0 {
                0
            } else if first > 1 {
                first
            } else {
                last
            }
        });
        let scopes = text(&answer.headers, "x-oauth-scopes")
            .map(|scopes| scopes.split(',').map(|scope| scope.trim().to_owned()).collect());
        let token_ends = text(&answer.headers, "github-authentication-token-expiration").and_then(|at| {
            let at = at.trim_end_matches(" UTC").trim_end_matches(" +0000").replace(' ', "T");
            format!("{at}Z").parse().ok()
        });
        Ok(Introduction { identity: answer.json::<Oneself>().map(Identity::from), ahead, scopes, token_ends })
    }

    /// Where the App is installed; a thousand places at most.
    ///
    /// # Errors
    /// When GitHub refuses, or for a token.
    pub async fn installed(&self) -> Result<Vec<Installed>, Fault> {
        let app = self.app(Operation::Installations)?;
        let mut found = Vec::new();
        for number in 1..=PAGES {
            let request = Request::get(Operation::Installations, ["app", "installations"]);
            let request = request.query("per_page", PER_PAGE).query("page", number);
            let answer = self.api.http.send(&request, &app.claim()?).await?;
            let more = page::next(&answer.headers).is_some();
            found.extend(answer.json::<Vec<Listed>>()?.into_iter().map(|listed| Installed {
                id: listed.id,
                account:
                    listed.account.map_or_else(|| format!("installation {}", listed.id.0), |account| account.login),
                permissions: listed.permissions,
                events: listed.events,
                suspended: listed.suspended_at.is_some(),
            }));
            if !more {
                break;
            }
        }
        Ok(found)
    }

    /// How the App's webhooks are delivered.
    ///
    /// # Errors
    /// When GitHub refuses, as it does when the App's webhook is switched off, or for a token.
    pub async fn hook(&self) -> Result<Hook, Fault> {
        let app = self.app(Operation::HookConfig)?;
        self.api.http.send(&Request::get(Operation::HookConfig, ["app", "hook", "config"]), &app.claim()?).await?.json()
    }

    /// The last tries of deliveries, the newest first: at most a hundred.
    ///
    /// # Errors
    /// When GitHub refuses, or for a token.
    pub async fn tries(&self) -> Result<Vec<Try>, Fault> {
        let app = self.app(Operation::Deliveries)?;
        let request = Request::get(Operation::Deliveries, ["app", "hook", "deliveries"]).query("per_page", PER_PAGE);
        self.api.http.send(&request, &app.claim()?).await?.json()
    }

    /// How many requests are left: those of the token, or those in an installation, for which a token is asked first.
    ///
    /// # Errors
    /// When GitHub refuses; for an App without an installation.
    pub async fn allowance(&self, installation: Option<InstallationId>) -> Result<Allowance, Fault> {
        let request = Request::get(Operation::RateLimit, ["rate_limit"]);
        let answer = match (&self.api.auth, installation) {
            (Auth::Token(header), _) => self.api.http.send(&request, header).await?,
            (Auth::App(app), Some(installation)) => app.send(&self.api.http, installation, &request).await?,
            (Auth::App(_), None) => return Err(Fault::invalid("the App is not installed anywhere")),
        };
        Ok(answer.json::<Limits>()?.resources.core)
    }

    fn app(&self, operation: Operation) -> Result<&App, Fault> {
        match &self.api.auth {
            Auth::App(app) => Ok(app),
            Auth::Token(_) => Err(Fault::new(FaultKind::Denied, format!("{}: only an App can", operation.doing()))),
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The time of an answer by GitHub's clock.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text(headers, DATE.as_str())?).ok()
}
