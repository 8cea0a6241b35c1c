//! What the App may do and is told of, on its settings page and where it is installed.

use std::collections::BTreeMap;

use autopr_github::{Identity, Installed};

use super::report::Check;

/// What the engine needs, as deploy/github-app/manifest.json asks for it.
const PERMISSIONS: [(&str, &str); 5] =
    [("checks", "write"), ("contents", "read"), ("issues", "write"), ("metadata", "read"), ("pull_requests", "write")];

/// The events it acts on, as the manifest asks for them.
const EVENTS: [&str; 3] = ["check_run", "issue_comment", "pull_request"];

/// What the App itself asks for.
pub(super) fn of_app(identity: &Identity) -> Vec<Check> {
    let lacking = lacking(&identity.permissions);
    let permissions = match lacking.is_empty() {
        true => Check::ok("github.permissions", "the App asks for everything that is needed"),
        false => {
            let found = format!("the App does not ask for {}", described(&lacking));
            let given: Vec<_> = lacking.iter().map(|(name, wanted, _)| format!("{name}: {wanted}")).collect();
            let fix = format!(
                "on the App's settings page, under Permissions & events, set {}, and let each account accept that",
                given.join(", ")
            );
            Check::failed("github.permissions", found, fix).value("lacking", given)
        }
    };
    let missing: Vec<_> =
        EVENTS.into_iter().filter(|event| !identity.events.iter().any(|known| known == event)).collect();
    let events = match missing.is_empty() {
        true => Check::ok("github.events", format!("the App is told of {}", EVENTS.join(", "))),
        false => {
            let found = format!("the App is not told of {}", missing.join(", "));
            let fix =
                format!("on the App's settings page, under Permissions & events, subscribe to {}", missing.join(", "));
            Check::failed("github.events", found, fix).value("missing", missing)
        }
    };
    vec![permissions, events]
}

/// Accounts that have not granted yet what the App asks for.
pub(super) fn of_installations(identity: &Identity, installed: &[Installed]) -> Vec<Check> {
    let asked = lacking(&identity.permissions);
    let behind = |installed: &Installed| {
        let mut lacking = lacking(&installed.permissions);
        lacking.retain(|(name, ..)| !asked.iter().any(|(known, ..)| known == name));
        (!lacking.is_empty()).then(|| {
            let Installed { account, .. } = installed;
            let found = format!("{account} has not granted {}", described(&lacking));
            let fix =
                format!("let an owner of {account} accept the App's new permissions, under Settings, GitHub Apps");
            Check::failed("github.permissions", found, fix).value("account", account.as_str())
        })
    };
    installed.iter().filter(|installed| !installed.suspended).filter_map(behind).collect()
}

/// A permission, what is needed, and what was given.
type Lacking = (&'static str, &'static str, Option<String>);

fn lacking(granted: &BTreeMap<String, String>) -> Vec<Lacking> {
    let rank = |level: &str| ["read", "write", "admin"].iter().position(|known| *known == level);
    let lacks = |(name, wanted): (&'static str, &'static str)| {
        let given = granted.get(name);
        let enough = given.and_then(|given| rank(given)) >= rank(wanted);
        (!enough).then(|| (name, wanted, given.cloned()))
    };
    PERMISSIONS.into_iter().filter_map(lacks).collect()
}

fn described(lacking: &[Lacking]) -> String {
    let described = |(name, wanted, given): &Lacking| match given {
        Some(given) => format!("{name}: {wanted} (only {given})"),
        None => format!("{name}: {wanted}"),
    };
    lacking.iter().map(described).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_what_the_manifest_asks_for() {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/github-app/manifest.json");
        let text = std::fs::read_to_string(manifest).expect("the manifest");
        let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let needed: BTreeMap<_, _> = PERMISSIONS.into_iter().collect();
        assert_eq!(manifest["default_permissions"], serde_json::json!(needed));
        assert_eq!(manifest["default_events"], serde_json::json!(EVENTS));
    }

    #[test]
    fn more_than_is_needed_is_enough() {
        let granted =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(name, level)| ((*name).into(), (*level).into())).collect();
        let mut all: BTreeMap<String, String> = granted(&PERMISSIONS);
        all.insert("contents".to_owned(), "write".to_owned());
        assert_eq!(lacking(&all), []);
        all.insert("checks".to_owned(), "read".to_owned());
        all.remove("metadata");
        assert_eq!(described(&lacking(&all)), "checks: write (only read), metadata: read");
    }
}
