//! Who may ask a server that does not answer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After a failure nobody asks for a while, then one does: a server that is down is waited for once in each pause, however
/// many would like to know.
#[derive(Debug)]
pub(crate) struct Outage {
    pause: Duration,
    /// When the next may ask; none while the server answers.
    next: Mutex<Option<Instant>>,
}

impl Outage {
    /// None yet; this is how long to leave the server alone after each failure.
    pub(crate) fn new(pause: Duration) -> Self {
        Self { pause, next: Mutex::new(None) }
    }

    /// Whether to ask now. During an outage the one who is let through keeps the others from it for another pause and
    /// for the time the asking may take.
    pub(crate) fn admits(&self, now: Instant, patience: Duration) -> bool {
        let mut next = self.next();
        match *next {
            None => true,
            Some(at) if at <= now => {
                *next = Some(now + self.pause + patience);
                true
            }
            Some(_) => false,
        }
    }

    /// The server did not answer. True when it did before.
    pub(crate) fn failed(&self, now: Instant) -> bool {
        self.next().replace(now + self.pause).is_none()
    }

    /// The server answered. True when that ends an outage.
    pub(crate) fn answered(&self) -> bool {
        self.next().take().is_some()
    }

    fn next(&self) -> MutexGuard<'_, Option<Instant>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_asks_in_each_pause_until_there_is_an_answer() {
        let outage = Outage::new(Duration::from_secs(5));
        let (begin, patience) = (Instant::now(), Duration::from_secs(1));
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert!(outage.admits(at(0), patience) && outage.admits(at(0), patience));
        assert!(outage.failed(at(0)), "the outage begins");
        assert!(!outage.failed(at(0)), "and begins once");
        assert!(!outage.admits(at(4), patience));
        assert!(outage.admits(at(5), patience) && !outage.admits(at(6), patience), "one tries");
        assert!(!outage.failed(at(6)));
        assert!(!outage.admits(at(10), patience) && outage.admits(at(11), patience));
        assert!(outage.answered() && !outage.answered());
        assert!(outage.admits(at(11), patience));
    }

    #[test]
    fn a_trial_that_was_given_up_blocks_nobody_for_ever() {
        let outage = Outage::new(Duration::from_secs(5));
        let (begin, patience) = (Instant::now(), Duration::from_secs(1));
        outage.failed(begin);
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert!(outage.admits(at(5), patience));
        assert!(!outage.admits(at(10), patience) && outage.admits(at(11), patience));
    }
}
