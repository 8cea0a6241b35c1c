//! Answers that one execution paid for and another may have for nothing.

use std::time::Duration;

use super::{Account, Link, ModelChain, digest, key, usable};
use crate::fault::{Fault, FaultKind};
use crate::ports::model::{Completion, Prompt};

/// How long an answer may be reused.
const KEEP: Duration = Duration::from_secs(24 * 3600);

impl ModelChain {
    /// What another execution was answered to the same prompt, if this one may reuse it and it passes as a fresh answer
    /// would. It becomes a memo first: the path of this execution no longer depends on the cache.
    pub(super) async fn reused<T>(
        &self,
        account: &Account<'_>,
        link: &Link,
        prompt: &Prompt,
        read: &impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Fault> {
        if !account.reuse {
            return Ok(None);
        }
        let Some(bytes) = self.cache.get(&self.cache_key(link, prompt)).await else { return Ok(None) };
        let Ok(completion) = serde_json::from_slice::<Completion>(&bytes) else { return Ok(None) };
        let Ok(answer) = usable(&completion, read) else { return Ok(None) };
        let bug = |error| Fault::new(FaultKind::Bug, "a completion is not JSON").json(&error);
        account.keep(&key(link, prompt), &serde_json::to_vec(&completion).map_err(bug)?).await?;
        tracing::info!(provider = link.model.provider(), "reusing the answer another execution was given");
        Ok(Some(answer))
    }

    /// Lets others have an answer that was usable. What it took to get it, such as a repair, is not theirs to repeat.
    pub(super) async fn offer(&self, link: &Link, prompt: &Prompt, completion: &Completion) {
        if let Ok(bytes) = serde_json::to_vec(completion) {
            self.cache.put(&self.cache_key(link, prompt), bytes, KEEP).await;
        }
    }

    /// All that an answer depends on.
    fn cache_key(&self, link: &Link, prompt: &Prompt) -> String {
        let tokens = self.settings.limits.output_tokens;
        format!("answer:{}:{tokens}:{}", link.name(), hex::encode(digest(prompt)))
    }
}
