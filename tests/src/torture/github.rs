//! GitHub with its bad days.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use autopr_fakes::github::{FakeGitHub, Fault, Moment, Until};

use super::random::Random;
use super::world::{Tally, locked};

/// How GitHub answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// As it should.
    Calm,
    /// A request in thirty fails, in all the ways there are.
    Changeable,
    /// Every request fails.
    Outage,
}

/// The fake GitHub and its weather.
pub(super) struct Forge {
    pub(super) github: Arc<FakeGitHub>,
    weather: Arc<Mutex<Weather>>,
}

impl Forge {
    pub(super) fn new(github: FakeGitHub, mut random: Random, tally: Arc<Tally>) -> Self {
        let (github, weather) = (Arc::new(github), Arc::new(Mutex::new(Weather::Changeable)));
        let (weak, current) = (Arc::downgrade(&github), weather.clone());
        let chance = Mutex::new(random.branch());
        github.on_request(move |moment, request| {
            if moment != Moment::Before {
                return;
            }
            let (kind, fault) = match *locked(&current) {
                Weather::Calm => return,
                Weather::Outage => ("GitHub: outage", Fault::Status(502)),
                Weather::Changeable => {
                    let mut chance = locked(&chance);
                    if !chance.chance(33) {
                        return;
                    }
                    *chance.pick(&[
                        ("GitHub: 500, nothing done", Fault::Status(500)),
                        ("GitHub: 503, nothing done", Fault::Status(503)),
                        ("GitHub: 502 after it was done", Fault::StatusAfter(502)),
                        ("GitHub: request lost", Fault::DropBefore),
                        ("GitHub: answer lost", Fault::DropAfter),
                        ("GitHub: answer cut", Fault::Truncate),
                    ])
                }
            };
            if let Some(github) = weak.upgrade() {
                tally.fault(kind);
                github.fail_next(&request.method, &request.path, fault);
            }
        });
        Self { github, weather }
    }

    /// Changes the weather for a time.
    pub(super) fn outage(&self, time: Duration) {
        *locked(&self.weather) = Weather::Outage;
        std::thread::sleep(time);
        *locked(&self.weather) = Weather::Changeable;
    }

    /// Answers with the secondary limit for a time.
    pub(super) fn limit(&self, status: u16, retry_after: Option<u64>, time: Duration) {
        self.github.limit_secondary(status, retry_after, Until::Passed(time));
    }

    /// From now on nothing fails.
    pub(super) fn calm(&self) {
        *locked(&self.weather) = Weather::Calm;
    }

    /// Keeps the fake fit for a long run: it counts requests of an hour, and remembers all of them.
    pub(super) fn chores(&self) {
        self.github.limit_primary(5000, Duration::from_secs(3600));
        self.github.forget_requests();
    }
}
