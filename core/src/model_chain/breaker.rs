//! A circuit breaker: a provider that keeps failing is not asked for a while, then tried by one call.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::after;

/// So many failures in a row open the breaker.
const FAILURES: u32 = 5;

/// How long it stays open the first time; it doubles with each trial that fails.
const PAUSE: Duration = Duration::from_secs(30);

/// The longest it stays open.
const LONGEST: Duration = Duration::from_secs(300);

/// The breaker of one provider.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    failures: u32,
    /// When a trial may be made; none while the breaker is closed.
    trial_at: Option<Timestamp>,
    /// Whether a trial is under way.
    trying: bool,
}

impl Breaker {
    /// Whether a call may be made now. While it is open, one caller is let through each time the pause is over; the
    /// others find it open for another pause.
    pub(super) fn admits(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        match state.trial_at {
            None => true,
            Some(at) if at <= now => {
                state.trial_at = Some(after(now, PAUSE));
                state.trying = true;
                true
            }
            Some(_) => false,
        }
    }

    /// Whether the provider is left alone now, but for a trial.
    pub(super) fn is_open(&self) -> bool {
        self.state().trial_at.is_some()
    }

    /// A call was answered.
    pub(super) fn succeeded(&self) {
        *self.state() = State::default();
    }

    /// A call failed in a way that says the provider is not well. True when that opened the breaker.
    pub(super) fn failed(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        if state.trial_at.is_some() && !state.trying {
            // It was under way when the breaker opened, and tells nothing new.
            return false;
        }
        state.trying = false;
        state.failures = state.failures.saturating_add(1);
        let Some(doublings) = state.failures.checked_sub(FAILURES) else { return false };
        let pause = PAUSE.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(LONGEST);
        let opened = state.trial_at.is_none();
        state.trial_at = Some(after(now, pause));
        opened
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        after(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds))
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_trial_through() {
        let breaker = Breaker::default();
        for _ in 0..4 {
            assert!(!breaker.failed(at(0)));
        }
        breaker.succeeded();
        for second in 0..4 {
            assert!(!breaker.failed(at(second)), "a success in between starts the count anew");
        }
        assert!(breaker.admits(at(4)) && breaker.failed(at(4)));
        assert!(!breaker.admits(at(33)));
        assert!(breaker.admits(at(34)), "the pause is over");
        assert!(!breaker.admits(at(34)), "one trial at a time");
        assert!(!breaker.failed(at(35)), "it was open already");
        assert!(!breaker.admits(at(94)) && breaker.admits(at(95)), "the pause doubled");
        breaker.succeeded();
        assert!(breaker.admits(at(95)) && !breaker.is_open());
    }
}
