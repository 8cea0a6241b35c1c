//! A circuit breaker: a provider that keeps failing, or asks for a long wait, is not asked for a while, then tried by one
//! call.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::IN_PLACE;
use crate::clock::{after, between};
use crate::fault::{Fault, FaultKind, Retry};

/// What failures in a row must weigh to open the breaker.
const OPENS: u32 = 20;

/// The weight of a failure: five open the breaker.
const FAILURE: u32 = 4;

/// The weight of a time-out, which has taken a minute already: three do.
const TIMEOUT: u32 = 7;

/// The weight of an answer that asks for a moment's patience: twenty do. Fewer say only that others are asking too.
const LIMIT: u32 = 1;

/// How long it stays open the first time; it doubles with each trial that fails.
const PAUSE: Duration = Duration::from_secs(30);

/// The longest it stays open by failures.
const LONGEST: Duration = Duration::from_secs(300);

/// The longest it stays open because somebody said so: the provider, or another process.
pub(super) const LONGEST_TOLD: Duration = Duration::from_secs(3600);

/// How often other processes are listened to at most.
const LISTENS: Duration = Duration::from_secs(1);

/// The breaker of one provider.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    /// What the failures in a row weigh.
    weight: u32,
    /// How often it opened in a row.
    openings: u32,
    /// When a trial may be made; none while the breaker is closed.
    trial_at: Option<Timestamp>,
    /// Whether a trial is under way.
    trying: bool,
    /// Whether it is open because another process said so.
    told: bool,
    /// When other processes were last listened to.
    listened_at: Option<Timestamp>,
}

impl Breaker {
    /// Whether a call may be made now; if not, how long to wait. While it is open, one caller is let through each time the
    /// pause is over; the others find it open for another pause.
    pub(super) fn admits(&self, now: Timestamp) -> Result<(), Duration> {
        let mut state = self.state();
        match state.trial_at {
            None => Ok(()),
            Some(at) if at <= now => {
                state.trial_at = Some(after(now, PAUSE));
                (state.trying, state.told) = (true, false);
                Ok(())
            }
            Some(at) => Err(between(now, at)),
        }
    }

    /// How long the provider is left alone from now on, but for a trial; none while the breaker is closed.
    pub(super) fn pause(&self, now: Timestamp) -> Option<Duration> {
        self.state().trial_at.map(|at| between(now, at))
    }

    /// A call was answered. True when that closed the breaker.
    pub(super) fn succeeded(&self) -> bool {
        let mut state = self.state();
        let was_open = state.trial_at.is_some();
        *state = State { listened_at: state.listened_at, ..State::default() };
        was_open
    }

    /// A call failed. When that leaves the provider alone for longer than was known, until when.
    pub(super) fn failed(&self, fault: &Fault, now: Timestamp) -> Option<Timestamp> {
        let mut state = self.state();
        let asked = match (fault.kind, fault.retry) {
            (FaultKind::Limited | FaultKind::Unavailable, Retry::After(wait)) if wait > IN_PLACE => Some(wait),
            _ => None,
        };
        if let Some(wait) = asked {
            let until = after(now, wait.min(LONGEST_TOLD));
            let longer = state.trying || state.trial_at.is_none_or(|at| at < until);
            (state.trying, state.told) = (false, false);
            return longer.then(|| *state.trial_at.insert(until));
        }
        let weight = weight(fault)?;
        if state.trial_at.is_some() && !state.trying {
            // It was under way when the breaker opened, and tells nothing new.
            return None;
        }
        state.weight = state.weight.saturating_add(weight);
        if state.weight < OPENS && !state.trying {
            return None;
        }
        let pause = PAUSE.saturating_mul(1_u32.checked_shl(state.openings).unwrap_or(u32::MAX)).min(LONGEST);
        state.openings = state.openings.saturating_add(1);
        state.trying = false;
        Some(*state.trial_at.insert(after(now, pause)))
    }

    /// Whether to listen to other processes now: rarely, and not while this one knows for itself.
    pub(super) fn listens(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        let knows = !state.told && state.trial_at.is_some_and(|at| now < at);
        let lately = state.listened_at.is_some_and(|at| at <= now && between(at, now) < LISTENS);
        if knows || lately {
            return false;
        }
        state.listened_at = Some(now);
        true
    }

    /// Until when other processes leave the provider alone, if they do.
    pub(super) fn heard(&self, until: Option<Timestamp>, now: Timestamp) {
        let mut state = self.state();
        if !state.told && state.trial_at.is_some_and(|at| now < at) {
            return;
        }
        match until.filter(|until| now < *until && *until <= after(now, LONGEST_TOLD)) {
            Some(until) => (state.trial_at, state.told) = (Some(until), true),
            None if state.told => (state.trial_at, state.told) = (None, false),
            None => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much such a fault says that the provider is not well; none when it says nothing of it.
fn weight(fault: &Fault) -> Option<u32> {
    match fault.kind {
        FaultKind::Unavailable | FaultKind::Unknown => Some(FAILURE),
        FaultKind::Timeout => Some(TIMEOUT),
        FaultKind::Limited => Some(LIMIT),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        after(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds))
    }

    fn fault(kind: FaultKind, retry: Retry) -> Fault {
        Fault::new(kind, "no").retry(retry)
    }

    fn down() -> Fault {
        fault(FaultKind::Unavailable, Retry::Backoff)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_trial_through() {
        let breaker = Breaker::default();
        for _ in 0..4 {
            assert_eq!(breaker.failed(&down(), at(0)), None);
        }
        assert!(!breaker.succeeded(), "it was not open");
        for second in 0..4 {
            assert_eq!(breaker.failed(&down(), at(second)), None, "a success in between starts the count anew");
        }
        assert!(breaker.admits(at(4)).is_ok());
        assert_eq!(breaker.failed(&down(), at(4)), Some(at(34)));
        assert_eq!(breaker.admits(at(33)), Err(Duration::from_secs(1)));
        assert!(breaker.admits(at(34)).is_ok(), "the pause is over");
        assert!(breaker.admits(at(34)).is_err(), "one trial at a time");
        assert_eq!(breaker.failed(&down(), at(35)), Some(at(95)), "the pause doubled");
        assert_eq!(breaker.failed(&down(), at(36)), None, "it was open already");
        assert!(breaker.admits(at(94)).is_err() && breaker.admits(at(95)).is_ok());
        assert!(breaker.succeeded());
        assert!(breaker.admits(at(95)).is_ok() && breaker.pause(at(95)).is_none());
    }

    #[test]
    fn a_few_limits_and_few_time_outs_are_told_apart() {
        let failures = |kind| {
            let breaker = Breaker::default();
            (1..=40).find(|_| breaker.failed(&fault(kind, Retry::Backoff), at(0)).is_some())
        };
        assert_eq!(failures(FaultKind::Limited), Some(20));
        assert_eq!(failures(FaultKind::Unknown), Some(5));
        assert_eq!(failures(FaultKind::Timeout), Some(3));
        assert_eq!(failures(FaultKind::Denied), None);
    }

    #[test]
    fn a_long_wait_asked_for_is_kept_to_by_all_but_not_for_ever() {
        let breaker = Breaker::default();
        let asks = |seconds| fault(FaultKind::Limited, Retry::After(Duration::from_secs(seconds)));
        assert_eq!(breaker.failed(&asks(10), at(0)), None, "that is waited for in place");
        assert_eq!(breaker.failed(&asks(600), at(0)), Some(at(600)));
        assert_eq!(breaker.failed(&asks(60), at(1)), None, "a call that was under way tells nothing longer");
        assert_eq!(breaker.admits(at(599)), Err(Duration::from_secs(1)));
        assert!(breaker.admits(at(600)).is_ok());
        assert_eq!(breaker.failed(&asks(1_000_000), at(600)), Some(at(4200)));
        assert!(breaker.admits(at(4200)).is_ok());
        assert_eq!(breaker.failed(&asks(1), at(4201)), Some(at(4231)), "a trial that fails");
    }

    #[test]
    fn what_others_say_holds_until_they_take_it_back_or_it_is_known_better() {
        let breaker = Breaker::default();
        assert!(breaker.listens(at(0)) && !breaker.listens(at(0)) && breaker.listens(at(1)));
        breaker.heard(Some(at(100)), at(1));
        assert_eq!(breaker.admits(at(2)), Err(Duration::from_secs(98)));
        assert!(breaker.listens(at(2)));
        breaker.heard(None, at(2));
        assert!(breaker.admits(at(2)).is_ok(), "they took it back");
        breaker.heard(Some(at(1_000_000)), at(3));
        assert!(breaker.admits(at(3)).is_ok(), "nobody is to be left alone for that long");
        for _ in 0..5 {
            breaker.failed(&down(), at(4));
        }
        assert!(!breaker.listens(at(5)), "it knows for itself");
        breaker.heard(None, at(5));
        assert!(breaker.admits(at(5)).is_err());
        assert!(breaker.listens(at(34)), "before a trial");
        breaker.heard(Some(at(50)), at(34));
        assert_eq!(breaker.admits(at(34)), Err(Duration::from_secs(16)), "another process tried");
        assert!(breaker.admits(at(50)).is_ok());
    }
}
