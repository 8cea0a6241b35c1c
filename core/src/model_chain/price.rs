//! Money and prices.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// Millionths of a US dollar. Sums stop at the largest number instead of wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroUsd(pub u64);

impl MicroUsd {
    /// The difference, or nothing when `other` is more.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for MicroUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for MicroUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let digits = format!("{rest:06}");
        // Cents are always shown, what is below them only when there is something.
        let shown = digits.trim_end_matches('0');
        write!(f, "${dollars}.{shown:0<2}")
    }
}

/// What a model costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// Nothing: a model of one's own.
    Free,
    /// So much for a million tokens.
    PerMillion {
        /// Of what is sent.
        input: MicroUsd,
        /// Of what is answered.
        output: MicroUsd,
    },
}

impl Price {
    /// What these tokens cost, rounded up to the millionth of a dollar.
    pub fn cost(self, input_tokens: u64, output_tokens: u64) -> MicroUsd {
        let Self::PerMillion { input, output } = self else { return MicroUsd::default() };
        let millionths =
            u128::from(input_tokens) * u128::from(input.0) + u128::from(output_tokens) * u128::from(output.0);
        MicroUsd(u64::try_from(millionths.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_to_the_cent_or_as_exactly_as_they_are() {
        let shown = [0, 10_000, 1_500_000, 123, 2_000_000_000].map(|amount| MicroUsd(amount).to_string());
        assert_eq!(shown, ["$0.00", "$0.01", "$1.50", "$0.000123", "$2000.00"]);
    }

    #[test]
    fn costs_are_rounded_up_and_never_wrap() {
        let price = Price::PerMillion { input: MicroUsd(150_000), output: MicroUsd(600_000) };
        assert_eq!(price.cost(1_000_000, 1_000_000), MicroUsd(750_000));
        assert_eq!(price.cost(1, 0), MicroUsd(1));
        assert_eq!(price.cost(0, 0), MicroUsd(0));
        assert_eq!(price.cost(u64::MAX, u64::MAX), MicroUsd(13_835_058_055_282_163_712));
        assert_eq!(Price::Free.cost(5, 5), MicroUsd(0));
    }
}
