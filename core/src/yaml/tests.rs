//! What a person sees who made a mistake in a file.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use schemars::JsonSchema;
use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Plan {
    name: String,
    #[serde(default)]
    level: Level,
    #[serde(default)]
    timeout: Option<u16>,
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(default)]
    shape: Option<Shape>,
    #[serde(default)]
    notify: Option<Notify>,
    #[serde(default)]
    labels: BTreeMap<String, bool>,
    #[serde(default)]
    group: Option<Group>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Step {
    id: String,
    uses: String,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    attempts: Option<u32>,
}

#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// Little.
    #[default]
    Low,
    /// Much.
    High,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Shape {
    Circle { radius: f64 },
    Square { side: f64 },
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Notify {
    Slack(String),
    Teams(String),
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Group {
    Name(String),
    Full(FullGroup),
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FullGroup {
    name: String,
    latest_wins: bool,
}

/// All mistakes of a text read as a plan, one per line.
fn mistakes(text: &str) -> String {
    let found = match Document::parse("plan.yaml", text) {
        Ok(document) => match document.typed::<Plan>() {
            Ok(plan) => return format!("{plan:?}"),
            Err(found) => found,
        },
        Err(found) => found,
    };
    found.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn five_different_mistakes_are_all_named_with_place_and_fix() {
    let text = "\
name: demo
tiemout: 5
level: hihg
timeout: soon
steps:
  - id: fetch
    uses: fetch
    attempts: 99
  - id: review
    needs: fetch
";
    assert_snapshot!(mistakes(text), @"");
    let found = Document::parse("plan.yaml", text).unwrap().typed::<Plan>().unwrap_err();
    assert_snapshot!(render(&found, |_| Some(text)), @"");
}

#[test]
fn the_form_that_was_meant_is_the_one_explained() {
    assert_snapshot!(mistakes("name: x\nshape: { kind: circle, radius: wide }"), @"");
    assert_snapshot!(mistakes("name: x\nshape: { kind: cirle, radius: 1 }"), @"");
    assert_snapshot!(mistakes("name: x\nshape: { radius: 1 }"), @"");
    assert_snapshot!(mistakes("name: x\nshape: 5"), @"");
    assert_snapshot!(mistakes("name: x\nnotify: { slack: 5 }"), @"");
    assert_snapshot!(mistakes("name: x\nnotify: { slak: url }"), @"");
    assert_snapshot!(mistakes("name: x\ngroup: { name: g }"), @"");
    assert_snapshot!(mistakes("name: x\ngroup: [g]"), @"");
    assert_snapshot!(mistakes("name: x\nlabels: { urgent: yes, \"needs review\": 1 }"), @"");
    assert_snapshot!(mistakes("name: 1.0\ntimeout: \"5\""), @"");
    assert_snapshot!(mistakes("name:\ntimeout: 70000"), @"");
    assert_snapshot!(mistakes(""), @"");
    assert_snapshot!(mistakes("[a, b]"), @"");
}

#[test]
fn what_yaml_would_let_pass_is_refused() {
    assert_snapshot!(mistakes("name: a\nname: b\nsteps: []\nname: c"), @"");
    assert_snapshot!(mistakes("name: a\n---\nname: b"), @"");
    assert_snapshot!(mistakes("name: [a"), @"");
    assert_snapshot!(mistakes("name: *x\nlevel: *y"), @"");
    assert_snapshot!(mistakes("name: !secret a\n<<: {a: b}\n? [a]\n: b"), @"");
    assert_snapshot!(mistakes("name: .inf"), @"");
    assert_snapshot!(mistakes("a: &a [*a]"), @"");
    assert_snapshot!(mistakes(&"[".repeat(300)), @"");
    let bomb = (1..9).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
        let before = format!("*a{}", level - 1);
        format!("{text}a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", "))
    });
    assert_snapshot!(mistakes(&bomb), @"");
    let found = Document::parse("x", b"a: 1\nb: \xff".as_slice()).unwrap_err();
    assert_snapshot!(found[0], @"");
}
