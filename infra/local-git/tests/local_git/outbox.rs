use std::fs;
use std::sync::Arc;

use autopr_core::ids::CommitSha;
use autopr_core::ports::Forge;
use autopr_core::ports::forge::{EffectKind, Marker};
use autopr_core::review::{Check, Coverage, Review, Severity, Verdict};

use crate::repo::Repo;

fn review(omitted: u32) -> Review {
    Review {
        effort: None,
        head: CommitSha::zero(),
        findings: Vec::new(),
        omitted,
        block_on: Severity::High,
        coverage: Coverage::default(),
        problems: Vec::new(),
    }
}

fn files(repo: &Repo) -> usize {
    let entries = fs::read_dir(repo.folder.path().join("outbox")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_file()).count()
}

#[tokio::test]
async fn the_same_marker_written_twice_leaves_one_review() {
    let repo = Repo::new();
    let local = repo.open().await.unwrap();
    let (target, marker) = (local.target().unwrap(), Marker("autopr:1/../review".to_owned()));
    assert_eq!(local.find(&target, None, EffectKind::Review, &marker).await.unwrap(), None);

    let first = local.create_review(&target, &marker, &review(1)).await.unwrap();
    let again = local.create_review(&target, &marker, &review(2)).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(files(&repo), 1);
    assert_eq!(local.review().await.unwrap(), Some(review(1)), "what was posted first stays");

    let other = local.create_review(&target, &Marker("another".to_owned()), &review(3)).await.unwrap();
    assert_ne!(first.id, other.id);
    assert_eq!(local.review().await.unwrap(), Some(review(3)));
}

#[tokio::test]
async fn another_process_finds_what_was_posted() {
    let repo = Repo::new();
    let marker = Marker("m".to_owned());
    let check =
        Check { head: CommitSha::zero(), verdict: Verdict::Neutral, title: "t".to_owned(), summary: "s".to_owned() };
    let local = repo.open().await.unwrap();
    let target = local.target().unwrap();
    let remote = local.create_check(&target, &marker, &check).await.unwrap();

    let later = repo.open().await.unwrap();
    assert_eq!(later.check().await.unwrap(), None, "nothing was posted by this one yet");
    assert_eq!(later.find(&target, None, EffectKind::Review, &marker).await.unwrap(), None);
    assert_eq!(later.find(&target, None, EffectKind::Check, &marker).await.unwrap(), Some(remote));
    assert_eq!(later.check().await.unwrap(), Some(check));
}

#[tokio::test]
async fn writers_in_a_race_leave_one_file() {
    let repo = Repo::new();
    let local = Arc::new(repo.open().await.unwrap());
    let target = local.target().unwrap();
    let writes = (0..8).map(|n| {
        let (local, target) = (Arc::clone(&local), target.clone());
        tokio::spawn(
            async move { local.create_review(&target, &Marker("same".to_owned()), &review(n)).await.unwrap().id },
        )
    });
    let mut ids = Vec::new();
    for write in writes.collect::<Vec<_>>() {
        ids.push(write.await.unwrap());
    }
    ids.dedup();
    assert_eq!((ids.len(), files(&repo)), (1, 1));
    assert!(local.review().await.unwrap().is_some(), "the file is whole");
}
