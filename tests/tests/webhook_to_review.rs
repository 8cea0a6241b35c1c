//! From a signed webhook to the review on GitHub: the real binary, a GitHub that keeps state, and scripted models.

use autopr_e2e::server::{SECRET, Server, Setup, block_on, scripted_model};
use autopr_fakes::github::{FakeGitHub, NewPull, NewRepository, Permission};
use autopr_fakes::model::{Reply, Vendor};

/// A token that has GitHub's form, put together here so that this file holds none.
fn leaked_token() -> String {
    ["ghp_", "wCOdY0tsjStm6H0n2Yz", "uoeHNJ6EB1S", "0WTqWp"].concat()
}

/// A change with a leaked token on line 2 of a new file, and conflict markers on lines 2 to 6 of another.
fn risky() -> String {
    format!(
        "diff --git a/src/config.py b/src/config.py\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n\
         +++ b/src/config.py\n@@ -0,0 +1,3 @@\n+import os\n+TOKEN = \"{}\"\n+DEBUG = False\n\
         diff --git a/src/total.rs b/src/total.rs\nindex 2222222..3333333 100644\n--- a/src/total.rs\n\
         +++ b/src/total.rs\n@@ -1,3 +1,7 @@\n fn total(items: &[u32]) -> u32 {{\n-    items.iter().sum()\n\
         +<<<<<<< HEAD\n+    items.iter().copied().sum()\n+=======\n+    items.iter().sum::<u32>() / items.len()\n\
         +>>>>>>> feature\n }}\n",
        leaked_token()
    )
}

struct World {
    github: FakeGitHub,
    server: Server,
    number: u64,
}

impl World {
    fn new(setup: impl FnOnce(Setup) -> Setup) -> Self {
        let github = FakeGitHub::start();
        github.add_repository(
            NewRepository::new("acme", "shop").collaborator("dev", Permission::Write).file("README.md", "# Shop\n"),
        );
        let app = github.install_app("acme");
        let number = github.open_pull("acme", "shop", NewPull::new("Count the totals", risky()).author("dev"));
        let server = Server::start(setup(Setup::app(&github, &app)));
        github.send_webhooks_to(&server.webhook(), SECRET);
        Self { github, server, number }
    }

    fn deliver(&self, action: &str) -> u16 {
        let delivery = self.github.deliver_pull_request("acme", "shop", self.number, action);
        block_on(delivery).status_code
    }

    /// What a person sees on the pull request.
    fn seen(&self) -> String {
        self.github.render("acme", "shop", self.number)
    }
}

#[test]
fn without_a_model_the_analysers_review_and_the_check_fails() {
    let world = World::new(|setup| setup);
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    insta::assert_snapshot!(world.seen(), @"");
    assert!(world.github.calls() <= 8, "{} calls", world.github.calls());
    world.github.assert_clean();
}

#[test]
fn a_models_findings_are_put_where_they_belong() {
    let model = scripted_model();
    model.then(Vendor::OpenAi, Reply::answer(ANSWER));
    let world = World::new(|setup| setup.models(&model, &[Vendor::OpenAi]));
    assert_eq!(world.deliver("opened"), 202);
    world.server.finished(1);
    insta::assert_snapshot!(world.seen(), @"");
    assert_eq!(model.violations(), Vec::<String>::new());
    world.github.assert_clean();
}

/// A finding on its line, one on a wrong line whose quote is unique, and one that is made up.
const ANSWER: &str = r#"{"findings":[
 {"path":"src/total.rs","side":"new","start_line":5,"end_line":5,"severity":"high","title":"Divides by zero",
  "reason":"An empty list has a length of zero.","fix":"Return early.",
  "quote":"    items.iter().sum::<u32>() / items.len()","replacement":null},
 {"path":"src/config.py","side":"new","start_line":1,"end_line":1,"severity":"low","title":"A switch nobody reads",
  "reason":"Nothing uses it.","fix":"Remove it.","quote":"DEBUG = False","replacement":"DEBUG = bool(os.getenv(\"DEBUG\"))"},
 {"path":"src/total.rs","side":"new","start_line":1,"end_line":1,"severity":"critical","title":"Made up",
  "reason":"It is not there.","fix":"None.","quote":"unsafe { launch() }","replacement":null}]}"#;
