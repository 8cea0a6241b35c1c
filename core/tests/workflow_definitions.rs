//! Which events start which workflow, which steps run, and in what order.

use std::collections::BTreeMap;

use autopr_core::event::{Event, EventKind, PullRequestAction, Sender};
use autopr_core::ids::{DeliveryId, PrNumber, RepoName};
use autopr_core::workflow::{
    Catalog, Condition, Definition, Graph, GraphError, StepOutcome, StepResult, StepResults, Template, schema,
};
use insta::assert_snapshot;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

const NO_FILES: [(&str, &str); 0] = [];

fn event(kind: EventKind) -> Event {
    Event {
        delivery: DeliveryId::new("d1").unwrap(),
        at: "2026-11-22T10:00:00Z".parse().unwrap(),
        kind,
        repository: RepoName::new("acme/shop").unwrap(),
        number: PrNumber(7),
        base: None,
        head: None,
        draft: false,
        labels: vec!["bug".into()],
        sender: Sender { login: "ann".into(), bot: false },
        installation: None,
    }
}

fn opened() -> Event {
    event(EventKind::PullRequest { action: PullRequestAction::Opened })
}

fn command(name: &str, arguments: &str) -> Event {
    event(EventKind::Command { name: name.into(), arguments: arguments.into(), comment: None })
}

fn manual(workflow: &str) -> Event {
    event(EventKind::Manual { workflow: workflow.into() })
}

fn draft(event: Event) -> Event {
    Event { draft: true, ..event }
}

fn by_bot(event: Event) -> Event {
    Event { sender: Sender { login: "some[bot]".into(), bot: true }, ..event }
}

fn review() -> Definition {
    Definition::clone(&Catalog::load(NO_FILES).unwrap().get("pr-review").unwrap().definition)
}

/// A workflow of one step that every event starts, if its condition holds.
fn when(condition: &str) -> Definition {
    let yaml = "{ name: w, on: { pull_request: [opened], command: [ask] }, steps: [{ id: a, uses: fetch }] }";
    Definition { r#if: Some(Condition::new(condition)), ..Definition::parse("w", yaml).unwrap() }
}

#[rstest]
#[case::opened(opened(), true)]
#[case::opened_as_a_draft(draft(opened()), true)]
#[case::opened_by_a_bot(by_bot(opened()), true)]
#[case::closed(event(EventKind::PullRequest { action: PullRequestAction::Closed }), false)]
#[case::asked_for_in_a_comment(command("review", "full"), true)]
#[case::asked_for_on_a_draft(draft(command("review", "")), true)]
#[case::asked_for_by_a_bot(by_bot(command("review", "")), false)]
#[case::another_command(command("describe", ""), false)]
#[case::run_by_name(manual("pr-review"), true)]
#[case::run_by_name_whatever_the_condition_says(by_bot(draft(manual("pr-review"))), true)]
#[case::another_run_by_name(manual("nightly"), false)]
fn the_built_in_review_starts_on(#[case] event: Event, #[case] starts: bool) {
    assert_eq!(review().matches(&event), Ok(starts));
}

#[rstest]
#[case::fields("event.type == 'pull_request' && event.action == 'opened' && event.number == 7 && number == 7", true)]
#[case::unknown_commits("event.base == '' && event.head == ''", true)]
#[case::names("repo == 'acme/shop' && event.repository == repo && event.sender.login == 'ann'", true)]
#[case::labels("event.labels.exists(label, label.startsWith('bu')) && 'bug' in event.labels", true)]
#[case::nothing_of_another_type("event.command.name == '' && event.command.arguments == ''", true)]
#[case::index("event['sender']['bot']", false)]
#[case::arithmetic("(number + 3) % 5 == 0 && size(event.labels) == 1", true)]
#[case::ternary("event.draft ? false : repo.matches('^acme/')", true)]
#[case::a_loop_variable_may_hide_a_name("[1, 2].all(event, event > 0)", true)]
fn a_condition_sees_the_event(#[case] condition: &str, #[case] holds: bool) {
    assert_eq!(when(condition).matches(&opened()), Ok(holds));
    let yaml = format!(
        "{{ name: w, on: {{ manual: true }}, if: {}, steps: [{{ id: a, uses: fetch }}] }}",
        serde_json::to_string(condition).unwrap()
    );
    Definition::parse("w", &yaml).unwrap();
}

#[test]
fn a_condition_without_a_value_says_why_and_tells_nothing_of_the_event() {
    let told = |condition: &str| when(condition).matches(&command("ask", "a-strangers-text")).unwrap_err().to_string();
    assert_snapshot!(told("event.command.arguments"), @"expression `event.command.arguments`: a condition is true or false; this one is of type string");
    assert_snapshot!(told("event.command.arguments > 3"), @"expression `event.command.arguments > 3`: `>` does not work on (string, int)");
    assert_snapshot!(told("event.labels[9] == ''"), @"expression `event.labels[9] == ''`: the index lies outside the list");
    assert_snapshot!(told("int(event.command.arguments) == 1"), @"expression `int(event.command.arguments) == 1`: `int` can't work on this value");
    assert_snapshot!(told("evnt.draft"), @"expression `evnt.draft`: there is no `evnt`");
    assert_snapshot!(told("event.title == ''"), @"expression `event.title == ''`: there is no `title`");
    assert_snapshot!(told("event.command + 1 == 2"), @"expression `event.command + 1 == 2`: `+` does not work on (map, int)");
    assert_snapshot!(told("event.draft &"), @"expression `event.draft &`: unexpected single '&', expected '&&'");
}

#[test]
fn a_group_is_the_template_filled_in() {
    assert_eq!(review().group(&opened()).unwrap().as_deref(), Some("review/acme/shop/7"));
    let group = |text: &str, event: &Event| {
        let mut workflow = review();
        workflow.concurrency.as_mut().unwrap().group = Template::new(text);
        workflow.group(event).map(Option::unwrap_or_default).map_err(|error| error.to_string())
    };
    assert_eq!(group("$${x} ${'}' + string(number)} $ ${event.draft}", &opened()).unwrap(), "${x} }7 $ false");
    assert_snapshot!(group("${event.command.arguments}", &command("ask", &"x".repeat(501))).unwrap_err(), @"expression `${event.command.arguments}`: it gives more than 500 bytes");
    assert_eq!(Definition { concurrency: None, ..review() }.group(&opened()), Ok(None));
}

/// The steps of the built-in review that run when those before them ended as told.
fn runs(step: &str, ended: &[(&'static str, StepOutcome)]) -> bool {
    let workflow = review();
    let wanted = json!({ "wanted": true, "allowed": true });
    let result = |outcome| StepResult { outcome, output: (outcome == StepOutcome::Succeeded).then_some(&wanted) };
    let results: StepResults<'_> = ended.iter().map(|(id, outcome)| (*id, result(*outcome))).collect();
    let at = workflow.index(step).unwrap();
    workflow.starts(at, &workflow.graph().unwrap(), &opened(), &results, false).unwrap()
}

#[test]
fn the_built_in_review_publishes_what_there_is_and_says_when_there_is_nothing() {
    use StepOutcome::{Failed, Skipped, Succeeded};
    assert!(runs("fetch", &[("authorize", Succeeded)]));
    assert!(!runs("fetch", &[("authorize", Failed)]));
    assert!(runs("analyse", &[("fetch", Succeeded)]));
    assert!(!runs("analyse", &[("fetch", Failed)]));
    for (analyse, review) in [(Succeeded, Succeeded), (Failed, Succeeded), (Succeeded, Failed), (Failed, Failed)] {
        assert!(runs("publish", &[("fetch", Succeeded), ("analyse", analyse), ("review", review)]));
    }
    assert!(runs("publish", &[("fetch", Failed), ("analyse", Skipped), ("review", Skipped)]));
    assert!(!runs("publish", &[("fetch", Skipped), ("analyse", Skipped), ("review", Skipped)]));
}

#[rstest]
#[case::no_condition(None, [true, false, false])]
#[case::another_matter_goes_with_success(Some("!event.draft"), [true, false, false])]
#[case::another_matter_that_is_false(Some("event.draft"), [false, false, false])]
#[case::an_output_goes_with_success(Some("!has(steps.a.output.x) || true"), [true, false, false])]
#[case::always(Some("always()"), [true, true, true])]
#[case::success(Some("success()"), [true, false, false])]
#[case::failure(Some("failure()"), [false, true, false])]
#[case::failure_or_other(Some("failure() || event.draft"), [false, true, false])]
#[case::status(Some("steps.a.status == 'skipped'"), [false, false, true])]
#[case::status_by_index(Some("steps['a']['status'] != 'succeeded'"), [false, true, true])]
fn a_step_runs_after_success_unless_its_condition_looks_at_how_steps_ended(
    #[case] condition: Option<&str>,
    #[case] after: [bool; 3],
) {
    let yaml =
        "{ name: w, on: { manual: true }, steps: [{ id: a, uses: fetch }, { id: b, uses: review, needs: [a] }] }";
    let mut workflow = Definition::parse("w", yaml).unwrap();
    workflow.steps[1].r#if = condition.map(Condition::new);
    let graph = workflow.graph().unwrap();
    let found = StepOutcome::ALL.map(|outcome| {
        let results = BTreeMap::from([("a", StepResult { outcome, output: None })]);
        workflow.starts(1, &graph, &opened(), &results, false).unwrap()
    });
    assert_eq!(found, [after[0], after[1], after[2]], "after success, failure, skip");
}

#[test]
fn failure_looks_at_all_steps_before_and_success_at_those_named() {
    let yaml = "{ name: w, on: { manual: true }, steps: [{ id: a, uses: fetch }, { id: b, uses: review, needs: [a] }, \
                { id: c, uses: review, needs: [b], if: failure() }, { id: d, uses: review, needs: [b] }] }";
    let workflow = Definition::parse("w", yaml).unwrap();
    let graph = workflow.graph().unwrap();
    let starts = |step: usize, b: StepOutcome| {
        let a = StepResult { outcome: StepOutcome::Failed, output: None };
        let results = BTreeMap::from([("a", a), ("b", StepResult { outcome: b, output: None })]);
        workflow.starts(step, &graph, &opened(), &results, false).unwrap()
    };
    assert!(starts(2, StepOutcome::Skipped), "a failed, though c does not name it");
    assert!(starts(3, StepOutcome::Succeeded), "b succeeded, which is all d asks for");
    assert!(!starts(3, StepOutcome::Skipped));
}

#[test]
fn a_condition_reads_what_steps_returned() {
    let yaml = "{ name: w, on: { manual: true }, steps: [{ id: a, uses: fetch }, \
                { id: b, uses: review, needs: [a], if: 'steps.a.output.files.size() > 1 && steps.a.output.added > 9' }] }";
    let workflow = Definition::parse("w", yaml).unwrap();
    let graph = workflow.graph().unwrap();
    let starts = |output: Option<&serde_json::Value>| {
        let results = BTreeMap::from([("a", StepResult { outcome: StepOutcome::Succeeded, output })]);
        workflow.starts(1, &graph, &opened(), &results, false).map_err(|error| error.to_string())
    };
    assert_eq!(starts(Some(&json!({"files": ["x", "y"], "added": 10}))), Ok(true));
    assert_eq!(starts(Some(&json!({"files": ["x", "y"], "added": 9.0}))), Ok(false));
    assert_snapshot!(starts(None).unwrap_err(), @"expression `steps.a.output.files.size() > 1 && steps.a.output.added > 9`: there is no `added`");
}

#[test]
fn a_definition_survives_json_with_its_digest() {
    let workflow = review();
    let stored = serde_json::to_string(&workflow).unwrap();
    let read: Definition = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, workflow);
    assert_eq!(read.digest(), workflow.digest());
    assert_eq!(read.matches(&opened()), Ok(true));
    assert_eq!(workflow.digest().len(), 64);
    assert_ne!(Definition { timeout: Some(301), ..workflow.clone() }.digest(), workflow.digest());
    assert_snapshot!(stored, @r#"{"name":"pr-review","description":"Reviews the change of a pull request and publishes one review and one check.","on":{"pull_request":["opened","reopened","ready_for_review","synchronize"],"command":["review"],"check_rerun":true},"if":"!event.sender.bot || event.type == 'pull_request'","concurrency":{"group":"review/${repo}/${number}","latest_wins":true},"steps":[{"id":"authorize","uses":"authorize"},{"id":"fetch","uses":"fetch","needs":["authorize"],"if":"steps.authorize.output.allowed","retry":{"attempts":10,"delay":10}},{"id":"analyse","uses":"analyse","needs":["fetch"],"if":"steps.fetch.output.wanted"},{"id":"review","uses":"review","needs":["fetch"],"if":"steps.fetch.output.wanted"},{"id":"publish","uses":"publish-review","needs":["analyse","review"],"if":"steps.fetch.status == 'failed' || (steps.fetch.status == 'succeeded' && steps.fetch.output.wanted)","retry":{"attempts":10,"delay":10}},{"id":"tell","uses":"tell","needs":["publish"],"if":"steps.fetch.status == 'succeeded' && !steps.fetch.output.wanted"}]}"#);
}

#[test]
fn the_schema_accepts_the_built_in_workflow() {
    let workflow = serde_json::to_value(review()).unwrap();
    assert!(jsonschema::is_valid(schema(), &workflow));
    assert!(!jsonschema::is_valid(schema(), &json!({"name": "a"})));
}

#[test]
fn an_operators_file_takes_the_place_of_a_built_in_one() {
    let mine = "name: pr-review # mine\non: { command: [review] }\nsteps: [{ id: fetch, uses: fetch }]";
    let nightly = "{ name: nightly, on: { pull_request: [opened] }, steps: [{ id: fetch, uses: fetch }] }";
    let catalog = Catalog::load([("b.yaml", nightly), ("a.yaml", mine)]).unwrap();
    let listed: Vec<_> =
        catalog.iter().map(|entry| (&*entry.definition.name, &*entry.source, entry.built_in)).collect();
    let expected = [
        ("command", "built-in command", true),
        ("nightly", "b.yaml", false),
        ("pr-describe", "built-in pr-describe", true),
        ("pr-label", "built-in pr-label", true),
        ("pr-review", "a.yaml", false),
    ];
    assert_eq!(listed, expected);
    assert_eq!(&*catalog.get("pr-review").unwrap().text, mine);
    let started: Vec<String> =
        catalog.matching(&opened()).into_iter().map(|found| found.unwrap().name.clone()).collect();
    assert_eq!(started, ["nightly"]);
}

#[test]
fn mistakes_in_all_files_are_told_and_so_are_two_with_one_name() {
    let nightly = "name: nightly\non: { pull_request: [opened] }\nsteps: [{ id: fetch, uses: fetch }]";
    let bad = "name: bad\non: { pull_request: [open] }\nsteps: [{ id: fetch, uses: fetch }]";
    let mistakes = Catalog::load([("a.yaml", nightly), ("b.yaml", bad), ("c.yaml", nightly)]).unwrap_err();
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @"
    b.yaml:2:22: on.pull_request[0]: expected one of `opened`, `reopened`, `ready_for_review`, `synchronize`, `labeled`, `closed`, found text `open`; write one of these
    c.yaml:1:7: name: workflow `nightly` is already defined in a.yaml; give it another name or remove one of the files
    ");
}

#[test]
fn a_workflow_whose_condition_fails_keeps_no_other_from_starting() {
    let flow = |name: &str, condition: &str| {
        format!(
            "{{ name: {name}, on: {{ pull_request: [opened] }}, if: \"{condition}\", steps: [{{ id: a, uses: fetch }}] }}"
        )
    };
    // Right for every event there was when it was written, wrong for this one.
    let bad = flow("bad", "size(event.labels) < 1 || event.labels[1] != ''");
    let catalog = Catalog::load([("a.yaml", bad.as_str()), ("b.yaml", flow("good", "true").as_str())]).unwrap();
    let found: Vec<String> = catalog
        .matching(&opened())
        .into_iter()
        .map(|found| found.map_or_else(|error| error.to_string(), |workflow| workflow.name.clone()))
        .collect();
    assert_snapshot!(found.join("\n"), @"
    workflow `bad` was not started: expression `size(event.labels) < 1 || event.labels[1] != ''`: the index lies outside the list
    good
    pr-review
    ");
}

/// Random steps: each needs some of those that come earlier in a hidden order, and is written anywhere.
fn dag() -> impl Strategy<Value = Vec<(String, Vec<String>)>> {
    (1_usize..=40)
        .prop_flat_map(|count| {
            let edges = proptest::collection::vec(any::<prop::sample::Index>(), 0..count * 2);
            let shuffled = Just((0..count).collect::<Vec<usize>>()).prop_shuffle();
            (Just(count), edges, proptest::collection::vec(any::<prop::sample::Index>(), count * 2), shuffled)
        })
        .prop_map(|(count, from, to, written)| {
            let mut needs = vec![Vec::new(); count];
            for (from, to) in from.iter().zip(&to) {
                let from = from.index(count);
                if from > 0 {
                    needs[from].push(format!("s{}", to.index(from)));
                }
            }
            written.into_iter().map(|at| (format!("s{at}"), std::mem::take(&mut needs[at]))).collect()
        })
}

fn yaml_of(steps: &[(String, Vec<String>)]) -> String {
    let steps: Vec<_> = steps.iter().map(|(id, needs)| json!({"id": id, "uses": "fetch", "needs": needs})).collect();
    json!({"name": "w", "on": {"manual": true}, "steps": steps}).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn steps_without_a_circle_are_accepted_and_every_one_comes_after_its_needs(steps in dag()) {
        let workflow = Definition::parse("w", &yaml_of(&steps)).unwrap();
        let graph = workflow.graph().unwrap();
        let place = |step: usize| graph.order().iter().position(|other| *other == step).unwrap();
        prop_assert_eq!(graph.order().len(), steps.len());
        for (at, step) in workflow.steps.iter().enumerate() {
            for need in &step.needs {
                prop_assert!(place(workflow.index(need).unwrap()) < place(at));
            }
        }
        // Running whatever is ready, one at a time, gets through all steps.
        let mut finished = vec![false; graph.len()];
        while let Some(step) = graph.ready(|step| finished[step]).pop() {
            prop_assert!(graph.needs(step).iter().all(|need| finished[*need]));
            finished[step] = true;
        }
        prop_assert!(finished.iter().all(|finished| *finished));
    }

    #[test]
    fn a_circle_is_refused_and_really_is_one(steps in dag(), pick in any::<(prop::sample::Index, prop::sample::Index)>()) {
        let mut steps = steps;
        let sound = Graph::new(steps.iter().map(|(id, needs)| (id.as_str(), needs.iter().map(String::as_str)))).unwrap();
        // An edge back from a step to one that waits for it (or to itself) closes a circle.
        let last = pick.0.index(steps.len());
        let before: Vec<usize> = sound.ancestors(last).into_iter().chain([last]).collect();
        let first = before[pick.1.index(before.len())];
        let need = steps[last].0.clone();
        steps[first].1.push(need);
        let graph = Graph::new(steps.iter().map(|(id, needs)| (id.as_str(), needs.iter().map(String::as_str))));
        let Err(GraphError::Cycle(circle)) = graph else { panic!("accepted: {graph:?}") };
        for (at, id) in circle.iter().enumerate() {
            let next = &circle[(at + 1) % circle.len()];
            let (_, needs) = steps.iter().find(|(step, _)| step == id).unwrap();
            prop_assert!(needs.contains(next), "{} does not need {}", id, next);
        }
        let mistakes = Definition::parse("w", &yaml_of(&steps)).unwrap_err();
        prop_assert!(mistakes.iter().any(|mistake| mistake.message.contains(&circle.join(" → ")) || mistake.message.contains("needs itself")));
    }

    #[test]
    fn json_keeps_what_was_said_and_its_digest(steps in dag(), timeout in proptest::option::of(1_u64..=86_400), text in "\\PC{0,20}") {
        let mut workflow = Definition::parse("w", &yaml_of(&steps)).unwrap();
        workflow.timeout = timeout;
        workflow.r#if = Some(Condition::new(&text));
        let read: Definition = serde_json::from_str(&serde_json::to_string(&workflow).unwrap()).unwrap();
        prop_assert_eq!(read.digest(), workflow.digest());
        prop_assert_eq!(read, workflow);
    }
}
