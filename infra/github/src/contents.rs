//! Files at a commit. A commit never changes, so what was read once is not asked for again.

use std::sync::Arc;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderValue, StatusCode};
use autopr_core::diff::path_bytes;
use autopr_core::fault::Fault;
use autopr_core::ids::{CommitSha, RepoName};
use autopr_core::ports::forge::Target;
use bytes::Bytes;
use moka::future::Cache;
use serde_json::Value;

use crate::answer::Answer;
use crate::api::{Api, read};
use crate::http::Request;
use crate::operation::Operation;

/// The most bytes of a file that are read.
const LIMIT: usize = 16 * 1024 * 1024;

/// How many bytes each of the two caches of contents may hold.
const ROOM: u64 = 16 * 1024 * 1024;

/// What was read of files.
#[derive(Debug)]
pub(crate) struct Contents {
    /// A file at a commit; none when it does not exist there.
    at_commit: Cache<(RepoName, CommitSha, String), Option<Bytes>>,
    /// The content a path had when it was read last, at whichever commit. GitHub's entity tag is one of the content, so
    /// that the same file at the next commit need not be sent again.
    last: Cache<(RepoName, String), Arc<(HeaderValue, Bytes)>>,
    sizes: Cache<(RepoName, CommitSha, String), Option<u64>>,
}

impl Contents {
    /// Nothing read yet.
    pub(crate) fn new() -> Self {
        fn weight(path: &str, bytes: usize) -> u32 {
            u32::try_from(path.len() + bytes + 200).unwrap_or(u32::MAX)
        }
        let at_commit = Cache::builder()
            .weigher(|(_, _, path): &(_, _, String), content: &Option<Bytes>| {
                weight(path, content.as_ref().map_or(0, Bytes::len))
            })
            .max_capacity(ROOM)
            .build();
        let last = Cache::builder()
            .weigher(|(_, path): &(_, String), last: &Arc<(HeaderValue, Bytes)>| weight(path, last.1.len()))
            .max_capacity(ROOM)
            .build();
        Self { at_commit, last, sizes: Cache::builder().max_capacity(20_000).build() }
    }

    /// The content of a file, or none when there is no file under this path.
    pub(crate) async fn file(
        &self,
        api: &Api,
        target: &Target,
        commit: &CommitSha,
        path: &str,
    ) -> Result<Option<Bytes>, Fault> {
        let key = (target.repository.clone(), commit.clone(), path.to_owned());
        if let Some(known) = self.at_commit.get(&key).await {
            return Ok(known);
        }
        let Some(request) = request(Operation::File, target, commit, path) else { return Ok(None) };
        let of_path = (target.repository.clone(), path.to_owned());
        let last = self.last.get(&of_path).await;
        let request = request.accept("application/vnd.github.raw+json", LIMIT);
        let request = request.unless(last.as_ref().map(|last| last.0.clone()));
        let answer = api.send(target, &request).await?;
        let etag = answer.etag();
        let content = match (last, answer.status) {
            (_, StatusCode::NOT_FOUND) => None,
            (Some(last), StatusCode::NOT_MODIFIED) => Some(last.1.clone()),
            // A folder or a submodule has no raw form: GitHub describes it instead.
            _ if answer.status.is_success() && is_json(&answer) => None,
            _ => {
                let content = answer.bytes()?;
                if let Some(etag) = etag {
                    self.last.insert(of_path, Arc::new((etag, content.clone()))).await;
                }
                Some(content)
            }
        };
        self.at_commit.insert(key, content.clone()).await;
        Ok(content)
    }

    /// The size of a file in bytes, or none when there is no file under this path.
    pub(crate) async fn size(
        &self,
        api: &Api,
        target: &Target,
        commit: &CommitSha,
        path: &str,
    ) -> Result<Option<u64>, Fault> {
        let key = (target.repository.clone(), commit.clone(), path.to_owned());
        if let Some(content) = self.at_commit.get(&key).await {
            return Ok(content.map(|content| content.len() as u64));
        }
        if let Some(known) = self.sizes.get(&key).await {
            return Ok(known);
        }
        let Some(request) = request(Operation::FileSize, target, commit, path) else { return Ok(None) };
        let answer = api.send(target, &request).await?;
        let size = match answer.status {
            StatusCode::NOT_FOUND => None,
            _ => {
                // A list for a folder, an entry for everything else.
                let entry: Value = answer.json()?;
                entry["size"].as_u64().filter(|_| entry["type"] == "file")
            }
        };
        self.sizes.insert(key, size).await;
        Ok(size)
    }
}

/// The request for a path; none for one that git can't hold, or that is not text and so has no address here.
fn request(operation: Operation, target: &Target, commit: &CommitSha, path: &str) -> Option<Request> {
    let path = path_bytes(path);
    let path = std::str::from_utf8(&path).ok()?;
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return None;
    }
    let parts: Vec<_> = std::iter::once("contents").chain(path.split('/')).collect();
    Some(read(operation, target, &parts).query("ref", commit))
}

fn is_json(answer: &Answer) -> bool {
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim() == "application/json"
}
