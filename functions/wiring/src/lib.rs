//! From settings to the edges of a worker: GitHub, the language models and the cache. Apart from `autopr-runtime`, so that
//! a process which only takes webhooks links none of them.

mod database;

use std::sync::Arc;
use std::time::Duration;

use autopr_cache::{Cache, RedisSettings};
use autopr_core::fault::Fault;
use autopr_core::model_chain::{Budgets, ChainSettings, MicroUsd, ModelChain, Price};
use autopr_core::ports;
use autopr_core::ports::model::Limits;
use autopr_core::review::CHECK_NAME;
use autopr_github::{Credentials, GitHub};
use autopr_models::Kind;
use autopr_runtime::settings::{self, Llm, ProviderKind, Secret};
pub use database::{
    Causes, ClocksDiffer, MOST_APART, NotMigrated, NotOpened, Unusable, note_migrations, open_few, open_postgres,
    postgres, tell,
};
use secrecy::SecretString;
use url::Url;

/// About how many bytes a process keeps in memory to save work.
const ROOM: u64 = 40 * 1024 * 1024;

/// How long Redis is left alone after it did not answer.
const PAUSE: Duration = Duration::from_secs(5);

/// The cache that the settings name: in Redis, or in the memory of this process when there is no address. Nothing is
/// connected yet, so that Redis may be down.
///
/// # Errors
/// When the address can't be used.
pub fn cache(redis: &settings::Redis) -> Result<Arc<Cache>, Fault> {
    match redis_settings(redis) {
        Some(settings) => Cache::redis(&settings).map(Arc::new),
        None => Ok(memory()),
    }
}

/// How to reach the Redis that the settings name, if they name one.
pub fn redis_settings(redis: &settings::Redis) -> Option<RedisSettings> {
    redis.url.as_ref().map(|url| RedisSettings {
        url: SecretString::from(url.expose()),
        ssl: redis.ssl,
        timeout: redis.timeout.duration(),
        max_connections: redis.max_connections,
        pause: PAUSE,
    })
}

/// A cache in the memory of this process.
pub fn memory() -> Arc<Cache> {
    Arc::new(Cache::memory(ROOM))
}

/// GitHub as the settings name it, which keeps there what it read.
///
/// # Errors
/// When there are no credentials, or they can't be used.
pub fn github(github: &settings::GitHub, cache: Arc<dyn ports::Cache>) -> Result<GitHub, Fault> {
    let credentials = match (&github.app.id, &github.app.private_key, &github.token) {
        (Some(id), Some(private_key), _) => Credentials::App { id: *id, private_key: secret(private_key) },
        (_, _, Some(token)) => Credentials::Token(secret(token)),
        _ => return Err(Fault::invalid("there are no credentials for GitHub: set GITHUB_TOKEN or an App")),
    };
    let settings = autopr_github::Settings {
        base_url: address("github.base_url", &github.base_url)?,
        timeout: github.timeout.duration(),
        credentials,
        check_name: CHECK_NAME.to_owned(),
    };
    Ok(GitHub::new(settings)?.with_cache(cache))
}

/// The chain of models that the settings name, which shares answers there; an empty one when none can be asked.
///
/// # Errors
/// When a provider's settings can't be used.
pub fn models(llm: &Llm, cache: Arc<dyn ports::Cache>) -> Result<ModelChain, Fault> {
    let usable = llm.usable();
    if usable.is_empty() {
        return Ok(ModelChain::default());
    }
    let client = autopr_models::client()?;
    let models = usable.into_iter().map(|(name, provider)| model(llm, name, provider, &client));
    let models = models.collect::<Result<Vec<_>, Fault>>()?;
    let budgets = Budgets {
        per_execution: MicroUsd(llm.budget.per_execution_usd.micros()),
        per_repository_daily: MicroUsd(llm.budget.per_repository_daily_usd.micros()),
        daily: MicroUsd(llm.budget.daily_usd.micros()),
    };
    let limits = Limits { output_tokens: llm.max_tokens, timeout: llm.timeout.duration() };
    let settings = ChainSettings { limits, retries: llm.max_retries, budgets, patience: llm.patience.duration() };
    Ok(ModelChain::new(models, settings).with_cache(cache))
}

/// The model of one provider, and what it costs.
///
/// # Errors
/// When the provider's settings can't be used.
pub fn model(
    llm: &Llm,
    name: &str,
    provider: &settings::Provider,
    client: &autopr_models::HttpClient,
) -> Result<(Arc<dyn ports::Model>, Price), Fault> {
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
    Ok((autopr_models::model(provider, client)?, price))
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
