//! `autopr review`: the whole engine for one change of a local repository.

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::task::Poll;

use autopr_core::analysis;
use autopr_core::clock::Clock;
use autopr_core::engine::{self, Edges, Engine, Progress};
use autopr_core::event::{Event, EventKind, Sender};
use autopr_core::execution::ExecutionStatus;
use autopr_core::fault::Fault;
use autopr_core::ids::{DeliveryId, ExecutionId};
use autopr_core::message::Message;
use autopr_core::ports::queue::StoreQueue;
use autopr_core::ports::{Queue, Store};
use autopr_core::review::Verdict;
use autopr_core::workflow::Catalog;
use autopr_local_git::{LocalGit, RangeSpec, ResolvedRange};
use autopr_runtime::settings::{Llm, Seconds, Settings};
use autopr_runtime::{Upkeep, Worker};
use autopr_store_sqlite::SqliteStore;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Done, FOUND, Failure, HUNG_UP, INCOMPLETE, INTERRUPTED, TERMINATED};
use crate::cli::{FailOn, ReviewArgs};
use crate::report::{self, Style};

/// The longest that models are waited for: somebody sits before the terminal.
const PATIENCE: Seconds = Seconds(120);

pub(crate) fn run(arguments: &ReviewArgs, config: Option<PathBuf>) -> Done {
    let loaded = super::settings_in_foreign_folder(config)?;
    start_logging(&loaded.settings, arguments.quiet)?;
    let catalog = autopr_runtime::catalog(&loaded.settings.workflow).map_err(Failure::unusable)?;
    if catalog.get(&arguments.workflow).is_none() {
        return Err(Failure::unusable(format!(
            "--workflow: there is no workflow `{}`; `autopr workflows list` shows them",
            arguments.workflow
        )));
    }
    let state = State::new(arguments.state.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unusable(format!("can't start the async runtime: {error}")))?;
    runtime.block_on(review(arguments, &loaded.settings, catalog, state.path()))
}

/// Logs go to standard error, where a person also reads the progress: without `AUTOPR_LOG_LEVEL` only warnings do.
fn start_logging(settings: &Settings, quiet: bool) -> Result<(), Failure> {
    let level = match (quiet, std::env::var_os("AUTOPR_LOG_LEVEL")) {
        (true, _) => "error",
        (false, None) => "warn",
        (false, Some(_)) => settings.logging.level.as_str(),
    };
    autopr_service::start_logging(settings, level).map_err(Failure::unusable)
}

/// The folder that holds the database and what was posted.
enum State {
    Temporary(tempfile::TempDir),
    /// With its lock, which ends with the process.
    Kept(PathBuf, #[expect(dead_code, reason = "held, not read")] File),
}

impl State {
    fn new(kept: Option<&Path>) -> Result<Self, Failure> {
        let unwritable = |folder: &Path, error: io::Error| {
            Failure::unusable(format!("can't write to {}: {error}; name another folder with --state", folder.display()))
        };
        match kept {
            Some(folder) => {
                let lock = take(folder).map_err(|error| unwritable(folder, error))?;
                Ok(Self::Kept(folder.to_owned(), lock))
            }
            None => {
                let parent = temporary_parent();
                let folder = tempfile::Builder::new().prefix("autopr-").permissions(owner_only()).tempdir_in(&parent);
                folder.map(Self::Temporary).map_err(|error| unwritable(&parent, error))
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder, _) => folder,
        }
    }
}

/// What is kept of a change may hold its secrets: only the user may read it.
fn owner_only() -> Permissions {
    Permissions::from_mode(0o700)
}

/// Makes the folder if need be, and locks it: two reviews with one database would run each other's work.
fn take(folder: &Path) -> io::Result<File> {
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let lock = File::create(folder.join("lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another review is using it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Where to make a folder that nobody needs after the command: in memory where the system has such a place, since every
/// commit to the database is synchronised, unless the user names a place.
fn temporary_parent() -> PathBuf {
    let in_memory = Path::new("/dev/shm");
    match std::env::var_os("TMPDIR") {
        None if in_memory.is_dir() => in_memory.to_owned(),
        _ => std::env::temp_dir(),
    }
}

async fn review(arguments: &ReviewArgs, settings: &Settings, catalog: Catalog, state: &Path) -> Done {
    let spec = match (&arguments.range, arguments.staged) {
        (Some(range), _) => range.parse().map_err(Failure::unusable)?,
        (None, true) => RangeSpec::Staged,
        (None, false) => RangeSpec::Default,
    };
    let git = Arc::new(LocalGit::open(&arguments.repo, &state.join("outbox")).await.map_err(unusable)?);
    let range = git.resolve(&spec).await.map_err(unusable)?;
    if !arguments.quiet {
        anstream::eprintln!("reviewing {}", range.description);
        for name in settings.llm.incomplete() {
            anstream::eprintln!(
                "note: {name} is not asked: name its model and price in a file for --config (llm.providers.{name})"
            );
        }
    }
    let store = Arc::new(SqliteStore::open(&state.join("autopr.db")).await.map_err(unusable)?);
    let event = event(&git, &range, &arguments.workflow)?;
    let ended = execute(git.clone(), store.clone(), settings, catalog, event, arguments.quiet).await;
    store.close().await;
    match ended? {
        ExecutionStatus::Succeeded => {}
        status => {
            let text =
                format!("the review {}; AUTOPR_LOG_LEVEL=info shows the steps", status.as_str().replace('_', " "));
            return Err(Failure::new(INCOMPLETE, text));
        }
    }
    let posted = (git.review().await.map_err(unusable)?, git.check().await.map_err(unusable)?);
    let (Some(mut review), Some(check)) = posted else {
        let text = format!(
            "workflow `{}` ended without posting a review: no step with `uses: publish-review` has run",
            arguments.workflow
        );
        return Err(Failure::new(INCOMPLETE, text));
    };
    let check = match arguments.fail_on {
        Some(FailOn::Severity(least)) => {
            review.block_on = least;
            review.check()
        }
        Some(FailOn::Never) | None => check,
    };
    let printed = report::render(&review, &check, analysis::rules(), arguments.format, Style::of_stdout());
    print(&printed.map_err(|error| Failure::new(INCOMPLETE, format!("can't print the review: {error}")))?)?;
    let failed = check.verdict == Verdict::Failure && arguments.fail_on != Some(FailOn::Never);
    Ok(if failed { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

/// Writes to standard output. A reader that has had enough, such as `head`, is no error.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(INCOMPLETE, format!("can't write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn unusable(fault: Fault) -> Failure {
    Failure::unusable(fault)
}

/// The event that asks for the review.
fn event(git: &LocalGit, range: &ResolvedRange, workflow: &str) -> Result<Event, Failure> {
    let target = git.target().map_err(unusable)?;
    Ok(Event {
        delivery: DeliveryId::new(format!("local-{}", Uuid::now_v7())).map_err(Failure::unusable)?,
        at: Clock::System.now(),
        kind: EventKind::Manual { workflow: workflow.to_owned() },
        repository: target.repository,
        number: target.number,
        base: Some(range.base.clone()),
        head: Some(range.head.clone()),
        draft: false,
        labels: Vec::new(),
        sender: Sender { login: "local".to_owned(), bot: false },
        installation: None,
    })
}

/// Runs the engine and its worker until the execution of the event has come to its end.
async fn execute(
    git: Arc<LocalGit>,
    store: Arc<SqliteStore>,
    settings: &Settings,
    catalog: Catalog,
    event: Event,
    quiet: bool,
) -> Result<ExecutionStatus, Failure> {
    let (clock, shutdown) = (Clock::System, CancellationToken::new());
    let store: Arc<dyn Store> = store;
    let (watched_store, delivery) = (store.clone(), event.delivery.clone());
    let queue = StoreQueue::new(store.clone(), clock.clone());
    let llm = Llm { patience: settings.llm.patience.min(PATIENCE), ..settings.llm.clone() };
    let edges = Edges {
        store,
        queue: Arc::new(queue.clone()),
        forge: git,
        models: autopr_wiring::models(&llm, autopr_wiring::memory()).map_err(unusable)?,
    };
    let (progress, watched) = tokio::sync::mpsc::unbounded_channel();
    let policy = autopr_runtime::policy(&settings.workflow);
    let name = format!("review-{}", std::process::id());
    let engine = Engine::new(edges, Arc::new(catalog), policy, clock.clone(), &name, shutdown.clone());
    let engine = engine.watched(progress);
    engine.register().await.map_err(unusable)?;
    queue.publish(&Message::event(event)).await.map_err(unusable)?;
    let max_concurrent = usize::try_from(settings.workflow.max_concurrent).unwrap_or(1);
    let upkeep = Upkeep::new(engine.clone(), clock.clone(), shutdown.clone(), engine::PATIENCE);
    let sweep = tokio::spawn(async move { upkeep.sweep().await });
    let worker = tokio::spawn(Worker::new(engine, queue, clock, max_concurrent, shutdown.clone()).run());
    let ended = tokio::select! {
        ended = follow(watched, &*watched_store, &delivery, quiet) => ended,
        code = stopped() => Err(Failure::new(code, "stopped by a signal")),
    };
    shutdown.cancel();
    if let Err(error) = tokio::try_join!(worker, sweep) {
        return Err(Failure::new(INCOMPLETE, format!("the worker ended badly: {error}")));
    }
    ended
}

/// Waits for a signal to stop; returns what the shell is to see.
async fn stopped() -> u8 {
    let signals = [
        (SignalKind::interrupt(), INTERRUPTED),
        (SignalKind::terminate(), TERMINATED),
        (SignalKind::hangup(), HUNG_UP),
    ];
    let mut waits: Vec<_> = signals
        .into_iter()
        .filter_map(|(kind, code)| Some((signal(kind).ok()?, code)))
        .map(|(mut signal, code)| Box::pin(async move { signal.recv().await.map(|()| code) }))
        .collect();
    poll_fn(|context| {
        let woken = waits.iter_mut().find_map(|wait| match wait.as_mut().poll(context) {
            Poll::Ready(Some(code)) => Some(code),
            _ => None,
        });
        woken.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// Shows what the engine does, on a terminal, until the execution of that delivery has come to its end.
async fn follow(
    mut watched: UnboundedReceiver<Progress>,
    store: &dyn Store,
    delivery: &DeliveryId,
    quiet: bool,
) -> Result<ExecutionStatus, Failure> {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    let mut steps: Vec<(ExecutionId, String)> = Vec::new();
    while let Some(progress) = watched.recv().await {
        match progress {
            Progress::StepStarted(execution, step) => steps.push((execution, step)),
            Progress::StepEnded(execution, step, _) => steps.retain(|running| *running != (execution, step.clone())),
            Progress::Parked(_, until) => bar.set_message(format!("waiting until {until}")),
            // A kept database may hold an older execution that was interrupted: its end is not ours.
            Progress::Finished(id, status) => {
                let execution = store.execution(id).await.map_err(unusable)?;
                if execution.is_some_and(|execution| execution.event.delivery == *delivery) {
                    bar.finish_and_clear();
                    return Ok(status);
                }
            }
        }
        if !steps.is_empty() {
            bar.set_message(steps.iter().map(|(_, step)| step.as_str()).collect::<Vec<_>>().join(", "));
        }
        bar.tick();
    }
    Err(Failure::new(INCOMPLETE, "the engine stopped before the review was done"))
}
