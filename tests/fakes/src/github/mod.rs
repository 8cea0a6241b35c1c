//! A GitHub that keeps state: see the module documentation to come.
