//! `autopr serve` as a process of its own, between a fake GitHub and a scripted model.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use autopr_fakes::github::{FakeGitHub, Installed};
use autopr_fakes::model::{ScriptedModel, Vendor};
use serde_json::Value;
use tempfile::TempDir;

use crate::autopr;

/// The secret that webhooks are signed with.
pub const SECRET: &str = "a secret of the test";

/// What GitHub is asked is then only what the tests make happen.
const NO_RECONCILING: &str = "  reconcile: { deliveries: false, pull_requests: false }\n";

/// How long anything a test waits for may take. Only a failing test waits that long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a server is started with; kept for its restarts.
#[derive(Debug, Clone)]
pub struct Setup {
    env: BTreeMap<String, String>,
    settings: String,
    binary: Option<PathBuf>,
}

impl Setup {
    /// A server that reaches the fake GitHub as an App, and no model.
    pub fn app(github: &FakeGitHub, app: &Installed) -> Self {
        let mut setup = Self::bare();
        setup.settings.push_str(&format!("github:\n  base_url: {}\n{NO_RECONCILING}", github.url()));
        setup.set("GITHUB_APP_ID", &app.app_id.to_string()).set("GITHUB_APP_PRIVATE_KEY", &app.private_key)
    }

    /// A server that reaches the fake GitHub with a token, and no model.
    pub fn token(github: &FakeGitHub, token: &str) -> Self {
        let mut setup = Self::bare();
        setup.settings.push_str(&format!("github:\n  base_url: {}\n{NO_RECONCILING}", github.url()));
        setup.set("GITHUB_TOKEN", token)
    }

    fn bare() -> Self {
        let settings = "environment: development\nserver:\n  host: 127.0.0.1\n  port: 0\n\
            monitoring:\n  metrics_port: 0\nlogging:\n  format: json\n  level: DEBUG\n\
            workflow:\n  retry_delay: 1\n";
        let setup = Self { env: BTreeMap::new(), settings: settings.to_owned(), binary: None };
        setup.set("GITHUB_WEBHOOK_SECRET", SECRET)
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Adds to the settings' file, in YAML.
    #[must_use]
    pub fn settings(mut self, yaml: &str) -> Self {
        self.settings.push_str(yaml);
        self
    }

    /// Reconciles with GitHub each second.
    #[must_use]
    pub fn reconcile(mut self, deliveries: bool, pull_requests: bool) -> Self {
        let wanted =
            format!("  reconcile: {{ deliveries: {deliveries}, pull_requests: {pull_requests}, interval: 1 }}\n");
        self.settings = self.settings.replace(NO_RECONCILING, &wanted);
        self
    }

    /// Runs another binary of the build in `autopr`'s place.
    #[must_use]
    pub fn binary(mut self, binary: PathBuf) -> Self {
        self.binary = Some(binary);
        self
    }

    /// Runs `autopr` itself again.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.binary = None;
        self
    }

    /// The settings' file.
    pub(crate) fn file(&self) -> &str {
        &self.settings
    }

    /// The variables of the environment.
    pub(crate) fn env(&self) -> impl Iterator<Item = (&str, &str)> {
        self.env.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Writes the settings' file into a folder, for those that are told of it and for those that look for their
    /// environment's.
    pub(crate) fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder.join("configs")).expect("a folder");
        for file in ["settings.yaml", "configs/development.yaml"] {
            std::fs::write(folder.join(file), &self.settings).expect("the settings are written");
        }
    }

    /// The command that starts the server in the folder with its settings.
    pub(crate) fn command(&self, folder: &Path) -> Command {
        let mut command = match &self.binary {
            Some(binary) => {
                let mut command = Command::new(binary);
                command.env_clear();
                command
            }
            None => {
                let mut command = autopr();
                command.args(["serve", "--config", "settings.yaml"]);
                command
            }
        };
        command.envs(&self.env).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Keeps so many executions of a workflow.
    #[must_use]
    pub(crate) fn keep_executions(mut self, count: usize) -> Self {
        let retry = "workflow:\n";
        self.settings = self.settings.replace(retry, &format!("{retry}  history: {{ executions: {count} }}\n"));
        self
    }

    /// Asks these vendors' interfaces of the scripted model, in this order, each as a provider of its own with a key.
    #[must_use]
    pub fn models(mut self, model: &ScriptedModel, vendors: &[Vendor]) -> Self {
        let names: Vec<_> = vendors.iter().map(|vendor| provider(*vendor)).collect();
        self.settings.push_str(&format!(
            "llm:\n  default_provider: {}\n  fallback_order: [{}]\n  timeout: 30\n  providers:\n",
            names[0],
            names.join(", ")
        ));
        for (vendor, name) in vendors.iter().zip(&names) {
            self.settings.push_str(&format!(
                "    {name}: {{ api_key: key-of-{name}, base_url: \"{}\", model: m-1, price: {{ input: 2, output: 8 }} }}\n",
                model.base_url(*vendor)
            ));
        }
        self
    }
}

/// The name of a vendor's provider in the settings.
fn provider(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::OpenAi => "openai",
        Vendor::Anthropic => "anthropic",
        Vendor::Mistral => "mistral",
        Vendor::Gemini => "gemini",
        other => panic!("{other:?} needs settings of its own"),
    }
}

/// A running server. It is killed when dropped.
pub struct Server {
    setup: Setup,
    folder: TempDir,
    child: Child,
    log: Log,
    address: String,
    metrics: String,
    http: reqwest::blocking::Client,
}

impl Server {
    /// Starts a server with a database of its own, and waits until it listens.
    pub fn start(setup: Setup) -> Self {
        let mut server = Self::launch(setup);
        server.find_addresses();
        server
    }

    /// Starts a server with a database of its own that may end before it listens; [`Server::listens`] tells.
    pub fn launch(setup: Setup) -> Self {
        let folder = temporary_folder();
        setup.write(folder.path());
        let log = Log::default();
        let child = spawn(&setup, folder.path(), &log);
        let http = reqwest::blocking::Client::builder().timeout(PATIENCE).build().expect("an HTTP client");
        Self { setup, folder, child, log, address: String::new(), metrics: String::new(), http }
    }

    /// Waits until a launched server listens; false when it ended before.
    pub fn listens(&mut self) -> bool {
        let mut found = None;
        self.log.wait_or_end("listening", |lines| {
            found = lines.iter().find_map(|line| address(line, "listening"));
            found.is_some()
        });
        self.address = found.unwrap_or_default();
        !self.address.is_empty()
    }

    /// Kills the process, as a crash or a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process is killed");
        self.child.wait().expect("the process has ended");
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the process to stop and waits for its end.
    pub fn stop(&mut self) -> ExitStatus {
        signal(self.child.id(), "TERM");
        self.wait()
    }

    /// Waits for the end of the process.
    pub fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            match self.child.try_wait().expect("the process is known") {
                Some(status) => return status,
                None if begun.elapsed() > PATIENCE => panic!("the process does not end\n{}", self.log()),
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Whether the process has ended.
    pub fn ended(&mut self) -> bool {
        self.child.try_wait().expect("the process is known").is_some()
    }

    /// Starts the process again on the same database, with the same settings but for another binary or environment.
    pub fn restart(&mut self, change: impl FnOnce(Setup) -> Setup) {
        self.relaunch(change);
        self.find_addresses();
    }

    /// The same for a process that may end before it listens.
    pub fn relaunch(&mut self, change: impl FnOnce(Setup) -> Setup) {
        self.setup = change(self.setup.clone());
        self.log = Log::default();
        self.child = spawn(&self.setup, self.folder.path(), &self.log);
    }

    fn find_addresses(&mut self) {
        self.metrics = self.log.wait_for("metrics", |line| address(line, "metrics"));
        self.address = self.log.wait_for("listening", |line| address(line, "listening"));
    }

    /// An address of the server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where webhooks are delivered.
    pub fn webhook(&self) -> String {
        self.url("/webhooks/github")
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until a log line that `wanted` accepts has been written.
    pub fn logged<T>(&self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
        self.log.wait_for(what, |line| wanted(&serde_json::from_str(line).ok()?))
    }

    /// Waits until so many executions have come to their end since the start of the process.
    pub fn finished(&self, count: usize) {
        self.log.wait_until(&format!("{count} executions finished"), |lines| {
            lines.iter().filter(|line| message(line).as_deref() == Some("finished")).count() >= count
        });
    }

    /// The metrics, in Prometheus' text format.
    pub fn metrics(&self) -> String {
        let answer = self.http.get(format!("http://{}/metrics", self.metrics)).send().expect("metrics");
        answer.text().expect("text")
    }

    /// The address of the metrics, such as `127.0.0.1:9090`.
    pub fn metrics_address(&self) -> &str {
        &self.metrics
    }

    /// The answer to a request for a path: its status and body.
    pub fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.http.get(self.url(path)).send().expect("an answer");
        (answer.status().as_u16(), answer.json().unwrap_or_default())
    }

    /// The process's resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the process lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("autopr.db")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("--- the server's log\n{}", self.log.text());
        }
    }
}

/// A folder for a database: in memory where the system has such a place, because a disk that is busy with a build can
/// stall for seconds. What measures with the product's bounds uses the disk.
fn temporary_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let on_disk = std::env::var_os("AUTOPR_TEST_STRICT").is_some() || !memory.is_dir();
    let made = if on_disk { tempfile::tempdir() } else { tempfile::tempdir_in(memory) };
    made.expect("a temporary folder")
}

/// Sends a signal to a process by its number.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().expect("kill runs");
    assert!(status.success(), "the process {pid} can't be signalled");
}

fn spawn(setup: &Setup, folder: &Path, log: &Log) -> Child {
    let mut child = setup.command(folder).stderr(Stdio::piped()).spawn().expect("the server starts");
    log.follow(BufReader::new(child.stderr.take().expect("its log")));
    child
}

fn message(line: &str) -> Option<String> {
    serde_json::from_str::<Value>(line).ok()?["message"].as_str().map(str::to_owned)
}

fn address(line: &str, wanted: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["message"] == wanted).then(|| line["address"].as_str().unwrap_or_default().to_owned())
}

/// The lines a process has written, as they come.
#[derive(Clone, Default)]
struct Log(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    ended: bool,
}

impl Log {
    fn follow(&self, lines: impl BufRead + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                log.change(|lines| lines.lines.push(line));
            }
            log.change(|lines| lines.ended = true);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Lines)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }

    fn text(&self) -> String {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).lines.join("\n")
    }

    fn wait_for<T>(&self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let mut found = None;
        self.wait_until(what, |lines| {
            found = lines.iter().find_map(|line| wanted(line));
            found.is_some()
        });
        found.expect("it was found")
    }

    /// Waits until `done` holds of the lines; fails once the process has ended or the patience has.
    fn wait_until(&self, what: &str, done: impl FnMut(&[String]) -> bool) {
        assert!(self.wait_or_end(what, done), "no {what} in the log:\n{}", self.text());
    }

    /// Waits until `done` holds of the lines; false when the process ended before.
    fn wait_or_end(&self, what: &str, mut done: impl FnMut(&[String]) -> bool) -> bool {
        let until = Instant::now() + PATIENCE;
        let mut lines = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if done(&lines.lines) {
                return true;
            }
            if lines.ended {
                return false;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what} in the log:\n{}", lines.lines.join("\n"));
            lines = self.0.1.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Runs a future to its end.
pub fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// A scripted model that listens until the test ends.
pub fn scripted_model() -> ScriptedModel {
    block_on(ScriptedModel::start()).expect("the scripted model listens")
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
    })
}
