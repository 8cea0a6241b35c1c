//! People who work on pull requests, and GitHub that tells of it.

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use autopr_fakes::github::{Delivery, NewPull};

use super::random::Random;
use super::world::{AtTheEnd, OWNER, REPOSITORIES, Told, World, locked};
use super::{PATIENCE, Plan};
use crate::server::block_on;
use crate::world::CLEAN;

/// A change with conflict markers, and a line that a model finds fault with.
const RISKY: &str = "diff --git a/src/total.rs b/src/total.rs\nindex 2222222..3333333 100644\n--- a/src/total.rs\n\
    +++ b/src/total.rs\n@@ -1,3 +1,7 @@\n fn total(items: &[u32]) -> u32 {\n-    items.iter().sum()\n\
    +<<<<<<< HEAD\n+    items.iter().copied().sum()\n+=======\n+    items.iter().sum::<u32>() / items.len()\n\
    +>>>>>>> feature\n }\n";

/// How many deliveries are under way at a time.
const AT_A_TIME: usize = 8;

/// So much may be open before people pause.
const OPEN: usize = 120;

/// A delivery that has yet to be sent, or to be sent again.
struct Pending {
    delivery: Delivery,
    told: Told,
    due: Instant,
}

/// The traffic.
pub(super) struct Traffic<'w> {
    world: &'w World,
    pending: Mutex<Vec<Pending>>,
}

impl<'w> Traffic<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        Self { world, pending: Mutex::default() }
    }

    /// Works until as many executions as planned were asked for and the faults are over, and until each delivery has been
    /// acknowledged.
    pub(super) fn run(&self, plan: &Plan, mut random: Random) {
        let world = self.world;
        std::thread::scope(|scope| {
            for _ in 0..AT_A_TIME {
                let mut random = random.branch();
                scope.spawn(move || self.deliver(&mut random));
            }
            let _told = AtTheEnd(&world.told);
            let (mut written, mut chores) = (0, Instant::now());
            let begun = Instant::now();
            while written < plan.executions || !world.stormed.load(Ordering::SeqCst) {
                let waiting = locked(&self.pending).len();
                if world.open.load(Ordering::SeqCst) + waiting < OPEN && written < plan.executions * 2 {
                    self.act(&mut random);
                    written += 1;
                }
                if chores.elapsed() > Duration::from_secs(5) {
                    world.forge.chores();
                    chores = Instant::now();
                }
                std::thread::sleep(random.millis(10..100));
                assert!(begun.elapsed() < PATIENCE * 100, "the traffic does not end");
            }
            let begun = Instant::now();
            while world.tally.acknowledged() < written || !locked(&self.pending).is_empty() {
                assert!(begun.elapsed() < PATIENCE, "the replicas do not take the last deliveries");
                std::thread::sleep(Duration::from_millis(20));
            }
        });
    }

    /// Somebody opens a pull request, pushes to one, or asks for help.
    fn act(&self, random: &mut Random) {
        let github = &self.world.forge.github;
        let known: Vec<_> = locked(&self.world.pulls).iter().copied().collect();
        let what = if known.len() < 8 { 0 } else { random.below(10) };
        let commit = format!("{:016x}{:016x}{:08x}", random.next(), random.next(), random.next() as u32);
        // No two are the same: the answer to one is no answer to another.
        let diff = match random.chance(500) {
            true => RISKY.replace(">>>>>>> feature", &format!(">>>>>>> {commit}")),
            false => CLEAN.replace("+    items", &format!("+    /* {commit} */ items")),
        };
        let (told, delivery) = match what {
            0..4 => {
                let repository = *random.pick(&REPOSITORIES);
                let branch = format!("feature-{}", known.len());
                let pull = NewPull::new("Count the totals", diff).author("dev").head(&branch, &commit);
                let number = github.open_pull(OWNER, repository, pull);
                locked(&self.world.pulls).insert((repository, number));
                let delivery = github.write_pull_request_event(OWNER, repository, number, "opened");
                (Told { repository, number, workflow: "pr-review", head: Some(commit) }, delivery)
            }
            4..8 => {
                // Mostly to one of the latest, which is being reviewed.
                let (repository, number) = *random.pick(&known);
                github.push(OWNER, repository, number, &commit, diff, &[]);
                let delivery = github.write_pull_request_event(OWNER, repository, number, "synchronize");
                (Told { repository, number, workflow: "pr-review", head: Some(commit) }, delivery)
            }
            _ => {
                let (repository, number) = *random.pick(&known);
                let comment = github.write_comment(OWNER, repository, number, "dev", "/autopr help");
                let delivery = github.write_comment_event(OWNER, repository, number, comment);
                (Told { repository, number, workflow: "command", head: None }, delivery)
            }
        };
        // Some are on their way for long, and are overtaken.
        let late = if random.chance(100) { random.millis(500..5000) } else { Duration::ZERO };
        locked(&self.pending).push(Pending { delivery, told, due: Instant::now() + late });
    }

    /// Sends what is due, in any order, each to any replica; what is not acknowledged is sent again.
    fn deliver(&self, random: &mut Random) {
        let (world, tally) = (self.world, &self.world.tally);
        while !world.told.load(Ordering::SeqCst) {
            let Some(Pending { delivery, told, .. }) = self.next(random) else {
                std::thread::sleep(Duration::from_millis(10));
                continue;
            };
            let to = random.pick(&world.replicas).webhook();
            let sent = block_on(world.forge.github.deliver_late(&delivery, &to));
            tally.attempts.fetch_add(1, Ordering::SeqCst);
            let again = match sent.status_code {
                202 => {
                    let known = locked(&tally.acknowledged).insert(delivery.guid.clone(), told.clone()).is_some();
                    if known {
                        tally.repeated.fetch_add(1, Ordering::SeqCst);
                    }
                    // Networks repeat what was taken.
                    (!known && random.chance(120)).then(|| random.millis(0..3000))
                }
                0 | 503 => Some(random.millis(50..500)),
                other => {
                    tally.complain(Some(format!("a delivery was answered {other}")));
                    Some(random.millis(50..500))
                }
            };
            if let Some(wait) = again {
                locked(&self.pending).push(Pending { delivery, told, due: Instant::now() + wait });
            }
        }
    }

    fn next(&self, random: &mut Random) -> Option<Pending> {
        let mut pending = locked(&self.pending);
        let now = Instant::now();
        let due: Vec<_> = (0..pending.len()).filter(|place| pending[*place].due <= now).collect();
        (!due.is_empty()).then(|| pending.swap_remove(due[random.below(due.len())]))
    }
}
