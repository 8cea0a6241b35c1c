//! What the queues' processes work on: a repository on the fake GitHub, a database, a scripted model, and a clock that runs
//! faster than the machine's, so that a lease is over in seconds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use autopr_core::clock::{Clock, FastClock};
use autopr_core::engine::{Edges, Engine};
use autopr_core::event::{Event, EventKind, PullRequestAction, Sender};
use autopr_core::ids::{CommitSha, DeliveryId, InstallationId, PrNumber, RepoName};
use autopr_core::message::Message;
use autopr_core::ports::{Queue, Store};
use autopr_core::testkit::crash::Crasher;
use autopr_fakes::github::{FakeGitHub, Installed, NewPull, NewRepository, Permission};
use autopr_fakes::model::{Reply, ScriptedModel, Vendor};
use autopr_runtime::settings::{ConfigFile, Needs, Settings, Source};
use autopr_services::Postgres;
use autopr_store_postgres::PostgresStore;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::server::Setup;
use crate::world::{NAME, NOTHING, OWNER};

/// How many times as fast as the machine's the clock runs.
const TIMES: u32 = 20;

/// What the processes work on.
pub struct Shop {
    /// GitHub.
    pub github: FakeGitHub,
    /// The model, which finds nothing unless it is told otherwise.
    pub model: ScriptedModel,
    /// The database's address.
    pub database: String,
    app: Installed,
    settings: Settings,
    clock: Clock,
    _folder: TempDir,
}

impl Shop {
    /// Opens it.
    pub async fn new() -> Arc<Self> {
        let github = FakeGitHub::start();
        github.add_repository(
            NewRepository::new(OWNER, NAME).collaborator("dev", Permission::Write).file("README.md", "# Shop\n"),
        );
        let app = github.install_app(OWNER);
        let model = ScriptedModel::start().await.expect("it listens");
        model.by_default(Reply::answer(NOTHING));
        let begun = Timestamp::now();
        let database = Postgres::shared().create_database(&format!("queues_{}", begun.as_nanosecond()));
        let setup = Setup::app(&github, &app).models(&model, &[Vendor::OpenAi]).set("DATABASE_URL", &database);
        let folder = tempfile::tempdir().expect("a folder");
        setup.write(folder.path());
        let env: BTreeMap<_, _> = setup.env().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let config = ConfigFile::Named("settings.yaml".into());
        let source = Source { env, config, dir: folder.path().to_owned(), ..Source::default() };
        let loaded = Settings::load_for(&source, Needs { postgres: true, ..Needs::SERVE });
        let settings = loaded.unwrap_or_else(|invalid| panic!("{invalid}")).settings;
        let clock = Clock::Fast(FastClock { start: begun, times: TIMES, ahead: Duration::ZERO });
        let shop = Self { github, model, database, app, settings, clock, _folder: folder };
        // The tables are made once, so that processes don't do it at the same time.
        shop.store().await.close().await;
        Arc::new(shop)
    }

    /// Opens a pull request with this diff; its number.
    pub fn open(&self, diff: &str) -> u64 {
        self.github.open_pull(OWNER, NAME, NewPull::new("Count the totals", diff.to_owned()).author("dev"))
    }

    /// The message that a delivery of that name brings, which says that the pull request was opened.
    pub fn opened(&self, delivery: &str, number: u64) -> Message {
        let commit = |sha: String| Some(CommitSha::new(sha).expect("a commit"));
        Message::event(Event {
            delivery: DeliveryId::new(delivery).expect("a delivery's identity"),
            at: self.clock.now(),
            kind: EventKind::PullRequest { action: PullRequestAction::Opened },
            repository: RepoName::new(format!("{OWNER}/{NAME}")).expect("a repository's name"),
            number: PrNumber(number),
            base: commit(self.github.base(OWNER, NAME, number)),
            head: commit(self.github.head(OWNER, NAME, number)),
            draft: false,
            labels: Vec::new(),
            sender: Sender { login: "dev".to_owned(), bot: false },
            installation: Some(InstallationId(self.app.installation_id)),
        })
    }

    /// How many reviews a pull request has.
    pub fn reviews(&self, number: u64) -> usize {
        self.github.reviews(OWNER, NAME, number).len()
    }

    /// Executions by their states, such as `succeeded 2`.
    pub fn executions(&self) -> Vec<String> {
        let sql = "SELECT status || ' ' || count(*) FROM workflow_executions GROUP BY status ORDER BY status";
        self.sql(sql).lines().map(str::to_owned).collect()
    }

    /// What the database answers.
    pub fn sql(&self, sql: &str) -> String {
        autopr_services::psql(&self.database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The clock of all processes.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The store, with connections of its own.
    pub(super) async fn store(&self) -> Arc<PostgresStore> {
        autopr_wiring::open_few(&self.settings.database, 4).await.expect("a database")
    }

    /// The engine of a process.
    pub(super) async fn engine(
        &self,
        store: Arc<dyn Store>,
        queue: Arc<dyn Queue>,
        crasher: Option<&Arc<Crasher>>,
        shutdown: CancellationToken,
    ) -> Engine {
        let cache = autopr_wiring::cache(&self.settings.redis).expect("a cache");
        let forge = autopr_wiring::github(&self.settings.github, cache.clone()).expect("GitHub");
        let models = autopr_wiring::models(&self.settings.llm, cache).expect("models");
        let edges = Edges { store, queue, forge: Arc::new(forge), models };
        let edges = crasher.map_or_else(|| edges.clone(), |crasher| crasher.wrap(&edges));
        let catalog = autopr_runtime::catalog(&self.settings.workflow).expect("workflows");
        let policy = autopr_runtime::policy(&self.settings.workflow);
        let name = format!("queues-{}", Timestamp::now().as_nanosecond());
        let engine = Engine::new(edges, Arc::new(catalog), policy, self.clock(), &name, shutdown);
        engine.register().await.expect("the workflows are registered");
        engine
    }
}
