//! The workflows that ship with the engine.

/// Each built-in workflow: the name its mistakes would be reported under, and its YAML. An operator's file with the
/// same workflow name takes its place.
pub const WORKFLOWS: &[(&str, &str)] = &[("built-in pr-review", include_str!("../../workflows/pr-review.yaml"))];
