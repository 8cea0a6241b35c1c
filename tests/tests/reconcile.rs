//! A webhook that came while the server was down leads to a review after its start, and to one only.

use std::time::{Duration, Instant};

use autopr_e2e::server::{PATIENCE, SECRET, Server, Setup, block_on};
use autopr_e2e::world::{CLEAN, NAME, OWNER};
use autopr_fakes::github::{FakeGitHub, Installed, NewPull, NewRepository, Permission};

/// A pull request whose opening was told to a server that was down.
struct Scene {
    github: FakeGitHub,
    app: Installed,
    number: u64,
}

/// Long enough for a webhook not to be waited for any more.
const AT_REST: Duration = Duration::from_secs(600);

impl Scene {
    fn new() -> Self {
        let github = FakeGitHub::start();
        github.add_repository(NewRepository::new(OWNER, NAME).collaborator("dev", Permission::Write));
        let app = github.install_app(OWNER);
        let number = github.open_pull(OWNER, NAME, NewPull::new("Sum", CLEAN).author("dev"));
        Self { github, app, number }
    }

    /// A server that listens where webhooks were sent before, and now are again.
    fn server(&self, deliveries: bool, pull_requests: bool) -> Server {
        // In the tables of the one that is killed, reconciling may be its task for another minute.
        let setup = Setup::app(&self.github, &self.app).reconcile(deliveries, pull_requests);
        let mut server = Server::start(setup.set("DATABASE_URL", "sqlite://killed.db"));
        self.github.send_webhooks_to(&server.webhook(), SECRET);
        server.kill();
        assert_eq!(self.deliver("opened"), 0, "nobody listens");
        self.github.set_at_rest(OWNER, NAME, self.number, AT_REST);
        self.github.forget_requests();
        let port =
            server.webhook().rsplit(':').next().and_then(|rest| rest.split('/').next()).expect("a port").to_owned();
        server.restart(|setup| setup.set("DATABASE_URL", "sqlite://autopr.db").set("AUTOPR_PORT", &port));
        server
    }

    fn deliver(&self, action: &str) -> u16 {
        block_on(self.github.deliver_pull_request(OWNER, NAME, self.number, action)).status_code
    }

    /// Waits until so many further passes were made.
    fn passes(&self, server: &Server, wanted: usize) {
        let passes = || server.log().lines().filter(|line| line.contains("reconciled with the forge")).count();
        let (begun, first) = (Instant::now(), passes());
        while passes() < first + wanted {
            assert!(begun.elapsed() < PATIENCE, "no pass is made:\n{}", server.log());
            std::thread::yield_now();
        }
    }

    /// Asserts that the pull request has one review and one check for its head, and nothing else happened to it.
    fn reviewed_once(&self) {
        assert_eq!(self.github.reviews(OWNER, NAME, self.number).len(), 1);
        let checks = self.github.check_runs(OWNER, NAME);
        assert_eq!(checks.len(), 1);
        assert_eq!(checks[0].head_sha, self.github.head(OWNER, NAME, self.number));
        self.github.assert_clean();
    }

    /// How often GitHub tried to deliver, and the last answers.
    fn tries(&self) -> Vec<u16> {
        self.github.deliveries().iter().map(|delivery| delivery.status_code).collect()
    }
}

fn counted(server: &Server, action: &str) -> bool {
    let line = format!("autopr_github_reconciled_total{{action=\"{action}\"}} 1");
    server.metrics().lines().any(|known| known == line)
}

#[test]
fn a_missed_webhook_is_delivered_again() {
    let scene = Scene::new();
    let server = scene.server(true, false);
    server.finished(1);
    scene.passes(&server, 2);
    assert_eq!(scene.tries(), [0, 202], "asked for once");
    assert!(counted(&server, "redelivered"), "{}", server.metrics());
    scene.reviewed_once();
}

#[test]
fn its_pull_request_is_found_when_deliveries_are_not_asked_for() {
    let scene = Scene::new();
    let server = scene.server(false, true);
    server.finished(1);
    scene.passes(&server, 2);
    assert_eq!(scene.tries(), [0]);
    assert!(counted(&server, "published"), "{}", server.metrics());
    scene.reviewed_once();
}

#[test]
fn both_ways_at_once_lead_to_one_review() {
    let scene = Scene::new();
    let server = scene.server(true, true);
    server.finished(1);
    scene.passes(&server, 3);
    assert_eq!(scene.tries(), [0, 202]);
    assert_eq!(server.log().lines().filter(|line| line.contains("\"finished\"")).count(), 1);
    scene.reviewed_once();
}

#[test]
fn nothing_is_asked_when_it_is_switched_off() {
    let scene = Scene::new();
    let server = scene.server(false, false);
    assert_eq!(server.get("/api/ready").0, 200);
    assert_eq!(scene.deliver("synchronize"), 202);
    server.finished(1);
    let listings =
        ["/app/hook/deliveries", "/app/installations", "/installation/repositories", "/repos/acme/shop/pulls"];
    let requests = scene.github.requests();
    let asked: Vec<_> = requests.iter().map(|request| &*request.path).filter(|path| listings.contains(path)).collect();
    assert!(asked.is_empty(), "{asked:?}");
}

#[test]
fn with_a_token_the_pull_requests_of_known_repositories_are_found() {
    let scene = Scene::new();
    let token = scene.github.token("dev");
    let server = Server::start(Setup::token(&scene.github, &token).reconcile(true, true));
    scene.github.send_webhooks_to(&server.webhook(), SECRET);
    scene.passes(&server, 1);
    assert!(scene.github.requests().is_empty(), "no webhook came from anywhere yet");
    assert_eq!(scene.deliver("opened"), 202);
    server.finished(1);
    let missed = scene.github.open_pull(OWNER, NAME, NewPull::new("Another", CLEAN).head("other", &"c".repeat(40)));
    scene.github.set_at_rest(OWNER, NAME, missed, AT_REST);
    server.finished(2);
    scene.passes(&server, 2);
    for number in [scene.number, missed] {
        assert_eq!(scene.github.reviews(OWNER, NAME, number).len(), 1, "#{number}");
    }
    scene.github.assert_clean();
}
