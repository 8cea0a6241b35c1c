//! What a person sees who wrote a workflow with mistakes in it.

use autopr_core::workflow::validate;
use autopr_core::yaml::render;
use insta::assert_snapshot;

/// Every mistake in `yaml`, one line each.
fn mistakes(yaml: &str) -> String {
    let lines: Vec<String> = validate("flow.yaml", yaml).iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The mistakes of a workflow with this condition and nothing else wrong.
fn condition(condition: &str) -> String {
    let quoted = serde_json::to_string(condition).unwrap();
    mistakes(&format!("name: a\non: {{ manual: true }}\nif: {quoted}\nsteps: [{{ id: a, uses: fetch }}]"))
}

/// The mistakes of a step with this condition, after steps `fetch` and (not waited for) `other`.
fn step_condition(condition: &str) -> String {
    let quoted = serde_json::to_string(condition).unwrap();
    mistakes(&format!(
        "name: a\non: {{ manual: true }}\nsteps:\n- {{ id: fetch, uses: fetch }}\n- {{ id: other, uses: fetch }}\n\
         - {{ id: last, uses: review, needs: [fetch], if: {quoted} }}"
    ))
}

#[test]
fn five_different_mistakes_are_told_at_once_with_place_and_fix() {
    let yaml = r#"name: nightly
on:
  pull_request: [opened, synchronise]
if: "!event.draft && event.sendr.bot"
timeout: soon
steps:
  - { id: fetch, uses: fetch }
  - { id: look, uses: analyze, needs: [fetch] }
  - { id: publish, uses: publish-review, needs: [fetch, lok] }
"#;
    assert_snapshot!(render(&validate("nightly.yaml", yaml), |_| Some(yaml)), @r#"
    on.pull_request[1]: expected one of `opened`, `reopened`, `ready_for_review`, `synchronize`, `labeled`, `closed`, found text `synchronise`
     --> nightly.yaml:3:26
      |
    3 |   pull_request: [opened, synchronise]
      |                          ^^^^^^^^^^^
      = fix: did you mean `synchronize`?

    if: `event` has no field `sendr`
     --> nightly.yaml:4:28
      |
    4 | if: "!event.draft && event.sendr.bot"
      |                            ^^^^^
      = fix: did you mean `event.sender`?

    timeout: expected a whole number, found text `soon`
     --> nightly.yaml:5:10
      |
    5 | timeout: soon
      |          ^^^^
      = fix: use seconds from 1 to 86400 (a day)

    steps[1].uses: expected one of `authorize`, `fetch`, `analyse`, `review`, `publish-review`, `describe`, `label`, `tell`, `help`, found text `analyze`
     --> nightly.yaml:8:23
      |
    8 |   - { id: look, uses: analyze, needs: [fetch] }
      |                       ^^^^^^^
      = fix: did you mean `analyse`?

    steps[2].needs[1]: there is no step `lok`
     --> nightly.yaml:9:57
      |
    9 |   - { id: publish, uses: publish-review, needs: [fetch, lok] }
      |                                                         ^^^
      = fix: did you mean `look`?
    "#);
}

#[test]
fn what_no_schema_can_say() {
    assert_snapshot!(mistakes("name: a\non: {}\nsteps: [{ id: a, uses: fetch }]"), @"flow.yaml:2:1: on: nothing starts this workflow; name at least one event, such as `pull_request: [opened]`, or write `manual: true`");
    assert_snapshot!(mistakes("name: a\non: { pull_request: [], manual: false }\nsteps: [{ id: a, uses: fetch }]"), @"flow.yaml:2:1: on: nothing starts this workflow; name at least one event, such as `pull_request: [opened]`, or write `manual: true`");
    assert_snapshot!(mistakes("name: a\non: { manual: true }\nsteps: []"), @"flow.yaml:3:1: steps: the list has 0 entries, fewer than 1; a workflow has 1 to 100 steps");
    assert_snapshot!(
        mistakes("name: a\non: { manual: true }\nsteps:\n- { id: a, uses: fetch }\n- { id: b, uses: fetch }\n- { id: a, uses: review }"),
        @"flow.yaml:6:9: steps[2].id: there is already a step `a` in line 4; give every step an id of its own"
    );
    assert_snapshot!(mistakes("name: a\non: { manual: true }\nsteps: [{ id: a, uses: fetch, needs: [a] }]"), @"flow.yaml:3:31: steps[0].needs: step `a` needs itself; remove it from its own `needs`");
    assert_snapshot!(
        mistakes(
            "name: a\non: { manual: true }\nsteps:\n- { id: a, uses: fetch }\n- { id: b, uses: fetch, needs: [a, d] }\n\
             - { id: c, uses: fetch, needs: [b] }\n- { id: d, uses: fetch, needs: [c] }"
        ),
        @"flow.yaml:5:25: steps[1].needs: steps need each other in a circle: b → d → c → b; remove one of these needs"
    );
}

#[test]
fn limits_are_named() {
    assert_snapshot!(
        mistakes(
            "name: A b\ntimeout: 0\non: { command: [Review] }\nsteps:\n\
             - { id: a-b, uses: fetch, retry: { attempts: 21, delay: 3601 }, timeout: 86401 }"
        ),
        @"
    flow.yaml:1:7: name: `A b` does not have the expected form; use 1 to 64 lower-case letters, digits and hyphens
    flow.yaml:2:10: timeout: 0 is out of range: it must be from 1 to 86400; use seconds from 1 to 86400 (a day)
    flow.yaml:3:17: on.command[0]: `Review` does not have the expected form; write the word that follows `/autopr`, in lower-case letters and hyphens
    flow.yaml:5:9: steps[0].id: `a-b` does not have the expected form; use lower-case letters, digits and underscores, beginning with a letter, at most 64
    flow.yaml:5:46: steps[0].retry.attempts: 21 is out of range: it must be from 1 to 20; use 1 to 20 attempts
    flow.yaml:5:57: steps[0].retry.delay: 3601 is out of range: it must be from 0 to 3600; use seconds from 0 to 3600 (an hour)
    flow.yaml:5:74: steps[0].timeout: 86401 is out of range: it must be from 1 to 86400; use seconds from 1 to 86400 (a day)
    "
    );
    let steps: Vec<String> = (0..101).map(|at| format!("{{ id: s{at}, uses: fetch }}")).collect();
    assert_snapshot!(mistakes(&format!("name: a\non: {{ manual: true }}\nsteps: [{}]", steps.join(", "))), @"flow.yaml:3:1: steps: the list has 101 entries, more than 100; a workflow has 1 to 100 steps");
}

#[test]
fn a_mistake_in_an_expression_is_told_where_it_stands() {
    assert_snapshot!(condition("event.draft &&"), @"flow.yaml:3:20: if: expected an expression, found the end");
    assert_snapshot!(condition("event.draft & true"), @"flow.yaml:3:18: if: unexpected single '&', expected '&&'");
    assert_snapshot!(condition("event.title == 'a'"), @"flow.yaml:3:12: if: `event` has no field `title`; it has `type`, `action`, `repository`, `number`, `base`, `head`, `draft`, `labels`, `sender`, `command`");
    assert_snapshot!(condition("'title' in event.labels && title == ''"), @"flow.yaml:3:33: if: there is no variable `title`; known here: `event`, `repo`, `number`");
    assert_snapshot!(condition("event['drafts']"), @"flow.yaml:3:12: if: `event` has no field `drafts`; did you mean `event.draft`?");
    assert_snapshot!(condition("event[repo]"), @"flow.yaml:3:6: if: which field of `event` this reads can't be checked; name the field: event.name or event['name']");
    assert_snapshot!(condition("event.type == 'pull-request'"), @"flow.yaml:3:20: if: `event.type` is never `pull-request`; did you mean `pull_request`?");
    assert_snapshot!(condition("event.action in ['opened', 'sync']"), @"flow.yaml:3:33: if: `event.action` is never `sync`; it is one of `opened`, `reopened`, `ready_for_review`, `synchronize`, `labeled`, `closed`");
    assert_snapshot!(condition("event.labels.exist(l, l == 'x')"), @"
    flow.yaml:3:19: if: there is no function `exist`; did you mean `exists`?
    flow.yaml:3:25: if: there is no variable `l`; known here: `event`, `repo`, `number`
    ");
    assert_snapshot!(condition("event.labels.exists(l == 'x')"), @"
    flow.yaml:3:19: if: `exists` is not used as it must be; write it like list.exists(x, condition)
    flow.yaml:3:26: if: there is no variable `l`; known here: `event`, `repo`, `number`
    ");
    assert_snapshot!(condition("event.repository.lower() == 'a/b'"), @"flow.yaml:3:23: if: there is no function `lower`");
    assert_snapshot!(condition("success() || steps.a.status == 'failed'"), @"
    flow.yaml:3:6: if: `success()` is not known before a step has run; use it in the `if` of a step
    flow.yaml:3:19: if: `steps` is not known before a step has run; use it in the `if` of a step
    ");
    assert_snapshot!(condition("Thing{a: 1} == 1"), @"flow.yaml:3:6: if: there is no type `Thing`");
    assert_snapshot!(condition(""), @"flow.yaml:3:6: if: it is empty");
}

#[test]
fn an_expression_that_would_fail_on_an_event_is_told_before_it_does() {
    assert_snapshot!(condition("number"), @"flow.yaml:3:6: if: a condition is true or false; this one is of type int (tried with a pull request without labels)");
    assert_snapshot!(condition("event.draft > 3"), @"flow.yaml:3:6: if: `>` does not work on (bool, int) (tried with a pull request without labels)");
    assert_snapshot!(condition("event.labels[0] == 'bug'"), @"flow.yaml:3:6: if: the index lies outside the list (tried with a pull request without labels)");
    assert_snapshot!(condition("size(event.labels) > 0 && event.labels[0] == 'bug'"), @"");
    assert_snapshot!(condition("10 / number > 1"), @"flow.yaml:3:6: if: it divides by zero (tried with a manual run)");
    assert_snapshot!(condition("event.repository.matches('^(a|b')"), @"flow.yaml:3:31: if: the pattern can't be read: unclosed group");
    assert_snapshot!(condition("event.repository.matches(repo)"), @"flow.yaml:3:23: if: the pattern of `matches` must be written out as text");
    assert_snapshot!(condition("'a'.matches('(\\\\w{100}){100}')"), @"flow.yaml:3:6: if: the pattern is too large");
}

#[test]
fn a_steps_condition_sees_only_what_has_finished() {
    assert_snapshot!(step_condition("steps.other.status == 'succeeded'"), @"flow.yaml:6:56: steps[2].if: step `other` may not have finished by then; add `other` to the `needs` of this step");
    assert_snapshot!(step_condition("steps.last.status == 'succeeded'"), @"flow.yaml:6:56: steps[2].if: step `last` has not run when its own condition is asked");
    assert_snapshot!(step_condition("steps.fetsh.status == 'succeeded'"), @"flow.yaml:6:56: steps[2].if: there is no step `fetsh`; did you mean `steps.fetch`?");
    assert_snapshot!(step_condition("steps.fetch.status == 'success'"), @"flow.yaml:6:72: steps[2].if: `steps.fetch.status` is never `success`; it is one of `succeeded`, `failed`, `skipped`");
    assert_snapshot!(step_condition("steps.fetch.state == 'succeeded'"), @"flow.yaml:6:62: steps[2].if: `steps.fetch` has no field `state`; did you mean `steps.fetch.status`?");
    assert_snapshot!(step_condition("steps.all(s, true)"), @"flow.yaml:6:50: steps[2].if: `steps` is no value of its own; name the step: steps.<id>.status");
    assert_snapshot!(step_condition("always(1)"), @"flow.yaml:6:50: steps[2].if: `always()` takes nothing; write always()");
    assert_snapshot!(step_condition("steps.fetch.output.files > 3 && has(steps.fetch.output.head)"), @"");
    assert_snapshot!(step_condition("always() && steps['fetch'].status != 'failed'"), @"");
}

#[test]
fn an_expression_is_bounded() {
    assert_snapshot!(condition(&format!("{}true", "true || ".repeat(200))), @"flow.yaml:3:6: if: it has 1604 bytes; at most 1000 are allowed");
    assert_snapshot!(condition(&format!("{}true{}", "[".repeat(30), "]".repeat(30))), @"flow.yaml:3:6: if: it nests too deep; at most 24 is allowed");
    assert_snapshot!(condition(&format!("{}1 > 0", "1 + ".repeat(30))), @"flow.yaml:3:6: if: it nests 32 deep; at most 24 is allowed");
    assert_snapshot!(condition("[1].all(a, [1].all(b, [1].all(c, a + b + c > 0)))"), @"flow.yaml:3:6: if: it has loops within loops; at most 2 may nest");
    assert_snapshot!(condition(&format!("[{}] == []", "1, ".repeat(300))), @"flow.yaml:3:6: if: it has 303 parts; at most 256 are allowed");
}

#[test]
fn a_template_is_checked_like_a_condition() {
    let group = |text: &str| {
        let quoted = serde_json::to_string(text).unwrap();
        mistakes(&format!(
            "name: a\non: {{ manual: true }}\nconcurrency: {{ group: {quoted} }}\nsteps: [{{ id: a, uses: fetch }}]"
        ))
    };
    assert_snapshot!(group("é/${repo}/${numbr}"), @"flow.yaml:3:36: concurrency.group: there is no variable `numbr`; did you mean `number`?");
    assert_snapshot!(group("a/${number"), @"flow.yaml:3:26: concurrency.group: `${` is not closed; end the expression with `}`, or write `$${` for the text `${`");
    assert_snapshot!(group("a/${'}'}/${ }"), @"flow.yaml:3:35: concurrency.group: it is empty");
    assert_snapshot!(group("a/${event.labels}"), @"flow.yaml:3:28: concurrency.group: text or a whole number is needed; this is of type list (tried with a pull request without labels)");
    assert_snapshot!(group("$${x}/${{'a': repo}['a']}/${repo == 'a' ? '}' : \"{\"}/$/${number}"), @"");
}

#[test]
fn a_mistake_in_a_block_or_an_escaped_text_keeps_its_place() {
    let yaml = "name: a\non: { manual: true }\nif: |\n  event.draft ||\n    evnt.draft\nsteps:\n\
                - { id: a, uses: fetch }\n- { id: b, uses: fetch, if: 'repo == ''é'' || rep == \"b\"' }";
    assert_snapshot!(render(&validate("flow.yaml", yaml), |_| Some(yaml)), @r#"
    if: there is no variable `evnt`
     --> flow.yaml:5:5
      |
    5 |     evnt.draft
      |     ^^^^
      = fix: did you mean `event`?

    steps[1].if: there is no variable `rep`
     --> flow.yaml:8:47
      |
    8 | - { id: b, uses: fetch, if: 'repo == ''é'' || rep == "b"' }
      |                                               ^^^
      = fix: did you mean `repo`?
    "#);
}

#[test]
fn a_document_of_another_shape_is_told_as_such() {
    assert_snapshot!(mistakes("on: [pull_request]"), @"
    flow.yaml:1:1: on: expected a mapping, found a list; write keys and values, one `key: value` per line
    flow.yaml:1:1: the key `name` is missing; use 1 to 64 lower-case letters, digits and hyphens
    flow.yaml:1:1: the key `steps` is missing; a workflow has 1 to 100 steps
    ");
    assert_snapshot!(mistakes("- a"), @"flow.yaml:1:1: expected a mapping, found a list; write keys and values, one `key: value` per line");
    assert_snapshot!(mistakes(""), @"flow.yaml:1:1: expected a mapping, found nothing; the file is empty");
    assert_snapshot!(mistakes("name: a\nname: b\non: { manual: true }\nsteps: 3"), @"flow.yaml:2:1: the key `name` appears twice, first on line 1; keep one of them");
}
