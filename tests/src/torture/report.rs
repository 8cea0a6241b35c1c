//! What a run has shown.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::world::World;

/// The figures of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Where chance began.
    pub seed: u64,
    /// Pull requests.
    pub pulls: usize,
    /// Heads of pull requests that have a review.
    pub reviewed: usize,
    /// Deliveries that were acknowledged, each with an id of its own.
    pub deliveries: usize,
    /// Tries to deliver them.
    pub attempts: usize,
    /// Tries after they had been acknowledged.
    pub repeated: usize,
    /// Deliveries that were not needed any more because reconciliation had been faster.
    pub stood_in_for: usize,
    /// Executions by how they ended.
    pub executions: BTreeMap<String, usize>,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, usize>,
    /// How often a replica was killed.
    pub kills: usize,
    /// Acknowledged deliveries without an outcome, and heads that nobody says anything about.
    pub lost: usize,
    /// Outcomes, reviews, comments and checks that are there twice.
    pub doubled: usize,
    /// Answers of models that were kept, and those that were given.
    pub answers: (usize, usize),
    /// What else should not be. Those lost and doubled are among them.
    pub violations: Vec<String>,
    /// How long the faults lasted, how long it took to come to rest afterwards, and the whole run.
    pub times: [Duration; 3],
}

impl Report {
    /// All executions.
    pub fn executions(&self) -> usize {
        self.executions.values().sum()
    }

    /// All faults.
    pub fn faults(&self) -> usize {
        self.faults.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, name: &str, value: String| writeln!(f, "{name:<48} {value:>12}");
        line(f, "seed", self.seed.to_string())?;
        line(f, "pull requests", self.pulls.to_string())?;
        line(f, "heads reviewed", self.reviewed.to_string())?;
        line(f, "deliveries acknowledged", self.deliveries.to_string())?;
        line(f, "  tries to deliver them", self.attempts.to_string())?;
        line(f, "  of these after they were acknowledged", self.repeated.to_string())?;
        line(f, "  later than what stood in for them", self.stood_in_for.to_string())?;
        line(f, "executions", self.executions().to_string())?;
        for (status, count) in &self.executions {
            line(f, &format!("  {status}"), count.to_string())?;
        }
        line(f, "faults", self.faults().to_string())?;
        for (kind, count) in &self.faults {
            line(f, &format!("  {kind}"), count.to_string())?;
        }
        line(f, "answers of models given", self.answers.1.to_string())?;
        line(f, "  of these kept", self.answers.0.to_string())?;
        for (what, time) in ["faults lasted", "at rest after", "all together"].iter().zip(self.times) {
            line(f, what, format!("{:.0} s", time.as_secs_f64()))?;
        }
        line(f, "lost", self.lost.to_string())?;
        line(f, "doubled", self.doubled.to_string())?;
        line(f, "violations", self.violations.len().to_string())?;
        for violation in &self.violations {
            writeln!(f, "\n- {violation}")?;
        }
        Ok(())
    }
}

/// Prints how it goes until everything is told.
pub(super) fn progress(world: &World, begun: Instant) {
    let mut last = Instant::now();
    while !world.told.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(200));
        if last.elapsed() >= Duration::from_secs(10) {
            last = Instant::now();
            let (tally, open) = (&world.tally, world.open.load(Ordering::SeqCst));
            eprintln!(
                "{:>5} s  {:>6} faults  {:>6} kills  {:>6} deliveries  {open:>4} open",
                begun.elapsed().as_secs(),
                tally.faults(),
                tally.of_kind(super::storm::KILL),
                tally.acknowledged(),
            );
        }
    }
}
