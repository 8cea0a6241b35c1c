//! Time as a value: the system's, or one that only moves when a test moves it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// Where the engine gets its time from. Cloning shares the same clock.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved. For tests.
    Manual(Arc<ManualClock>),
    /// A clock that runs faster than the machine's. For tests of whole processes, which can't wait for minutes.
    Fast(FastClock),
}

impl Clock {
    /// A clock that stands at `start`.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(ManualClock { now: watch::Sender::new(start) }))
    }

    /// The time now, to the microsecond: what the stores keep.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => whole_microseconds(Timestamp::now()),
            Self::Manual(clock) => *clock.now.borrow(),
            Self::Fast(clock) => whole_microseconds(clock.at(Timestamp::now())),
        }
    }

    /// What it shows at a time of the machine's clock, which others name: the end of a function's time, for example.
    pub fn at(&self, machine: Timestamp) -> Timestamp {
        match self {
            Self::System => whole_microseconds(machine),
            Self::Manual(_) => after(self.now(), between(Timestamp::now(), machine)),
            Self::Fast(clock) => whole_microseconds(clock.at(machine)),
        }
    }

    /// Waits because waiting is what is to be done. A manual clock jumps there at once, so that no test waits.
    pub async fn sleep(&self, duration: Duration) {
        match self {
            Self::System => tokio::time::sleep(duration).await,
            Self::Manual(clock) => {
                clock.advance(duration);
                tokio::task::yield_now().await;
            }
            Self::Fast(clock) => tokio::time::sleep(duration / clock.times.max(1)).await,
        }
    }

    /// Completes once this much time has passed by itself. A manual clock is not moved by it: the guard of a time-out
    /// fires only if something else takes that long.
    pub async fn elapsed(&self, duration: Duration) {
        match self {
            Self::System => tokio::time::sleep(duration).await,
            Self::Manual(clock) => {
                let mut now = clock.now.subscribe();
                let until = after(self.now(), duration);
                // An error means the clock is gone, and with it all that could move it: then the time never comes.
                if now.wait_for(|now| *now >= until).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            Self::Fast(clock) => tokio::time::sleep(duration / clock.times.max(1)).await,
        }
    }

    /// Runs `future` for at most this long; none when it took longer, in which case it was dropped. The time is looked at
    /// before the future each time: a process that was stopped for longer does nothing more of it.
    pub async fn timeout<F: Future>(&self, duration: Duration, future: F) -> Option<F::Output> {
        let until = after(self.now(), duration);
        let mut future = pin!(future);
        let mut timer = pin!(self.elapsed(duration));
        poll_fn(|context| {
            if self.now() >= until {
                return Poll::Ready(None);
            }
            match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => timer.as_mut().poll(context).map(|()| None),
            }
        })
        .await
    }
}

/// The state of a [`Clock::Manual`].
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.now.send_modify(|now| *now = after(*now, duration));
    }
}

/// The settings of a [`Clock::Fast`]. Processes that share a store need the same `start` and `times`.
#[derive(Debug, Clone, Copy)]
pub struct FastClock {
    /// When it showed what the machine's clock did.
    pub start: Timestamp,
    /// How many times as fast as the machine's it runs.
    pub times: u32,
    /// How far it is ahead besides, as clocks of different machines differ.
    pub ahead: Duration,
}

impl FastClock {
    /// What it shows at a time of the machine's clock.
    fn at(&self, machine: Timestamp) -> Timestamp {
        after(after(self.start, between(self.start, machine) * self.times), self.ahead)
    }
}

/// `time` plus `duration`, or the end of time when that is nearer.
pub fn after(time: Timestamp, duration: Duration) -> Timestamp {
    time.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

/// `time` less `duration`, or the beginning of time when that is nearer.
pub fn before(time: Timestamp, duration: Duration) -> Timestamp {
    time.saturating_sub(duration).unwrap_or(Timestamp::MIN)
}

/// How long it is from `earlier` to `later`; nothing when it is the other way round.
pub fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}

fn whole_microseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_shows_more_time_than_has_passed() {
        let (start, ahead) = (Timestamp::UNIX_EPOCH, Duration::from_secs(5));
        let clock = FastClock { start, times: 6, ahead };
        assert_eq!(clock.at(start), after(start, ahead));
        assert_eq!(clock.at(after(start, Duration::from_secs(10))), after(start, Duration::from_secs(65)));
    }
}
