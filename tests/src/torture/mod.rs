//! The torture harness: several replicas of the real server on one PostgreSQL and one Redis, between a fake GitHub and a
//! scripted model, while everything around them fails by a schedule that a seed repeats. At the end the faults stop, and
//! what is left is compared with what was asked for: nothing lost, nothing doubled.
//!
//! What chance decides is repeated by the seed; when processes get to run is not. A violation is therefore told with
//! everything that is known of the pull request it is about.

mod books;
mod github;
mod model;
mod random;
mod replica;
mod report;
mod storm;
mod traffic;
mod verdict;
mod world;

use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use report::Report;

use random::Random;
use storm::Storm;
use traffic::Traffic;
use world::World;

/// How long anything that is waited for may take on a slow machine. Only a failing run waits that long.
const PATIENCE: Duration = Duration::from_secs(300);

/// What to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where chance begins.
    pub seed: u64,
    /// At least so many executions are asked for.
    pub executions: usize,
    /// At least so many faults are injected, of whatever kind.
    pub faults: usize,
    /// At least so often a replica is killed.
    pub kills: usize,
    /// How many replicas there are.
    pub replicas: usize,
    /// How many times as fast as the machine's the replicas' clocks run. By 1 the replicas are `autopr` itself.
    pub speed: u32,
    /// The binary of the replicas where their clocks are fast.
    pub binary: PathBuf,
    /// Whether to print how it goes.
    pub progress: bool,
    /// Where to keep logs and the database when something is wrong; it is made.
    pub keep: Option<PathBuf>,
}

/// Does it.
///
/// # Panics
///
/// When the servers can't be started, or do not come to rest when the faults are over.
pub fn run(plan: &Plan) -> Report {
    let begun = Instant::now();
    let mut random = Random::new(plan.seed);
    let world = World::start(plan, &mut random);
    let (traffic, storm) = (Traffic::new(&world), Storm::new(&world));
    let (traffic_random, storm_random) = (random.branch(), random.branch());
    std::thread::scope(|scope| {
        scope.spawn(|| world.watch());
        scope.spawn(|| storm.rage(plan, storm_random));
        let told = scope.spawn(|| traffic.run(plan, traffic_random));
        if plan.progress {
            scope.spawn(|| report::progress(&world, begun));
        }
        told.join().expect("the traffic ends");
    });
    let stormed = begun.elapsed();
    let settled = world.settle();
    let report = verdict::judge(&world, plan, stormed, begun, settled);
    if !report.violations.is_empty()
        && let Some(folder) = &plan.keep
    {
        world.keep(folder);
    }
    report
}
