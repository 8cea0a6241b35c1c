//! What an action works with: the execution it belongs to, memos, effects, and the edges it may use.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{Engine, LEASE};
use crate::clock::{after, between};
use crate::event::{Event, EventKind};
use crate::execution::{Execution, StepStatus};
use crate::fault::{Fault, FaultKind, Retry};
use crate::ids::CommitSha;
use crate::message::Message;
use crate::model_chain::{Account, Answered};
use crate::ports::Forge;
use crate::ports::forge::{EffectKind, Marker, PullRequest, Remote, Target};
use crate::ports::model::Prompt;
use crate::ports::store::{AuditEntry, Intent, Lease, Standing};
use crate::reconcile;
use crate::workflow::ActionName;

/// The memos that the steps of a run have written or read, so that none is read twice. A memo never changes.
pub(super) type Memos = Arc<Mutex<HashMap<String, Bytes>>>;

/// One attempt of one step.
pub struct Context {
    engine: Engine,
    execution: Arc<Execution>,
    lease: Lease,
    step: String,
    memos: Memos,
}

impl Context {
    pub(super) fn new(engine: Engine, execution: Arc<Execution>, lease: Lease, step: String, memos: Memos) -> Self {
        Self { engine, execution, lease, step, memos }
    }

    /// What the execution runs for.
    pub fn event(&self) -> &Event {
        &self.execution.event
    }

    /// The name of the workflow that runs.
    pub fn workflow(&self) -> &str {
        &self.execution.definition.name
    }

    /// How long ago the event was accepted.
    pub fn age(&self) -> Duration {
        between(self.execution.created_at, self.engine.clock.now())
    }

    /// How long language models of which none can be asked are waited for.
    pub fn patience(&self) -> Duration {
        self.engine.edges.models.patience()
    }

    /// The pull request the execution is about.
    pub fn target(&self) -> Target {
        let event = self.event();
        Target { repository: event.repository.clone(), number: event.number, installation: event.installation }
    }

    /// The place where pull requests live.
    pub fn forge(&self) -> &dyn Forge {
        self.engine.edges.forge.as_ref()
    }

    /// True when a language model is configured.
    pub fn has_models(&self) -> bool {
        !self.engine.edges.models.is_empty()
    }

    /// Asks the language models until `read` accepts an answer; an answer that was paid for is not asked for again. When
    /// the forge and not a person started the execution, that of another execution to the same prompt will do.
    ///
    /// # Errors
    /// Those of [`ModelChain::ask`](crate::model_chain::ModelChain::ask).
    pub async fn ask<T>(
        &self,
        prompt: &Prompt,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Answered<T>, Fault> {
        let Engine { edges, clock, .. } = &self.engine;
        let repository = &self.event().repository;
        // Who asks by a command, a button or by name wants another look.
        let reuse = matches!(self.event().kind, EventKind::PullRequest { .. });
        let account = Account { store: edges.store.as_ref(), lease: &self.lease, repository, clock, reuse };
        edges.models.ask(&account, prompt, read).await
    }

    /// Lets the execution of an allowed command take its place in the concurrency group of its workflow, where it
    /// supersedes those before it. Without a group, or in one that takes turns, there is nothing to do.
    ///
    /// # Errors
    /// [`FaultKind::Superseded`] when the group has an execution for a later event; those of the store.
    pub async fn join(&self) -> Result<(), Fault> {
        let definition = &self.execution.definition;
        if !super::must_join(self.event(), definition) {
            return Ok(());
        }
        let unknown = |error| Fault::invalid("the concurrency group has no value for this event").source(error);
        let Some(group) = definition.group(self.event()).map_err(unknown)? else { return Ok(()) };
        let Engine { edges, clock, .. } = &self.engine;
        match edges.store.join(&self.lease, &group, clock.now()).await? {
            Standing::Current => Ok(()),
            Standing::Superseded => Err(Fault::new(FaultKind::Superseded, "a later event was faster")),
        }
    }

    /// Notes in the audit log what whoever caused the event did. Doing it again changes nothing.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn audit(&self, action: &str, subject: String) -> Result<(), Fault> {
        let Event { sender, repository, number, .. } = self.event();
        let entry = AuditEntry {
            key: format!("{action}/{}", self.execution.id),
            at: self.engine.clock.now(),
            actor: format!("github:{}", sender.login),
            origin: format!("{repository}#{}", number.0),
            action: action.to_owned(),
            subject,
            detail: None,
        };
        self.engine.edges.store.audit(&entry).await
    }

    /// Has the pull request's head as it is now dealt with by an execution of its own, unless there is one.
    ///
    /// # Errors
    /// When the queue can't be reached.
    pub async fn stand_in_for(&self, pull: &PullRequest) -> Result<(), Fault> {
        let event = reconcile::of_a_push(pull, self.event());
        self.engine.edges.queue.publish(&Message::event(event)).await
    }

    /// What the steps that use `action` produced, in the order of the definition.
    ///
    /// # Errors
    /// When an output does not have the expected form: a mistake of this program.
    pub fn outputs<T: DeserializeOwned>(&self, action: ActionName) -> Result<Vec<T>, Fault> {
        let steps = self.execution.definition.steps.iter().filter(|step| step.uses == action);
        steps
            .filter_map(|step| self.execution.step(&step.id)?.output.clone())
            .map(|output| {
                serde_json::from_value(output).map_err(|error| {
                    Fault::new(FaultKind::Bug, format!("the output of {action} is not readable")).json(&error)
                })
            })
            .collect()
    }

    /// What may be told of the failure of a step that uses `action`; none when none failed.
    pub fn failure(&self, action: ActionName) -> Option<String> {
        let steps = self.execution.definition.steps.iter().filter(|step| step.uses == action);
        let mut records = steps.filter_map(|step| self.execution.step(&step.id));
        let failed = records.find(|record| record.status == StepStatus::Failed)?;
        Some(failed.told.clone().unwrap_or_else(|| "It failed; the engine's log has the reason.".to_owned()))
    }

    /// Does `work` once for this execution and `input`: its result is kept, and given back without doing it again after
    /// a crash or in another step.
    ///
    /// # Errors
    /// Those of `work`, which are not kept, and of the store.
    pub async fn memo<T, F>(&self, key: &str, input: &[u8], work: F) -> Result<T, Fault>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, Fault>>,
    {
        let bug =
            |error: serde_json::Error| Fault::new(FaultKind::Bug, format!("memo {key} is not readable")).json(&error);
        let bytes = self.memo_bytes(key, input, async {
            let value = work.await?;
            serde_json::to_vec(&value).map(Bytes::from).map_err(bug)
        });
        serde_json::from_slice(&bytes.await?).map_err(bug)
    }

    /// [`Context::memo`] for bytes as they are.
    ///
    /// # Errors
    /// Those of `work`, which are not kept, and of the store.
    pub async fn memo_bytes<F>(&self, key: &str, input: &[u8], work: F) -> Result<Bytes, Fault>
    where
        F: Future<Output = Result<Bytes, Fault>>,
    {
        let store = &self.engine.edges.store;
        let key = format!("{key}:{}", hex::encode(&Sha256::digest(input)[..8]));
        if let Some(kept) = self.memos.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(kept.clone());
        }
        let value = match store.memo(self.execution.id, &key).await? {
            Some(kept) => Bytes::from(kept),
            None => {
                let value = work.await?;
                store.put_memo(&self.lease, &key, &value).await?;
                value
            }
        };
        self.memos.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value.clone());
        Ok(value)
    }

    /// Writes to the forge once for this execution. The intent is recorded first; if an earlier attempt left one, the
    /// write is looked up by its marker and only done when it did not arrive. `head` is the commit the write is for, if
    /// it is for one: a check is looked up there.
    ///
    /// # Errors
    /// Those of `write`, of the forge and of the store; [`FaultKind::Superseded`] and [`FaultKind::LeaseLost`] when the
    /// execution may not write any more.
    pub async fn effect<F>(
        &self,
        kind: EffectKind,
        head: Option<&CommitSha>,
        write: impl FnOnce(Marker) -> F,
    ) -> Result<Remote, Fault>
    where
        F: Future<Output = Result<Remote, Fault>>,
    {
        let (store, clock) = (&self.engine.edges.store, &self.engine.clock);
        let marker = Marker(format!("autopr:{}:{}:{}", kind.as_str(), self.execution.id, self.step));
        let now = clock.now();
        let uncertain = match store.begin_effect(&self.lease, kind, &marker, now, after(now, LEASE)).await? {
            Intent::Done(remote) => return Ok(remote),
            Intent::Fresh => false,
            Intent::Uncertain => true,
        };
        // Done well within the lease, or not at all: after that another worker may be at the same write.
        let left = (LEASE / 2).saturating_sub(between(now, clock.now()));
        let written = clock.timeout(left, async {
            let arrived = match uncertain {
                true => self.forge().find(&self.target(), head, kind, &marker).await?,
                false => None,
            };
            match arrived {
                Some(remote) => Ok(remote),
                None => write(marker.clone()).await,
            }
        });
        let remote = written.await.unwrap_or_else(|| {
            let context = format!("writing the {} took longer than {} s", kind.as_str(), (LEASE / 2).as_secs());
            Err(Fault::new(FaultKind::Timeout, context).retry(Retry::Backoff))
        })?;
        store.finish_effect(&self.lease, &marker, &remote, clock.now()).await?;
        Ok(remote)
    }
}
