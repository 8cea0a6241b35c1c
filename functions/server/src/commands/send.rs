//! `autopr send`: signs a payload and delivers it, as GitHub would.

use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use autopr_core::intake::Secrets;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Client, StatusCode, Url, redirect};
use secrecy::SecretString;
use uuid::Uuid;

use super::{Done, FOUND, Failure};
use crate::cli::SendArgs;

/// The most that is read of an answer, in bytes.
const MOST: usize = 64 * 1024;

/// How long the answer may take. GitHub itself waits ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(arguments: &SendArgs, config: Option<PathBuf>) -> Done {
    let url = url(&arguments.url)?;
    let secrets = secrets(config)?;
    let body = read(&arguments.file)?;
    let delivery = arguments.delivery.clone().unwrap_or_else(|| Uuid::now_v7().to_string());
    let signature = secrets.sign(&body).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (option, name, value) in [
        ("--event", "x-github-event", &arguments.event),
        ("--delivery", "x-github-delivery", &delivery),
        ("the signature", "x-hub-signature-256", &signature),
    ] {
        let value = HeaderValue::from_str(value)
            .map_err(|_| Failure::unusable(format!("{option} can't be sent: use printable ASCII characters only")))?;
        headers.insert(name, value);
    }
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("autopr-send/", env!("CARGO_PKG_VERSION"))));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::unusable(format!("can't start the async runtime: {error}")))?;
    let (status, text) =
        runtime.block_on(deliver(url, headers, body)).map_err(|error| unsent(&arguments.url, &error))?;
    anstream::eprintln!("delivery {delivery}: {status}");
    anstream::println!("{}", text.trim_end());
    Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

fn url(text: &str) -> Result<Url, Failure> {
    let fix = "write one such as http://127.0.0.1:8080/webhooks/github";
    let url = Url::parse(text).map_err(|error| Failure::unusable(format!("--url {text}: {error}; {fix}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(Failure::unusable(format!("--url {text}: can't deliver by `{other}`; {fix}"))),
    }
}

/// The secrets of the server's own settings, of which the first signs.
fn secrets(config: Option<PathBuf>) -> Result<Secrets, Failure> {
    let loaded = super::settings(config)?;
    let secrets = &loaded.settings.github.webhook_secrets;
    if secrets.is_empty() {
        return Err(Failure::unusable(
            "there is no secret to sign with: set GITHUB_WEBHOOK_SECRET to the one of the server",
        ));
    }
    Secrets::new(secrets.iter().map(|secret| SecretString::from(secret.expose())).collect()).map_err(Failure::unusable)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    if file.as_os_str() == "-" {
        let read = io::stdin().read_to_end(&mut body);
        read.map_err(|error| Failure::unusable(format!("can't read standard input: {error}")))?;
    } else {
        let fix = "name a JSON file with a payload, or `-` for standard input";
        body = fs::read(file)
            .map_err(|error| Failure::unusable(format!("can't read {}: {error}; {fix}", file.display())))?;
    }
    if body.is_empty() {
        let shown = if file.as_os_str() == "-" { "standard input".into() } else { file.display().to_string() };
        return Err(Failure::unusable(format!("{shown} is empty; give the payload of an event as JSON")));
    }
    Ok(body)
}

/// Redirects are shown, not followed: GitHub does not follow them either.
async fn deliver(url: Url, headers: HeaderMap, body: Vec<u8>) -> Result<(StatusCode, String), reqwest::Error> {
    let client = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).build()?;
    let mut answer = client.post(url).headers(headers).body(body).send().await?;
    let mut bytes = Vec::new();
    while bytes.len() < MOST
        && let Some(chunk) = answer.chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(MOST);
    Ok((answer.status(), String::from_utf8_lossy(&bytes).into_owned()))
}

fn unsent(url: &str, error: &reqwest::Error) -> Failure {
    // The innermost cause says what happened; those around it say where in the client.
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let fix = "is the server running, and is this its address?";
    Failure::unusable(format!("can't deliver to {url}: {cause}; {fix}"))
}
