//! Whether GitHub's webhooks arrived of late.

use std::collections::HashMap;

use autopr_github::{GitHub, Try};

use super::report::Check;
use super::{told, within};

const NAME: &str = "webhook.deliveries";

pub(super) async fn checks(github: &GitHub) -> Vec<Check> {
    const FIX: &str = "try again once GitHub answers";
    let failed = |fault| Check::failed(NAME, told(&fault), FIX);
    match within(NAME, FIX, github.tries()).await.and_then(|tries| tries.map_err(failed)) {
        Ok(tries) => vec![check(&tries)],
        Err(check) => vec![check],
    }
}

/// Judges tries, of which the newest comes first. A delivery has arrived when one of its tries did.
fn check(tries: &[Try]) -> Check {
    let mut deliveries: Vec<&str> = Vec::new();
    let mut arrived: HashMap<&str, bool> = HashMap::new();
    for one in tries {
        let known = arrived.entry(&one.guid).or_insert_with(|| {
            deliveries.push(&one.guid);
            false
        });
        *known |= good(one);
    }
    let lost: Vec<_> = deliveries.iter().filter(|guid| !arrived[**guid]).collect();
    let (all, failed) = (deliveries.len(), lost.len());
    let deliveries_of = |number| if number == 1 { "1 delivery".to_owned() } else { format!("{number} deliveries") };
    let last = tries.iter().find(|one| !arrived[one.guid.as_str()]).map(|one| one.status_code);
    let check = match (tries.is_empty(), last) {
        (true, _) => {
            let fix = "open a pull request where the App is installed, then run this again";
            Check::warning(NAME, "GitHub has delivered nothing yet", fix)
        }
        (false, Some(status)) => {
            let answer = if status == 0 { "got no answer".to_owned() } else { format!("was answered {status}") };
            let found =
                format!("{failed} of the last {} did not arrive; the newest of them {answer}", deliveries_of(all));
            // What failed long ago, before it was mended, is no fault of today.
            let still = deliveries.first().is_some_and(|newest| !arrived[newest]) || failed * 2 > all;
            match still {
                true => Check::failed(NAME, found, fix(status)),
                false => Check::warning(NAME, found, fix(status)),
            }
        }
        (false, None) => Check::ok(NAME, format!("{} arrived", deliveries_of(all))),
    };
    check.value("deliveries", all).value("failed", failed)
}

fn good(one: &Try) -> bool {
    (200..300).contains(&one.status_code)
}

fn fix(status: i64) -> &'static str {
    match status {
        401 => {
            "set GITHUB_WEBHOOK_SECRET and the secret on the App's settings page to the same, and start the server anew"
        }
        404 | 405 => "let the webhook's URL on the App's settings page end with /webhooks/github",
        413 => "let the proxy in front of the server take bodies of 25 MiB",
        503 => "see in the server's log why its queue or database was away",
        _ => {
            "let GitHub reach the server at the webhook's URL: see its name, its firewall and the proxy in front of it"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(tries: &[(&str, i64)]) -> String {
        let at = "2026-01-01T00:00:00Z".parse().expect("a time");
        let tries = tries.iter().map(|(guid, status)| Try { guid: (*guid).to_owned(), at, status_code: *status });
        let check = serde_json::to_value(check(&tries.collect::<Vec<_>>())).expect("JSON");
        format!("{}: {}", check["status"], check["found"]).replace('"', "")
    }

    #[test]
    fn a_delivery_that_arrived_at_the_second_try_arrived() {
        assert_eq!(judged(&[]), "warning: GitHub has delivered nothing yet");
        assert_eq!(judged(&[("a", 202)]), "ok: 1 delivery arrived");
        assert_eq!(judged(&[("b", 202), ("a", 202), ("a", 502)]), "ok: 2 deliveries arrived");
    }

    #[test]
    fn what_failed_before_is_less_than_what_fails_now() {
        assert_eq!(
            judged(&[("c", 202), ("b", 202), ("a", 401)]),
            "warning: 1 of the last 3 deliveries did not arrive; the newest of them was answered 401"
        );
        assert_eq!(
            judged(&[("c", 502), ("b", 202), ("a", 202)]),
            "failed: 1 of the last 3 deliveries did not arrive; the newest of them was answered 502"
        );
        assert!(judged(&[("c", 202), ("b", 502), ("a", 502)]).starts_with("failed: 2 of the last 3"));
    }
}
