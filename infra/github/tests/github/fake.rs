//! The forge against the fake GitHub, which keeps state, refuses what GitHub refuses, and holds every request against
//! GitHub's own OpenAPI description.

use std::time::Duration;

use autopr_core::diff::{Diff, Side};
use autopr_core::fault::{FaultKind, Retry};
use autopr_core::ids::{CommentId, InstallationId, PrNumber};
use autopr_core::ports::Forge;
use autopr_core::ports::forge::{EffectKind, Marker, Permission, Reaction, Target};
use autopr_core::review::{Coverage, Finding, Location, Review, Severity, Source};
use autopr_fakes::github::{self, FakeGitHub, Fault, Installed, NewPull, NewRepository, Until};
use autopr_github::{Credentials, GitHub, Settings};

use crate::server::settings;

const DIFF: &str = "\
diff --git a/src/cart.rs b/src/cart.rs
index 1111111..2222222 100644
--- a/src/cart.rs
+++ b/src/cart.rs
@@ -1,4 +1,5 @@
 fn total(items: &[Item]) -> u64 {
-    items.iter().map(|i| i.price).sum()
+    let sum: u64 = items.iter().map(|i| i.price).sum();
+    sum - 1
 }
 
diff --git a/docs/new page.md b/docs/new page.md
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ b/docs/new page.md
@@ -0,0 +1 @@
+hello
";

/// The fake with one pull request, and a forge that is an App installed there.
struct Scene {
    github: FakeGitHub,
    app: Installed,
    target: Target,
}

impl Scene {
    fn new() -> Self {
        let github = FakeGitHub::start();
        let shop = NewRepository::new("acme", "shop").private().file(".autopr.yml", "version: 1\n");
        github.add_repository(
            shop.collaborator("bot", github::Permission::Write).collaborator("reader", github::Permission::Triage),
        );
        let number = github.open_pull("acme", "shop", NewPull::new("Count less", DIFF).body("Why not?").label("cart"));
        let app = github.install_app("acme");
        let target = Target {
            repository: "acme/shop".parse().unwrap(),
            number: PrNumber(number),
            installation: Some(InstallationId(app.installation_id)),
        };
        Self { github, app, target }
    }

    fn app(&self) -> GitHub {
        let key = self.app.private_key.clone().into();
        let credentials = Credentials::App { id: self.app.app_id, private_key: key };
        GitHub::new(Settings { credentials, ..settings(self.github.url()) }).unwrap()
    }

    fn token(&self) -> GitHub {
        let credentials = Credentials::Token(self.github.token("bot").into());
        GitHub::new(Settings { credentials, ..settings(&self.github.enterprise_url()) }).unwrap()
    }

    fn reviews(&self) -> Vec<github::Review> {
        self.github.reviews("acme", "shop", self.target.number.0)
    }
}

fn marker(word: &str) -> Marker {
    Marker(format!("autopr:{word}:0192f0c4-7a10:publish"))
}

fn finding(path: &str, side: Side, start: u32, end: u32) -> Finding {
    Finding {
        rule: "bug/off-by-one".to_owned(),
        severity: Severity::High,
        title: "one too few".to_owned(),
        reason: "The sum is lowered by one.".to_owned(),
        fix: "Return the sum.".to_owned(),
        location: Some(Location { path: path.to_owned(), side, start, end, columns: None }),
        evidence: "    sum - 1".to_owned(),
        replacement: (side == Side::Right).then(|| "    sum\n".to_owned()),
        source: Source::Analyser,
    }
}

fn review(head: &autopr_core::ids::CommitSha, findings: Vec<Finding>) -> Review {
    let coverage = Coverage { files: 2, added: 3, removed: 1, models: Vec::new(), skipped: Vec::new() };
    let (block_on, effort, problems) = (Severity::High, None, Vec::new());
    Review { head: head.clone(), findings, omitted: 0, block_on, coverage, effort, problems }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_review_costs_five_requests_and_a_token() {
    let scene = Scene::new();
    let (forge, target) = (scene.app(), &scene.target);
    let pull = forge.pull_request(target).await.unwrap();
    assert_eq!(
        (pull.title.as_str(), pull.body.as_str(), &pull.labels[..]),
        ("Count less", "Why not?", &["cart".to_owned()][..])
    );
    let config = forge.file(target, &pull.base, ".autopr.yml").await.unwrap();
    assert_eq!(config.as_deref(), Some(&b"version: 1\n"[..]));
    let patch = forge.diff(&pull).await.unwrap();
    assert_eq!((&patch.text[..], patch.left_out.len()), (DIFF.as_bytes(), 0));
    let findings = vec![
        finding("src/cart.rs", Side::Right, 3, 3),
        finding("src/cart.rs", Side::Right, 2, 3),
        finding("src/cart.rs", Side::Left, 2, 2),
        finding("docs/new page.md", Side::Right, 1, 1),
    ];
    let review = review(&pull.head, findings);
    forge.create_review(target, &marker("review"), &review).await.unwrap();
    forge.create_check(target, &marker("check"), &review.check()).await.unwrap();
    assert_eq!((scene.github.calls(), scene.github.token_requests()), (5, 1));
    let posted = scene.reviews();
    let places: Vec<_> =
        posted[0].comments.iter().map(|it| (it.path.as_str(), it.start_line, it.line, it.side)).collect();
    use github::Side::{Left, Right};
    assert_eq!(
        places,
        [
            ("src/cart.rs", None, 3, Right),
            ("src/cart.rs", Some(2), 3, Right),
            ("src/cart.rs", None, 2, Left),
            ("docs/new page.md", None, 1, Right),
        ]
    );
    assert_eq!(
        (posted.len(), posted[0].state.as_str(), posted[0].commit_id.as_str()),
        (1, "COMMENTED", pull.head.as_str())
    );
    let checks = scene.github.check_runs("acme", "shop");
    assert_eq!((checks.len(), checks[0].conclusion.as_deref()), (1, Some("failure")));
    for (kind, word) in [(EffectKind::Review, "review"), (EffectKind::Check, "check")] {
        let found = forge.find(target, Some(&pull.head), kind, &marker(word)).await.unwrap();
        assert!(found.is_some_and(|remote| remote.url.is_some()), "{word}");
        assert_eq!(forge.find(target, Some(&pull.head), kind, &marker("other")).await.unwrap(), None);
    }
    scene.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_a_forge_does() {
    let scene = Scene::new();
    let number = scene.target.number.0;
    let written = scene.github.write_comment("acme", "shop", number, "reader", "/autopr review");
    for forge in [scene.app(), scene.token()] {
        let target = &scene.target;
        forge.check().await.unwrap();
        forge.describe(target, "A summary.").await.unwrap();
        forge.add_labels(target, &["small".to_owned()]).await.unwrap();
        forge.react(target, CommentId(written), Reaction::Eyes).await.unwrap();
        forge.react(target, CommentId(written), Reaction::Eyes).await.unwrap();
        for (login, expect) in
            [("bot", Permission::Write), ("reader", Permission::Read), ("stranger", Permission::None)]
        {
            assert_eq!(forge.permission(target, login).await.unwrap(), expect, "{login}");
        }
        let pull = forge.pull_request(target).await.unwrap();
        assert_eq!(forge.file(target, &pull.base, "absent").await.unwrap(), None);
        assert_eq!(forge.file_size(target, &pull.base, ".autopr.yml").await.unwrap(), Some(11));
        assert_eq!(forge.file_size(target, &pull.base, "absent").await.unwrap(), None);
    }
    assert_eq!(
        scene.github.description("acme", "shop", number),
        "Why not?\n\n<!-- autopr:description -->\nA summary.\n<!-- /autopr:description -->"
    );
    assert_eq!(scene.github.labels("acme", "shop", number), ["cart", "small"]);
    let forge = scene.app();
    let remote = forge.create_comment(&scene.target, &marker("comment"), "Done.").await.unwrap();
    let found = forge.find(&scene.target, None, EffectKind::Comment, &marker("comment")).await.unwrap();
    assert_eq!(found, Some(remote));
    let comments = scene.github.comments("acme", "shop", number);
    // One for the App and one for the person, however often each reacted.
    assert_eq!((comments.len(), comments[0].reactions.len()), (2, 2));
    scene.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_leaves_a_status_that_is_found_again() {
    let scene = Scene::new();
    let (forge, target) = (scene.token(), &scene.target);
    let pull = forge.pull_request(target).await.unwrap();
    let check = review(&pull.head, Vec::new()).check();
    let remote = forge.create_check(target, &marker("check"), &check).await.unwrap();
    let statuses = scene.github.statuses("acme", "shop");
    assert_eq!(
        (statuses.len(), statuses[0].state.as_str(), statuses[0].context.as_str()),
        (1, "success", "autopr/review")
    );
    // Also by a process that has not seen that check runs are refused.
    for forge in [forge, scene.token()] {
        let found = forge.find(target, Some(&pull.head), EffectKind::Check, &marker("check")).await.unwrap();
        assert_eq!(found.as_ref(), Some(&remote));
    }
    scene.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_refused_is_the_same_from_its_files() {
    let scene = Scene::new();
    let (forge, number) = (scene.app(), scene.target.number.0);
    let pull = forge.pull_request(&scene.target).await.unwrap();
    scene.github.refuse_diff("acme", "shop", number);
    let patch = forge.diff(&pull).await.unwrap();
    assert!(patch.left_out.is_empty(), "{:?}", patch.left_out);
    let hunks = |text: &[u8]| {
        let diff = Diff::parse(text).unwrap();
        let files = diff.files.iter().map(|file| {
            (
                file.change,
                file.path().into_owned(),
                file.hunks().iter().map(|hunk| hunk.body().to_vec()).collect::<Vec<_>>(),
            )
        });
        files.collect::<Vec<_>>()
    };
    assert_eq!(hunks(&patch.text), hunks(DIFF.as_bytes()));
    scene.github.leave_out_patch("acme", "shop", number, "src/cart.rs");
    assert_eq!(forge.diff(&pull).await.unwrap().left_out, ["src/cart.rs"]);
    let head = "c".repeat(40);
    scene.github.push("acme", "shop", number, &head, "", &[]);
    // The old head's diff is still what is asked for, and was not refused.
    assert_eq!(&forge.diff(&pull).await.unwrap().text[..], DIFF.as_bytes());
    scene.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_was_lost_is_found_and_not_doubled() {
    for fault in [Fault::StatusAfter(502), Fault::DropAfter, Fault::Truncate] {
        let scene = Scene::new();
        let (forge, target) = (scene.app(), &scene.target);
        let pull = forge.pull_request(target).await.unwrap();
        let review = review(&pull.head, vec![finding("src/cart.rs", Side::Right, 3, 3)]);
        scene.github.fail_next("POST", "/reviews", fault);
        let lost = forge.create_review(target, &marker("review"), &review).await.unwrap_err();
        assert_eq!((lost.kind, lost.retry), (FaultKind::Unavailable, Retry::Backoff), "{lost}");
        let found = forge.find(target, Some(&pull.head), EffectKind::Review, &marker("review")).await.unwrap();
        assert_eq!(found.unwrap().id, scene.reviews()[0].id.to_string());
        assert_eq!(scene.reviews().len(), 1);
        scene.github.assert_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_outside_the_diff_costs_the_comments_and_not_the_review() {
    let scene = Scene::new();
    let (forge, target) = (scene.app(), &scene.target);
    let pull = forge.pull_request(target).await.unwrap();
    let findings = vec![finding("src/cart.rs", Side::Right, 3, 3), finding("src/cart.rs", Side::Right, 90, 90)];
    forge.create_review(target, &marker("review"), &review(&pull.head, findings)).await.unwrap();
    let posted = scene.reviews();
    assert_eq!((posted.len(), posted[0].comments.len()), (1, 0));
    assert!(posted[0].body.contains("`src/cart.rs:3`") && posted[0].body.contains("`src/cart.rs:90`"));
    let violations = scene.github.take_violations();
    assert!(violations.iter().all(|text| text.contains("line must be part of the diff")), "{violations:?}");
    scene.github.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_waits_and_tokens_that_end_are_renewed() {
    let scene = Scene::new();
    let target = &scene.target;
    // One for each limit, which knows nothing of the others.
    let [first, second, third, forge] = std::array::from_fn(|_| scene.app());
    for forge in [&first, &second, &third, &forge] {
        forge.pull_request(target).await.unwrap();
    }
    scene.github.limit_secondary(403, Some(60), Until::Requests(1));
    let fault = first.create_comment(target, &marker("comment"), "x").await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Limited, Retry::After(Duration::from_secs(60))));
    scene.github.limit_secondary(429, None, Until::Requests(1));
    let fault = second.create_comment(target, &marker("comment"), "x").await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Limited, Retry::After(Duration::from_secs(60))));
    scene.github.limit_primary(0, Duration::from_secs(120));
    let fault = third.create_comment(target, &marker("comment"), "x").await.unwrap_err();
    let Retry::After(wait) = fault.retry else { panic!("{fault:?}") };
    assert!((119..=122).contains(&wait.as_secs()), "{wait:?}");
    scene.github.advance(Duration::from_secs(121));
    scene.github.end_installation_tokens();
    forge.create_comment(target, &marker("comment"), "x").await.unwrap();
    assert_eq!(scene.github.comments("acme", "shop", target.number.0).len(), 1);
    scene.github.assert_clean();
}
