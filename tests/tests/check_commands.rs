//! `autopr config check` and `autopr workflows validate` on files with five mistakes name all five.

use std::fs;

use autopr_e2e::{autopr, workspace};

fn check(name: &str, text: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(name), text).expect("the file is written");
    let output = autopr().current_dir(folder.path()).args(arguments).output().expect("autopr runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn five_mistakes_in_the_settings_are_told_at_once() {
    let text = "\
environment: prod
server: { port: 80800 }
workflow:
  max_concurent: 4
  timeout: soon
logging: { level: LOUD }
";
    let (code, told) = check("settings.yaml", text, &["--config", "settings.yaml", "config", "check"]);
    assert_eq!(code, Some(1), "{told}");
    for place in
        ["settings.yaml:1:14", "settings.yaml:2:17", "settings.yaml:4:3", "settings.yaml:5:12", "settings.yaml:6:19"]
    {
        assert!(told.contains(place), "{place} is not in:\n{told}");
    }
    for fix in ["production", "max_concurrent", "65535", "5 mistakes"] {
        assert!(told.contains(fix), "{fix} is not in:\n{told}");
    }
}

#[test]
fn five_mistakes_in_a_workflow_are_told_at_once() {
    let text = "\
name: Broken Name
on: { pull_request: [openned] }
if: event.drft
steps:
  - { id: a, uses: fetch, needs: [b] }
  - { id: b, uses: fetch, needs: [a] }
  - { id: c, uses: fetsh }
";
    let (code, told) = check("w.yaml", text, &["workflows", "validate", "w.yaml"]);
    assert_eq!(code, Some(1), "{told}");
    for place in ["w.yaml:1:", "w.yaml:2:", "w.yaml:3:", "w.yaml:5:", "w.yaml:7:"] {
        assert!(told.contains(place), "{place} is not in:\n{told}");
    }
    for fix in ["opened", "draft", "fetch", "5 mistakes"] {
        assert!(told.contains(fix), "{fix} is not in:\n{told}");
    }
}

#[test]
fn what_ships_is_valid() {
    for environment in ["development", "staging", "production"] {
        let output = autopr()
            .current_dir(workspace())
            .env("AUTOPR_ENV", environment)
            .envs([("GITHUB_TOKEN", "t"), ("GITHUB_WEBHOOK_SECRET", "s"), ("OPENAI_API_KEY", "k")])
            .args(["config", "check"])
            .output()
            .expect("autopr runs");
        assert!(output.status.success(), "{environment}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let output = autopr().args(["workflows", "list"]).output().expect("autopr runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains("pr-review"));
}
