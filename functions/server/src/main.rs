//! The `autopr` binary.

#[expect(dead_code, reason = "the command line that prints reports is not here yet")]
mod report;

fn main() {}
