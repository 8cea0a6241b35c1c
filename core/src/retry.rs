//! Back-off as a value: how long to wait before an attempt.

use std::time::Duration;

/// The longest wait a back-off grows to.
const LONGEST: Duration = Duration::from_hours(1);

/// What is added to a wait that was asked for is taken from no more than this.
const MOST_SPREAD: Duration = Duration::from_secs(120);

/// The wait after `attempt` failed (from 1): it doubles with each attempt, and is spread over 75 % to 125 % of that by
/// `seed`, so that executions which failed together do not come back together. The same input gives the same wait.
pub fn backoff(delay: Duration, attempt: u32, seed: u64) -> Duration {
    backoff_up_to(LONGEST, delay, attempt, seed)
}

/// [`backoff`] that grows to `longest` and no further.
pub fn backoff_up_to(longest: Duration, delay: Duration, attempt: u32, seed: u64) -> Duration {
    let doubled = delay.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(longest) * (750 + thousandths(attempt, seed)) / 1000
}

/// A wait that the other side asked for, and up to half as long again but at most a minute, so that those who were told
/// the same do not come back together.
pub fn spread(wait: Duration, attempt: u32, seed: u64) -> Duration {
    wait.saturating_add(wait.min(MOST_SPREAD) * thousandths(attempt, seed) / 1000)
}

/// A number from 0 to 500.
fn thousandths(attempt: u32, seed: u64) -> u32 {
    u32::try_from(mix(seed ^ u64::from(attempt)) % 501).unwrap_or(250)
}

/// Spreads the bits of a number (the finaliser of SplitMix64).
fn mix(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_each_attempt_and_stay_within_a_quarter() {
        for seed in 0..200 {
            for (attempt, expected) in [(1, 5), (2, 10), (3, 20), (12, 3600), (40, 3600)] {
                let wait = backoff(Duration::from_secs(5), attempt, seed).as_secs_f64();
                let expected = f64::from(expected);
                assert!((0.75 * expected..=1.25 * expected).contains(&wait), "attempt {attempt}: {wait}");
            }
        }
        assert_ne!(backoff(Duration::from_secs(5), 1, 1), backoff(Duration::from_secs(5), 1, 2));
    }

    #[test]
    fn waits_asked_for_are_kept_to_and_spread() {
        for (wait, most) in [(0, 0.0), (10, 15.0), (120, 180.0), (3600, 3660.0)] {
            let wait = Duration::from_secs(wait);
            let waits: Vec<_> = (0..200).map(|seed| spread(wait, 1, seed)).collect();
            assert!(waits.iter().all(|spread| *spread >= wait && spread.as_secs_f64() <= most));
            let (first, last) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
            assert!((*last - *first).as_secs_f64() >= 0.9 * (most - wait.as_secs_f64()));
        }
    }
}
