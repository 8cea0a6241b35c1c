//! The command line.

use std::path::PathBuf;

use autopr_core::execution::ExecutionStatus;
use autopr_core::ids::{ExecutionId, RepoName};
use autopr_core::review::Severity;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::report::Format;

/// The version and the commit it was built from.
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("AUTOPR_COMMIT"), ")");

const EXIT_CODES: &str = "\
Exit codes:
  0    done, nothing blocking was found
  1    the review found something blocking, or a check found mistakes
  2    the command line, the settings or the repository can't be used
  3    the review did not come to its end
  129, 130, 143  stopped by a hang-up, an interrupt or a termination signal";

const SERVE_HELP: &str = "\
It listens on server.port (AUTOPR_PORT) for webhooks at /webhooks/github, with /api/health and /api/ready beside them, and
on monitoring.metrics_port for /metrics. Check the settings with `autopr config check`.

Exit codes:
  0    stopped by a termination signal: what was under way is ended, or given back to be gone on with
  2    the settings can't be used, or the process could not start
  130  stopped by an interrupt
A second signal ends it at once; nothing that was accepted is lost.";

const WORKER_HELP: &str = "\
It listens on monitoring.metrics_port for /metrics, with /api/health and /api/ready beside it. Its exit codes are those of
`autopr serve`.";

const MIGRATE_HELP: &str = "\
One process at a time migrates; others wait for it. A program of the version before goes on working with the new tables,
so that replicas can be replaced one by one.

Exit codes:
  0    the tables are up to date
  1    --check found something to apply
  2    the settings can't be used, or the database can't be reached";

const HEALTH_HELP: &str = "\
Exit codes:
  0    it is healthy
  1    it is not, or nobody listens
  2    the settings can't be used";

const DOCTOR_HELP: &str = "\
It looks at the settings, the workflows, the database and its queue, Redis, GitHub and what is set there, each model, and the
process that runs here; it changes nothing. Each model is asked one small question, which may cost a fraction of a cent.

Exit codes:
  0    everything works; there may be warnings
  1    something does not work
  2    the settings can't be read";

const SEND_HELP: &str = "\
The secret to sign with is the server's own: GITHUB_WEBHOOK_SECRET, GITHUB_WEBHOOK_SECRET_FILE or
github.webhook_secrets. The answer is printed on standard output.

Exit codes:
  0    the server took the delivery
  1    the server refused it
  2    it could not be delivered";

/// Durable, self-hosted review of pull requests and local changes.
#[derive(Debug, Parser)]
#[command(name = "autopr", version = VERSION, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Read this configuration file instead of configs/<AUTOPR_ENV>.yaml (which `review` does not read).
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take webhooks from GitHub and review pull requests: HTTP server, worker and sweeper in one process.
    #[command(after_help = SERVE_HELP)]
    Serve,
    /// Run executions only, beside other processes that take the webhooks.
    #[command(after_help = WORKER_HELP)]
    Worker,
    /// Ask the process that runs on this machine with these settings whether it is healthy: what a container's health check
    /// runs.
    #[command(after_help = HEALTH_HELP)]
    Health {
        /// Ask a worker, which answers beside its metrics.
        #[arg(long)]
        worker: bool,
    },
    /// Go through the checklist of a set-up: everything that the settings name is asked whether it works, and what does not
    /// is told with its fix.
    #[command(after_help = DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Sign a payload and deliver it as GitHub would, to try a server.
    Send(SendArgs),
    /// Review a range of commits, or the index, of a local git repository.
    Review(ReviewArgs),
    /// Bring the database's tables up to date.
    #[command(after_help = MIGRATE_HELP)]
    Migrate(MigrateArgs),
    /// Show the messages that were set aside because they could not be dealt with, put them back, or remove them.
    #[command(subcommand)]
    Messages(MessagesAction),
    /// List executions, the newest first.
    Executions(ExecutionsArgs),
    /// Show who or what changed something, the newest first.
    Audit(AuditArgs),
    /// Check, show or describe the settings.
    #[command(subcommand)]
    Config(ConfigAction),
    /// List, show or check workflows.
    #[command(subcommand)]
    Workflows(WorkflowsAction),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ReviewArgs {
    /// What to review: A..B, or A for A..HEAD, counted from their merge base. Without it, what the current branch adds
    /// to the default branch, or else the last commit.
    #[arg(value_name = "RANGE", conflicts_with = "staged")]
    pub(crate) range: Option<String>,
    /// Review what is in the index and not yet committed.
    #[arg(long)]
    pub(crate) staged: bool,
    /// The repository: a folder in it, a worktree, or a bare repository.
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// How to print the review.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// The severity from which findings block, in place of the repository's review.block_on; or `never`, to exit with 0
    /// whatever was found.
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on)]
    pub(crate) fail_on: Option<FailOn>,
    /// The workflow to run.
    #[arg(long, value_name = "NAME", default_value = "pr-review")]
    pub(crate) workflow: String,
    /// Keep the database and the posted review in this folder. Without it they are removed at the end.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state: Option<PathBuf>,
    /// Say nothing on standard error but errors.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Ask no language model.
    #[arg(long)]
    pub(crate) no_models: bool,
}

#[derive(Debug, Args)]
#[command(after_help = SEND_HELP)]
pub(crate) struct SendArgs {
    /// The payload, a JSON file as GitHub sends it; `-` reads standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The event's name, such as pull_request.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) event: String,
    /// Where to deliver it, such as http://127.0.0.1:8080/webhooks/github.
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// The delivery's id; a new one without it. A server takes each id once.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) delivery: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Change nothing; exit with 1 when something is to be applied.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) check: bool,
    /// Change nothing; print the statements that would be run.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MessagesAction {
    /// List the messages that were set aside, and why.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print one as it is.
    Show {
        /// Its number.
        id: i64,
    },
    /// Put messages on the queue again, as if they were new.
    Redrive {
        /// Their numbers.
        #[arg(required_unless_present = "all")]
        ids: Vec<i64>,
        /// All of them.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
    /// Remove messages for good.
    Discard {
        /// Their numbers.
        #[arg(required_unless_present = "all")]
        ids: Vec<i64>,
        /// All of them.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ExecutionsArgs {
    /// Those of this workflow.
    #[arg(long, value_name = "NAME")]
    pub(crate) workflow: Option<String>,
    /// Those in this state: queued, running, parked, succeeded, failed, superseded or cancelled.
    #[arg(long, value_name = "STATUS", value_parser = status)]
    pub(crate) status: Option<ExecutionStatus>,
    /// Those of this repository, OWNER/NAME.
    #[arg(long, value_name = "REPOSITORY")]
    pub(crate) repository: Option<RepoName>,
    /// Those before this one: the last of the page before.
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<ExecutionId>,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub(crate) limit: u32,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Entries before this one: the last of the page before.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) before: Option<i64>,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub(crate) limit: u32,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

fn status(word: &str) -> Result<ExecutionStatus, String> {
    ExecutionStatus::parse(word).ok_or_else(|| format!("there is no status `{word}`"))
}

/// When a review makes the command fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailOn {
    /// On a finding of at least this severity.
    Severity(Severity),
    /// Never.
    Never,
}

fn fail_on(value: &str) -> Result<FailOn, String> {
    match value {
        "never" => Ok(FailOn::Never),
        severity => severity.parse().map(FailOn::Severity).map_err(|error: String| format!("{error}, or never")),
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Check all settings and report every mistake with its place and its fix.
    Check,
    /// Print every setting with its value and where it comes from; secrets are masked.
    Show {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file.
    Schema,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkflowsAction {
    /// List the workflows: the built-in ones and those of workflow.directory.
    List,
    /// Print the definition of a workflow.
    Show {
        /// Its name.
        name: String,
    },
    /// Check workflow files and report every mistake with its place and its fix.
    Validate {
        /// The files; without any, those of workflow.directory.
        files: Vec<PathBuf>,
    },
    /// Print the JSON Schema of a workflow file.
    Schema,
}
