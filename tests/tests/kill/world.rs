//! A pull request on GitHub, two language models of which only the second is of use, and a server that is to die.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use autopr_e2e::server::{PATIENCE, SECRET, Server, Setup, block_on, scripted_model};
use autopr_fakes::github::{Delivery, FakeGitHub, NewPull, NewRepository, Permission};
use autopr_fakes::model::{Reply, ScriptedModel, Vendor};

use crate::ledger::{Calls, Ledger};

/// A change with conflict markers, and a line that a model finds fault with.
const DIFF: &str = "diff --git a/src/total.rs b/src/total.rs\nindex 2222222..3333333 100644\n--- a/src/total.rs\n\
    +++ b/src/total.rs\n@@ -1,3 +1,7 @@\n fn total(items: &[u32]) -> u32 {\n-    items.iter().sum()\n\
    +<<<<<<< HEAD\n+    items.iter().copied().sum()\n+=======\n+    items.iter().sum::<u32>() / items.len()\n\
    +>>>>>>> feature\n }\n";

/// What the second model says.
const ANSWER: &str = r#"{"findings":[{"path":"src/total.rs","side":"new","start_line":5,"end_line":5,"severity":"high",
    "title":"Divides by zero","reason":"An empty list has a length of zero.","fix":"Return early.",
    "quote":"    items.iter().sum::<u32>() / items.len()","replacement":null}]}"#;

/// How many answers a review takes: a useless one, a useless repair, and a usable one.
pub(crate) const ANSWERS: usize = 3;

/// A server and what it is between. Each has its own.
pub(crate) struct World {
    pub(crate) github: Arc<FakeGitHub>,
    pub(crate) model: ScriptedModel,
    pub(crate) server: Server,
    number: u64,
}

impl World {
    /// Starts a server that may end before it listens.
    pub(crate) fn launch(change: impl FnOnce(Setup) -> Setup) -> Self {
        let github = FakeGitHub::start();
        github.add_repository(NewRepository::new("acme", "shop").collaborator("dev", Permission::Write));
        let app = github.install_app("acme");
        let number = github.open_pull("acme", "shop", NewPull::new("Count the totals", DIFF).author("dev"));
        let model = scripted_model();
        model.answer_with(|request| {
            let text = if request.vendor == Vendor::OpenAi { "It looks fine to me." } else { ANSWER };
            Some(Reply::answer(text))
        });
        let setup = Setup::app(&github, &app).models(&model, &[Vendor::OpenAi, Vendor::Anthropic]);
        let server = Server::launch(change(setup));
        Self { github: Arc::new(github), model, server, number }
    }

    /// Starts a server that dies at a point, such as `after settle_call#2`, or at none.
    pub(crate) fn crashing(at: Option<&str>) -> Self {
        Self::launch(|setup| {
            let setup = setup.binary(PathBuf::from(env!("CARGO_BIN_EXE_autopr-crash")));
            let setup = setup.set("AUTOPR_CRASH_LIST", "points");
            at.iter().fold(setup, |setup, at| setup.set("AUTOPR_CRASH_AT", at))
        })
    }

    /// The points the server has passed.
    pub(crate) fn points(&self) -> Vec<String> {
        let file = self.server.database().with_file_name("points");
        std::fs::read_to_string(file).expect("the list of points").lines().map(str::to_owned).collect()
    }

    /// Lets GitHub tell the server of the pull request, if it listens; true when it took the delivery.
    pub(crate) fn deliver(&mut self) -> bool {
        self.server.listens() && self.deliver_to(&self.server.webhook()).status_code == 202
    }

    /// Lets GitHub tell an address of the pull request.
    pub(crate) fn deliver_to(&self, url: &str) -> Delivery {
        self.github.send_webhooks_to(url, SECRET);
        block_on(self.github.deliver_pull_request("acme", "shop", self.number, "opened"))
    }

    /// Lets two minutes pass after the death of the server. Returns what it left.
    pub(crate) fn two_minutes_pass(&self) -> Calls {
        let mut ledger = Ledger::write(&self.server.database());
        ledger.two_minutes_pass();
        ledger.calls()
    }

    /// Starts `autopr serve` on what the dead server left, two minutes after its death.
    pub(crate) fn come_back(&mut self, story: &str) -> Calls {
        let calls = self.two_minutes_pass();
        self.restart(story);
        calls
    }

    /// Starts the server again, two minutes after its death, as one that dies at a point or at none.
    pub(crate) fn come_back_to_die(&mut self, at: Option<&str>) -> Calls {
        let calls = self.two_minutes_pass();
        self.server.relaunch(|setup| setup.set("AUTOPR_CRASH_AT", at.unwrap_or("nowhere#1")));
        calls
    }

    /// Starts `autopr serve` again, now. What nobody has answered is delivered again, as somebody would do on GitHub's
    /// page.
    pub(crate) fn restart(&mut self, story: &str) {
        self.server.restart(Setup::plain);
        self.github.send_webhooks_to(&self.server.webhook(), SECRET);
        let deliveries = self.github.deliveries();
        let taken = match deliveries.first() {
            None => self.deliver(),
            Some(_) if deliveries.iter().any(|delivery| delivery.status_code == 202) => true,
            Some(unanswered) => block_on(self.github.redeliver(unanswered.id)).status_code == 202,
        };
        assert!(taken, "{story}: the delivery was refused");
    }

    /// Waits until nothing is left to do.
    pub(crate) fn rests(&mut self, story: &str) {
        assert!(self.rests_alive(story), "{story}: it ended");
    }

    /// Waits until nothing is left to do; false when the server ended before.
    pub(crate) fn rests_alive(&mut self, story: &str) -> bool {
        let mut ledger = Ledger::read(&self.server.database());
        let begun = Instant::now();
        while !ledger.at_rest() {
            if self.server.ended() {
                return false;
            }
            assert!(begun.elapsed() < PATIENCE, "{story}: it does not come to its end");
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// What a person sees on the pull request.
    pub(crate) fn page(&self) -> String {
        self.github.render("acme", "shop", self.number)
    }

    /// How often each different request was put to a model, in the order they first were.
    pub(crate) fn asked(&self) -> Vec<usize> {
        let (mut places, mut counts) = (HashMap::new(), Vec::new());
        for request in self.model.requests() {
            let place = *places.entry((request.target.clone(), request.body.clone())).or_insert(counts.len());
            counts.resize(counts.len().max(place + 1), 0);
            counts[place] += 1;
        }
        counts
    }

    /// Asserts that everything is as after an undisturbed run, but that an answer that was on its way when the process
    /// died may have been asked for and paid once more.
    pub(crate) fn assert_as_usual(&mut self, died: Calls, page: &str, story: &str) {
        assert_eq!(self.page(), page, "{story}: what a person sees");
        assert_eq!(self.github.reviews("acme", "shop", self.number).len(), 1, "{story}: reviews");
        let checks = self.github.check_runs("acme", "shop");
        let checks: Vec<_> = checks.iter().map(|check| check.status.as_str()).collect();
        assert_eq!(checks, ["completed"], "{story}: check runs");
        assert_eq!(self.github.comments("acme", "shop", self.number), [], "{story}: comments");
        assert_eq!(self.github.problems(), Vec::<String>::new(), "{story}: GitHub would not be content");
        assert_eq!(self.model.violations(), Vec::<String>::new(), "{story}: the models would not be content");
        for (place, count) in self.asked().into_iter().enumerate() {
            let most = if place == died.kept { 1 + died.open } else { 1 };
            assert!(count <= most, "{story}: answer {place} was asked for {count} times, {died:?}");
        }
        assert_eq!(self.asked().len(), ANSWERS, "{story}: different requests to the models");
        let delivery = &self.github.deliveries()[0].guid;
        Ledger::read(&self.server.database()).assert_in_order(delivery, died.open, story);
    }
}
