//! A pull request to test with.

use jiff::Timestamp;

use crate::event::{Event, EventKind, PullRequestAction, Sender};
use crate::ids::{CommitSha, DeliveryId, PrNumber, RepoName};
use crate::ports::forge::{PullRequest, Target};

/// A diff with a conflict marker and a debug leftover among its added lines.
pub const DIFF: &str = "\
diff --git a/src/lib.rs b/src/lib.rs
index 1111111..2222222 100644
--- a/src/lib.rs
+++ b/src/lib.rs
@@ -1,3 +1,9 @@ pub fn total
 pub fn total(items: &[u32]) -> u32 {
-    items.iter().sum()
+<<<<<<< HEAD
+    items.iter().copied().sum()
+=======
+    dbg!(items).iter().sum()
+>>>>>>> feature
+    // one
+    // two
 }
";

/// When everything in the samples happens.
pub fn start() -> Timestamp {
    Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 50)
}

/// A commit id made of one digit.
pub fn commit(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).expect("a hexadecimal digit")
}

/// Pull request 7 of `acme/shop`.
pub fn pull() -> PullRequest {
    PullRequest {
        target: Target {
            repository: RepoName::new("acme/shop").expect("a repository name"),
            number: PrNumber(7),
            installation: None,
        },
        title: "Sum without a copy".to_owned(),
        body: "It is faster.".to_owned(),
        author: "ada".to_owned(),
        base: commit('a'),
        head: commit('b'),
        draft: false,
        changed_at: None,
        labels: Vec::new(),
    }
}

/// The opening of [`pull`], brought by the delivery of that name.
pub fn opened(delivery: &str) -> Event {
    event(delivery, PullRequestAction::Opened, commit('b'), start())
}

/// Something that happened to [`pull`] at that time.
pub fn event(delivery: &str, action: PullRequestAction, head: CommitSha, at: Timestamp) -> Event {
    let pull = pull();
    Event {
        delivery: DeliveryId::new(delivery).expect("a delivery id"),
        at,
        kind: EventKind::PullRequest { action },
        repository: pull.target.repository,
        number: pull.target.number,
        base: Some(pull.base),
        head: Some(head),
        draft: false,
        labels: Vec::new(),
        sender: Sender { login: "ada".to_owned(), bot: false },
        installation: None,
    }
}
