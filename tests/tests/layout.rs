//! The workspace keeps its shape: dependencies point one way.

use std::collections::BTreeMap;
use std::process::Command;

use autopr_e2e::workspace;
use serde_json::Value;

/// How far from the core a package lies, by its folder. A package may use those that lie nearer.
fn layer(folder: &str) -> u8 {
    match folder.split('/').collect::<Vec<_>>()[..] {
        ["core"] => 0,
        ["infra", "cache"] => 1,
        ["infra", _] => 2,
        ["functions", "runtime"] => 3,
        ["functions", "wiring" | "aws"] => 4,
        ["functions", "service"] => 5,
        ["functions", _] => 6,
        // What stands in for the world knows nothing of the product; every edge may be tested against it.
        ["tests", "fakes" | "services"] => 0,
        ["tests" | "benches"] => 7,
        _ => panic!("{folder}: the layout of the workspace has no place for it; see ARCHITECTURE.md"),
    }
}

#[test]
fn dependencies_point_from_functions_to_infra_to_core() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(workspace())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let root = workspace();
    let layers: BTreeMap<&str, u8> = packages
        .iter()
        .map(|package| {
            let manifest = std::path::Path::new(package["manifest_path"].as_str().expect("a path"));
            let folder = manifest.parent().and_then(|folder| folder.strip_prefix(&root).ok()).expect("a member");
            (package["name"].as_str().expect("a name"), layer(&folder.to_string_lossy()))
        })
        .collect();
    assert!(layers.len() >= 7, "{layers:?}");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let used = dependency["name"].as_str().expect("a name");
            let Some(used_layer) = layers.get(used) else { continue };
            // A test may use its own crate's features through itself; nothing else may look up or sideways.
            assert!(*used_layer < layers[name], "{name} uses {used}, which does not lie nearer to the core");
        }
    }
}

#[test]
fn the_core_knows_no_socket_database_or_cloud() {
    let manifest = std::fs::read_to_string(workspace().join("core/Cargo.toml")).expect("core's manifest");
    for forbidden in ["sqlx", "reqwest", "hyper", "axum", "redis", "aws-", "google-", "azure_", "octocrab", "genai"] {
        let uses = manifest.lines().any(|line| line.starts_with(forbidden));
        assert!(!uses, "core depends on {forbidden}");
    }
}

#[test]
fn no_binary_links_what_it_has_no_use_for() {
    let others = ["google-cloud-", "azure_"];
    let google = ["google-cloud-"];
    let amazon = ["aws-config ", "aws-sdk-", "aws-smithy-", "aws_lambda_events ", "lambda_"];
    let sqlite = ["libsqlite3-sys ", "autopr-store-sqlite "];
    let edges =
        ["sqlx", "reqwest ", "genai ", "redis ", "autopr-github ", "autopr-models ", "autopr-store-", "autopr-cache "];
    let sso = ["aws-config ", "aws-sdk-sso", "aws-sdk-sts "];
    check_links("autopr", &[&others[..], &amazon].concat());
    check_links("aws-webhook", &[&others[..], &edges, &sso].concat());
    for function in ["aws-worker", "aws-sweeper", "aws-api"] {
        check_links(function, &[&others[..], &sqlite, &sso].concat());
    }
    check_links("azure-app", &[&google[..], &amazon, &sqlite].concat());
    check_links("gcp-service", &[&["azure_"][..], &amazon, &sqlite].concat());
}

/// The package is built without anything whose name begins with one of `forbidden`.
fn check_links(package: &str, forbidden: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--offline"])
        .current_dir(workspace())
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(tree.lines().any(|line| line.starts_with("autopr-core ")), "{tree}");
    for forbidden in forbidden {
        let found = tree.lines().find(|line| line.starts_with(forbidden));
        assert_eq!(found, None, "{package} links {forbidden}");
    }
}
