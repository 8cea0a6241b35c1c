//! How much work it is to review a change.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much work it is to review a change, with the figures this stands on.
///
/// The level grows with the *weight* of the change: an added line counts one, a removed line a quarter (it is read
/// faster), each file five (the reader has to find his place). Generated, vendored and lock files count nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// 1 to 5.
    pub level: u8,
    /// Files a person should read.
    pub files: u32,
    /// Lines added in those files.
    pub added: u32,
    /// Lines removed in those files.
    pub removed: u32,
    /// Generated, vendored and lock files, which nobody reads.
    pub unread: u32,
}

impl Effort {
    /// The effort for these figures.
    pub(super) fn new(files: u32, added: u32, removed: u32, unread: u32) -> Self {
        let level = match u64::from(weigh(added, removed)) + 5 * u64::from(files) {
            0..=30 => 1,
            31..=120 => 2,
            121..=400 => 3,
            401..=1000 => 4,
            _ => 5,
        };
        Self { level, files, added, removed, unread }
    }

    /// The lines to read, removed ones counted a quarter.
    pub(super) fn weight(&self) -> u32 {
        weigh(self.added, self.removed)
    }

    /// The level in a word: trivial, small, medium, large or huge.
    pub fn word(&self) -> &'static str {
        match self.level {
            0 | 1 => "trivial",
            2 => "small",
            3 => "medium",
            4 => "large",
            _ => "huge",
        }
    }
}

impl fmt::Display for Effort {
    /// The level and its word: `2 of 5 (small)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of 5 ({})", self.level, self.word())
    }
}

fn weigh(added: u32, removed: u32) -> u32 {
    added.saturating_add(removed / 4)
}
