//! The long form of the torture harness; `scripts/torture` builds and runs it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use autopr_e2e::torture::{Plan, run};
use clap::Parser;

/// Kills, stops and disconnects replicas of AutoPR Engine and everything around them, and looks whether anything is lost
/// or doubled.
#[derive(Parser)]
#[command(name = "torture")]
struct Arguments {
    /// Where chance begins; the clock when not given.
    #[arg(long, env = "AUTOPR_TORTURE_SEED")]
    seed: Option<u64>,
    /// How many faults to inject at least.
    #[arg(long, default_value_t = 10_000)]
    faults: usize,
    /// How often to kill a replica at least; a tenth of the faults when not given.
    #[arg(long)]
    kills: Option<usize>,
    /// How many executions to ask for at least; half as many as faults when not given.
    #[arg(long)]
    executions: Option<usize>,
    /// How many replicas to run.
    #[arg(long, default_value_t = 3)]
    replicas: usize,
    /// How many times as fast as the machine's the replicas' clocks run.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=20))]
    speed: u32,
    /// The folder for logs and the database when something is wrong.
    #[arg(long, default_value = "torture-failed")]
    keep: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let binary = std::env::current_exe().expect("the path of this program").with_file_name("autopr-fast");
    let plan = Plan {
        seed: arguments.seed.unwrap_or(now.as_secs()),
        executions: arguments.executions.unwrap_or(arguments.faults / 2),
        faults: arguments.faults,
        kills: arguments.kills.unwrap_or(arguments.faults / 10),
        replicas: arguments.replicas,
        speed: arguments.speed,
        binary,
        progress: true,
        keep: Some(arguments.keep),
    };
    eprintln!("seed {}", plan.seed);
    let report = run(&plan);
    println!("{report}");
    if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
