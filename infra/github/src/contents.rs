//! Files at a commit. A commit never changes, so what was read once is not asked for again.

use ::http::StatusCode;
use ::http::header::CONTENT_TYPE;
use autopr_core::diff::path_bytes;
use autopr_core::fault::Fault;
use autopr_core::ids::CommitSha;
use autopr_core::ports::forge::Target;
use bytes::Bytes;
use serde_json::Value;

use crate::answer::Answer;
use crate::api::{Api, read};
use crate::http::Request;
use crate::operation::Operation;
use crate::remembered::Remembered;

/// The most bytes of a file that are read.
const LIMIT: usize = 16 * 1024 * 1024;

/// The content of a file, or none when there is no file under this path.
pub(crate) async fn file(
    api: &Api,
    remembered: &Remembered,
    target: &Target,
    commit: &CommitSha,
    path: &str,
) -> Result<Option<Bytes>, Fault> {
    let key = at_commit(remembered, target, commit, path);
    if let Some(known) = remembered.get(&key).await {
        return Ok(known);
    }
    let Some(request) = request(Operation::File, target, commit, path) else { return Ok(None) };
    // The content the path had when it was read last, at whichever commit. GitHub's entity tag is one of the content, so
    // that the same file at the next commit need not be sent again.
    let of_path = remembered.key("file_last", target, path);
    let last = remembered.tagged(&of_path).await;
    let request = request.accept("application/vnd.github.raw+json", LIMIT);
    let request = request.unless(last.as_ref().map(|last| last.0.clone()));
    let answer = api.send(target, &request).await?;
    let etag = answer.etag();
    let content = match (last, answer.status) {
        (_, StatusCode::NOT_FOUND) => None,
        (Some(last), StatusCode::NOT_MODIFIED) => Some(last.1),
        // A folder or a submodule has no raw form: GitHub describes it instead.
        _ if answer.status.is_success() && is_json(&answer) => None,
        _ => {
            let content = answer.bytes()?;
            if let Some(etag) = etag {
                remembered.put_tagged(&of_path, &etag, &content).await;
            }
            Some(content)
        }
    };
    remembered.put(&key, content.as_deref()).await;
    Ok(content)
}

/// The size of a file in bytes, or none when there is no file under this path.
pub(crate) async fn size(
    api: &Api,
    remembered: &Remembered,
    target: &Target,
    commit: &CommitSha,
    path: &str,
) -> Result<Option<u64>, Fault> {
    if let Some(content) = remembered.get(&at_commit(remembered, target, commit, path)).await {
        return Ok(content.map(|content| content.len() as u64));
    }
    let key = remembered.key("file_size", target, format_args!("{commit}:{path}"));
    let known =
        remembered.get(&key).await.map(|known| known.map(|bytes| bytes.as_ref().try_into().map(u64::from_le_bytes)));
    match known {
        Some(None) => return Ok(None),
        Some(Some(Ok(size))) => return Ok(Some(size)),
        Some(Some(Err(_))) | None => {}
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
    remembered.put(&key, size.map(u64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice)).await;
    Ok(size)
}

fn at_commit(remembered: &Remembered, target: &Target, commit: &CommitSha, path: &str) -> String {
    remembered.key("file", target, format_args!("{commit}:{path}"))
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
