//! A repository on the fake GitHub with one pull request, and a server that reviews it.

use autopr_fakes::github::{FakeGitHub, NewPull, NewRepository, Permission};

use crate::server::{SECRET, Server, Setup, block_on};

/// The repository's owner and name.
pub const OWNER: &str = "acme";
/// The repository's name.
pub const NAME: &str = "shop";

/// A token that has GitHub's form, put together here so that no file holds one.
pub fn leaked_token() -> String {
    ["ghp_", "wCOdY0tsjStm6H0n2Yz", "uoeHNJ6EB1S", "0WTqWp"].concat()
}

/// A change with a leaked token on line 2 of a new file, and conflict markers from line 2 on in another.
pub fn risky() -> String {
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

/// A small change without anything to find.
pub const CLEAN: &str = "diff --git a/src/total.rs b/src/total.rs\nindex 2222222..4444444 100644\n\
    --- a/src/total.rs\n+++ b/src/total.rs\n@@ -1,3 +1,3 @@\n fn total(items: &[u32]) -> u32 {\n\
    -    items.iter().sum()\n+    items.iter().copied().sum()\n }\n";

/// An answer that finds nothing.
pub const NOTHING: &str = r#"{"findings":[]}"#;

/// Everything a test of the whole needs.
pub struct World {
    /// The server under test.
    pub server: Server,
    /// GitHub.
    pub github: FakeGitHub,
    /// The pull request's number.
    pub number: u64,
}

impl World {
    /// A pull request by `dev`, who may write, with this diff; the server gets the App's credentials and what `setup`
    /// adds. Nothing is delivered yet.
    pub fn new(diff: &str, setup: impl FnOnce(Setup) -> Setup) -> Self {
        let github = FakeGitHub::start();
        github.add_repository(
            NewRepository::new(OWNER, NAME).collaborator("dev", Permission::Write).file("README.md", "# Shop\n"),
        );
        let app = github.install_app(OWNER);
        let number = github.open_pull(OWNER, NAME, NewPull::new("Count the totals", diff.to_owned()).author("dev"));
        let server = Server::start(setup(Setup::app(&github, &app)));
        github.send_webhooks_to(&server.webhook(), SECRET);
        Self { server, github, number }
    }

    /// Delivers a `pull_request` event; the status of the answer.
    pub fn deliver(&self, action: &str) -> u16 {
        block_on(self.github.deliver_pull_request(OWNER, NAME, self.number, action)).status_code
    }

    /// Writes a comment as `login` and delivers it; the status of the answer.
    pub fn comment(&self, login: &str, body: &str) -> u16 {
        let comment = self.github.write_comment(OWNER, NAME, self.number, login, body);
        block_on(self.github.deliver_comment(OWNER, NAME, self.number, comment)).status_code
    }

    /// What a person sees on the pull request.
    pub fn seen(&self) -> String {
        self.github.render(OWNER, NAME, self.number)
    }

    /// How many reviews the pull request has.
    pub fn reviews(&self) -> usize {
        self.github.reviews(OWNER, NAME, self.number).len()
    }

    /// How many check runs the repository has.
    pub fn checks(&self) -> usize {
        self.github.check_runs(OWNER, NAME).len()
    }
}
