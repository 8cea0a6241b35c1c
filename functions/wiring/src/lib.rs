//! From settings to the edges of a worker: GitHub and the language models. Apart from `autopr-runtime`, so that a
//! process which only takes webhooks links neither.

use autopr_core::fault::Fault;
use autopr_core::model_chain::{Budgets, ChainSettings, MicroUsd, ModelChain, Price};
use autopr_core::ports::model::Limits;
use autopr_core::review::CHECK_NAME;
use autopr_github::{Credentials, GitHub};
use autopr_models::Kind;
use autopr_runtime::settings::{self, ConnectionUrl, Database, Llm, Pooler, ProviderKind, Secret};
use secrecy::SecretString;
use url::Url;

/// GitHub as the settings name it.
///
/// # Errors
/// When there are no credentials, or they can't be used.
pub fn github(github: &settings::GitHub) -> Result<GitHub, Fault> {
    let credentials = match (&github.app.id, &github.app.private_key, &github.token) {
        (Some(id), Some(private_key), _) => Credentials::App { id: *id, private_key: secret(private_key) },
        (_, _, Some(token)) => Credentials::Token(secret(token)),
        _ => return Err(Fault::invalid("there are no credentials for GitHub: set GITHUB_TOKEN or an App")),
    };
    GitHub::new(autopr_github::Settings {
        base_url: address("github.base_url", &github.base_url)?,
        timeout: github.timeout.duration(),
        credentials,
        check_name: CHECK_NAME.to_owned(),
    })
}

/// How to reach the PostgreSQL database at `url` as the settings want it.
pub fn postgres(database: &Database, url: &ConnectionUrl) -> autopr_store_postgres::Options {
    autopr_store_postgres::Options {
        url: SecretString::from(url.expose()),
        most_connections: database.pool_size.saturating_add(database.max_overflow),
        wait: database.pool_timeout.duration(),
        recycle: database.pool_recycle.duration(),
        log_statements: database.echo,
        transaction_pooler: database.pooler == Pooler::Transaction,
    }
}

/// The chain of models that the settings name; an empty one when none can be asked.
///
/// # Errors
/// When a provider's settings can't be used.
pub fn models(llm: &Llm) -> Result<ModelChain, Fault> {
    let usable = llm.usable();
    if usable.is_empty() {
        return Ok(ModelChain::default());
    }
    let client = autopr_models::client()?;
    let mut models = Vec::new();
    for (name, provider) in usable {
        let missing = |what| Fault::invalid(format!("llm.providers.{name}.{what} is missing"));
        let base_url = provider.base_url.as_deref();
        let base_url = base_url.map(|url| address(&format!("llm.providers.{name}.base_url"), url)).transpose()?;
        let price = price(provider.price.ok_or_else(|| missing("price"))?);
        let provider = autopr_models::Provider {
            name: name.to_owned(),
            kind: kind(provider.kind_of(name).ok_or_else(|| missing("kind"))?),
            api_key: provider.api_key.as_ref().map(secret),
            base_url,
            model: provider.model.clone().ok_or_else(|| missing("model"))?,
            temperature: llm.temperature,
        };
        models.push((autopr_models::model(provider, &client)?, price));
    }
    let budgets = Budgets {
        per_execution: MicroUsd(llm.budget.per_execution_usd.micros()),
        per_repository_daily: MicroUsd(llm.budget.per_repository_daily_usd.micros()),
        daily: MicroUsd(llm.budget.daily_usd.micros()),
    };
    let limits = Limits { output_tokens: llm.max_tokens, timeout: llm.timeout.duration() };
    Ok(ModelChain::new(models, ChainSettings { limits, retries: llm.max_retries, budgets }))
}

fn secret(secret: &Secret) -> SecretString {
    SecretString::from(secret.expose())
}

fn address(key: &str, text: &str) -> Result<Url, Fault> {
    Url::parse(text).map_err(|error| Fault::invalid(format!("{key} is no address")).source(error))
}

fn kind(kind: ProviderKind) -> Kind {
    match kind {
        ProviderKind::OpenAi => Kind::OpenAi,
        ProviderKind::Anthropic => Kind::Anthropic,
        ProviderKind::Mistral => Kind::Mistral,
        ProviderKind::AzureOpenAi => Kind::AzureOpenAi,
        ProviderKind::Gemini => Kind::Gemini,
        ProviderKind::Ollama => Kind::Ollama,
    }
}

fn price(price: settings::Price) -> Price {
    match price {
        settings::Price::Free(_) => Price::Free,
        settings::Price::PerMillion(per_million) => Price::PerMillion {
            input: MicroUsd(per_million.input.micros()),
            output: MicroUsd(per_million.output.micros()),
        },
    }
}
