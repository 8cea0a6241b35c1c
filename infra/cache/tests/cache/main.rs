//! The cache in memory, and in real Redis servers that die, hang, come back, and hold what they should not.

mod contract;
mod faults;
mod setup;
mod wrong_data;
