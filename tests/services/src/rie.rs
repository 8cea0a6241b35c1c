//! AWS's emulator of the environment a Lambda function runs in.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::folder::Folder;
use crate::port::free_port;
use crate::process::{PATIENCE, Process, family, log_of, signal};
use crate::program::User;

/// How long an answer may take, if the function's own time-out does not come first.
const ANSWER: Duration = Duration::from_secs(15 * 60);

/// One environment of a function: the function's program under the Runtime Interface Emulator, the server that AWS ships for
/// `sam local`. Like a real environment it starts the program with the first invocation, handles one invocation at a time,
/// and starts the program again after it has crashed or run out of time. Several environments are several of these. It ends
/// when dropped.
///
/// What is not like AWS: there is no limit of memory, no freezing between invocations, and nothing is ever scaled down.
pub struct Rie {
    process: Mutex<Process>,
    folder: Folder,
    bootstrap: PathBuf,
    env: Vec<(String, String)>,
    port: u16,
    runtime_port: u16,
    client: reqwest::Client,
    // Two invocations at once crash the emulator.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Why an invocation has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvokeError {
    /// The function answered that it failed.
    Failed {
        /// The kind of error by the function's word.
        kind: String,
        /// The text of the error.
        message: String,
    },
    /// The function's program ended, or never began to ask for work.
    Crashed(String),
    /// The function took longer than `AWS_LAMBDA_FUNCTION_TIMEOUT`; its program was killed.
    TimedOut(String),
    /// The environment is gone.
    Gone(String),
}

impl Rie {
    /// Starts an environment for the program `bootstrap`, whose only variables are those that Lambda sets and those in
    /// `env`; the latter win. `AWS_LAMBDA_FUNCTION_TIMEOUT` is in seconds.
    ///
    /// # Panics
    ///
    /// When the emulator is not installed or does not start, or there is no such program.
    pub fn start(bootstrap: &Path, env: &[(&str, String)]) -> Self {
        let bootstrap = bootstrap.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", bootstrap.display()));
        let mut rie = Self {
            process: Mutex::default(),
            folder: Folder::new(User::Same, false),
            bootstrap,
            env: env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            port: 0,
            runtime_port: 0,
            client: reqwest::Client::builder().no_proxy().timeout(ANSWER).build().expect("a client"),
            turn: Arc::default(),
        };
        for _ in 0..5 {
            rie.port = free_port();
            rie.runtime_port = std::iter::repeat_with(free_port).find(|port| *port != rie.port).expect("a second port");
            if rie.launch() {
                return rie;
            }
        }
        panic!("the emulator does not start\n{}", rie.log());
    }

    fn launch(&self) -> bool {
        let mut command = Command::new(emulator());
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| (name, "us-east-1")))
            .envs(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].map(|name| (name, "test")))
            .envs([("AWS_LAMBDA_FUNCTION_NAME", "test"), ("AWS_LAMBDA_FUNCTION_TIMEOUT", "300")])
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .arg("--runtime-interface-emulator-address")
            .arg(format!("127.0.0.1:{}", self.port))
            .arg("--runtime-api-address")
            .arg(format!("127.0.0.1:{}", self.runtime_port))
            .arg(&self.bootstrap);
        let answers = || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok();
        self.process().start(&mut command, &self.folder, answers)
    }

    /// Invokes the function and waits for its result. A further invocation waits until this one has ended, also when
    /// nobody waits for its result any more.
    ///
    /// # Errors
    /// When the function fails, crashes or runs out of time, or the environment is killed.
    pub async fn invoke(&self, event: &Value) -> Result<Value, InvokeError> {
        let url = format!("http://127.0.0.1:{}/2015-03-31/functions/function/invocations", self.port);
        let request = self.client.post(url).body(event.to_string());
        let turn = Arc::clone(&self.turn).lock_owned().await;
        // On its own, so that the turn is held to the end whatever becomes of the caller.
        let answered = tokio::spawn(async move {
            let _turn = turn;
            let response = request.send().await?;
            let status = response.status();
            Ok((status.is_success(), response.text().await?))
        });
        let answer = answered.await.map_err(|error| InvokeError::Gone(error.to_string()))?;
        let (well, text) = answer.map_err(|error: reqwest::Error| InvokeError::Gone(error.to_string()))?;
        understand(well, &text)
    }

    /// How long each start of the program took until it asked for work, the first start first: what AWS calls the
    /// initialisation. Nobody waits for a start before the first invocation.
    pub fn init_times(&self) -> Vec<Duration> {
        numbers(&self.log(), "INIT REPORT(durationMs: ")
    }

    /// How long each invocation that succeeded took by the emulator's clock, the first one first, without the start.
    pub fn invoke_times(&self) -> Vec<Duration> {
        let log = self.log();
        let done: String = log.lines().filter(|line| line.contains("INVOKE RTDONE(status: success")).collect();
        numbers(&done, "duration: ")
    }

    /// The most memory that the program has had since its start, in bytes; `None` when it does not run.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.program()?)).ok()?;
        let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(kibibytes.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }

    /// The number of the program's process; `None` when it does not run.
    pub fn program(&self) -> Option<u32> {
        let emulator = self.process().id()?;
        let path = self.bootstrap.to_string_lossy().into_owned();
        // The emulator has the path among its arguments too.
        let is_program = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
            words.clone().any(|word| word == path) && !words.any(|word| word == "--runtime-api-address")
        };
        family(emulator).into_iter().find(is_program)
    }

    /// Kills the program alone, as when it takes too much memory: the invocation under way fails as crashed, and the next
    /// one starts the program again. Nothing happens when it does not run.
    pub fn crash(&self) {
        signal("KILL", &self.program().into_iter().collect::<Vec<_>>());
    }

    /// Kills the environment at once, in the middle of whatever it does.
    pub fn kill(&self) {
        self.process().kill();
    }

    /// Ends the environment the way the emulator does when it is told to.
    pub fn stop(&self) {
        self.process().stop("TERM", PATIENCE);
    }

    /// A new environment in place of this one, which is killed if it still runs.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&self) {
        self.kill();
        assert!(self.launch(), "the emulator does not start again\n{}", self.log());
    }

    /// What the program and the emulator wrote, since the first start.
    pub fn log(&self) -> String {
        log_of(&self.folder)
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Rie {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The emulator answers 200 to almost everything; only the text tells.
fn understand(well: bool, text: &str) -> Result<Value, InvokeError> {
    if text.starts_with("Task timed out after ") {
        return Err(InvokeError::TimedOut(text.to_owned()));
    }
    let value: Value = match text.is_empty() {
        true => Value::Null,
        false => serde_json::from_str(text).map_err(|_| InvokeError::Crashed(text.to_owned()))?,
    };
    let word = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    match (word("errorType"), word("errorMessage")) {
        (Some(kind), Some(message)) if kind.starts_with("Runtime.") || !well => {
            Err(InvokeError::Crashed(format!("{kind}: {message}")))
        }
        (Some(kind), Some(message)) => Err(InvokeError::Failed { kind, message }),
        _ if !well => Err(InvokeError::Crashed(text.to_owned())),
        _ => Ok(value),
    }
}

/// The milliseconds that stand behind a text.
fn numbers(log: &str, before: &str) -> Vec<Duration> {
    let texts = log.split(before).skip(1);
    texts
        .filter_map(|rest| {
            let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
            rest[..end].parse::<f64>().ok()
        })
        .map(|milliseconds| Duration::from_secs_f64(milliseconds / 1000.0))
        .collect()
}

/// Where the emulator lies: where `AUTOPR_TEST_RIE` says, or in the package that `scripts/test` installs.
fn emulator() -> PathBuf {
    if let Some(path) = std::env::var_os("AUTOPR_TEST_RIE") {
        return path.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"))).unwrap_or_default();
    let tools = cache.join("autopr/tools");
    let name = if cfg!(target_arch = "aarch64") { "aws-lambda-rie-arm64" } else { "aws-lambda-rie-x86_64" };
    let inside = |folder: PathBuf, prefix: &str| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| starts(path, prefix)).collect::<Vec<_>>()
    };
    let found = inside(tools, "aws-sam-cli-")
        .into_iter()
        .flat_map(|home| inside(home.join("lib"), "python"))
        .map(|python| python.join("site-packages/samcli/local/rapid").join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing: run scripts/check-template or scripts/test, which install it"))
}

fn starts(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}
