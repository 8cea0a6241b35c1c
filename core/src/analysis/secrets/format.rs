//! What a vendor's token looks like.

use std::ops::Range;

use crate::analysis::rule::Rule;

/// One vendor's token format.
pub(super) struct Format {
    /// The rule a match reports.
    pub(super) rule: Rule,
    /// Texts one of which every match holds; only where one stands is the pattern tried.
    pub(super) literals: &'static [&'static str],
    /// How many bytes before the literal a match may begin.
    pub(super) behind: usize,
    /// How many bytes from the literal on a match may reach.
    pub(super) ahead: usize,
    /// A regular expression over bytes; the group `s` is the secret, or else the whole match.
    pub(super) pattern: &'static str,
    /// What the pattern can't say: a checksum, a companion on the line. It gets the line and the secret's place in it.
    pub(super) check: fn(&[u8], Range<usize>) -> bool,
    /// Whether the last characters may be shown; not for what people choose themselves.
    pub(super) tail: bool,
}

/// Declares the rule of a format from its name in ids, its name for people, and where it is revoked.
macro_rules! rule {
    ($kind:literal, $name:literal, $revoke:literal) => {
        rule!($kind, $name, $revoke, Critical)
    };
    ($kind:literal, $name:literal, $revoke:literal, $severity:ident) => {
        Rule {
            id: concat!("secret/", $kind),
            severity: Severity::$severity,
            title: concat!($name, " in the change"),
            reason: "Whoever can read the repository can use it, and it stays in the history after the line is deleted.",
            fix: concat!("Revoke it (", $revoke, "), then read the new one from the environment or a secret store."),
        }
    };
}
pub(super) use rule;

/// A format whose tokens begin with one of `literals`.
pub(super) const fn token(rule: Rule, literals: &'static [&'static str], pattern: &'static str) -> Format {
    Format { rule, literals, behind: 0, ahead: 512, pattern, check: super::check::varied, tail: true }
}

impl Format {
    pub(super) const fn checked(self, check: fn(&[u8], Range<usize>) -> bool) -> Self {
        Self { check, ..self }
    }

    pub(super) const fn behind(self, behind: usize) -> Self {
        Self { behind, ..self }
    }

    pub(super) const fn ahead(self, ahead: usize) -> Self {
        Self { ahead, ..self }
    }

    pub(super) const fn without_tail(self) -> Self {
        Self { tail: false, ..self }
    }

    /// The word for this kind of secret in ids and placeholders.
    pub(super) fn kind(&self) -> &'static str {
        self.rule.id.strip_prefix("secret/").unwrap_or(self.rule.id)
    }
}
