//! The binary says which it is. As a test of its own package this also makes the binary fresh for the tests of the whole.

use std::process::Command;

#[test]
fn the_version_names_the_commit() {
    let output = Command::new(env!("CARGO_BIN_EXE_autopr")).arg("--version").output().expect("autopr runs");
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(version.starts_with(concat!("autopr ", env!("CARGO_PKG_VERSION"), " (")), "{version}");
}
