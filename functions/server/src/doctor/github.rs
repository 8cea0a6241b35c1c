//! GitHub: whether it takes the credentials, its clock, how much it still lets us ask, and, for an App, everything that is set
//! on its settings page.

use autopr_core::fault::Fault;
use autopr_core::yaml::Diagnostic;
use autopr_github::{Allowance, GitHub, Identity, Installed, Introduction};
use autopr_runtime::settings::{Environment, Settings};

use super::report::Check;
use super::{about, deliveries, permissions, told, unclear, webhook, within};

const NAME: &str = "github.credentials";
const KEYS: [&str; 3] = ["github.base_url", "github.token", "github.app"];

/// From how many seconds on the clock is told of, and from how many on GitHub may refuse an App's signature
/// ("Generating a JSON Web Token for a GitHub App").
const AHEAD: (u64, u64) = (5, 60);

/// How many installations are asked for their allowance.
const ASKED: usize = 5;

/// A token that ends sooner is told of, in seconds.
const SOON: i64 = 7 * 86_400;

pub(super) async fn checks(settings: &Settings, mistakes: &[Diagnostic]) -> Vec<Check> {
    const FIX: &str = "correct github.base_url, and let this machine reach it";
    if let Some(check) = unclear(NAME, mistakes, &KEYS) {
        return vec![check];
    }
    let github = match autopr_wiring::github(&settings.github, autopr_wiring::memory()) {
        Ok(github) => github,
        Err(fault) => {
            return vec![Check::failed(NAME, told(&fault), credentials_fix(settings.github.app.id.is_some()))];
        }
    };
    let failed = |fault| Check::failed(NAME, told(&fault), FIX);
    let introduced = match within(NAME, FIX, github.introduce()).await.and_then(|told| told.map_err(failed)) {
        Ok(introduced) => introduced,
        Err(check) => return vec![check],
    };
    let mut checks = vec![credentials(&github, &introduced)];
    checks.extend(introduced.ahead.map(clock));
    let Ok(identity) = &introduced.identity else { return checks };
    if !github.is_app() {
        checks.push(rate_limit(None, github.allowance(None)).await);
        checks.push(Check::skipped("webhook.url", "only an App can be asked for its webhook"));
        return checks;
    }
    let secrets = !settings.github.webhook_secrets.is_empty();
    let development = settings.environment == Environment::Development;
    let (installed, hook, delivered) = tokio::join!(
        of_app(&github, identity),
        webhook::checks(&github, secrets, development),
        deliveries::checks(&github),
    );
    for group in [installed, hook, delivered] {
        checks.extend(group);
    }
    checks
}

fn credentials_fix(app: bool) -> &'static str {
    match app {
        true => "set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY to the number and a private key of the same App",
        false => "set GITHUB_TOKEN to a token that has not ended, or set up an App (docs/github-app.md)",
    }
}

fn credentials(github: &GitHub, introduced: &Introduction) -> Check {
    let Introduction { identity, scopes, token_ends, .. } = introduced;
    let identity = match identity {
        Ok(identity) => identity,
        Err(fault) => return Check::failed(NAME, told(fault), credentials_fix(github.is_app())),
    };
    if github.is_app() {
        return Check::ok(NAME, format!("GitHub knows us as the App {}", identity.login))
            .value("login", identity.login.as_str());
    }
    let found = format!("GitHub knows us as {}", identity.login);
    let reads = |scope: &String| matches!(scope.as_str(), "repo" | "public_repo");
    let left = token_ends.map(|end| end.as_second() - autopr_core::clock::Clock::System.now().as_second());
    let check = match (scopes, left) {
        (Some(scopes), _) if !scopes.iter().any(reads) => {
            let scopes = scopes.join(", ");
            let found = format!("{found}, with a classic token of the scopes: {scopes}");
            Check::failed(NAME, found, "give the token the scope `repo`, or `public_repo` for public repositories only")
        }
        (_, Some(left)) if left < SOON => {
            let left = about(std::time::Duration::from_secs(left.max(0).unsigned_abs()));
            Check::warning(NAME, format!("{found}; the token ends in {left}"), "make a new token and set GITHUB_TOKEN")
        }
        (Some(scopes), _) => Check::ok(NAME, format!("{found}, with the scopes {}", scopes.join(", "))),
        (None, _) => Check::ok(NAME, format!("{found}; GitHub does not tell what this kind of token may do")),
    };
    check.value("login", identity.login.as_str())
}

fn clock(ahead: i64) -> Check {
    const NAME: &str = "github.clock";
    const FIX: &str = "set this machine's clock by NTP";
    let apart = ahead.unsigned_abs();
    let found = match ahead {
        0 => "this machine's clock is GitHub's".to_owned(),
        1.. => format!("this machine's clock is {apart} s ahead of GitHub's"),
        _ => format!("this machine's clock is {apart} s behind GitHub's"),
    };
    let (noted, refused) = AHEAD;
    let check = if apart > refused {
        Check::failed(NAME, format!("{found}, which may refuse what it signs"), FIX)
    } else if apart > noted {
        Check::warning(NAME, found, FIX)
    } else {
        Check::ok(NAME, found)
    };
    check.value("ahead_s", ahead)
}

/// What the App was given, where it is installed, and how much it may still ask there.
async fn of_app(github: &GitHub, identity: &Identity) -> Vec<Check> {
    const NAME: &str = "github.installations";
    const FIX: &str = "try again once GitHub answers";
    let mut checks = permissions::of_app(identity);
    let failed = |fault| Check::failed(NAME, told(&fault), FIX);
    let installed = match within(NAME, FIX, github.installed()).await.and_then(|found| found.map_err(failed)) {
        Ok(installed) => installed,
        Err(check) => {
            checks.push(check);
            return checks;
        }
    };
    checks.push(installations(&installed));
    checks.extend(permissions::of_installations(identity, &installed));
    let asked: Vec<_> = installed.iter().filter(|installed| !installed.suspended).take(ASKED).collect();
    for installed in asked {
        checks.push(rate_limit(Some(&installed.account), github.allowance(Some(installed.id))).await);
    }
    checks
}

fn installations(installed: &[Installed]) -> Check {
    const NAME: &str = "github.installations";
    let (suspended, live): (Vec<_>, Vec<_>) = installed.iter().partition(|installed| installed.suspended);
    let names = |list: &[&Installed]| {
        let mut names: Vec<_> = list.iter().take(5).map(|installed| installed.account.as_str()).collect();
        if list.len() > names.len() {
            names.push("…");
        }
        names.join(", ")
    };
    let check = if live.is_empty() && suspended.is_empty() {
        let fix = "install it for the repositories that are to be reviewed: on the App's settings page, Install App";
        Check::failed(NAME, "the App is installed nowhere", fix)
    } else if !suspended.is_empty() {
        let found = format!("suspended for {}", names(&suspended));
        Check::warning(NAME, found, "let the account's owner lift that, or uninstall the App there")
    } else {
        Check::ok(NAME, format!("the App is installed for {}", names(&live)))
    };
    check.value("installations", installed.len())
}

/// How much is left for an account, or for the token.
async fn rate_limit(account: Option<&str>, asked: impl Future<Output = Result<Allowance, Fault>>) -> Check {
    const NAME: &str = "github.rate_limit";
    const FIX: &str = "see which of the programs with these credentials asks so much, or wait for the next hour";
    let failed = |fault| Check::failed(NAME, told(&fault), FIX);
    let Allowance { limit, remaining } = match within(NAME, FIX, asked).await.and_then(|left| left.map_err(failed)) {
        Ok(allowance) => allowance,
        Err(check) => return check,
    };
    let of = account.map(|account| format!(" for {account}")).unwrap_or_default();
    let found = format!("{remaining} of {limit} requests of this hour are left{of}");
    let check = match remaining {
        0 => Check::failed(NAME, found, FIX),
        _ if remaining.saturating_mul(10) < limit => Check::warning(NAME, found, FIX),
        _ => Check::ok(NAME, found),
    };
    check.value("remaining", remaining).value("limit", limit)
}
