//! The workflows that ship with the engine.

/// Each built-in workflow: the name its mistakes would be reported under, and its YAML. An operator's file with the
/// same workflow name takes its place.
pub const WORKFLOWS: &[(&str, &str)] = &[
    ("built-in command", include_str!("../../workflows/command.yaml")),
    ("built-in pr-describe", include_str!("../../workflows/pr-describe.yaml")),
    ("built-in pr-label", include_str!("../../workflows/pr-label.yaml")),
    ("built-in pr-review", include_str!("../../workflows/pr-review.yaml")),
];
