//! What it took: requests, calls, cost, and where the log is.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::page::fact;
use crate::shop::{Shop, millis};

/// Prints it.
pub(crate) fn print(shop: &Shop) {
    let slowest = shop.acknowledged.iter().max().copied().unwrap_or_default();
    fact("webhooks", &format!("{}, acknowledged within {}", shop.acknowledged.len(), millis(slowest)));
    let requests = shop.github.requests();
    fact("GitHub", &format!("{} requests, and {} for a token", shop.github.calls(), shop.github.token_requests()));
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for request in requests.iter().filter(|request| !request.is_token_request()) {
        *kinds.entry(format!("{} {}", request.method, shape(&request.path))).or_default() += 1;
    }
    for (kind, count) in kinds {
        fact("", &format!("{count} × {kind}"));
    }
    let metrics = shop.server.metrics();
    let (read, written) = (sum(&metrics, TOKENS, "input"), sum(&metrics, TOKENS, "output"));
    let cost = sum(&metrics, "autopr_llm_cost_usd_total", "");
    fact(
        "model",
        &format!("{} calls, {read} tokens read, {written} written, {cost:.4} US dollars", shop.model.count()),
    );
    match keep_log(&shop.server.log()) {
        Ok(path) => fact("log", &path.display().to_string()),
        Err(error) => fact("log", &format!("could not be written: {error}")),
    }
}

const TOKENS: &str = "autopr_llm_tokens_total";

/// A path without what differs from one repository to the next.
fn shape(path: &str) -> String {
    let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
    match parts[..] {
        ["repos", _, _, ref rest @ ..] => {
            let short = rest.iter().map(|part| part.split_once("...").map_or(*part, |_| "BASE...HEAD"));
            format!("…/{}", short.collect::<Vec<_>>().join("/"))
        }
        _ => path.to_owned(),
    }
}

/// The sum of a metric over the lines that have this label's value.
fn sum(metrics: &str, name: &str, value: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(name) && line.contains(value));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// Beside the program, where the next run replaces it.
fn keep_log(log: &str) -> std::io::Result<PathBuf> {
    let folder = std::env::current_exe()?.with_file_name("demo");
    fs::create_dir_all(&folder)?;
    let path = folder.join("engine.log");
    fs::write(&path, log)?;
    Ok(path)
}
