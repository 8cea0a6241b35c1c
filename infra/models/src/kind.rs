//! The interfaces a provider may speak.

/// The interface a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// OpenAI's chat completions, which many servers of other makers speak too.
    OpenAi,
    /// OpenAI's models on Azure. The model is the name of the deployment.
    AzureOpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Mistral's chat completions.
    Mistral,
    /// Google's Gemini.
    Gemini,
    /// A server of Ollama.
    Ollama,
}

impl Kind {
    /// The vendor's own address; Azure has none, because each customer has one of their own.
    pub(crate) fn home(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::AzureOpenAi => None,
            Self::Anthropic => Some("https://api.anthropic.com/v1"),
            Self::Mistral => Some("https://api.mistral.ai/v1"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta"),
            Self::Ollama => Some("http://localhost:11434"),
        }
    }

    /// The highest temperature the vendor accepts; a higher one in the settings is lowered to it.
    pub(crate) fn highest_temperature(self) -> f64 {
        match self {
            Self::Anthropic => 1.0,
            Self::Mistral => 1.5,
            Self::OpenAi | Self::AzureOpenAi | Self::Gemini | Self::Ollama => 2.0,
        }
    }
}
