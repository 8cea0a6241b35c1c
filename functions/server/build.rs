//! Tells the program which commit it was built from.

use std::process::Command;

fn main() {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // Where there is no repository, as in an image's build, whoever builds it may tell.
    let told = std::env::var("AUTOPR_COMMIT").ok().filter(|commit| !commit.is_empty());
    let told = told.map(|commit| commit.chars().take(10).collect());
    let commit =
        told.or_else(|| git(&["rev-parse", "--short=10", "HEAD"])).unwrap_or_else(|| "unknown commit".to_owned());
    println!("cargo::rustc-env=AUTOPR_COMMIT={commit}");
    // The files whose change means another commit: HEAD, and the log of where it pointed.
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    println!("cargo::rerun-if-env-changed=AUTOPR_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
}
