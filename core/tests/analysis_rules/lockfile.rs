//! Manifests and lock files.

use autopr_core::analysis::wants;
use autopr_core::diff::Diff;
use bytes::Bytes;
use rstest::rstest;

use crate::{Contents, changed, edited, new_file, places, run_with};

/// Analyses the change of a manifest beside an unchanged lock file.
fn drift(path: &str, old: &str, new: &str, lock_path: &str, lock: &str) -> Vec<String> {
    let file = |text: &str| Some(Bytes::copy_from_slice(text.as_bytes()));
    let contents = Contents::from([(path.to_owned(), file(new)), (lock_path.to_owned(), file(lock))]);
    places(&run_with(&edited(path, old, new), &contents, &[]))
}

const CARGO: &str = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n\n[dependencies]\nserde = \"1\"\n";
const CARGO_LOCK: &str = "[[package]]\nname = \"serde\"\nversion = \"1.0.200\"\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\n \"serde\",\n]\n";

#[rstest]
#[case::new("serde = \"1\"\ntokio = \"1\"", Some(7))]
#[case::table("serde = \"1\"\ntokio = { version = \"1\", features = [\"rt\"] }", Some(7))]
#[case::workspace("serde = \"1\"\ntokio.workspace = true", Some(7))]
#[case::too_new("serde = \"1.0.210\"", Some(6))]
#[case::other_major("serde = \"2\"", Some(6))]
#[case::own_table("serde = \"1\"\n\n[dev-dependencies.insta]\nversion = \"1\"", Some(8))]
#[case::still_fulfilled("serde = \"1.0.100\"", None)]
#[case::feature("serde = { version = \"1\", features = [\"derive\"] }", None)]
#[case::renamed("serde = \"1\"\nencode = { package = \"serde\", version = \"1\" }", None)]
#[case::comment("serde = \"1\" # keep", None)]
#[case::other_table("serde = \"1\"\n\n[features]\nfast = []", None)]
#[case::workspace_table("serde = \"1\"\n\n[workspace.dependencies]\ntokio = \"1\"", None)]
fn a_crate_the_lock_file_does_not_hold(#[case] dependencies: &str, #[case] line: Option<u32>) {
    let new = CARGO.replace("serde = \"1\"", dependencies);
    let expected: Vec<String> =
        line.map(|line| format!("medium lockfile/drift Cargo.toml:{line}")).into_iter().collect();
    assert_eq!(drift("Cargo.toml", CARGO, &new, "Cargo.lock", CARGO_LOCK), expected);
}

#[test]
fn the_lock_file_of_the_workspace_counts_for_its_members_only() {
    let new = format!("{CARGO}tokio = \"1\"\n");
    assert_eq!(
        drift("crates/shop/Cargo.toml", CARGO, &new, "Cargo.lock", CARGO_LOCK),
        ["medium lockfile/drift crates/shop/Cargo.toml:7"]
    );
    let stranger = CARGO_LOCK.replace("shop", "other");
    assert_eq!(drift("fuzz/Cargo.toml", CARGO, &new, "Cargo.lock", &stranger), [""; 0]);
}

const NODE: &str = "{\n  \"version\": \"1.0.0\",\n  \"scripts\": {\n    \"test\": \"jest\"\n  },\n  \"dependencies\": {\n    \"left-pad\": \"^1.3.0\"\n  }\n}\n";

#[rstest]
#[case::npm("package-lock.json", "\"dependencies\": { \"left-pad\": \"^1.3.0\" }")]
#[case::yarn("yarn.lock", "left-pad@^1.3.0:\n  version \"1.3.0\"\n")]
#[case::pnpm("pnpm-lock.yaml", "dependencies:\n  left-pad:\n    specifier: ^1.3.0\n")]
fn a_package_the_lock_file_does_not_hold(#[case] lock_path: &str, #[case] lock: &str) {
    let new = NODE.replace("\"left-pad\"", "\"is-odd\": \"^3.0.1\",\n    \"left-pad\"");
    assert_eq!(drift("package.json", NODE, &new, lock_path, lock), ["medium lockfile/drift package.json:7"]);
    let script = NODE.replace("\"jest\"", "\"jest --ci\"").replace("1.0.0", "1.1.0");
    assert_eq!(drift("package.json", NODE, &script, lock_path, lock), [""; 0]);
    let local = NODE.replace("\"left-pad\"", "\"@shop/ui\": \"workspace:*\",\n    \"left-pad\"");
    assert_eq!(drift("package.json", NODE, &local, lock_path, lock), [""; 0]);
}

const GO: &str = "module shop\n\ngo 1.24\n\nrequire (\n\tgithub.com/a/b v1.2.3\n)\n";
const GO_SUM: &str = "github.com/a/b v1.2.3 h1:x=\ngithub.com/a/b v1.2.3/go.mod h1:y=\n";

#[rstest]
#[case::update("github.com/a/b v1.3.0", Some(6))]
#[case::new("github.com/a/b v1.2.3\n\tgithub.com/c/d v0.1.0 // indirect", Some(7))]
#[case::replaced("github.com/a/b v1.2.3\n\tshop/inner v0.0.1\n)\nreplace (\n\tshop/inner => ./inner", None)]
#[case::comment("github.com/a/b v1.2.3 // indirect", None)]
fn a_module_the_sums_do_not_hold(#[case] lines: &str, #[case] line: Option<u32>) {
    let new = GO.replace("github.com/a/b v1.2.3", lines);
    let expected: Vec<String> = line.map(|line| format!("medium lockfile/drift go.mod:{line}")).into_iter().collect();
    assert_eq!(drift("go.mod", GO, &new, "go.sum", GO_SUM), expected);
}

#[rstest]
#[case::pep621(
    "[project]\nname = \"shop\"\ndependencies = [\n    \"httpx>=0.27\",\n]\n",
    "    \"httpx>=0.27\",\n    \"Typing_Extensions[all]>=4; python_version < '3.12'\",\n",
    "name = \"httpx\"\n",
    "name = \"typing-extensions\"\n"
)]
#[case::poetry(
    "[tool.poetry.dependencies]\npython = \"^3.12\"\nhttpx = \"^0.27\"\n",
    "httpx = \"^0.27\"\nrich = \"^13\"\n",
    "name = \"httpx\"\n",
    "name = \"rich\"\n"
)]
fn a_python_package_the_lock_file_does_not_hold(
    #[case] old: &str,
    #[case] lines: &str,
    #[case] lock: &str,
    #[case] entry: &str,
) {
    let first = lines.lines().next().unwrap();
    let new = old.replace(&format!("{first}\n"), lines);
    assert_eq!(drift("pyproject.toml", old, &new, "uv.lock", lock).len(), 1);
    assert_eq!(drift("pyproject.toml", old, &new, "uv.lock", &format!("{lock}{entry}")), [""; 0]);
}

#[test]
fn gems_and_composer_packages_count_too() {
    let (old, new) = ("gem \"rails\"\n", "gem \"rails\"\ngem \"puma\", \"~> 6\"\ngem \"own\", path: \"own\"\n");
    assert_eq!(drift("Gemfile", old, new, "Gemfile.lock", "    rails (8.0.0)\n"), ["medium lockfile/drift Gemfile:2"]);
    let old = "{\n    \"require\": {\n        \"php\": \"^8.2\"\n    }\n}\n";
    let new = old.replace("\"^8.2\"", "\"^8.3\",\n        \"acme/http\": \"^2.0\"");
    assert_eq!(drift("composer.json", old, &new, "composer.lock", "{}"), ["medium lockfile/drift composer.json:4"]);
}

#[test]
fn nothing_is_guessed_without_the_lock_files_content() {
    let diff = edited("Cargo.toml", CARGO, &format!("{CARGO}tokio = \"1\"\n"));
    assert_eq!(places(&run_with(&diff, &Contents::new(), &[])), [""; 0]);
    let absent = Contents::from([("Cargo.lock".to_owned(), None)]);
    assert_eq!(places(&run_with(&diff, &absent, &[])), [""; 0]);
}

#[test]
fn a_change_that_brings_its_lock_file_asks_for_nothing() {
    let manifest = edited("app/Cargo.toml", CARGO, &format!("{CARGO}tokio = \"1\"\n"));
    let wanted = |text: &str| wants(&Diff::parse(text.as_bytes()).unwrap());
    assert_eq!(wanted(&manifest), ["app/Cargo.toml", "app/Cargo.lock", "Cargo.lock"]);
    assert_eq!(wanted(&format!("{manifest}{}", new_file("Cargo.lock", "x"))), [""; 0]);
    let description = edited("Cargo.toml", CARGO, &CARGO.replace("[package]", "[package]\ndescription = \"a shop\""));
    assert_eq!(wanted(&description), [""; 0]);
}

#[test]
fn at_most_eight_paths_are_wanted_and_workflows_come_first() {
    let text = format!(
        "{}{}{}",
        edited("web/app/package.json", NODE, &NODE.replace("^1.3.0", "^2.0.0")),
        edited("Cargo.toml", CARGO, &CARGO.replace("\"1\"", "\"2\"")),
        changed(".github/workflows/ci.yml", "+on: push"),
    );
    insta::assert_snapshot!(wants(&Diff::parse(text.as_bytes()).unwrap()).join("\n"), @"
    .github/workflows/ci.yml
    web/app/package.json
    Cargo.toml
    web/app/package-lock.json
    Cargo.lock
    package-lock.json
    web/package-lock.json
    web/app/yarn.lock
    ");
}
