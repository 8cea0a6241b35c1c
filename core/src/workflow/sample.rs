//! Events and outcomes to try expressions on before they meet real ones.

use jiff::Timestamp;

use super::scope::{StepOutcome, StepResult, StepResults};
use crate::event::{Event, EventKind, PullRequestAction, Sender};
use crate::ids::{CommitSha, DeliveryId, InvalidId, PrNumber, RepoName};

/// One event of every type, with and without what an event may lack, each with a word for what it is.
pub(super) fn events() -> Result<[(&'static str, Event); 3], InvalidId> {
    let opened = Event {
        delivery: DeliveryId::new("sample")?,
        at: Timestamp::UNIX_EPOCH,
        kind: EventKind::PullRequest { action: PullRequestAction::Opened },
        repository: RepoName::new("owner/name")?,
        number: PrNumber(1),
        base: Some(CommitSha::zero()),
        head: Some(CommitSha::zero()),
        draft: false,
        labels: Vec::new(),
        sender: Sender { login: "someone".into(), bot: false },
        installation: None,
    };
    let command = Event {
        kind: EventKind::Command { name: "review".into(), arguments: "full".into(), comment: None },
        base: None,
        head: None,
        draft: true,
        labels: vec!["bug".into(), "needs review".into()],
        sender: Sender { login: "some[bot]".into(), bot: true },
        ..opened.clone()
    };
    let manual = Event { kind: EventKind::Manual { workflow: "any".into() }, number: PrNumber(0), ..opened.clone() };
    Ok([
        ("a pull request without labels", opened),
        ("a command on a labelled draft", command),
        ("a manual run", manual),
    ])
}

/// The given steps, all ended in one way, for each way.
pub(super) fn outcomes<'a>(steps: &[&'a str]) -> [StepResults<'a>; 3] {
    StepOutcome::ALL.map(|outcome| steps.iter().map(|id| (*id, StepResult { outcome, output: None })).collect())
}
