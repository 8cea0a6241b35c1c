//! The interfaces the server speaks, and where each lives.

/// An interface the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Vendor {
    /// OpenAI itself.
    OpenAi,
    /// A server of another maker that speaks OpenAI's interface and needs no key, such as vLLM.
    Compatible,
    /// OpenAI's models on Azure.
    AzureOpenAi,
    /// Mistral.
    Mistral,
    /// Anthropic.
    Anthropic,
    /// Gemini.
    Gemini,
    /// Ollama.
    Ollama,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::OpenAi, Self::Compatible, Self::AzureOpenAi, Self::Mistral, Self::Anthropic, Self::Gemini, Self::Ollama];

    /// The path of the base URL a client is configured with. OpenAI, Anthropic, Azure, Gemini and Ollama keep the paths
    /// of the real servers; the two that would clash with OpenAI's stand in a folder.
    pub fn base_path(self) -> &'static str {
        match self {
            Self::OpenAi | Self::Anthropic => "/v1",
            Self::Compatible => "/compatible/v1",
            Self::AzureOpenAi | Self::Ollama => "",
            Self::Mistral => "/mistral/v1",
            Self::Gemini => "/v1beta",
        }
    }

    /// The vendor whose completions live at this path, and the model if the path names it.
    pub(crate) fn at(path: &str) -> Option<(Self, Option<String>)> {
        let plain = match path {
            "/v1/chat/completions" => Some(Self::OpenAi),
            "/compatible/v1/chat/completions" => Some(Self::Compatible),
            "/mistral/v1/chat/completions" => Some(Self::Mistral),
            "/v1/messages" => Some(Self::Anthropic),
            "/api/chat" => Some(Self::Ollama),
            _ => None,
        };
        if let Some(vendor) = plain {
            return Some((vendor, None));
        }
        let deployment =
            path.strip_prefix("/openai/deployments/").and_then(|rest| rest.strip_suffix("/chat/completions"));
        if let Some(deployment) = deployment.filter(|name| !name.contains('/')) {
            return Some((Self::AzureOpenAi, Some(deployment.to_owned())));
        }
        let model = path.strip_prefix("/v1beta/models/").and_then(|rest| rest.strip_suffix(":generateContent"));
        model.map(|model| (Self::Gemini, Some(model.to_owned())))
    }
}
