//! The certificate of the public address, and whether it answers.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::tls::TlsInfo;
use url::Url;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::PATIENCE;
use super::report::Check;

const NAME: &str = "webhook.certificate";

/// From how many days before its end on a certificate is told of: what renews it by itself has done so by then.
const SOON: i64 = 20;

/// Asks the public address, whose webhooks go to `hook`, and looks at its certificate. Any answer will do.
pub(super) async fn check(hook: &Url) -> Check {
    let Some(host) = hook.host_str().filter(|_| hook.scheme() == "https") else {
        return Check::skipped(NAME, "the webhook's URL is not one of https");
    };
    let mut url = hook.clone();
    let path = hook.path().strip_suffix("/webhooks/github").map(|before| format!("{before}/api/health"));
    url.set_path(path.as_deref().unwrap_or("/"));
    url.set_query(None);
    let client =
        reqwest::Client::builder().tls_info(true).redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
    let asked = match client {
        Ok(client) => client.get(url).send().await,
        Err(error) => Err(error),
    };
    let answer = match asked {
        Ok(answer) => answer,
        Err(error) => return unanswered(host, &error),
    };
    let ends = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate).and_then(ends);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    match ends {
        Some(ends) => judged(host, ends - now.cast_signed()),
        None => Check::warning(NAME, format!("{host} answers, and its certificate can't be read"), RENEW),
    }
}

const RENEW: &str = "renew the certificate, and see why it was not renewed by itself";

fn judged(host: &str, left_seconds: i64) -> Check {
    let days = left_seconds.div_euclid(86_400);
    let found = format!("{host} answers, and its certificate is good for {days} days");
    let check = match days < SOON {
        true => Check::warning(NAME, found, RENEW),
        false => Check::ok(NAME, found),
    };
    check.value("days_left", days)
}

/// When a certificate ends, in seconds since 1970.
fn ends(der: &[u8]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn unanswered(host: &str, error: &reqwest::Error) -> Check {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let why = if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() };
    match why.contains("certificate") {
        true => Check::failed(NAME, format!("{host}: {why}"), RENEW),
        // GitHub may reach what we don't: not every network lets one of its own out and in again.
        false => {
            let fix = "see from outside of this network whether the public address answers";
            Check::warning(NAME, format!("{host} can't be reached from here: {why}"), fix)
        }
    }
}
