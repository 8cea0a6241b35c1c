//! The address one call goes to: people write a base URL with or without the version, and both must work.

use autopr_core::fault::Fault;
use url::Url;

use crate::kind::Kind;
use crate::provider::Provider;

/// The version of Azure's interface asked for when the base URL names none: the newest that is not a preview.
const AZURE_API_VERSION: &str = "2024-10-21";

/// Where a completion of this provider's model is asked for.
///
/// # Errors
///
/// `Invalid` for an address that is not `http` or `https`, that holds a user name or password, and for Azure without one.
pub(crate) fn of(provider: &Provider) -> Result<Url, Fault> {
    let setting = format!("llm.providers.{}.base_url", provider.name);
    let base = match (&provider.base_url, provider.kind.home()) {
        (Some(url), _) => url.clone(),
        (None, Some(home)) => Url::parse(home).map_err(|_| Fault::invalid(format!("{home} is not an address")))?,
        (None, None) => return Err(Fault::invalid(format!("{setting} is not set: each customer of Azure has one"))),
    };
    if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
        return Err(Fault::invalid(format!("{setting} must start with http:// or https://")));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(Fault::invalid(format!("{setting} must not hold a user name or password")));
    }
    let mut path: Vec<String> =
        base.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let mut url = base;
    match provider.kind {
        Kind::OpenAi | Kind::Mistral => path.extend(["chat", "completions"].map(str::to_owned)),
        Kind::AzureOpenAi => azure(&mut url, &mut path, &provider.model),
        Kind::Anthropic => {
            add_version(&mut path, "v1");
            path.push("messages".to_owned());
        }
        Kind::Gemini => {
            add_version(&mut path, "v1beta");
            let model = provider.model.strip_prefix("models/").unwrap_or(&provider.model);
            path.extend(["models".to_owned(), format!("{model}:generateContent")]);
        }
        Kind::Ollama => {
            // The address of its OpenAI-like interface, or that of its own.
            if matches!(path.last().map(String::as_str), Some("v1" | "api")) {
                path.pop();
            }
            path.extend(["api", "chat"].map(str::to_owned));
        }
    }
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.clear().extend(path);
    }
    url.set_fragment(None);
    Ok(url)
}

fn azure(url: &mut Url, path: &mut Vec<String>, deployment: &str) {
    let versionless = path.last().is_some_and(|part| part == "v1");
    if !versionless && !path.iter().any(|part| part == "deployments") {
        if path.last().is_none_or(|part| part != "openai") {
            path.push("openai".to_owned());
        }
        path.extend(["deployments".to_owned(), deployment.to_owned()]);
    }
    path.extend(["chat", "completions"].map(str::to_owned));
    if !versionless && !url.query_pairs().any(|(name, _)| name == "api-version") {
        url.query_pairs_mut().append_pair("api-version", AZURE_API_VERSION);
    }
}

/// Adds the version unless the base URL ends with one.
fn add_version(path: &mut Vec<String>, version: &str) {
    let has_one = path.last().is_some_and(|part| {
        part.strip_prefix('v').is_some_and(|rest| rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit()))
    });
    if !has_one {
        path.push(version.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, base: &str, expect: &str) {
        let provider = Provider {
            name: "p".to_owned(),
            kind,
            api_key: None,
            base_url: (!base.is_empty()).then(|| base.parse().expect("a URL")),
            model: "m-1".to_owned(),
            temperature: 0.0,
        };
        let got = of(&provider).map(String::from).unwrap_or_else(|fault| fault.to_string());
        assert_eq!(got, expect, "{kind:?} {base}");
    }

    #[test]
    fn a_base_url_works_with_and_without_its_version() {
        check(Kind::OpenAi, "", "https://api.openai.com/v1/chat/completions");
        check(Kind::OpenAi, "http://gpu:8000/v1", "http://gpu:8000/v1/chat/completions");
        check(Kind::OpenAi, "https://groq.example/openai/v1/", "https://groq.example/openai/v1/chat/completions");
        check(Kind::Mistral, "", "https://api.mistral.ai/v1/chat/completions");
        check(Kind::Anthropic, "", "https://api.anthropic.com/v1/messages");
        check(Kind::Anthropic, "https://proxy.example/claude", "https://proxy.example/claude/v1/messages");
        check(Kind::Anthropic, "https://proxy.example/v1/", "https://proxy.example/v1/messages");
        check(Kind::Gemini, "", "https://generativelanguage.googleapis.com/v1beta/models/m-1:generateContent");
        check(Kind::Gemini, "https://g.example/v1", "https://g.example/v1/models/m-1:generateContent");
        check(Kind::Ollama, "", "http://localhost:11434/api/chat");
        check(Kind::Ollama, "http://gpu:11434/v1", "http://gpu:11434/api/chat");
        check(Kind::Ollama, "http://gpu:11434/api/", "http://gpu:11434/api/chat");
    }

    #[test]
    fn azure_gets_its_deployment_and_version() {
        let path = "https://x.openai.azure.com/openai/deployments/m-1/chat/completions";
        check(Kind::AzureOpenAi, "https://x.openai.azure.com", &format!("{path}?api-version=2024-10-21"));
        check(Kind::AzureOpenAi, "https://x.openai.azure.com/openai/", &format!("{path}?api-version=2024-10-21"));
        check(Kind::AzureOpenAi, "https://x.openai.azure.com/?api-version=7", &format!("{path}?api-version=7"));
        check(Kind::AzureOpenAi, path.trim_end_matches("/chat/completions"), &format!("{path}?api-version=2024-10-21"));
        let newest = "https://x.openai.azure.com/openai/v1";
        check(Kind::AzureOpenAi, newest, &format!("{newest}/chat/completions"));
        check(Kind::AzureOpenAi, "", "llm.providers.p.base_url is not set: each customer of Azure has one");
    }

    #[test]
    fn an_address_with_a_password_is_refused_without_showing_it() {
        check(
            Kind::OpenAi,
            "https://me:hunter2@models.example/v1",
            "llm.providers.p.base_url must not hold a user name or password",
        );
        check(Kind::OpenAi, "ftp://models.example/v1", "llm.providers.p.base_url must start with http:// or https://");
    }
}
