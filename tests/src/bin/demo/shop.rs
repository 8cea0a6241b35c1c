//! The stage: a fake GitHub with one pull request, a scripted model, and the engine between them.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use autopr_e2e::server::{SECRET, Server, Setup, block_on, scripted_model};
use autopr_fakes::github::{Delivery, FakeGitHub, Moment, NewPull, NewRepository, Permission};
use autopr_fakes::model::{ScriptedModel, Vendor};

use crate::change::Change;
use crate::page::{Page, fact, step};
use crate::script;

const OWNER: &str = "acme";
const DEV: &str = "dev";
const NUMBER: u64 = 1;

/// Everything that runs.
pub(crate) struct Shop {
    /// GitHub.
    pub(crate) github: FakeGitHub,
    /// The language model.
    pub(crate) model: ScriptedModel,
    /// The engine.
    pub(crate) server: Server,
    /// How long each delivery waited for its acknowledgement.
    pub(crate) acknowledged: Vec<Duration>,
    name: String,
    finished: usize,
    page: Page,
    written: Receiver<()>,
}

impl Shop {
    /// Starts everything, with a repository of this name.
    pub(crate) fn open(name: &str) -> Result<Self, String> {
        let github = FakeGitHub::unchecked();
        let model = scripted_model();
        model.answer_with(script::answer);
        github.add_repository(NewRepository::new(OWNER, name).collaborator(DEV, Permission::Write));
        let app = github.install_app(OWNER);
        let base_url = model.base_url(Vendor::Compatible);
        let llm = format!(
            "llm:\n  default_provider: scripted\n  fallback_order: []\n  providers:\n    scripted: {{ kind: openai, \
             base_url: \"{base_url}\", model: demo-1, price: {{ input: 2, output: 8 }} }}\n"
        );
        let begun = Instant::now();
        let server = Server::start(Setup::app(&github, &app).settings(&llm));
        let took = begun.elapsed();
        github.send_webhooks_to(&server.webhook(), SECRET);
        // As GitHub does when a webhook is made.
        let ping = block_on(github.deliver_ping());
        if ping.status_code / 100 != 2 {
            return Err(format!("the engine answered {} to the first webhook", ping.status_code));
        }
        let (sender, written) = channel();
        github.on_request(move |moment, request| {
            if moment == Moment::After && request.method != "GET" && !request.is_token_request() {
                // Nobody listens once the demo ends.
                let _ = sender.send(());
            }
        });
        step("three programs, on free ports of this machine");
        fact("GitHub", &format!("{} (a fake that keeps state and refuses what GitHub refuses)", github.url()));
        fact("model", &format!("{base_url} (scripted)"));
        fact("engine", &format!("{} (autopr serve, listening after {} ms)", server.url(""), took.as_millis()));
        let (acknowledged, finished, page) = (Vec::new(), 0, Page::default());
        Ok(Self { github, model, server, acknowledged, name: name.to_owned(), finished, page, written })
    }

    /// Opens the pull request and waits for its review.
    pub(crate) fn pull(&mut self, pull: NewPull) -> Result<(), String> {
        let number = self.github.open_pull(OWNER, &self.name, pull.number(NUMBER).author(DEV));
        self.deliver(|shop| block_on(shop.github.deliver_pull_request(OWNER, &shop.name, number, "opened")))?;
        self.one_review_of_the_head()
    }

    /// Pushes to it and waits for the review of that.
    pub(crate) fn push(&mut self, change: &Change) -> Result<(), String> {
        self.github.push(OWNER, &self.name, NUMBER, change.head(), change.diff(), &[]);
        self.deliver(|shop| block_on(shop.github.deliver_pull_request(OWNER, &shop.name, NUMBER, "synchronize")))?;
        self.one_review_of_the_head()
    }

    /// Writes a comment and waits for what follows from it.
    pub(crate) fn comment(&mut self, text: &str) -> Result<(), String> {
        let before = self.github.comments(OWNER, &self.name, NUMBER).len();
        let comment = self.github.write_comment(OWNER, &self.name, NUMBER, DEV, text);
        self.deliver(|shop| block_on(shop.github.deliver_comment(OWNER, &shop.name, NUMBER, comment)))?;
        match self.github.comments(OWNER, &self.name, NUMBER).len() - before {
            2 => Ok(()),
            others => Err(format!("{text} was answered {} times", others - 1)),
        }
    }

    fn deliver(&mut self, deliver: impl FnOnce(&Self) -> Delivery) -> Result<(), String> {
        let begun = Instant::now();
        let delivery = deliver(self);
        let took = begun.elapsed();
        if delivery.status_code != 202 {
            return Err(format!("the engine answered {} to the webhook, not 202", delivery.status_code));
        }
        fact("webhook", &format!("{}, signed; answered 202 after {}", delivery.event, millis(took)));
        self.acknowledged.push(took);
        self.finished += 1;
        self.server.finished(self.finished);
        fact("workflow", &format!("finished after {}", millis(begun.elapsed())));
        Ok(())
    }

    /// Prints what is new on the pull request's page.
    pub(crate) fn show(&mut self) {
        self.page.print(&self.github.render(OWNER, &self.name, NUMBER));
    }

    fn one_review_of_the_head(&self) -> Result<(), String> {
        let head = self.github.head(OWNER, &self.name, NUMBER);
        let reviews = self.github.reviews(OWNER, &self.name, NUMBER);
        match reviews.iter().filter(|review| review.commit_id == head).count() {
            1 => Ok(()),
            count => Err(format!("the head commit has {count} reviews, not one\n{}", self.server.log())),
        }
    }

    /// Demands that the check of the head ended so.
    pub(crate) fn concluded(&self, wanted: &str) -> Result<(), String> {
        let head = self.github.head(OWNER, &self.name, NUMBER);
        let checks = self.github.check_runs(OWNER, &self.name);
        let found: Vec<_> = checks.iter().filter(|check| check.head_sha == head).collect();
        match found[..] {
            [check] if check.conclusion.as_deref() == Some(wanted) => Ok(()),
            _ => Err(format!("the check of the head did not end as {wanted}: {found:?}")),
        }
    }

    /// Whether this text went to the model, or stands in what the engine posted or logged.
    pub(crate) fn sent(&self, secret: &str) -> bool {
        let written = |body: &Option<serde_json::Value>| body.as_ref().is_some_and(|b| b.to_string().contains(secret));
        self.model.requests().iter().any(|request| request.contains(secret))
            || self.github.requests().iter().any(|request| written(&request.body))
            || self.server.log().contains(secret)
    }

    /// Demands that neither GitHub nor the model has anything to complain about.
    pub(crate) fn content(&self) -> Result<(), String> {
        let problems = [self.github.problems(), self.model.violations()].concat();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(format!("not everybody is content:\n- {}", problems.join("\n- ")))
        }
    }

    /// Stops the engine as an operator would.
    pub(crate) fn close(&mut self) -> Result<(), String> {
        let status = self.server.stop();
        if status.success() { Ok(()) } else { Err(format!("the engine ended with {status}\n{}", self.server.log())) }
    }

    /// Writes payloads to try, and prints the lines that send them.
    pub(crate) fn invite(&self) -> io::Result<()> {
        let folder = self.folder();
        let deliveries = self.github.deliveries();
        let last = |event: &str| deliveries.iter().rev().find(|delivery| delivery.event == event);
        for delivery in ["pull_request", "issue_comment"].into_iter().filter_map(last) {
            let file = folder.join(format!("{}.json", delivery.event));
            std::fs::write(&file, &delivery.body)?;
            anstream::println!(
                "    GITHUB_WEBHOOK_SECRET='{SECRET}' {} send {} --event {} --url {}",
                autopr_e2e::binary().display(),
                file.display(),
                delivery.event,
                self.server.webhook()
            );
        }
        fact("database", &self.server.database().display().to_string());
        Ok(())
    }

    /// The engine's own folder, which goes with it.
    fn folder(&self) -> PathBuf {
        self.server.database().with_file_name("")
    }

    /// Shows what comes, until Ctrl-C or a termination.
    pub(crate) fn watch(&mut self) -> Result<(), String> {
        let stopped = std::thread::spawn(|| block_on(stop_signal()));
        while !stopped.is_finished() && !self.server.ended() {
            if self.written.recv_timeout(Duration::from_millis(200)).is_ok() {
                self.show();
            }
        }
        // Ctrl-C has reached the engine too.
        if self.server.ended() { Ok(()) } else { self.close() }
    }
}

async fn stop_signal() -> io::Result<()> {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminated.recv() => Ok(()),
    }
}

/// A duration for people.
pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}
