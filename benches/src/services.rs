//! The long-lived services as they are shipped: how long from their start until they are ready, and what memory they have once
//! there is nothing to do.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::load::SECRET;
use crate::median;

/// The most a service may take to be ready, with a database on the same machine.
const READY: Duration = Duration::from_millis(300);

/// The most memory it may have when idle, in kB.
const IDLE: u64 = 40_000;

/// How long it has nothing to do before its memory is read.
const QUIET: Duration = Duration::from_secs(5);

/// How often it is looked whether a service is ready.
const LOOK: Duration = Duration::from_millis(2);

/// Prints a table in Markdown.
///
/// # Panics
/// When a service is not built, or slower or larger than it may be.
pub(crate) async fn run(database: &str, folder: &Path, starts: usize) {
    println!("| service | start until ready, median (slowest) | memory when idle |");
    println!("|---|---|---|");
    let mut over = Vec::new();
    for (name, arguments, variables) in services() {
        let program = folder.join(name);
        assert!(program.is_file(), "{} is not built: cargo build --release -p {name}", program.display());
        let mut times = Vec::new();
        let mut memory = 0;
        for start in 0..starts.max(1) {
            let service = Service::start(&program, arguments, &variables, database);
            times.push(service.ready().await.as_secs_f64() * 1000.0);
            if start == 0 {
                tokio::time::sleep(QUIET).await;
                memory = service.memory();
            }
        }
        let slowest = times.iter().copied().fold(0.0, f64::max);
        let time = median(&mut times);
        println!("| `{name}` | {time:.0} ms ({slowest:.0} ms) | {} MB |", memory / 1000);
        if time > READY.as_secs_f64() * 1000.0 || memory > IDLE {
            over.push(name);
        }
    }
    assert!(over.is_empty(), "over {READY:?} or {IDLE} kB: {over:?}");
}

type Variables = Vec<(&'static str, &'static str)>;

/// The services, with what each is told besides. Nobody is behind the queues' addresses: a service that waits for messages
/// starts without them.
fn services() -> [(&'static str, &'static [&'static str], Variables); 3] {
    let pubsub = vec![
        ("AUTOPR_QUEUE_URL", "projects/bench/topics/messages"),
        ("AUTOPR_PUSH_AUDIENCE", "https://bench.example"),
        ("AUTOPR_PUSH_SERVICE_ACCOUNT", "push@bench.iam.gserviceaccount.com"),
        ("PUBSUB_EMULATOR_HOST", "127.0.0.1:9"),
    ];
    let azure =
        vec![("AUTOPR_QUEUE_URL", "http://127.0.0.1:9/devstoreaccount1/messages?sv=2025-01-01&sp=raup&sig=bench")];
    [("autopr", &["serve"], Vec::new()), ("gcp-service", &[], pubsub), ("azure-app", &[], azure)]
}

/// A service that is killed when this goes.
struct Service {
    process: Child,
    port: u16,
    begun: Instant,
}

impl Service {
    fn start(program: &Path, arguments: &[&str], variables: &[(&str, &str)], database: &str) -> Self {
        let free =
            || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let (port, metrics) = (free(), free());
        let folder = std::env::temp_dir().join(format!("autopr-bench-{}", std::process::id()));
        let configs = folder.join("configs");
        std::fs::create_dir_all(&configs).expect("a folder");
        let settings = format!("monitoring: {{ metrics_port: {metrics} }}\n");
        std::fs::write(configs.join("development.yaml"), settings).expect("a file");
        let mut command = Command::new(program);
        command.args(arguments).env_clear().current_dir(&folder).envs(variables.iter().copied());
        command.envs([("DATABASE_URL", database), ("GITHUB_TOKEN", "a token"), ("GITHUB_WEBHOOK_SECRET", SECRET)]);
        command.envs([("AUTOPR_PORT", port.to_string()), ("AUTOPR_HOST", "127.0.0.1".to_owned())]);
        let begun = Instant::now();
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        Self { process, port, begun }
    }

    async fn ready(&self) -> Duration {
        let client = reqwest::Client::new();
        let url = format!("http://127.0.0.1:{}/api/ready", self.port);
        while self.begun.elapsed() < 100 * READY {
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return self.begun.elapsed();
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("the service does not become ready");
    }

    /// What is resident, in kB (proc(5), `VmRSS`).
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
