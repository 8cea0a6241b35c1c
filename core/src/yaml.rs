//! YAML documents read so that every mistake is reported at once, with its place and its fix.
