//! The self-hosted binary: serves webhooks, reviews local changes, and checks settings and workflows.

mod cli;
mod commands;
mod doctor;
mod report;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};
use commands::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Serve => commands::serve::run(autopr::Role::Serve, cli.config),
        Command::Worker => commands::serve::run(autopr::Role::Work, cli.config),
        Command::Health { worker } => commands::serve::health(worker, cli.config),
        Command::Doctor(arguments) => commands::doctor::run(&arguments, cli.config),
        Command::Send(arguments) => commands::send::run(&arguments, cli.config),
        Command::Review(arguments) => commands::review::run(&arguments, cli.config),
        Command::Config(action) => commands::config::run(&action, cli.config),
        Command::Workflows(action) => commands::workflows::run(&action, cli.config),
        Command::Migrate(arguments) => commands::migrate::run(&arguments, cli.config),
        Command::Messages(action) => commands::messages::run(&action, cli.config),
        Command::Executions(arguments) => commands::executions::executions(&arguments, cli.config),
        Command::Audit(arguments) => commands::executions::audit(&arguments, cli.config),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "autopr", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|Failure { text, code }| {
        anstream::eprintln!("autopr: {}", text.trim_end());
        code
    })
}
