//! `analyse`: runs the deterministic analysers over the diff.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::fetch::{self, Fetched};
use crate::analysis::{self, Analysis, Effort, Options};
use crate::diff::Diff;
use crate::engine::Context;
use crate::fault::{Fault, FaultKind};
use crate::ports::forge::PullRequest;
use crate::repo_config::RepoConfig;
use crate::review::{Finding, Skipped};

/// What the step puts out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Analysed {
    pub(super) findings: Vec<Finding>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) effort: Effort,
    pub(super) files: u32,
    pub(super) added: u32,
    pub(super) removed: u32,
}

pub(super) async fn run(context: &Context) -> Result<Analysed, Fault> {
    let Fetched { pull, config, .. } = fetch::fetched(context)?;
    let text = fetch::diff(context, &pull).await?;
    let wanted = blocking(text.clone(), |text| {
        let diff = parse(&text)?;
        Ok((analysis::wants(&diff), analysis::wants_size(&diff)))
    });
    let (files, measured) = wanted.await?;
    let (contents, unread) = contents(context, &pull, files).await?;
    let sizes = sizes(context, &pull, measured).await?;
    let analysed = blocking(text, move |text| analyse(&text, &config, &contents, &sizes));
    let mut analysed = analysed.await?;
    analysed.skipped.extend(unread);
    Ok(analysed)
}

/// Parses a diff that came from the forge.
pub(super) fn parse(text: &Bytes) -> Result<Diff<'_>, Fault> {
    Diff::parse(text).map_err(|error| {
        Fault::invalid("the diff can't be read").user("The diff of this change can't be read.").source(error)
    })
}

/// Work on a whole diff takes a while: it is done beside the threads that wait for the network.
pub(super) async fn blocking<T: Send + 'static>(
    text: Bytes,
    work: impl FnOnce(Bytes) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(move || work(text))
        .await
        .map_err(|_| Fault::new(FaultKind::Bug, "reading the diff panicked"))?
}

async fn contents(
    context: &Context,
    pull: &PullRequest,
    wanted: Vec<String>,
) -> Result<(BTreeMap<String, Option<Bytes>>, Vec<Skipped>), Fault> {
    let (mut contents, mut unread) = (BTreeMap::new(), Vec::new());
    for path in wanted {
        match context.forge().file(&pull.target, &pull.head, &path).await {
            Ok(content) => {
                contents.insert(path, content);
            }
            // One file that can't be read, because it is too large, keeps no other from being looked at.
            Err(fault) if fault.kind == FaultKind::Invalid => {
                tracing::info!(%fault, "a file was not read");
                let why = "its content can't be read; only its change was analysed".to_owned();
                unread.push(Skipped { what: path, why, incomplete: false });
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok((contents, unread))
}

async fn sizes(context: &Context, pull: &PullRequest, wanted: Vec<String>) -> Result<BTreeMap<String, u64>, Fault> {
    let mut sizes = BTreeMap::new();
    for path in wanted {
        if let Some(size) = context.forge().file_size(&pull.target, &pull.head, &path).await? {
            sizes.insert(path, size);
        }
    }
    Ok(sizes)
}

fn analyse(
    text: &Bytes,
    config: &RepoConfig,
    contents: &BTreeMap<String, Option<Bytes>>,
    sizes: &BTreeMap<String, u64>,
) -> Result<Analysed, Fault> {
    let diff = parse(text)?;
    let ignore = config.ignore_set();
    let Analysis { findings, skipped, effort } = analysis::analyse(&diff, &Options::new(&ignore, contents, sizes));
    let counts = diff.counts();
    let files = u32::try_from(diff.files.len()).unwrap_or(u32::MAX);
    Ok(Analysed { findings, skipped, effort, files, added: counts.added, removed: counts.removed })
}
