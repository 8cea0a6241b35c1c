//! What the settings say about one provider.

use std::fmt;

use autopr_core::fault::{Fault, FaultKind};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::kind::Kind;

/// One provider of a language model, as the settings name it. Its `Debug` form shows neither key nor address.
#[derive(Clone)]
pub struct Provider {
    /// Its name in the settings.
    pub name: String,
    /// The interface it speaks.
    pub kind: Kind,
    /// The key. Only a server of one's own does without.
    pub api_key: Option<SecretString>,
    /// Its address, when it is not the vendor's own. Plain `http` is allowed: a server next door may have no certificate.
    pub base_url: Option<Url>,
    /// The model to ask; on Azure the deployment.
    pub model: String,
    /// How freely the model may choose its words, 0 to 2; lowered to what the vendor accepts.
    pub temperature: f64,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, model, .. } = self;
        write!(f, "Provider {{ name: {name:?}, kind: {kind:?}, model: {model:?} }}")
    }
}

impl Provider {
    /// The setting that holds the key.
    pub(crate) fn key_setting(&self) -> String {
        format!("llm.providers.{}.api_key", self.name)
    }

    /// The headers that say who asks, in the vendor's way.
    ///
    /// # Errors
    ///
    /// `Denied` when the vendor's own address is asked without a key; `Invalid` when the key can't be sent as a header.
    pub(crate) fn headers(&self) -> Result<Vec<(String, String)>, Fault> {
        let mut headers = Vec::new();
        if self.kind == Kind::Anthropic {
            headers.push(("anthropic-version".to_owned(), "2023-06-01".to_owned()));
        }
        let Some(key) = &self.api_key else {
            if self.base_url.is_none() && self.kind != Kind::Ollama {
                return Err(Fault::new(FaultKind::Denied, format!("{} is not set", self.key_setting())));
            }
            return Ok(headers);
        };
        let key = key.expose_secret().trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Fault::invalid(format!("{} is empty or holds characters no key has", self.key_setting())));
        }
        headers.push(match self.kind {
            Kind::OpenAi | Kind::Mistral | Kind::Ollama => ("authorization".to_owned(), format!("Bearer {key}")),
            Kind::AzureOpenAi => ("api-key".to_owned(), key.to_owned()),
            Kind::Anthropic => ("x-api-key".to_owned(), key.to_owned()),
            Kind::Gemini => ("x-goog-api-key".to_owned(), key.to_owned()),
        });
        Ok(headers)
    }
}
