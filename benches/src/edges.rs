//! A forge and a model that answer at once, so that what is measured is the engine and its store.

use async_trait::async_trait;
use autopr_core::fault::Fault;
use autopr_core::ids::{CommentId, CommitSha};
use autopr_core::ports::forge::{
    Cursor, DeliveryTry, EffectKind, Forge, Marker, OpenPull, Page, Patch, Permission, Place, PullRequest, Reaction,
    Remote, Target,
};
use autopr_core::ports::model::{Completion, Limits, Model, Prompt, Stopped};
use autopr_core::review::{Check, Review};
use autopr_core::testkit::sample;
use bytes::Bytes;

/// Every pull request exists and has the same small diff.
pub(crate) struct InstantForge;

fn done() -> Result<Remote, Fault> {
    Ok(Remote { id: "1".to_owned(), url: None })
}

#[async_trait]
impl Forge for InstantForge {
    async fn pull_request(&self, target: &Target) -> Result<PullRequest, Fault> {
        Ok(PullRequest { target: target.clone(), ..sample::pull() })
    }
    async fn diff(&self, _pull: &PullRequest) -> Result<Patch, Fault> {
        Ok(Patch { text: Bytes::from_static(sample::DIFF.as_bytes()), left_out: Vec::new() })
    }
    async fn file(&self, _target: &Target, _commit: &CommitSha, _path: &str) -> Result<Option<Bytes>, Fault> {
        Ok(None)
    }
    async fn file_size(&self, _target: &Target, _commit: &CommitSha, _path: &str) -> Result<Option<u64>, Fault> {
        Ok(None)
    }
    async fn permission(&self, _target: &Target, _login: &str) -> Result<Permission, Fault> {
        Ok(Permission::Write)
    }
    async fn find(
        &self,
        _target: &Target,
        _head: Option<&CommitSha>,
        _kind: EffectKind,
        _marker: &Marker,
    ) -> Result<Option<Remote>, Fault> {
        Ok(None)
    }
    async fn create_review(&self, _target: &Target, _marker: &Marker, _review: &Review) -> Result<Remote, Fault> {
        done()
    }
    async fn create_check(&self, _target: &Target, _marker: &Marker, _check: &Check) -> Result<Remote, Fault> {
        done()
    }
    async fn create_comment(&self, _target: &Target, _marker: &Marker, _body: &str) -> Result<Remote, Fault> {
        done()
    }
    async fn describe(&self, _target: &Target, _section: &str) -> Result<Remote, Fault> {
        done()
    }
    async fn add_labels(&self, _target: &Target, _labels: &[String]) -> Result<Remote, Fault> {
        done()
    }
    async fn react(&self, _target: &Target, _comment: CommentId, _reaction: Reaction) -> Result<Remote, Fault> {
        done()
    }
    async fn deliveries(&self, _from: Option<&Cursor>) -> Result<Page<DeliveryTry>, Fault> {
        Err(Fault::invalid("not measured"))
    }
    async fn redeliver(&self, _number: u64) -> Result<(), Fault> {
        Err(Fault::invalid("not measured"))
    }
    async fn places(&self, _from: Option<&Cursor>) -> Result<Option<Page<Place>>, Fault> {
        Err(Fault::invalid("not measured"))
    }
    async fn open_pull_requests(&self, _place: &Place, _from: Option<&Cursor>) -> Result<Page<OpenPull>, Fault> {
        Err(Fault::invalid("not measured"))
    }
}

/// A model that always finds nothing.
pub(crate) struct InstantModel;

#[async_trait]
impl Model for InstantModel {
    fn provider(&self) -> &str {
        "instant"
    }
    fn model(&self) -> &str {
        "instant-1"
    }
    async fn complete(&self, _prompt: &Prompt, _limits: Limits) -> Result<Completion, Fault> {
        let text = r#"{"findings":[]}"#.to_owned();
        Ok(Completion { text, input_tokens: 1000, output_tokens: 20, stopped: Stopped::Complete })
    }
}
