//! What a process that serves needs beyond valid settings.

use super::*;

/// The variables that the deployment guide sets, and the webhook's secret, which every deployment has.
const GUIDE: [(&str, &str); 10] = [
    ("AUTOPR_LOG_LEVEL", "INFO"),
    ("AUTOPR_HOST", "0.0.0.0"),
    ("AUTOPR_PORT", "8080"),
    ("GITHUB_TOKEN", "ghp_token"),
    ("GITHUB_WEBHOOK_SECRET", "hook"),
    ("OPENAI_API_KEY", "key"),
    ("DATABASE_URL", "postgresql://app:pass@db:5432/autopr"),
    ("REDIS_URL", "redis://:pass@cache:6379/0"),
    ("MAX_CONCURRENT_WORKFLOWS", "10"),
    ("WORKFLOW_TIMEOUT", "300"),
];

fn missing(given: &Given) -> String {
    let told = |invalid: Invalid| invalid.mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    Settings::load_for(&given.source, Needs::SERVE).map_or_else(told, |_| String::new())
}

#[test]
fn the_files_that_ship_serve_with_the_variables_of_the_guide() {
    let mut source = Given::env(&GUIDE).source;
    source.dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for vendor in ["ANTHROPIC_API_KEY", "MISTRAL_API_KEY", "GEMINI_API_KEY"] {
        source.env.insert(vendor.to_owned(), "key".to_owned());
    }
    for environment in Environment::ALL {
        source.env.insert("AUTOPR_ENV".to_owned(), environment.to_string());
        assert!(check(&source).valid, "{}", check(&source).text);
        let loaded =
            Settings::load_for(&source, Needs::SERVE).unwrap_or_else(|invalid| panic!("{environment}: {invalid}"));
        let asked: Vec<_> = loaded.settings.llm.usable().into_iter().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(asked, ["openai", "anthropic", "mistral"], "{environment}");
    }
}

#[test]
fn everything_that_is_missing_is_named_beside_every_mistake() {
    let given = Given::env(&[("AUTOPR_ENV", "production"), ("OPENAI_API_KEY", "key")]).file(
        "configs/production.yaml",
        "environment: production\nworkflow: { timeout: soon }\nllm: { providers: { openai: { model: m } } }\n",
    );
    assert_snapshot!(missing(&given), @r"
    configs/production.yaml:2:22: workflow.timeout: expected a whole number, found text `soon`; write a whole number such as 300
    default: github.token: there are no credentials for GitHub; set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, or GITHUB_TOKEN
    default: github.webhook_secrets: without a webhook secret no delivery is trusted, and production needs one; set GITHUB_WEBHOOK_SECRET to the secret in the webhook's settings on GitHub
    configs/production.yaml:3:21: llm.providers.openai: the model of `openai` has no price, so its cost could not be held to the budget; write llm.providers.openai.price with input: and output: in US dollars per million tokens, as its vendor publishes them, or `free` for a model of your own
    ");
    // The check for a server is made outside of development only; there a command may need less.
    assert!(!check(&given.source).valid);
    assert!(check(&Given::env(&[("OPENAI_API_KEY", "key")]).source).valid);
}

#[test]
fn in_development_the_webhook_secret_may_be_missing() {
    assert_eq!(missing(&Given::env(&[("GITHUB_TOKEN", "t")])), "");
    assert_snapshot!(missing(&Given::env(&[])), @"default: github.token: there are no credentials for GitHub; set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, or GITHUB_TOKEN");
    let staging = Given::env(&[("AUTOPR_ENV", "staging"), ("GITHUB_TOKEN", "t")]);
    assert_snapshot!(missing(&staging), @"default: github.webhook_secrets: without a webhook secret no delivery is trusted, and staging needs one; set GITHUB_WEBHOOK_SECRET to the secret in the webhook's settings on GitHub");
}

#[test]
fn half_an_app_is_one_mistake_and_not_two() {
    assert_snapshot!(missing(&Given::env(&[("GITHUB_APP_ID", "17")])), @"environment variable GITHUB_APP_ID: github.app.id: the App has no private key; set GITHUB_APP_PRIVATE_KEY or github.app.private_key");
}

#[test]
fn a_provider_that_is_asked_says_its_model_and_its_price() {
    let missing = |variable: &str, file: &str| {
        missing(&Given::env(&[("GITHUB_TOKEN", "t"), (variable, "key")]).file("configs/development.yaml", file))
    };
    assert_snapshot!(missing("ANTHROPIC_API_KEY", ""), @"default: llm.providers.anthropic: `anthropic` has a key but no model; name it in llm.providers.anthropic.model");
    let ollama = |rest: &str| format!("llm: {{ default_provider: ollama, providers: {{ ollama: {{ {rest} }} }} }}");
    assert_eq!(missing("X", &ollama("")), "");
    assert_eq!(missing("X", &ollama("model: llama, price: free")), "");
    assert!(missing("X", &ollama("model: llama")).contains("has no price"));
    let azure = "llm: { default_provider: azure_openai, providers: { azure_openai: { model: m, price: free } } }";
    assert!(missing("AZURE_OPENAI_API_KEY", azure).contains("set AZURE_OPENAI_ENDPOINT"));
    // Nobody asks one that stands neither first nor among the fallbacks.
    assert_eq!(missing("GEMINI_API_KEY", ""), "");
}

#[test]
fn a_port_of_zero_takes_any_free_one() {
    let file = "server: { port: 0 }\nmonitoring: { metrics_port: 0 }\n";
    let settings = Given::env(&[]).file("configs/development.yaml", file).load().settings;
    assert_eq!((settings.server.port, settings.monitoring.metrics_port), (0, 0));
}

#[test]
fn who_has_messages_pushed_says_by_what_it_knows_them() {
    let missing = |variables: &[(&str, &str)]| {
        let told = |invalid: Invalid| invalid.mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let needs = Needs { push: true, ..Needs::NOTHING };
        Settings::load_for(&Given::env(variables).source, needs).map_or_else(told, |_| String::new())
    };
    assert_snapshot!(missing(&[]), @r"
    default: push.audience: without it no pushed message is trusted; set AUTOPR_PUSH_AUDIENCE to the audience in the push subscription's settings
    default: push.service_account: without it no pushed message is trusted; set AUTOPR_PUSH_SERVICE_ACCOUNT to the e-mail address in the push subscription's settings
    ");
    let audience = ("AUTOPR_PUSH_AUDIENCE", "autopr");
    let account = ("AUTOPR_PUSH_SERVICE_ACCOUNT", "pusher@acme.iam.gserviceaccount.com");
    assert_eq!(missing(&[audience, account]), "");
    // Nobody's address is no address of nobody: one mistake, not two.
    let wrong = missing(&[audience, ("AUTOPR_PUSH_SERVICE_ACCOUNT", "pusher")]);
    assert!(wrong.lines().count() == 1 && wrong.contains("NAME@PROJECT.iam.gserviceaccount.com"), "{wrong}");
    let http = ("AUTOPR_PUSH_KEYS_URL", "http://keys.example.com/");
    assert_eq!(missing(&[audience, account, http]), "");
    let production = missing(&[audience, account, http, ("AUTOPR_ENV", "production")]);
    assert!(
        production.contains("keys that came over http could be anybody's; write an https:// address"),
        "{production}"
    );
    let range = missing(&[audience, account, ("AUTOPR_PUSH_TIMEOUT", "3600")]);
    assert!(range.contains("600"), "{range}");
    // Whoever has nothing pushed needs none of it.
    assert!(Settings::load_for(&Given::env(&[]).source, Needs::NOTHING).is_ok());
}
