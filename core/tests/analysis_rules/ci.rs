//! GitHub workflows.

use bytes::Bytes;
use rstest::rstest;

use crate::{Contents, changed, edited, new_file, places, run, run_with};

const PATH: &str = ".github/workflows/pr.yml";

/// Analyses a new workflow whose content is known, as it is after the caller asked for what the rules want.
fn whole(workflow: &str) -> Vec<String> {
    places(&run_with(&new_file(PATH, workflow), &known(workflow), &[]))
}

/// Analyses the change from one workflow to another.
fn change(old: &str, new: &str) -> Vec<String> {
    places(&run_with(&edited(PATH, old, new), &known(new), &[]))
}

fn known(workflow: &str) -> Contents {
    Contents::from([(PATH.to_owned(), Some(Bytes::copy_from_slice(workflow.as_bytes())))])
}

const PWN: &str = "\
name: pr
on:
  pull_request_target:
    types: [opened]
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683
        with:
          ref: ${{ github.event.pull_request.head.sha }}
      - run: make test
";

#[test]
fn a_privileged_workflow_must_not_check_out_the_proposed_code() {
    assert_eq!(whole(PWN), ["high ci/pull-request-target-checkout .github/workflows/pr.yml:11"]);
}

#[test]
fn without_the_whole_file_the_diff_itself_may_show_enough() {
    assert_eq!(
        places(&run(&new_file(PATH, PWN))),
        ["high ci/pull-request-target-checkout .github/workflows/pr.yml:11"]
    );
}

#[test]
fn when_only_the_trigger_is_new_the_finding_stands_there() {
    let before = PWN.replace("pull_request_target", "pull_request");
    assert_eq!(change(&before, PWN), ["high ci/pull-request-target-checkout .github/workflows/pr.yml:3"]);
}

#[rstest]
#[case::another_trigger(PWN.replace("pull_request_target", "pull_request"))]
#[case::base_checkout(PWN.replace("        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n", ""))]
#[case::for_another_event(PWN.replace("    runs-on", "    if: github.event_name == 'push'\n    runs-on"))]
#[case::in_a_comment(PWN.replace("          ref:", "          # ref:"))]
fn a_workflow_without_both_halves_is_fine(#[case] workflow: String) {
    assert_eq!(whole(&workflow), [""; 0]);
}

#[test]
fn what_was_dangerous_before_is_not_this_changes_fault() {
    assert_eq!(change(PWN, &PWN.replace("make test", "make check")), [""; 0]);
    assert_eq!(change(PWN, &PWN.replace("name: pr", "name: pull request")), [""; 0]);
}

#[test]
fn the_same_goes_for_workflow_run() {
    let workflow = PWN
        .replace("pull_request_target:\n    types: [opened]", "workflow_run:\n    workflows: [ci]")
        .replace("pull_request.head.sha", "workflow_run.head_sha");
    assert_eq!(whole(&workflow), ["high ci/pull-request-target-checkout .github/workflows/pr.yml:11"]);
}

fn with_step(trigger: &str, step: &str) -> String {
    format!("on: {trigger}\njobs:\n  a:\n    steps:\n      - name: x\n{step}")
}

#[rstest]
#[case::privileged("issues", "        run: echo \"${{ github.event.issue.title }}\"\n", "high")]
#[case::block(
    "[pull_request]",
    "        run: |\n          set -e\n          git log ${{ github.head_ref }}\n",
    "medium"
)]
#[case::folded("pull_request", "        run: >-\n          echo ${{ github.event.pull_request.body }}\n", "medium")]
#[case::own_branches("push", "        run: echo '${{ github.event.head_commit.message }}'\n", "low")]
#[case::script(
    "issue_comment",
    "        uses: actions/github-script@v7\n        with:\n          script: |\n            const b = `${{ github.event.comment.body }}`;\n",
    "high"
)]
fn text_from_outside_in_a_script_is_found(#[case] trigger: &str, #[case] step: &str, #[case] severity: &str) {
    let workflow = with_step(trigger, step);
    let line = workflow.lines().position(|line| line.contains("${{")).unwrap() + 1;
    let found: Vec<String> = whole(&workflow).into_iter().filter(|found| !found.contains("unpinned")).collect();
    assert_eq!(found, [format!("{severity} ci/script-injection {PATH}:{line}")]);
}

#[rstest]
#[case::through_the_environment(
    "        env:\n          TITLE: ${{ github.event.issue.title }}\n        run: echo \"$TITLE\"\n"
)]
#[case::trusted("        run: echo ${{ github.event.issue.number }} ${{ github.sha }}\n")]
#[case::comparison("        run: echo ${{ github.event.comment.body == '/ok' }}\n")]
#[case::condition("        if: contains(github.event.comment.body, '/ok')\n        run: make\n")]
#[case::an_input("        uses: ./say\n        with:\n          text: ${{ github.event.issue.title }}\n")]
#[case::an_input_called_script(
    "        uses: ./say\n        with:\n          script: ${{ github.event.issue.title }}\n"
)]
fn expressions_that_no_shell_reads_are_fine(#[case] step: &str) {
    assert_eq!(whole(&with_step("issues", step)), [""; 0]);
}

#[test]
fn without_the_whole_file_a_line_is_judged_only_if_its_script_is_seen() {
    let unseen = "           set -e\n+          echo ${{ github.event.issue.title }}\n";
    assert_eq!(places(&run(&changed(PATH, unseen))), [""; 0]);
    let seen = "         run: |\n+          echo ${{ github.event.issue.title }}\n";
    assert_eq!(places(&run(&changed(PATH, seen))), [format!("medium ci/script-injection {PATH}:12")]);
}

#[rstest]
#[case::tag("acme/deploy@v3", Some("low"))]
#[case::branch("acme/deploy@main", Some("medium"))]
#[case::folder("acme/tools/deploy@v1.2.3", Some("low"))]
#[case::first_party("actions/setup-go@v5", Some("info"))]
#[case::commit("acme/deploy@0123456789abcdef0123456789abcdef01234567 # v3", None)]
#[case::same_repository("./.github/actions/deploy", None)]
#[case::image("docker://alpine:3.20", None)]
fn actions_of_others_belong_pinned(#[case] action: &str, #[case] severity: Option<&str>) {
    let expected: Vec<String> = severity.map(|s| format!("{s} ci/unpinned-action {PATH}:6")).into_iter().collect();
    assert_eq!(whole(&with_step("push", &format!("        uses: {action}\n"))), expected);
}

#[test]
fn a_tag_weighs_by_the_habit_of_the_file_and_an_update_is_no_news() {
    let pinned = with_step("push", "        uses: acme/a@0123456789abcdef0123456789abcdef01234567\n");
    let loose = with_step("push", "        uses: acme/a@v1\n");
    let more = "      - uses: acme/b@v2\n";
    assert_eq!(change(&pinned, &format!("{pinned}{more}")), [format!("medium ci/unpinned-action {PATH}:7")]);
    assert_eq!(change(&loose, &format!("{loose}{more}")), [format!("info ci/unpinned-action {PATH}:7")]);
    assert_eq!(change(&loose, &loose.replace("@v1", "@v2")), [format!("info ci/unpinned-action {PATH}:6")]);
}

#[test]
fn permissions_that_grow_are_found() {
    let workflow = "on: push\npermissions: write-all\njobs:\n  a:\n    steps: []\n";
    assert_eq!(whole(workflow), [format!("medium ci/broad-permissions {PATH}:2")]);
    let target = "on: pull_request_target\npermissions:\n  contents: write\n  pull-requests: write\n";
    assert_eq!(whole(target), [format!("medium ci/broad-permissions {PATH}:3")]);
    let release = "on: release\npermissions:\n  contents: write\n";
    assert_eq!(whole(release), [""; 0]);
}

#[test]
fn secrets_are_inherited_by_strangers_only() {
    let call = |uses: &str| format!("on: push\njobs:\n  a:\n    uses: {uses}\n    secrets: inherit\n");
    let pinned = "acme/ci/.github/workflows/x.yml@0123456789abcdef0123456789abcdef01234567";
    assert_eq!(whole(&call(pinned)), [format!("low ci/inherited-secrets {PATH}:5")]);
    assert_eq!(whole(&call("./.github/workflows/x.yml")), [""; 0]);
}

#[test]
fn other_yaml_is_not_read_as_a_workflow() {
    assert_eq!(places(&run(&new_file("deploy/pr.yml", PWN))), [""; 0]);
}
