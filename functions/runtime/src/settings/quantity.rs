//! Numbers with their unit.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A whole number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Seconds(pub u32);

impl Seconds {
    /// The same time as a [`Duration`].
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0))
    }
}

/// An amount of money in US dollars, as written; everything that counts money does so in micro-dollars.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Usd(pub f64);

impl Usd {
    /// The same amount in millionths of a dollar, rounded; 0 for a negative amount.
    pub fn micros(self) -> u64 {
        // Settings hold at most a million dollars, far below where the cast would saturate.
        (self.0 * 1e6).round() as u64
    }
}
