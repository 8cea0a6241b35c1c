//! Where npm's packages lie that tests read: descriptions and examples that GitHub and its users publish.

use std::path::PathBuf;

/// The environment variable that names the `node_modules` folder.
pub const VARIABLE: &str = "AUTOPR_TEST_NODE_MODULES";

/// The `node_modules` folder: the one the variable names, or that of `scripts/test` in the user's cache.
pub fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os(VARIABLE) {
        return PathBuf::from(folder);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_default();
    cache.join("autopr/node/node_modules")
}
