//! Measures the engine on a PostgreSQL server of its own on this machine. Every figure about webhooks is a ratio to a floor
//! that is measured in the same run, in turns, so that other machines can be compared.

mod edges;
mod executions;
mod floor;
mod history;
mod lambda;
mod load;
mod services;
mod statements;
mod webhooks;

use autopr_services::{Postgres, PostgresOptions};
use autopr_store_postgres::{Options, Pooler, PostgresStore};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Measures the engine on PostgreSQL.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    what: What,
    /// Prints what the statements cost the server, by its own account (pg_stat_statements).
    #[arg(long, global = true)]
    statements: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Webhooks acknowledged a second, each with a durable commit, beside a bare server; and what a duplicate costs.
    Webhooks {
        /// How often both are measured in turn.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// The seconds of one measurement.
        #[arg(long, default_value_t = 4)]
        seconds: u64,
    },
    /// Executions brought to their end a second, with a model and a forge that answer at once.
    Executions {
        /// How many.
        #[arg(long, default_value_t = 3000)]
        count: u64,
        /// How many at once; a process of the product runs ten unless its settings say otherwise.
        #[arg(long, default_value_t = 10)]
        at_once: usize,
    },
    /// The time to claim, list and purge with few and with many finished executions in the tables.
    History {
        /// The few.
        #[arg(long, default_value_t = 10_000)]
        few: i64,
        /// The many.
        #[arg(long, default_value_t = 1_000_000)]
        many: i64,
        /// Prints the plans of the statements too.
        #[arg(long)]
        explain: bool,
    },
    /// Start-up and idle memory of the long-lived services.
    Services {
        /// The folder with their programs.
        #[arg(long)]
        folder: PathBuf,
        /// How often each is started.
        #[arg(long, default_value_t = 11)]
        starts: usize,
    },
    /// Start-up, warm latency and peak memory of the Lambda functions, in AWS's emulator of their environment.
    Lambda {
        /// The folder in which `scripts/package-lambdas` has put them.
        #[arg(long, default_value = "target/lambda")]
        folder: PathBuf,
        /// How often each is started.
        #[arg(long, default_value_t = 21)]
        starts: usize,
        /// How often each is invoked after its first start.
        #[arg(long, default_value_t = 200)]
        invocations: usize,
    },
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let Cli { what, statements } = Cli::parse();
    let mut settings = Vec::new();
    if statements {
        settings.push(setting("shared_preload_libraries", "pg_stat_statements"));
        settings.push(setting("pg_stat_statements.track_planning", "on"));
    }
    if matches!(what, What::History { explain: true, .. }) {
        settings.push(setting("session_preload_libraries", "auto_explain"));
        settings.push(setting("auto_explain.log_analyze", "on"));
        settings.push(setting("auto_explain.log_buffers", "on"));
    }
    // With the disk waited for, as in production.
    let postgres = Postgres::start_with(&PostgresOptions { durable: true, settings, ..PostgresOptions::default() });
    let url = postgres.create_database("bench");
    runtime.block_on(async {
        let store = store(&url).await;
        match what {
            What::Webhooks { rounds, seconds } => {
                webhooks::run(store, &url, rounds, Duration::from_secs(seconds)).await;
            }
            What::Executions { count, at_once } => executions::run(store, count, at_once).await,
            What::Services { folder, starts } => services::run(&url, &folder, starts).await,
            What::Lambda { folder, starts, invocations } => lambda::run(&url, &folder, starts, invocations).await,
            What::History { few, many, explain } => history::run(store, &postgres, few, many, explain).await,
        }
        if statements {
            statements::print(&url).await;
        }
    });
}

fn setting(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// A store with the product's own settings, its tables made.
async fn store(url: &str) -> Arc<PostgresStore> {
    let options = Options {
        url: url.into(),
        most_connections: 60,
        wait: Duration::from_secs(30),
        recycle: Duration::from_secs(3600),
        log_statements: false,
        pooler: Pooler::None,
        hears: true,
        asks: false,
    };
    let store = PostgresStore::new(&options).expect("a store");
    store.migrate().await.expect("tables");
    Arc::new(store)
}

/// The middle one of the figures.
fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
