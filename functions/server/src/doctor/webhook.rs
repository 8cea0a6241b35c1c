//! How GitHub delivers the App's webhooks: where to, in which form, signed, and with which care.

use autopr_github::{GitHub, Hook};
use url::Url;

use super::report::Check;
use super::{certificate, told, within};

/// Where a process takes webhooks.
const PATH: &str = "/webhooks/github";

/// The page on which all of this is set.
const PAGE: &str = "on the App's settings page, under Webhook,";

/// `secrets` says whether the settings have one, `development` whether this is a try on one's own machine.
pub(super) async fn checks(github: &GitHub, secrets: bool, development: bool) -> Vec<Check> {
    const NAME: &str = "webhook.url";
    let fix = format!("{PAGE} make the webhook active and set its URL to https://HOST{PATH}");
    let failed = |fault| Check::failed(NAME, told(&fault), &fix);
    let hook = match within(NAME, &fix, github.hook()).await.and_then(|hook| hook.map_err(failed)) {
        Ok(hook) => hook,
        Err(check) => return vec![check],
    };
    let url = hook.url.as_deref().and_then(|url| Url::parse(url).ok());
    let Some(url) = url else {
        return vec![Check::failed(NAME, "the App has no webhook URL", fix)];
    };
    let mut checks = vec![address(&url, development), content_type(&hook), verification(&hook), secret(&hook, secrets)];
    checks.push(certificate::check(&url).await);
    checks
}

fn address(url: &Url, development: bool) -> Check {
    const NAME: &str = "webhook.url";
    // An address may hold credentials. One that can't hold any refuses to.
    let mut shown = url.clone();
    let _ = shown.set_password(None);
    let _ = shown.set_username("");
    shown.set_query(None);
    let found = format!("GitHub delivers to {shown}");
    let check = if url.scheme() != "https" && !development {
        let found = format!("{found}: in the clear, for anybody on the way to read");
        Check::failed(NAME, found, format!("{PAGE} set the URL to https://HOST{PATH}"))
    } else if !url.path().ends_with(PATH) {
        let found = format!("{found}, and a process takes webhooks at {PATH} only");
        Check::warning(NAME, found, format!("{PAGE} let the URL end with {PATH}, unless a proxy rewrites it"))
    } else {
        Check::ok(NAME, found)
    };
    check.value("url", shown.as_str())
}

fn content_type(hook: &Hook) -> Check {
    const NAME: &str = "webhook.content_type";
    match hook.content_type.as_deref() {
        Some("json") => Check::ok(NAME, "deliveries come as JSON"),
        other => {
            let found =
                format!("deliveries come as {}, which takes half as many bytes again", other.unwrap_or("a form"));
            Check::warning(NAME, found, format!("{PAGE} set Content type to application/json"))
        }
    }
}

fn verification(hook: &Hook) -> Check {
    const NAME: &str = "webhook.verification";
    match hook.takes_any_certificate() {
        false => Check::ok(NAME, "GitHub looks at the receiver's certificate"),
        true => {
            let found = "GitHub delivers to whoever answers, whatever the certificate (insecure_ssl)";
            Check::failed(NAME, found, format!("{PAGE} enable SSL verification"))
        }
    }
}

fn secret(hook: &Hook, here: bool) -> Check {
    const NAME: &str = "webhook.secret";
    match (hook.has_secret, here) {
        (true, true) => Check::ok(NAME, "deliveries are signed, and there is a secret here"),
        (true, false) => {
            let fix = "set GITHUB_WEBHOOK_SECRET to the secret on the App's settings page";
            Check::failed(NAME, "github.webhook_secrets is empty: every delivery will be refused", fix)
        }
        (false, _) => {
            let fix = format!("{PAGE} set a secret, and GITHUB_WEBHOOK_SECRET to the same");
            Check::failed(NAME, "deliveries are not signed: every one will be refused", fix)
        }
    }
}
