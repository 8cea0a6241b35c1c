//! What GitHub answered, and what a refusal means for us.

use std::time::Duration;

use ::http::header::{DATE, ETAG, HeaderMap, RETRY_AFTER};
use ::http::{HeaderValue, StatusCode};
use autopr_core::fault::{Fault, FaultKind, Retry};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::operation::Operation;

/// How long to wait when GitHub asks for less without saying for how long: what its documentation advises ("Best
/// practices for using the REST API").
const SECONDARY_PAUSE: Duration = Duration::from_secs(60);

/// An answer of any status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) operation: Operation,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How many bytes were read at most.
    pub(crate) limit: usize,
    /// True when the body had more than that.
    pub(crate) cut: bool,
}

/// The body of a refusal. Its words are GitHub's, but may quote what somebody wrote: they are looked at, never shown.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: String,
    errors: serde_json::Value,
}

impl Answer {
    /// The body of a success.
    pub(crate) fn bytes(self) -> Result<Bytes, Fault> {
        if !self.status.is_success() {
            return Err(self.fault());
        }
        if self.cut {
            return Err(self.too_large());
        }
        Ok(self.body)
    }

    /// The body of a success, read as JSON.
    pub(crate) fn json<T: DeserializeOwned>(self) -> Result<T, Fault> {
        let doing = self.operation.doing();
        let body = self.bytes()?;
        // A write may have happened, so that this is worth another look rather than the end.
        serde_json::from_slice(&body).map_err(|error| {
            Fault::unavailable(format!("{doing}: GitHub's answer has not the documented form")).json(&error)
        })
    }

    /// By what a later request can ask whether this answer still holds.
    pub(crate) fn etag(&self) -> Option<HeaderValue> {
        self.headers.get(ETAG).cloned()
    }

    /// How many requests are left in this hour.
    pub(crate) fn remaining(&self) -> Option<u64> {
        self.number("x-ratelimit-remaining")
    }

    /// True when GitHub says that what was asked for is too large to show.
    pub(crate) fn says_too_large(&self) -> bool {
        let refusal = self.refusal();
        let message = refusal.message.to_ascii_lowercase();
        refusal.codes().any(|code| matches!(code.as_str(), "too_large" | "not_available"))
            || ["too large", "too long", "too_large"].iter().any(|words| message.contains(words))
    }

    /// What this refusal means.
    pub(crate) fn fault(&self) -> Fault {
        let doing = self.operation.doing();
        let status = self.status.as_u16();
        if let Some(pause) = self.pause() {
            let limited = format!("{doing}: GitHub asks for fewer requests ({status}); again in {} s", pause.as_secs());
            return Fault::new(FaultKind::Limited, limited).retry(Retry::After(pause));
        }
        match status {
            401 => Fault::new(
                FaultKind::Denied,
                format!(
                    "{doing}: GitHub does not accept the credentials (401): check that `github.token` (GITHUB_TOKEN) has \
                     not expired, or that `github.app.id` and `github.app.private_key` belong together and this \
                     machine's clock is right"
                ),
            ),
            403 if self.refusal().codes().any(|code| code == "too_large") => self.too_large(),
            403 => self.denied(),
            404 | 410 => Fault::new(
                FaultKind::NotFound,
                format!("{doing}: not there, or not visible with these credentials ({status})"),
            ),
            451 => Fault::new(FaultKind::Denied, format!("{doing}: the repository is blocked for legal reasons (451)")),
            408 => {
                Fault::new(FaultKind::Timeout, format!("{doing}: GitHub gave up waiting (408)")).retry(Retry::Backoff)
            }
            409 | 500.. => Fault::unavailable(format!("{doing}: GitHub failed ({status})")),
            300..=399 => Fault::new(
                FaultKind::NotFound,
                format!("{doing}: it has moved and GitHub does not say where to ({status})"),
            ),
            _ if self.says_too_large() => self.too_large(),
            _ => {
                let details: Vec<_> = self.refusal().details().collect();
                let details = if details.is_empty() { String::new() } else { format!(": {}", details.join(", ")) };
                Fault::invalid(format!("{doing}: GitHub does not take the request ({status}){details}"))
            }
        }
    }

    fn too_large(&self) -> Fault {
        let mebibytes = self.limit / (1024 * 1024);
        let read =
            if self.cut { format!("more than the {mebibytes} MiB that are read") } else { "GitHub says".to_owned() };
        Fault::invalid(format!("{}: it is too large ({read})", self.operation.doing()))
    }

    /// For how long GitHub wants to be left alone: by `Retry-After`, by the end of the hour's allowance, or by the word
    /// in which it speaks of its secondary limits.
    pub(crate) fn pause(&self) -> Option<Duration> {
        let throttled = self.status == StatusCode::TOO_MANY_REQUESTS;
        let refused = throttled || self.status == StatusCode::FORBIDDEN;
        let after = self.number(RETRY_AFTER.as_str()).map(Duration::from_secs);
        if refused && after.is_some() {
            return after.map(|after| after.max(Duration::from_secs(1)));
        }
        if refused && self.remaining() == Some(0) {
            return Some(self.until_reset().unwrap_or(SECONDARY_PAUSE));
        }
        let message = self.refusal().message.to_ascii_lowercase();
        let too_quick = self.status == StatusCode::UNPROCESSABLE_ENTITY
            && self.refusal().errors.to_string().contains("submitted too quickly");
        let secondary = refused && ["rate limit", "abuse detection"].iter().any(|words| message.contains(words));
        (throttled || too_quick || secondary).then_some(SECONDARY_PAUSE)
    }

    /// From the time of the answer to the time at which the allowance is renewed, both by GitHub's clock.
    fn until_reset(&self) -> Option<Duration> {
        let reset = i64::try_from(self.number("x-ratelimit-reset")?).ok()?;
        let date = self.headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
        let now = date.unwrap_or_else(jiff::Timestamp::now).as_second();
        // One second more, since both are cut to whole seconds; no more than a day, whatever the header says.
        Some(Duration::from_secs(u64::try_from(reset.saturating_sub(now)).unwrap_or(0).saturating_add(1).min(86_400)))
    }

    fn denied(&self) -> Fault {
        let doing = self.operation.doing();
        if self.headers.contains_key("x-github-sso") {
            return Fault::new(
                FaultKind::Denied,
                format!("{doing}: the organisation wants the token to be authorised for single sign-on (403)"),
            );
        }
        let wanted = self.headers.get("x-accepted-github-permissions").and_then(|value| value.to_str().ok());
        let plain =
            |text: &&str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_=,; ".contains(c)) && !text.is_empty();
        match wanted.filter(plain) {
            Some(wanted) => Fault::new(
                FaultKind::Denied,
                format!("{doing}: GitHub forbids it (403): the App or token needs the permission {wanted}"),
            )
            .user(format!("GitHub does not let me do this: the App or token needs the permission {wanted}.")),
            None => Fault::new(
                FaultKind::Denied,
                format!("{doing}: GitHub forbids it (403): check the permissions of the App or token"),
            ),
        }
    }

    fn refusal(&self) -> Refusal {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn number(&self, header: &str) -> Option<u64> {
        self.headers.get(header)?.to_str().ok()?.trim().parse().ok()
    }
}

impl Refusal {
    /// The codes of what was wrong, such as `missing_field`.
    fn codes(&self) -> impl Iterator<Item = String> {
        self.words("code")
    }

    /// Which fields were wrong and how, for those entries that name them in plain words.
    fn details(&self) -> impl Iterator<Item = String> {
        let (resources, fields, codes) = (self.words("resource"), self.words("field"), self.words("code"));
        let named: Vec<_> = resources.zip(fields).zip(codes).take(5).collect();
        named.into_iter().map(|((resource, field), code)| format!("{resource}.{field} {code}"))
    }

    fn words(&self, key: &'static str) -> std::vec::IntoIter<String> {
        let plain = |text: &str| {
            let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
            if plain && text.len() <= 60 { text.to_owned() } else { "?".to_owned() }
        };
        let entries = self.errors.as_array().map(Vec::as_slice).unwrap_or_default();
        let word = |entry: &serde_json::Value| plain(entry.get(key).and_then(|word| word.as_str()).unwrap_or_default());
        entries.iter().map(word).collect::<Vec<_>>().into_iter()
    }
}
