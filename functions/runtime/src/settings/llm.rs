//! Language models.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::{Seconds, Usd};
use super::secret::Secret;

/// Language models. Without any that can be asked, only the deterministic analysers review.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Llm {
    /// The provider asked first. Environment variable `DEFAULT_LLM_PROVIDER`.
    pub default_provider: String,
    /// The providers asked in turn when one fails; those without a key are passed over.
    #[schemars(extend("uniqueItems" = true))]
    pub fallback_order: Vec<String>,
    /// The most tokens an answer may have.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_tokens: u32,
    /// How freely a model may choose its words: 0 is strict, 2 is wild.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: f64,
    /// The seconds an answer may take.
    #[schemars(range(min = 1, max = 3600))]
    pub timeout: Seconds,
    /// How often a call is tried again before the next provider is asked.
    #[schemars(range(min = 0, max = 20))]
    pub max_retries: u32,
    /// The seconds a review waits for providers of which each is out of reach or at its limit, before it is published
    /// without them. Waiting costs nothing; 0 never waits.
    #[schemars(range(min = 0, max = 82_800))]
    pub patience: Seconds,
    /// The providers by name. `openai`, `anthropic`, `mistral`, `azure_openai`, `gemini` and `ollama` are known without an
    /// entry here; all but the last take their keys from `OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, `MISTRAL_API_KEY`, `AZURE_OPENAI_API_KEY`
    /// (with `AZURE_OPENAI_ENDPOINT` and `AZURE_OPENAI_DEPLOYMENT`) and `GEMINI_API_KEY`.
    pub providers: BTreeMap<String, Provider>,
    /// The most that may be spent.
    pub budget: Budget,
}

impl Default for Llm {
    fn default() -> Self {
        Self {
            default_provider: "openai".to_owned(),
            fallback_order: ["openai", "anthropic", "mistral"].map(str::to_owned).to_vec(),
            max_tokens: 4000,
            temperature: 0.7,
            timeout: Seconds(60),
            max_retries: 3,
            patience: Seconds(21_600),
            providers: BTreeMap::new(),
            budget: Budget::default(),
        }
    }
}

impl Llm {
    /// The providers that can be asked, in the order they are: the default first, then the fallbacks.
    pub fn usable(&self) -> Vec<(&str, &Provider)> {
        let complete = |(_, provider): &(&str, &Provider)| provider.model.is_some() && provider.price.is_some();
        self.meant().into_iter().filter(complete).collect()
    }

    /// The providers that have a key or an address but no model or no price, and so can't be asked.
    pub fn incomplete(&self) -> Vec<&str> {
        let lacking = |(_, provider): &(&str, &Provider)| provider.model.is_none() || provider.price.is_none();
        self.meant().into_iter().filter(lacking).map(|(name, _)| name).collect()
    }

    /// The providers that are meant to be asked; what they need may be missing.
    pub(super) fn meant(&self) -> Vec<(&str, &Provider)> {
        let mut names = vec![self.default_provider.as_str()];
        for name in &self.fallback_order {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let entry = |name| self.providers.get_key_value(name).map(|(name, provider)| (name.as_str(), provider));
        names.into_iter().filter_map(entry).filter(|(name, provider)| provider.is_meant(name)).collect()
    }
}

impl Provider {
    /// The interface of the provider called `name`.
    pub fn kind_of(&self, name: &str) -> Option<ProviderKind> {
        self.kind.or_else(|| ProviderKind::of_name(name))
    }

    /// Whether there is a key, or a server of one's own, which may need none.
    fn is_meant(&self, name: &str) -> bool {
        let own_server = self.base_url.is_some() && self.kind_of(name) != Some(ProviderKind::AzureOpenAi);
        self.api_key.is_some()
            || own_server
            || (self.kind_of(name) == Some(ProviderKind::Ollama) && self.model.is_some())
    }
}

/// One provider of language models.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    /// The interface it speaks; needed for a name of your own.
    pub kind: Option<ProviderKind>,
    /// The key.
    pub api_key: Option<Secret>,
    /// Its address, when it is not the vendor's own.
    #[schemars(regex(pattern = r"^https?://[^ /]"), extend("x-fix" = "write an address such as https://models.example.com/v1"))]
    pub base_url: Option<String>,
    /// The model to ask.
    #[schemars(length(min = 1))]
    pub model: Option<String>,
    /// What the model costs; `free` for one of your own. A model without a price is refused, because its cost could
    /// not be held to the budget.
    pub price: Option<Price>,
}

/// The interface a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// OpenAI's, which many servers of other makers speak too.
    #[serde(rename = "openai")]
    OpenAi,
    /// Anthropic's.
    Anthropic,
    /// Mistral's.
    Mistral,
    /// OpenAI's models on Azure.
    #[serde(rename = "azure_openai")]
    AzureOpenAi,
    /// Google's Gemini.
    Gemini,
    /// A server of Ollama.
    Ollama,
}

impl ProviderKind {
    /// The kind a provider's name stands for without further words.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "openai" => Some(Self::OpenAi),
            "anthropic" => Some(Self::Anthropic),
            "mistral" => Some(Self::Mistral),
            "azure_openai" => Some(Self::AzureOpenAi),
            "gemini" => Some(Self::Gemini),
            "ollama" => Some(Self::Ollama),
            _ => None,
        }
    }

    /// The provider names that stand for a kind.
    pub const NAMES: [&str; 6] = ["openai", "anthropic", "mistral", "azure_openai", "gemini", "ollama"];
}

/// What a model costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Price {
    /// The word `free`.
    Free(Free),
    /// So much per million tokens.
    PerMillion(PerMillion),
}

/// The word `free`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("x-fix" = "write free, or input: and output: with US dollars per million tokens"))]
pub enum Free {
    /// It costs nothing.
    Free,
}

/// US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PerMillion {
    /// For what is sent.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub input: Usd,
    /// For what is answered.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub output: Usd,
}

/// The most that may be spent, in US dollars.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// For one execution.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub per_execution_usd: Usd,
    /// For one repository in a day.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub per_repository_daily_usd: Usd,
    /// For everything in a day.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub daily_usd: Usd,
}

impl Default for Budget {
    fn default() -> Self {
        Self { per_execution_usd: Usd(1.0), per_repository_daily_usd: Usd(20.0), daily_usd: Usd(100.0) }
    }
}
