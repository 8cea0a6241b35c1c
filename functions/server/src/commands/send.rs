//! `autopr send`: signs a payload and delivers it, as GitHub would.

use std::fs;
use std::io::{self, Read};
use std::process::ExitCode;
use std::time::Duration;

use autopr_core::intake::Secrets;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use secrecy::SecretString;
use uuid::Uuid;

use super::{Done, FOUND, Failure};
use crate::cli::SendArgs;

/// The most that is printed of an answer, in bytes.
const SHOWN: usize = 64 * 1024;

pub(crate) fn run(arguments: &SendArgs) -> Done {
    let body = read(arguments)?;
    let secret = arguments.secret.clone().filter(|secret| !secret.is_empty()).ok_or_else(|| {
        Failure::unusable("there is no secret to sign with: set GITHUB_WEBHOOK_SECRET to the one of the server")
    })?;
    // Of two secrets the first signs.
    let secret = secret.split(',').next().unwrap_or_default().trim().to_owned();
    let secrets = Secrets::new(vec![SecretString::from(secret)]).map_err(Failure::unusable)?;
    let delivery = arguments.delivery.clone().unwrap_or_else(|| Uuid::now_v7().to_string());
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-github-event", arguments.event.as_str()),
        ("x-github-delivery", delivery.as_str()),
        ("x-hub-signature-256", secrets.sign(&body).unwrap_or_default().as_str()),
    ] {
        let value = HeaderValue::from_str(value);
        headers.insert(name, value.map_err(|_| Failure::unusable(format!("{name} can't hold that text")))?);
    }
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("autopr-send/", env!("CARGO_PKG_VERSION"))));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::unusable(format!("can't start the async runtime: {error}")))?;
    let (status, text) = runtime.block_on(deliver(&arguments.url, headers, body))?;
    anstream::eprintln!("delivery {delivery}: {status}");
    anstream::println!("{}", text.trim_end());
    Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

fn read(arguments: &SendArgs) -> Result<Vec<u8>, Failure> {
    let shown = arguments.file.display();
    let unreadable = |error: io::Error| Failure::unusable(format!("can't read {shown}: {error}"));
    if arguments.file.as_os_str() == "-" {
        let mut body = Vec::new();
        io::stdin().read_to_end(&mut body).map_err(unreadable)?;
        return Ok(body);
    }
    fs::read(&arguments.file).map_err(unreadable)
}

async fn deliver(url: &str, headers: HeaderMap, body: Vec<u8>) -> Result<(reqwest::StatusCode, String), Failure> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build();
    let client = client.map_err(|error| Failure::unusable(format!("can't set up HTTP: {error}")))?;
    let unsent = |error: reqwest::Error| {
        let mut text = format!("can't deliver to {url}: {error}");
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text.push_str(&format!(": {error}"));
            source = error.source();
        }
        Failure::unusable(text)
    };
    let answer = client.post(url).headers(headers).body(body).send().await.map_err(unsent)?;
    let status = answer.status();
    let bytes = answer.bytes().await.map_err(unsent)?;
    Ok((status, String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).into_owned()))
}
