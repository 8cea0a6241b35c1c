//! Deterministic analysers.
