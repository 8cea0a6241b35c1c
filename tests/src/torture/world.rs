//! Everything that runs, and the counts of what happened to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use autopr_fakes::github::{FakeGitHub, NewRepository, Permission};
use autopr_fakes::model::{ScriptedModel, Vendor};
use autopr_services::{FaultProxy, Postgres, PostgresOptions, Redis, RedisOptions};
use tempfile::TempDir;

use super::books::Books;
use super::github::Forge;
use super::model::Models;
use super::random::Random;
use super::replica::Replica;
use super::{PATIENCE, Plan};
use crate::server::{SECRET, Setup, scripted_model};

pub(super) const OWNER: &str = "acme";
pub(super) const REPOSITORIES: [&str; 4] = ["shop", "till", "stock", "mail"];

/// An event that GitHub has to tell, and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) repository: &'static str,
    pub(super) number: u64,
    /// The workflow it asks for.
    pub(super) workflow: &'static str,
    /// The head it tells of, if it does.
    pub(super) head: Option<String>,
}

/// The counts of a run.
#[derive(Default)]
pub(super) struct Tally {
    /// Faults by kind.
    pub(super) faults: Mutex<BTreeMap<&'static str, usize>>,
    /// Every try to deliver, repeated ones included.
    pub(super) attempts: AtomicUsize,
    /// Those after the delivery had been acknowledged.
    pub(super) repeated: AtomicUsize,
    /// Acknowledged deliveries by their id.
    pub(super) acknowledged: Mutex<BTreeMap<String, Told>>,
    /// What should not have happened.
    pub(super) complaints: Mutex<Vec<String>>,
}

impl Tally {
    pub(super) fn fault(&self, kind: &'static str) {
        *locked(&self.faults).entry(kind).or_default() += 1;
    }

    pub(super) fn faults(&self) -> usize {
        locked(&self.faults).values().sum()
    }

    pub(super) fn of_kind(&self, kind: &str) -> usize {
        locked(&self.faults).get(kind).copied().unwrap_or_default()
    }

    pub(super) fn acknowledged(&self) -> usize {
        locked(&self.acknowledged).len()
    }

    pub(super) fn complain(&self, complaint: Option<String>) {
        locked(&self.complaints).extend(complaint);
    }
}

/// Everything that runs.
pub(super) struct World {
    pub(super) replicas: Vec<Replica>,
    pub(super) forge: Forge,
    pub(super) models: Models,
    pub(super) redis: Mutex<Redis>,
    pub(super) postgres: Mutex<Postgres>,
    pub(super) books: Books,
    pub(super) tally: std::sync::Arc<Tally>,
    /// How many executions and messages are open, as last seen.
    pub(super) open: AtomicUsize,
    /// Set when the schedule of faults has come to its end.
    pub(super) stormed: AtomicBool,
    /// Set when everything that was to be told has been acknowledged.
    pub(super) told: AtomicBool,
    /// The pull requests: repository and number.
    pub(super) pulls: Mutex<BTreeSet<(&'static str, u64)>>,
    _folder: TempDir,
}

impl World {
    pub(super) fn start(plan: &Plan, random: &mut Random) -> Self {
        let postgres = Postgres::start_with(&PostgresOptions::default());
        let url = postgres.create_database("torture");
        let redis = Redis::start(RedisOptions::default());
        let tally = std::sync::Arc::new(Tally::default());
        let github = FakeGitHub::start();
        for name in REPOSITORIES {
            github.add_repository(NewRepository::new(OWNER, name).collaborator("dev", Permission::Write));
        }
        let app = github.install_app(OWNER);
        // What is signed with. Where the harness's own deliveries go they say themselves.
        github.send_webhooks_to("http://127.0.0.1:9/", SECRET);
        let forge = Forge::new(github, random.branch(), tally.clone());
        let model = scripted_model();
        model.keep_no_bodies();
        let settings = setup(plan, &forge.github, &app, &model);
        let setup = |database: &FaultProxy, redis_proxy: &FaultProxy| {
            let database = postgres.url_through(&database.address(), "torture");
            settings.clone().set("DATABASE_URL", &database).set("REDIS_URL", &redis.url_through(&redis_proxy.address()))
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let replicas = (1..=plan.replicas).map(|number| {
            let (database, cache) = (FaultProxy::start(&postgres.address()), FaultProxy::start(&redis.address()));
            Replica::start(&format!("replica-{number}"), folder.path(), database, cache, setup)
        });
        let replicas: Vec<_> = replicas.collect();
        // What the replicas ask GitHub to deliver again.
        forge.github.send_webhooks_to(&replicas[0].webhook(), SECRET);
        let models = Models::new(model, random.branch(), tally.clone());
        Self {
            replicas,
            forge,
            models,
            redis: Mutex::new(redis),
            postgres: Mutex::new(postgres),
            books: Books::new(url),
            tally,
            open: AtomicUsize::new(0),
            stormed: AtomicBool::new(false),
            told: AtomicBool::new(false),
            pulls: Mutex::default(),
            _folder: folder,
        }
    }

    /// Looks again and again how much is open, until everything is told.
    pub(super) fn watch(&self) {
        while !self.told.load(Ordering::SeqCst) {
            if let Ok(open) = self.books.open() {
                self.open.store(open.total(), Ordering::SeqCst);
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Waits until nothing is left to do, now that nothing fails any more. What waits for a time is told that it has
    /// come. Returns how long it took.
    pub(super) fn settle(&self) -> Duration {
        self.forge.calm();
        self.models.calm();
        for replica in &self.replicas {
            self.tally.complain(replica.ended());
        }
        let begun = Instant::now();
        loop {
            let open = self.books.open().expect("the database answers when the faults are over");
            self.open.store(open.total(), Ordering::SeqCst);
            if open.total() == 0 {
                return begun.elapsed();
            }
            if begun.elapsed() > PATIENCE {
                self.tally.complain(Some(format!("after {} s of peace there are still {open}", PATIENCE.as_secs())));
                return begun.elapsed();
            }
            self.books.let_time_come();
            self.forge.chores();
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Keeps logs and the database, to look at.
    pub(super) fn keep(&self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("the folder for what is kept is made");
        for replica in &self.replicas {
            let to = folder.join(format!("{}.log", replica.name));
            std::fs::copy(replica.log(), to).expect("the log is kept");
        }
        let postgres = locked(&self.postgres);
        std::fs::write(folder.join("postgres.log"), postgres.log()).expect("the log is kept");
        self.books.dump(&folder.join("database.sql"));
        drop(postgres);
        eprintln!("logs and the database are kept in {}", folder.display());
    }
}

fn setup(plan: &Plan, github: &FakeGitHub, app: &autopr_fakes::github::Installed, model: &ScriptedModel) -> Setup {
    let setup = Setup::app(github, app)
        // What is missed is asked for again, and stood in for, while everything else goes wrong.
        .reconcile(true, true)
        .models(model, &[Vendor::OpenAi, Vendor::Anthropic])
        // Calls whose end nobody knows are booked at the most they may have cost.
        .settings("  budget: { per_execution_usd: 100, per_repository_daily_usd: 100000, daily_usd: 100000 }\n")
        .settings("database: { pool_size: 10, max_overflow: 10, pool_timeout: 5 }\n")
        .keep_executions(1_000_000)
        .set("AUTOPR_LOG_LEVEL", "INFO");
    if plan.speed == 1 {
        return setup;
    }
    setup
        .binary(plan.binary.clone())
        .set("AUTOPR_FAST_START", &jiff::Timestamp::now().to_string())
        .set("AUTOPR_FAST_TIMES", &plan.speed.to_string())
}

/// Sets a flag when it goes, also when a test fails: others wait for it.
pub(super) struct AtTheEnd<'a>(pub(super) &'a AtomicBool);

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(super) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
