//! Back-off as a value: how long to wait before an attempt.

use std::time::Duration;

/// The longest wait a back-off grows to.
const LONGEST: Duration = Duration::from_hours(1);

/// The wait after `attempt` failed (from 1): it doubles with each attempt, and is spread over 75 % to 125 % of that by
/// `seed`, so that executions which failed together do not come back together. The same input gives the same wait.
pub fn backoff(delay: Duration, attempt: u32, seed: u64) -> Duration {
    let doubled = delay.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
    let base = doubled.min(LONGEST);
    let spread = u32::try_from(mix(seed ^ u64::from(attempt)) % 501).unwrap_or(250);
    base * (750 + spread) / 1000
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
}
