//! When a server says to come back. Each vendor says it in its own way, some in several.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::header::HeaderMap;
use serde_json::Value;

/// No hint is believed beyond a day: a clock that is wrong must not park work for years.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What the server told: `retry-after-ms`, `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), or the
/// `RetryInfo` in the body of Google's errors. A date counts from the server's own clock if it tells the time.
pub(crate) fn when(headers: &HeaderMap, body: &Value, now: Timestamp) -> Option<Duration> {
    let millis = text(headers, "retry-after-ms").and_then(seconds).map(|seconds| seconds / 1000.0);
    let after = text(headers, "retry-after");
    millis
        .or_else(|| after.and_then(seconds))
        .and_then(of_seconds)
        .or_else(|| {
            let then = date(after?)?;
            let now = text(headers, "date").and_then(date).unwrap_or(now);
            let wait = then.duration_since(now).max(SignedDuration::ZERO);
            wait.try_into().ok()
        })
        .or_else(|| google(body))
        .map(|wait: Duration| wait.min(LONGEST))
}

/// When OpenAI's limits are full again: `x-ratelimit-reset-requests` and `-tokens`, such as `6m0s`. Those of the limit
/// that is used up, or the longer of the two if neither says so.
pub(crate) fn reset(headers: &HeaderMap) -> Option<Duration> {
    let limits = ["requests", "tokens"].map(|what| {
        let wait = text(headers, &format!("x-ratelimit-reset-{what}")).and_then(duration);
        let used_up = text(headers, &format!("x-ratelimit-remaining-{what}")).is_some_and(|left| left.trim() == "0");
        (wait, used_up)
    });
    let used_up = limits.iter().filter(|(_, used_up)| *used_up).filter_map(|(wait, _)| *wait).max();
    used_up.or_else(|| limits.iter().filter_map(|(wait, _)| *wait).max()).map(|wait| wait.min(LONGEST))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn seconds(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
}

fn of_seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

fn date(text: &str) -> Option<Timestamp> {
    // HTTP's dates are those of e-mail with the zone `GMT`.
    let zoned = rfc2822::DateTimeParser::new().parse_zoned(text).ok()?;
    Some(zoned.timestamp())
}

/// `google.rpc.RetryInfo`, whose delay is written like `34s` or `34.5s`.
fn google(body: &Value) -> Option<Duration> {
    let details = body.pointer("/error/details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay").and_then(Value::as_str))?;
    duration(delay)
}

/// A duration of units written one after the other, such as `1h2m3.5s`, `20ms` or `1d`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let scale = match unit {
            "ms" => 0.001,
            "s" | "" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            _ => return None,
        };
        total += seconds(number)? * scale;
        rest = tail;
    }
    of_seconds(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};
    use serde_json::json;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn check(pairs: &[(&'static str, &'static str)], expect_ms: Option<u64>) {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let headers = headers(pairs);
        let got = when(&headers, &Value::Null, now).or_else(|| reset(&headers));
        assert_eq!(got, expect_ms.map(Duration::from_millis), "{pairs:?}");
    }

    #[test]
    fn every_form_of_hint_is_understood() {
        check(&[("retry-after", "17")], Some(17_000));
        check(&[("retry-after", "0.5")], Some(500));
        check(&[("retry-after-ms", "1250"), ("retry-after", "2")], Some(1250));
        check(&[("retry-after", "Thu, 01 Jan 2026 00:01:30 GMT")], Some(90_000));
        check(&[("retry-after", "Wed, 31 Dec 2025 23:00:00 GMT")], Some(0));
        check(
            &[("retry-after", "Thu, 01 Jan 2026 00:01:30 GMT"), ("date", "Thu, 01 Jan 2026 00:01:00 GMT")],
            Some(30_000),
        );
        check(&[("x-ratelimit-reset-requests", "6m0s"), ("x-ratelimit-reset-tokens", "20ms")], Some(360_000));
        let tokens = ("x-ratelimit-remaining-tokens", "0");
        check(&[("x-ratelimit-reset-requests", "6m0s"), ("x-ratelimit-reset-tokens", "1m0.5s"), tokens], Some(60_500));
    }

    #[test]
    fn nonsense_is_no_hint_and_years_are_a_day() {
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "-5")], None);
        check(&[("retry-after", "NaN")], None);
        check(&[("x-ratelimit-reset-tokens", "5 parsecs")], None);
        check(&[("x-ratelimit-reset-tokens", "s")], None);
        check(&[("retry-after", "1e30")], None);
        check(&[("retry-after", "99999999")], Some(86_400_000));
    }

    #[test]
    fn google_says_it_in_the_body() {
        let body = json!({"error": {"details": [{"@type": "a"}, {"retryDelay": "34.5s"}]}});
        assert_eq!(when(&HeaderMap::new(), &body, Timestamp::UNIX_EPOCH), Some(Duration::from_millis(34_500)));
    }
}
