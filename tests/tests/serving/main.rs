//! The long-running process: how it starts and ends, what it tells of itself, and how much it takes. And `autopr send`,
//! with which people try it.

mod cache;
mod load;
mod metrics;
mod process;
mod send;

use std::time::Duration;

use autopr_e2e::server::{SECRET, Server, Setup};
use autopr_fakes::github::{FakeGitHub, Installed, NewPull, NewRepository, Permission};
use serde_json::Value;

/// A change without anything to find.
const HARMLESS: &str = "diff --git a/a.txt b/a.txt\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n\
                        +++ b/a.txt\n@@ -0,0 +1 @@\n+hello\n";

/// A GitHub with one repository and an App in it.
fn github() -> (FakeGitHub, Installed) {
    let github = FakeGitHub::start();
    github.add_repository(NewRepository::new("acme", "shop").collaborator("dev", Permission::Write));
    let app = github.install_app("acme");
    (github, app)
}

fn open_pull(github: &FakeGitHub) -> u64 {
    github.open_pull("acme", "shop", NewPull::new("Say hello", HARMLESS).author("dev"))
}

fn server() -> (FakeGitHub, Server) {
    let (github, app) = github();
    let server = Server::start(Setup::app(&github, &app));
    github.send_webhooks_to(&server.webhook(), SECRET);
    (github, server)
}
