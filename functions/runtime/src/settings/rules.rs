//! What must hold between keys, which no schema of a single key can say.

use autopr_core::yaml::{Diagnostic, Path, nearest};

use super::Settings;
use super::database::Connection;
use super::llm::ProviderKind;
use super::load::Origins;
use super::needs::{Needs, WebhookSecret};
use super::origin::Origin;
use super::server::Environment;

/// Adds every rule that does not hold, and what is missing of that which this process needs. A rule about a key that is
/// reported already keeps silent: it would judge a default nobody chose.
pub(super) fn check(settings: &Settings, origins: &Origins, needs: Needs, mistakes: &mut Vec<Diagnostic>) {
    let mut rules =
        Rules { origins, known: mistakes.iter().map(|mistake| mistake.path.clone()).collect(), found: Vec::new() };
    database(settings, &mut rules);
    github(settings, &mut rules);
    llm(settings, &mut rules);
    ports(settings, &mut rules);
    if needs.postgres {
        postgres(settings, &mut rules);
    }
    if needs.push {
        push(settings, &mut rules);
    }
    if needs.github {
        credentials(settings, &mut rules);
    }
    let wants_secret = match needs.webhook_secret {
        WebhookSecret::Unused => false,
        WebhookSecret::OutsideDevelopment => settings.environment != Environment::Development,
        WebhookSecret::Always => true,
    };
    if wants_secret {
        webhook_secret(settings, &mut rules);
    }
    if needs.models {
        models(settings, &mut rules);
    }
    mistakes.append(&mut rules.found);
}

struct Rules<'o> {
    origins: &'o Origins,
    known: Vec<String>,
    found: Vec<Diagnostic>,
}

impl Rules<'_> {
    fn broken(&mut self, path: impl Into<Path>, about: &[&str], message: impl Into<String>, fix: impl Into<String>) {
        let reported = |about: &&str| self.known.iter().any(|known| known.starts_with(*about));
        if !about.iter().any(reported) {
            self.found.push(self.origins.mistake(&path.into(), message).fix(fix));
        }
    }

    /// [`Rules::broken`] with a message that holds the value.
    fn wrong_value(&mut self, path: impl Into<Path>, about: &[&str], message: String, fix: impl Into<String>) {
        let path = path.into();
        let message = self.origins.mistake_in_value(&path, message).message;
        self.broken(path, about, message, fix);
    }
}

fn database(settings: &Settings, rules: &mut Rules<'_>) {
    let database = &settings.database;
    let about = &["database"];
    if database.url.is_some() && database.host.is_some() {
        rules.broken("database.host", about, "database.url is set too", "keep the address or its parts, not both");
    }
    if database.url.is_none() {
        match database.host {
            None => rules.broken(
                "database.url",
                about,
                "the database is not named",
                "set database.url, or database.host and its kin",
            ),
            Some(_) if database.name.is_none() => {
                rules.broken(
                    "database.host",
                    about,
                    "the key `database.name` is missing",
                    "add `name:` with the database's name",
                );
            }
            Some(_) => {}
        }
    }
    let parts = [
        ("port", database.port.is_some()),
        ("username", database.username.is_some()),
        ("password", database.password.is_some()),
        ("name", database.name.is_some()),
    ];
    if database.host.is_none() {
        for (key, _) in parts.iter().filter(|(_, set)| *set) {
            rules.broken(
                Path::from("database").key(*key),
                about,
                "it counts only beside database.host",
                "add `host:` or put it into database.url",
            );
        }
    } else if database.password.is_some() && database.username.is_none() {
        rules.broken("database.password", about, "the key `database.username` is missing", "add `username:`");
    }
}

fn github(settings: &Settings, rules: &mut Rules<'_>) {
    let app = &settings.github.app;
    let about = &["github.app"];
    match (&app.id, &app.private_key) {
        (Some(_), None) => {
            rules.broken(
                "github.app.id",
                about,
                "the App has no private key",
                "set GITHUB_APP_PRIVATE_KEY or github.app.private_key",
            );
        }
        (None, Some(_)) => {
            rules.broken("github.app.private_key", about, "the App has no id", "set GITHUB_APP_ID or github.app.id");
        }
        (Some(_), Some(key)) if !key.expose().contains("-----BEGIN ") => {
            rules.broken(
                "github.app.private_key",
                about,
                "this is not a private key in PEM form",
                "paste the whole file GitHub gave, from -----BEGIN on",
            );
        }
        _ => {}
    }
}

fn llm(settings: &Settings, rules: &mut Rules<'_>) {
    let llm = &settings.llm;
    let names = || ProviderKind::NAMES.into_iter().chain(llm.providers.keys().map(String::as_str));
    let is_known = |name: &str| names().any(|known| known == name);
    let fix = |name: &str| match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use {} or add it to llm.providers", ProviderKind::NAMES.join(", ")),
    };
    let about = &["llm.providers", "llm.default_provider"];
    if !is_known(&llm.default_provider) {
        let message = format!("there is no provider `{}`", llm.default_provider);
        rules.wrong_value("llm.default_provider", about, message, fix(&llm.default_provider));
    }
    for (index, name) in llm.fallback_order.iter().enumerate().filter(|(_, name)| !is_known(name)) {
        let path = Path::from("llm.fallback_order").index(index);
        rules.wrong_value(
            path,
            &["llm.providers", "llm.fallback_order"],
            format!("there is no provider `{name}`"),
            fix(name),
        );
    }
    for (name, provider) in &llm.providers {
        if provider.kind.is_none() && ProviderKind::of_name(name).is_none() {
            let path = Path::from("llm.providers").key(name);
            let message = format!("`{name}` is a name of your own, so the key `kind` is missing");
            rules.broken(
                path,
                &["llm.providers"],
                message,
                "add `kind: openai` if it speaks OpenAI's interface, as most servers do",
            );
        }
    }
}

/// What a provider that is asked must say: its model, and what that costs.
fn models(settings: &Settings, rules: &mut Rules<'_>) {
    for (name, provider) in settings.llm.meant() {
        let path = Path::from("llm.providers").key(name);
        if provider.model.is_none() {
            let fix = format!("name it in llm.providers.{name}.model");
            rules.broken(path, &["llm.providers"], format!("`{name}` has a key but no model"), fix);
        } else if provider.price.is_none() {
            let message = format!("the model of `{name}` has no price, so its cost could not be held to the budget");
            let fix = format!(
                "write llm.providers.{name}.price with input: and output: in US dollars per million tokens, as its \
                 vendor publishes them, or `free` for a model of your own"
            );
            rules.broken(path, &["llm.providers"], message, fix);
        } else if provider.kind_of(name) == Some(ProviderKind::AzureOpenAi) && provider.base_url.is_none() {
            let fix = "set AZURE_OPENAI_ENDPOINT or llm.providers.azure_openai.base_url";
            rules.broken(path, &["llm.providers"], format!("`{name}` has no address"), fix);
        }
    }
}

/// A database that several processes can use.
fn postgres(settings: &Settings, rules: &mut Rules<'_>) {
    if matches!(settings.database.connection(), Connection::Sqlite(_)) {
        let message = "a file of SQLite can't be shared, and would be gone with the machine that it lies on";
        let fix = "set DATABASE_URL to postgresql://USER:PASSWORD@HOST:PORT/NAME";
        rules.broken("database.url", &["database"], message, fix);
    }
}

/// What the requests are known by that push messages. Whoever could change the keys on their way could make any request.
fn push(settings: &Settings, rules: &mut Rules<'_>) {
    let push = &settings.push;
    if push.audience.is_none() {
        let fix = "set AUTOPR_PUSH_AUDIENCE to the audience in the push subscription's settings";
        rules.broken("push.audience", &["push.audience"], "without it no pushed message is trusted", fix);
    }
    if push.service_account.is_none() {
        let fix = "set AUTOPR_PUSH_SERVICE_ACCOUNT to the e-mail address in the push subscription's settings";
        rules.broken("push.service_account", &["push.service_account"], "without it no pushed message is trusted", fix);
    }
    if settings.environment != Environment::Development && !push.keys_url.starts_with("https://") {
        let about = &["push.keys_url", "environment"];
        rules.broken(
            "push.keys_url",
            about,
            "keys that came over http could be anybody's",
            "write an https:// address",
        );
    }
}

/// What GitHub knows the process by.
fn credentials(settings: &Settings, rules: &mut Rules<'_>) {
    let github = &settings.github;
    if github.token.is_none() && github.app.id.is_none() && github.app.private_key.is_none() {
        let fix = "set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, or GITHUB_TOKEN";
        let about = &["github.token", "github.app"];
        rules.broken("github.token", about, "there are no credentials for GitHub", fix);
    }
}

/// What the process knows GitHub by.
fn webhook_secret(settings: &Settings, rules: &mut Rules<'_>) {
    if settings.github.webhook_secrets.is_empty() {
        let fix = "set GITHUB_WEBHOOK_SECRET to the secret in the webhook's settings on GitHub";
        let message = match settings.environment {
            Environment::Development => "without a webhook secret no delivery is trusted".to_owned(),
            environment => format!("without a webhook secret no delivery is trusted, and {environment} needs one"),
        };
        rules.broken("github.webhook_secrets", &["github.webhook_secrets", "environment"], message, fix);
    }
}

fn ports(settings: &Settings, rules: &mut Rules<'_>) {
    let monitoring = &settings.monitoring;
    if monitoring.enable_metrics && monitoring.metrics_port == settings.server.port && settings.server.port != 0 {
        let chosen = rules.origins.of(&"monitoring.metrics_port".into()) != Origin::Default;
        let (path, other) = match chosen {
            true => ("monitoring.metrics_port", "server.port"),
            false => ("server.port", "monitoring.metrics_port"),
        };
        let message = format!("{} is also {other}", settings.server.port);
        rules.wrong_value(path, &["monitoring", "server.port"], message, "choose another port for one of them");
    }
}
