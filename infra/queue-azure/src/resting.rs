//! The messages that this process gave back and that nobody is handed yet.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Messages that rest. The service does not show them to whoever looks which message is next, though they wait.
#[derive(Debug, Default)]
pub(crate) struct Resting(Mutex<HashMap<String, Rest>>);

#[derive(Debug)]
struct Rest {
    published: Timestamp,
    until: Instant,
}

impl Resting {
    /// Notes that a message rests for so long from `now` on.
    pub(crate) fn note(&self, id: &str, published: Timestamp, rest: Duration, now: Instant) {
        let Some(until) = now.checked_add(rest) else { return };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), Rest { published, until });
    }

    /// When the oldest was published of those that still rest. The others are forgotten.
    pub(crate) fn oldest(&self, now: Instant) -> Option<Timestamp> {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, rest| rest.until > now);
        resting.values().map(|rest| rest.published).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_known_for_as_long_as_it_rests() {
        let (resting, begun) = (Resting::default(), Instant::now());
        let published = |second: i64| Timestamp::from_second(second).unwrap();
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        resting.note("one", published(1), Duration::from_secs(10), begun);
        resting.note("two", published(2), Duration::from_secs(30), begun);
        // It was handed out in between, and given back again.
        resting.note("one", published(1), Duration::from_secs(20), after(11));
        resting.note("gone", published(0), Duration::ZERO, begun);
        let told: Vec<_> = [0, 15, 31, 32].map(|seconds| resting.oldest(after(seconds))).into();
        assert_eq!(told, [Some(published(1)), Some(published(1)), None, None]);
        assert!(resting.0.lock().unwrap().is_empty());
    }

    #[test]
    fn one_that_rests_no_longer_is_left_out() {
        let (resting, begun) = (Resting::default(), Instant::now());
        let published = |second: i64| Timestamp::from_second(second).unwrap();
        resting.note("one", published(1), Duration::from_secs(10), begun);
        resting.note("two", published(2), Duration::from_secs(30), begun);
        assert_eq!(resting.oldest(begun + Duration::from_secs(10)), Some(published(2)));
    }
}
