//! Makes the program smaller where it is built to be shipped.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    // Functions with the same code become one. Rust promises no addresses of functions; its own linker on x86-64, lld, can do
    // it, and others need not know the option. Only the profile of the packages has this level.
    if is("OPT_LEVEL", "z") && is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}
