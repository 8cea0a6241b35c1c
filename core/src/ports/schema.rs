//! The versions of a store's tables.
//!
//! A version only ever expands what the one before it made: adds tables, columns with defaults, indexes. So a program of
//! the version before goes on working while a newer one has already migrated, and replicas can be replaced one by one.
//! What nobody uses any more is removed a version later.

use std::collections::HashSet;

/// One version of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its number.
    pub version: i64,
    /// What it is about.
    pub name: &'static str,
    /// The statements that make it of the version before.
    pub sql: &'static str,
}

/// How far a database's tables are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// What is still to be applied, in order.
    pub pending: Vec<Migration>,
    /// Numbers of what is applied and unknown to this program: a newer one has migrated.
    pub newer: Vec<i64>,
}

impl Schema {
    /// What of `all` is still to be applied, when the database has applied `applied`.
    pub fn of(all: &[Migration], applied: &HashSet<i64>) -> Self {
        let pending = all.iter().filter(|migration| !applied.contains(&migration.version)).copied().collect();
        let known: HashSet<_> = all.iter().map(|migration| migration.version).collect();
        let mut newer: Vec<_> = applied.difference(&known).copied().collect();
        newer.sort_unstable();
        Self { pending, newer }
    }
}
