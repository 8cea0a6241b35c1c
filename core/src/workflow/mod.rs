//! Workflows as data.
