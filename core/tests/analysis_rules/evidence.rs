//! What a finding shows of its line.

use crate::{new_file, run};

/// The evidence of each finding with a caret line under the located columns.
fn shown(path: &str, line: &str) -> String {
    let analysis = run(&new_file(path, line));
    let draw = |finding: &autopr_core::review::Finding| {
        let (start, end) = finding.location.as_ref().and_then(|place| place.columns).expect("columns");
        let before = finding.evidence[..start as usize].chars().count();
        let width = finding.evidence[start as usize..end as usize].chars().count();
        format!(
            "{}: {}\n{}\n{}{}",
            finding.rule,
            finding.title,
            finding.evidence,
            " ".repeat(before),
            "^".repeat(width)
        )
    };
    analysis.findings.iter().map(draw).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_secret_on_the_line_of_another_finding_is_masked_there_too() {
    let token = ["glp", "at-Zq3x_8LwN-2mVbK7tYcR"].concat();
    let line = format!("    login(\"{token}\"); import pdb; pdb.set_trace()   ");
    insta::assert_snapshot!(shown("src/a.py", &line), @r#"
    secret/gitlab-token: GitLab token in the change
        login("[gitlab-token …tYcR]"); import pdb; pdb.set_trace()
               ^^^^^^^^^^^^^^^^^^^^
    debug/leftover: Debugging statement left behind: `pdb.set_trace()`
        login("[gitlab-token …tYcR]"); import pdb; pdb.set_trace()
                                                   ^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn characters_that_hide_are_written_out() {
    insta::assert_snapshot!(shown("src/a.rs", "    if role == \"user\u{202E}\" { // \u{200B}"), @r#"
    unicode/bidi: Bidirectional control character U+202E
        if role == "user\u{202E}" { // \u{200B}
                        ^^^^^^^^
    unicode/invisible: Invisible character U+200B
        if role == "user\u{202E}" { // \u{200B}
                                       ^^^^^^^^
    "#);
}

#[test]
fn a_minified_line_is_cut_around_the_place() {
    let token = ["glp", "at-Zq3x_8LwN-2mVbK7tYcR"].concat();
    let line = format!("{}token:\"{token}\",{}", "var a=1;".repeat(500), "f(b);".repeat(500));
    insta::assert_snapshot!(shown("src/a.js", &line), @r#"
    secret/gitlab-token: GitLab token in the change
    …1;var a=1;var a=1;var a=1;var a=1;var a=1;var a=1;var a=1;var a=1;var a=1;var a=1;token:"[gitlab-token …tYcR]",f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(b);f(…
                                                                                              ^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn text_in_another_encoding_is_shown_as_well_as_it_goes() {
    let mut diff = new_file("src/a.rs", "    dbg!(x); // caf@").into_bytes();
    let place = diff.windows(4).position(|four| four == b"caf@").unwrap() + 3;
    diff[place] = 0xE9;
    let parsed = autopr_core::diff::Diff::parse(&diff).unwrap();
    let (ignore, contents) = (globset::GlobSet::empty(), Default::default());
    let sizes = std::collections::BTreeMap::new();
    let options = autopr_core::analysis::Options::new(&ignore, &contents, &sizes);
    let analysis = autopr_core::analysis::analyse(&parsed, &options);
    assert_eq!(analysis.findings[0].evidence, "    dbg!(x); // caf\u{FFFD}");
    assert_eq!(analysis.findings[0].location.as_ref().and_then(|place| place.columns), Some((4, 9)));
}
