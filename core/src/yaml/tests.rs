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
    assert_snapshot!(mistakes(text), @r"
    plan.yaml:2:1: tiemout: unknown key `tiemout`; did you mean `timeout`?
    plan.yaml:3:8: level: expected one of `low`, `high`, found text `hihg`; did you mean `high`?
    plan.yaml:4:10: timeout: expected a whole number, found text `soon`; write a whole number
    plan.yaml:8:15: steps[0].attempts: 99 is out of range: it must be from 1 to 10
    plan.yaml:9:5: steps[1]: the key `uses` is missing; add `uses:`
    plan.yaml:10:12: steps[1].needs: expected a list, found text; write it as a list, with `-` before each entry or in [ ]
    ");
    let found = Document::parse("plan.yaml", text).unwrap().typed::<Plan>().unwrap_err();
    assert_snapshot!(render(&found, |_| Some(text)), @r"
    tiemout: unknown key `tiemout`
     --> plan.yaml:2:1
      |
    2 | tiemout: 5
      | ^^^^^^^
      = fix: did you mean `timeout`?

    level: expected one of `low`, `high`, found text `hihg`
     --> plan.yaml:3:8
      |
    3 | level: hihg
      |        ^^^^
      = fix: did you mean `high`?

    timeout: expected a whole number, found text `soon`
     --> plan.yaml:4:10
      |
    4 | timeout: soon
      |          ^^^^
      = fix: write a whole number

    steps[0].attempts: 99 is out of range: it must be from 1 to 10
     --> plan.yaml:8:15
      |
    8 |     attempts: 99
      |               ^^

    steps[1]: the key `uses` is missing
     --> plan.yaml:9:5
      |
    9 |   - id: review
      |     ^^^^^^^^^^
      = fix: add `uses:`

    steps[1].needs: expected a list, found text
      --> plan.yaml:10:12
       |
    10 |     needs: fetch
       |            ^^^^^
       = fix: write it as a list, with `-` before each entry or in [ ]
    ");
}

#[test]
fn the_form_that_was_meant_is_the_one_explained() {
    assert_snapshot!(mistakes("name: x\nshape: { kind: circle, radius: wide }"), @"plan.yaml:2:32: shape.radius: expected a number, found text `wide`; write a number");
    assert_snapshot!(mistakes("name: x\nshape: { kind: cirle, radius: 1 }"), @"plan.yaml:2:16: shape.kind: expected one of `circle`, `square`, found text `cirle`; did you mean `circle`?");
    assert_snapshot!(mistakes("name: x\nshape: { radius: 1 }"), @"plan.yaml:2:1: shape: the key `kind` is missing; add `kind:` with one of `circle`, `square`");
    assert_snapshot!(mistakes("name: x\nshape: 5"), @"plan.yaml:2:8: shape: expected a mapping, found a number; write keys and values, one `key: value` per line");
    assert_snapshot!(mistakes("name: x\nnotify: { slack: 5 }"), @"plan.yaml:2:18: notify.slack: expected text, found the number 5; put it in quotes");
    assert_snapshot!(mistakes("name: x\nnotify: { slak: url }"), @"plan.yaml:2:1: notify: expected one of the keys `slack`, `teams`; did you mean `slack`?");
    assert_snapshot!(mistakes("name: x\ngroup: { name: g }"), @"plan.yaml:2:1: group: the key `latest_wins` is missing; add `latest_wins:`");
    assert_snapshot!(mistakes("name: x\ngroup: [g]"), @"plan.yaml:2:1: group: expected text or a mapping, found a list; write text or a mapping");
    assert_snapshot!(mistakes("name: x\nlabels: { urgent: yes, \"needs review\": 1 }"), @r#"
    plan.yaml:2:19: labels.urgent: expected true or false, found text `yes`; write true
    plan.yaml:2:40: labels["needs review"]: expected true or false, found the number 1; write true or false
    "#);
    assert_snapshot!(mistakes("name: 1.0\ntimeout: \"5\""), @r"
    plan.yaml:1:7: name: expected text, found the number 1.0; put it in quotes
    plan.yaml:2:10: timeout: expected a whole number, found text `5`; remove the quotes
    ");
    assert_snapshot!(mistakes("name:\ntimeout: 70000"), @r"
    plan.yaml:1:1: name: expected text, found nothing; give it a value or remove the key
    plan.yaml:2:10: timeout: 70000 is out of range: it must be from 0 to 65535
    ");
    assert_snapshot!(mistakes(""), @"plan.yaml:1:1: expected a mapping, found nothing; the file is empty");
    assert_snapshot!(mistakes("[a, b]"), @"plan.yaml:1:1: expected a mapping, found a list; write keys and values, one `key: value` per line");
}

#[test]
fn what_yaml_would_let_pass_is_refused() {
    assert_snapshot!(mistakes("name: a\nname: b\nsteps: []\nname: c"), @r"
    plan.yaml:2:1: the key `name` appears twice, first on line 1; keep one of them
    plan.yaml:4:1: the key `name` appears twice, first on line 1; keep one of them
    ");
    assert_snapshot!(mistakes("name: a\n---\nname: b"), @"plan.yaml:2:1: a second document begins here; put it into a file of its own");
    assert_snapshot!(mistakes("name: [a"), @"plan.yaml:1:7: not valid YAML: unclosed bracket '['");
    assert_snapshot!(mistakes("name: *x\nlevel: *y"), @r"
    plan.yaml:1:7: the alias `*x` has no anchor before it; put the text in quotes if a star is meant
    plan.yaml:2:8: the alias `*y` has no anchor before it; put the text in quotes if a star is meant
    ");
    assert_snapshot!(mistakes("name: !secret a\n<<: {a: b}\n? [a]\n: b"), @r"
    plan.yaml:1:15: the tag `!secret` is not supported; remove it
    plan.yaml:2:1: merge keys (`<<`) are not supported; write the keys out, or use an alias for a whole value
    plan.yaml:3:3: a key must be plain text; put the key in quotes
    ");
    assert_snapshot!(mistakes("name: .inf"), @"plan.yaml:1:7: infinite numbers and .nan are not supported; write a finite number");
    assert_snapshot!(mistakes("a: &a [*a]"), @"plan.yaml:1:8: the alias stands inside its own anchor; write the value out");
    assert_snapshot!(mistakes(&"[".repeat(300)), @"plan.yaml:1:65: not valid YAML: recursion limit exceeded");
    let bomb = (1..9).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
        let before = format!("*a{}", level - 1);
        format!("{text}a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", "))
    });
    assert_snapshot!(mistakes(&bomb), @"plan.yaml:5:35: more than 50000 values, aliases counted as what they stand for; split the file");
    let found = Document::parse("x", b"a: 1\nb: \xff".as_slice()).unwrap_err();
    assert_snapshot!(found[0], @"x:2:4: the file is not UTF-8 text; save it in the UTF-8 encoding");
}

/// Where the first `needle` inside the expression of `text` is said to stand.
fn place_of(text: &str, needle: &str) -> String {
    let document = Document::parse("x.yaml", text).unwrap();
    let node = document.get("if").unwrap();
    let start = node.text().unwrap().find(needle).unwrap();
    let mistake = document.mistake_within("if", start..start + needle.len(), "unknown name");
    render(&[mistake], |_| Some(text))
}

#[test]
fn a_mistake_inside_a_scalar_is_found_through_quotes_escapes_and_folds() {
    assert_snapshot!(place_of("if: event.drat == true\n", "drat"), @r"
    if: unknown name
     --> x.yaml:1:11
      |
    1 | if: event.drat == true
      |           ^^^^
    ");
    assert_snapshot!(place_of("if: \"x == '\\u00e9\\t' || drat\"\n", "drat"), @r#"
    if: unknown name
     --> x.yaml:1:25
      |
    1 | if: "x == '\u00e9\t' || drat"
      |                         ^^^^
    "#);
    assert_snapshot!(place_of("if: 'x == ''a'' || drat'\n", "drat"), @r"
    if: unknown name
     --> x.yaml:1:20
      |
    1 | if: 'x == ''a'' || drat'
      |                    ^^^^
    ");
    assert_snapshot!(place_of("if: |\n  a &&\n    b ||\n  drat\n", "drat"), @r"
    if: unknown name
     --> x.yaml:4:3
      |
    4 |   drat
      |   ^^^^
    ");
    assert_snapshot!(place_of("if: >-\n  a &&\n\n  b || drat\n", "drat"), @r"
    if: unknown name
     --> x.yaml:4:8
      |
    4 |   b || drat
      |        ^^^^
    ");
    assert_snapshot!(place_of("if: a &&\n  b\n  || drat\n", "drat"), @r"
    if: unknown name
     --> x.yaml:3:6
      |
    3 |   || drat
      |      ^^^^
    ");
}

#[test]
fn a_place_is_that_of_the_value_or_of_the_nearest_part_that_exists() {
    let document = Document::parse("x.yaml", "a:\n  - b: 1\n    c:\n      d: 2\n").unwrap();
    let at = |path: &str| {
        let (value, key) = (document.at(path), document.at_key(path));
        format!("{}:{} {}:{}", value.line, value.column, key.line, key.column)
    };
    assert_eq!(at("a[0].b"), "2:8 2:5");
    assert_eq!(at("a[0].c"), "3:5 3:5");
    assert_eq!(at("a[0].c.d"), "4:10 4:7");
    assert_eq!(at("a[0].c.missing"), "3:5 3:5");
    assert_eq!(at("a[7]"), "1:1 1:1");
    assert_eq!(at(""), "1:1 1:1");
}

#[test]
fn what_is_right_survives_what_is_wrong() {
    let text = "\
name: demo
level: hihg
steps:
  - { id: a, uses: fetch, attempts: 0 }
  - { id: b }
  - { id: c, uses: review, needs: [a, 1, b] }
";
    let (plan, found) = Document::parse("plan.yaml", text).unwrap().lenient::<Plan>();
    let plan = plan.unwrap();
    assert_eq!(plan.level, Level::Low);
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.id.as_str(), step.attempts, step.needs.join("+"))).collect();
    assert_eq!(steps, [("a", None, String::new()), ("c", None, "a+b".to_owned())]);
    let found: Vec<_> =
        found.iter().map(|mistake| format!("{}:{} {}", mistake.line, mistake.column, mistake.path)).collect();
    assert_eq!(found, ["2:8 level", "4:37 steps[0].attempts", "5:5 steps[1]", "6:39 steps[2].needs[1]"]);
    assert!(Document::parse("plan.yaml", "level: low").unwrap().lenient::<Plan>().0.is_none());
}

/// A word the type itself refuses, which no schema can say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Even(#[expect(dead_code, reason = "only whether it can be read matters")] String);

impl TryFrom<String> for Even {
    type Error = String;
    fn try_from(word: String) -> Result<Self, String> {
        if word.len().is_multiple_of(2) { Ok(Self(word)) } else { Err(format!("`{word}` has an odd length")) }
    }
}

#[test]
fn rules_of_a_type_are_reported_all_at_once_too() {
    let document = Document::parse("x.yaml", "a: [ab, abc, abcd, abcde]\nb: [x]\n").unwrap();
    let found = document.typed::<BTreeMap<String, Vec<Even>>>().unwrap_err();
    let found: Vec<_> = found.iter().map(Diagnostic::to_string).collect();
    assert_snapshot!(found.join("\n"), @r"
    x.yaml:1:9: a[1]: `abc` has an odd length
    x.yaml:1:20: a[3]: `abcde` has an odd length
    x.yaml:2:5: b[0]: `x` has an odd length
    ");
}

#[test]
fn a_secret_is_never_shown() {
    let schema = serde_json::json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "token": { "type": "string", "writeOnly": true, "pattern": "^ghp_", "x-fix": "paste the token GitHub showed" },
            "pin": { "type": "integer", "writeOnly": true, "maximum": 99 },
            "inner": { "type": "object", "properties": { "key": { "type": "string", "writeOnly": true } } },
            "keys": { "type": "array", "items": { "type": "string", "writeOnly": true } },
            "other": {
                "type": "object", "additionalProperties": false,
                "properties": { "a": { "properties": {
                    "key": { "type": "string", "writeOnly": true }, "size": { "type": "integer" },
                } } },
            },
        },
    });
    let text = "token: hunter2\npin: 7777\ninner: hunter3\nkeys: hunter4\ntokn: hunter5\n\
        other: {a: {key: ghp_hunter6, size: x}, kye: hunter7, siez: 1}\n";
    let found = Document::parse("x.yaml", text).unwrap().check(&schema);
    let lines: Vec<_> = found.iter().map(Diagnostic::to_string).collect();
    let shown = format!("{}\n{}", lines.join("\n"), render(&found, |_| Some(text)));
    assert!(!shown.contains("hunter") && !shown.contains("7777"), "{shown}");
    assert_snapshot!(lines.join("\n"), @r"
    x.yaml:1:8: token: the value does not have the expected form; paste the token GitHub showed
    x.yaml:2:6: pin: the number is out of range: it must be at most 99
    x.yaml:3:8: inner: expected a mapping, found text; write its keys on indented lines below `inner:`
    x.yaml:4:7: keys: expected a list, found text; write it as a list, with `-` before each entry or in [ ]
    x.yaml:5:1: tokn: unknown key `tokn`; did you mean `token`?
    x.yaml:6:37: other.a.size: expected a whole number, found text `x`; write a whole number
    x.yaml:6:41: other.kye: unknown key `kye`; allowed here: `a`
    x.yaml:6:55: other.siez: unknown key `siez`; allowed here: `a`
    ");
}

#[test]
fn paths_read_back_as_they_are_written() {
    for text in ["", "a", "a.b", "steps[1].uses", "[0][1]", "labels[\"needs review\"].x", "a[\"\"]", "[\"a]b\\\"\"]"] {
        assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
    }
    for text in ["a..b", ".a", "a[", "a[x]", "a b", "a[0]b", "a[\"x]"] {
        assert!(text.parse::<Path>().is_err(), "{text}");
    }
}
