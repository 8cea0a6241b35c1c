//! The schedule of faults.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;
use std::time::{Duration, Instant};

use autopr_services::{Fault, Stop};

use super::model::Mood;
use super::random::Random;
use super::replica::Replica;
use super::world::{AtTheEnd, World, locked};
use super::{PATIENCE, Plan};

pub(super) const KILL: &str = "replica: kill -9";

/// What can be at fault. One of them has one fault at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Replica(usize),
    /// A replica's connections.
    Wires(usize),
    Postgres,
    Redis,
    GitHub,
    Models,
}

/// Makes everything fail.
pub(super) struct Storm<'w> {
    world: &'w World,
    busy: Vec<(Target, AtomicBool)>,
}

impl<'w> Storm<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        let replicas = 0..world.replicas.len();
        let targets = replicas.clone().map(Target::Replica).chain(replicas.map(Target::Wires));
        let targets = targets.chain([Target::Postgres, Target::Redis, Target::GitHub, Target::Models]);
        Self { world, busy: targets.map(|target| (target, AtomicBool::new(false))).collect() }
    }

    /// Injects faults until there were as many as planned and everything is asked for. All are over when it returns.
    pub(super) fn rage(&self, plan: &Plan, mut random: Random) {
        let _stormed = AtTheEnd(&self.world.stormed);
        let tally = &self.world.tally;
        let enough_faults = || tally.faults() >= plan.faults && tally.of_kind(KILL) >= plan.kills;
        let enough = || enough_faults() && tally.acknowledged() >= plan.executions;
        let begun = Instant::now();
        std::thread::scope(|scope| {
            while !enough() {
                let target = self.aim(&mut random);
                let (_, busy) = &self.busy[target];
                if !busy.swap(true, Ordering::SeqCst) {
                    self.strike(scope, target, random.branch(), plan.speed);
                }
                // What is left is for the traffic to get done.
                let pause = if enough_faults() { 400..1500 } else { 20..250 };
                std::thread::sleep(random.millis(pause));
                assert!(begun.elapsed() < PATIENCE * 100, "the storm does not end");
            }
        });
        self.world.forge.calm();
        self.world.models.calm();
    }

    /// Replicas are hit most.
    fn aim(&self, random: &mut Random) -> usize {
        let replicas = self.world.replicas.len();
        match random.below(100) {
            0..65 => random.below(replicas),
            65..80 => replicas + random.below(replicas),
            80..86 => 2 * replicas,
            86..90 => 2 * replicas + 1,
            90..95 => 2 * replicas + 2,
            _ => 2 * replicas + 3,
        }
    }

    fn strike<'s>(&'s self, scope: &'s Scope<'s, '_>, place: usize, mut random: Random, speed: u32) {
        scope.spawn(move || {
            let (target, busy) = &self.busy[place];
            match *target {
                Target::Replica(number) => self.replica(&self.world.replicas[number], &mut random, speed),
                Target::Wires(number) => self.wires(&self.world.replicas[number], &mut random),
                Target::Postgres => self.postgres(&mut random),
                Target::Redis => self.redis(&mut random),
                Target::GitHub => self.github(&mut random),
                Target::Models => self.models(&mut random),
            }
            busy.store(false, Ordering::SeqCst);
        });
    }

    fn replica(&self, replica: &Replica, random: &mut Random, speed: u32) {
        let tally = &self.world.tally;
        // Clocks of different machines differ by some seconds.
        let ahead = random.next() % 15;
        match random.below(40) {
            0..6 => {
                tally.fault("replica: SIGTERM");
                tally.complain(replica.terminate(ahead));
            }
            6 => {
                tally.fault("replica: stopped for longer than its lease");
                replica.freeze(Duration::from_secs(80) / speed);
            }
            7..9 => {
                tally.fault("replica: stopped for a moment");
                replica.freeze(random.millis(50..2000));
            }
            _ => {
                tally.fault(KILL);
                tally.complain(replica.kill(ahead));
            }
        }
        // It gets to do something before the next blow.
        std::thread::sleep(random.millis(100..800));
    }

    fn wires(&self, replica: &Replica, random: &mut Random) {
        let tally = &self.world.tally;
        let database = |fault, time| {
            replica.database.set(fault);
            std::thread::sleep(time);
            replica.database.set(Fault::Pass);
        };
        match random.below(8) {
            0..3 => {
                tally.fault("database: connections reset");
                replica.database.reset();
            }
            3 => {
                tally.fault("database: black hole");
                database(Fault::Blackhole, random.millis(200..4000));
            }
            4 => {
                tally.fault("database: refused");
                database(Fault::Refuse, random.millis(100..1500));
            }
            5 => {
                tally.fault("database: slow");
                database(Fault::Latency(random.millis(5..100)), random.millis(500..3000));
            }
            6 => {
                tally.fault("Redis: connections reset");
                replica.redis.reset();
            }
            _ => {
                tally.fault("Redis: black hole");
                replica.redis.set(Fault::Blackhole);
                std::thread::sleep(random.millis(200..3000));
                replica.redis.set(Fault::Pass);
            }
        }
    }

    fn postgres(&self, random: &mut Random) {
        let tally = &self.world.tally;
        let mut postgres = locked(&self.world.postgres);
        match random.below(4) {
            0 => {
                tally.fault("PostgreSQL: kill -9");
                postgres.kill();
                std::thread::sleep(random.millis(0..1000));
                postgres.restart();
            }
            1 => {
                tally.fault("PostgreSQL: fast stop");
                postgres.stop(Stop::Fast);
                std::thread::sleep(random.millis(0..1000));
                postgres.restart();
            }
            2 => {
                tally.fault("PostgreSQL: immediate stop");
                postgres.restart();
            }
            _ => {
                tally.fault("PostgreSQL: paused");
                postgres.pause();
                std::thread::sleep(random.millis(200..3000));
                postgres.resume();
            }
        }
        drop(postgres);
        std::thread::sleep(random.millis(500..3000));
    }

    fn redis(&self, random: &mut Random) {
        let tally = &self.world.tally;
        let mut redis = locked(&self.world.redis);
        match random.below(3) {
            0 => {
                tally.fault("Redis: kill -9");
                redis.kill();
            }
            1 => {
                tally.fault("Redis: stop");
                redis.stop();
            }
            _ => {
                tally.fault("Redis: paused");
                redis.pause();
                std::thread::sleep(random.millis(200..2000));
                redis.resume();
                return;
            }
        }
        std::thread::sleep(random.millis(0..2000));
        redis.restart();
    }

    fn github(&self, random: &mut Random) {
        let (tally, forge) = (&self.world.tally, &self.world.forge);
        match random.below(3) {
            // Its requests are counted one by one.
            0 => forge.outage(random.millis(200..1500)),
            1 => {
                tally.fault("GitHub: secondary limit with a hint");
                forge.limit(403, Some(1 + random.next() % 10), random.millis(200..1500));
            }
            _ => {
                tally.fault("GitHub: secondary limit without a hint");
                forge.limit(429, None, random.millis(200..1000));
            }
        }
        std::thread::sleep(random.millis(500..3000));
    }

    fn models(&self, random: &mut Random) {
        // Their requests are counted one by one.
        let mood = if random.chance(750) { Mood::Limited } else { Mood::Outage };
        self.world.models.spell(mood, random.millis(500..3000));
        std::thread::sleep(random.millis(1000..3000));
    }
}
