//! The service for Azure Container Apps as its built program, with a queue of Azurite, a PostgreSQL database and the fake
//! GitHub.

use std::time::{Duration, Instant};

use autopr_fakes::github::{FakeGitHub, NewPull, NewRepository, Permission};
use autopr_services::{Azurite, Postgres};
use jiff::Timestamp;

use crate::built;
use crate::server::{PATIENCE, SECRET, Server, Setup, block_on};
use crate::world::{NAME, OWNER};

/// The name of the queue.
pub const QUEUE: &str = "reviews";

/// The name of the queue for what is set aside.
pub const POISON: &str = "reviews-poison";

/// What a test of the service needs.
pub struct Azure {
    /// GitHub.
    pub github: FakeGitHub,
    /// Storage Queue.
    pub azurite: Azurite,
    /// The database's address.
    pub database: String,
    setup: Setup,
    begun: Timestamp,
}

impl Azure {
    /// Everything but the service.
    pub fn new(setup: impl FnOnce(Setup) -> Setup) -> Self {
        Self::on(Azurite::start(), setup)
    }

    /// The same on another Storage Queue.
    pub fn on(azurite: Azurite, setup: impl FnOnce(Setup) -> Setup) -> Self {
        let github = FakeGitHub::start();
        github.add_repository(
            NewRepository::new(OWNER, NAME).collaborator("dev", Permission::Write).file("README.md", "# Shop\n"),
        );
        let app = github.install_app(OWNER);
        block_on(azurite.create(QUEUE));
        let begun = Timestamp::now();
        let database = Postgres::shared().create_database(&format!("azure_{}", begun.as_nanosecond()));
        let setup = setup(Setup::app(&github, &app)).set("DATABASE_URL", &database);
        let setup = setup.set("AUTOPR_QUEUE_URL", &azurite.queue_url(QUEUE));
        Self { github, azurite, database, setup, begun }
    }

    /// What the service is started with.
    pub fn setup(&self) -> Setup {
        self.setup.clone().binary(built("azure-app"))
    }

    /// What the service is started with by a clock that is so many times as fast as the machine's, when it hides messages
    /// for so many seconds and sets aside what was handed out so often.
    pub fn fast(&self, times: u32, visibility: u32, receives: u32) -> Setup {
        let setup = self.setup.clone().binary(built("autopr-fast-azure"));
        let setup = setup.set("AUTOPR_FAST_START", &self.begun.to_string()).set("AUTOPR_FAST_AHEAD", "0");
        let setup = setup.set("AUTOPR_FAST_TIMES", &times.to_string());
        let setup = setup.set("AUTOPR_FAST_VISIBILITY", &visibility.to_string());
        setup.set("AUTOPR_FAST_RECEIVES", &receives.to_string())
    }

    /// Starts the service, which GitHub is told of.
    pub fn start(&self, setup: Setup) -> Server {
        let server = Server::start(setup);
        self.github.send_webhooks_to(&server.webhook(), SECRET);
        server
    }

    /// Opens a pull request with this diff and delivers that; its number.
    pub fn open(&self, diff: &str) -> u64 {
        let pull = NewPull::new("Count the totals", diff.to_owned()).author("dev");
        let number = self.github.open_pull(OWNER, NAME, pull);
        let delivery = block_on(self.github.deliver_pull_request(OWNER, NAME, number, "opened"));
        assert_eq!(delivery.status_code, 202, "{delivery:?}");
        number
    }

    /// How many reviews a pull request has.
    pub fn reviews(&self, number: u64) -> usize {
        self.github.reviews(OWNER, NAME, number).len()
    }

    /// Executions by their states, such as `succeeded 2`.
    pub fn executions(&self) -> Vec<String> {
        let sql = "SELECT status || ' ' || count(*) FROM workflow_executions GROUP BY status ORDER BY status";
        let told = autopr_services::psql(&self.database, sql).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }

    /// How many messages a queue has, hidden ones among them.
    pub fn messages(&self, queue: &str) -> u32 {
        block_on(self.azurite.messages(queue))
    }
}

/// Waits until something holds, for as long as a failing test may take.
pub fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
