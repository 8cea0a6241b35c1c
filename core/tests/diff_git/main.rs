//! Diffs made by git itself: random trees, real histories, and damaged diffs.

mod bytes;
mod histories;
mod oracle;
mod repository;
mod trees;
