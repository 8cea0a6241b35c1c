//! Expressions under stress: whatever a person, or a fuzzer, writes, the engine answers and does not fall over.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use autopr_core::event::{Event, EventKind, Sender};
use autopr_core::ids::{DeliveryId, PrNumber, RepoName};
use autopr_core::workflow::{Condition, Definition, StepOutcome, StepResult, Template, validate};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

fn event(labels: usize) -> Event {
    Event {
        delivery: DeliveryId::new("d1").unwrap(),
        at: "2026-11-22T10:00:00Z".parse().unwrap(),
        kind: EventKind::Command {
            name: "review".into(), arguments: "full \u{202e} ${repo} 'é".into(), comment: None
        },
        repository: RepoName::new("acme/shop").unwrap(),
        number: PrNumber(u64::MAX),
        base: None,
        head: None,
        draft: false,
        labels: (0..labels).map(|at| format!("label {at}")).collect(),
        sender: Sender { login: "ann".into(), bot: false },
        installation: None,
    }
}

/// A workflow that uses `text` wherever an expression can stand.
fn with(text: &str) -> Definition {
    static PLAIN: LazyLock<Definition> = LazyLock::new(|| {
        let yaml = "{ name: w, on: { command: [review] }, concurrency: { group: g }, \
                    steps: [{ id: a, uses: fetch }, { id: b, uses: review, needs: [a] }] }";
        Definition::parse("w", yaml).unwrap()
    });
    let mut workflow = PLAIN.clone();
    workflow.r#if = Some(Condition::new(text));
    workflow.steps[1].r#if = Some(Condition::new(text));
    workflow.concurrency.as_mut().unwrap().group = Template::new(&format!("${{{text}}}"));
    workflow
}

/// Uses `text` in every way there is. What comes out does not matter here; that something does is the point.
fn use_everywhere(text: &str) {
    let workflow = with(text);
    let event = event(3);
    let output = serde_json::json!({"n": 1, "f": 1.5, "big": u64::MAX, "l": [null, true], "s": "x"});
    let results = BTreeMap::from([("a", StepResult { outcome: StepOutcome::Failed, output: Some(&output) })]);
    let _ = workflow.matches(&event);
    let _ = workflow.group(&event);
    let _ = workflow.starts(1, &workflow.graph().unwrap(), &event, &results, false);
    let yaml = serde_json::to_string(&workflow).unwrap();
    for mistake in validate("w", &yaml) {
        assert!(mistake.line > 0 && mistake.column > 0, "{mistake}");
    }
}

fn on_a_stack_of(bytes: usize, run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(bytes).spawn(run).unwrap().join().unwrap();
}

/// Expressions as people write them, and worse.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "event",
            "event.draft",
            "event.labels",
            "event.number",
            "event.sender.login",
            "event.command.arguments",
            "event.sender",
            "repo",
            "number",
            "steps.a.status",
            "steps.a.output",
            "steps.a.output.n",
            "steps.a.output.l",
            "steps.a.output.big",
            "steps",
            "x",
            "true",
            "false",
            "null",
            "0",
            "1",
            "-1",
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551615u",
            "0u",
            "1.5",
            "1e308",
            "-1e308",
            "0.0",
            "'a'",
            "''",
            "'é𝒳'",
            r"'\u00e9'",
            r"r'\d+'",
            "'('",
            "b'\\xff'",
            "[]",
            "{}",
            "always()",
            "success()",
            "int",
            "type",
            ".event",
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    leaf.prop_recursive(4, 40, 3, |inner| {
        let operators = vec!["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", " in "];
        let functions = vec![
            "size",
            "string",
            "int",
            "uint",
            "double",
            "bool",
            "bytes",
            "type",
            "dyn",
            "matches",
            "has",
            "optional.of",
            "duration",
            "timestamp",
            "nothing",
        ];
        let members =
            vec!["size", "contains", "startsWith", "endsWith", "matches", "value", "orValue", "hasValue", "join"];
        let loops = vec!["all", "exists", "exists_one", "map", "filter"];
        prop_oneof![
            4 => (inner.clone(), prop::sample::select(operators), inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            1 => (prop::sample::select(vec!["!", "-"]), inner.clone()).prop_map(|(sign, of)| format!("{sign}({of})")),
            2 => (prop::sample::select(functions), inner.clone()).prop_map(|(name, of)| format!("{name}({of})")),
            2 => (inner.clone(), prop::sample::select(members), inner.clone())
                .prop_map(|(of, name, with)| format!("{of}.{name}({with})")),
            2 => (inner.clone(), prop::sample::select(loops), inner.clone())
                .prop_map(|(of, name, body)| format!("{of}.{name}(x, {body})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(of, at)| format!("{of}[{at}]")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{{a}: {b}, 'k': {a}}}")),
            1 => inner.prop_map(|of| format!("{of}.field")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_expression_stops_the_engine(text in expression()) {
        use_everywhere(&text);
    }

    #[test]
    fn no_text_stops_the_engine(text in "\\PC{0,60}") {
        use_everywhere(&text);
    }

    #[test]
    fn no_mixture_of_symbols_stops_the_engine(text in r#"[\[\](){}.,?:!&|=<>+\-*/%'"\\`$@ \n0-9a-eru]{0,60}"#) {
        use_everywhere(&text);
    }

    #[test]
    fn no_file_stops_validation(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        validate("w", &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_change_to_a_good_file_stops_validation(at in any::<prop::sample::Index>(), length in 0_usize..40, put in "\\PC{0,10}") {
        let good: Vec<char> = include_str!("../workflows/pr-review.yaml").chars().collect();
        let at = at.index(good.len());
        let end = (at + length).min(good.len());
        let text: String = good[..at].iter().copied().chain(put.chars()).chain(good[end..].iter().copied()).collect();
        validate("w", &text);
    }
}

#[test]
fn the_deepest_expressions_fit_a_small_stack() {
    // Threads of the runtime have 2 MiB; half of that must do here, in a build without optimisation.
    let shapes = [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("!", "true", ""),
        ("-", "1", ""),
        ("size([", "1", "])"),
        ("{'a': ", "1", "}"),
        ("[1][", "0", "]"),
        ("true && (", "true", ")"),
        ("1 + (", "1", ")"),
        ("true ? (", "true", ") : false"),
        ("[1].all(x, ", "true", ")"),
        ("[1].map(x, ", "x", ")"),
        ("[", "[1]", "].filter(x, true)"),
        ("1 + ", "1", ""),
        ("true || ", "false", ""),
        ("[1][0] < ", "1", ""),
        ("", "event", ".sender"),
        ("", "event", "['sender']"),
        ("", "'a'", ".size()"),
        ("has(event.", "sender", ")"),
    ];
    on_a_stack_of(1 << 20, move || {
        for (before, middle, after) in shapes {
            for depth in (1..30).chain([60, 119]) {
                use_everywhere(&format!("{}{middle}{}", before.repeat(depth), after.repeat(depth)));
            }
        }
    });
}

#[test]
fn the_most_work_an_expression_can_ask_for_is_little() {
    let sum = ["a"; 7].join(" + ");
    let grown = format!("[event.labels].map(a, {sum}).map(a, {sum})[0].size() > 0");
    let squared = "event.labels.all(a, event.labels.all(b, a.matches('^label [0-9]+$') && b.size() > 1))".to_owned();
    let many = format!("({}).size() == 700", ["event.labels.map(a, event.labels)"; 7].join("+"));
    for text in [grown, squared, many] {
        let workflow = with(&text);
        let start = Instant::now();
        assert_eq!(workflow.matches(&event(100)), Ok(true), "{text}");
        assert!(start.elapsed() < Duration::from_secs(5), "{text} took {:?}", start.elapsed());
    }
}

#[test]
fn the_parser_reads_what_the_reference_parser_of_the_library_reads() {
    // The older parser, generated from the grammar of the standard, needs a large stack. The two differ only in how
    // they take signs without parentheses between them, such as `!-x`, which have no use here.
    on_a_stack_of(256 << 20, || {
        let ids = regex::Regex::new(r"id: \d+, ").unwrap();
        let negated = r#"Call\(CallExpr \{ func_name: "-_", target: None, args: \[IdedExpr \{ expr: Literal\((\w+)\(\w+\((-?[\d.e]+)\)\)\) \}\] \}\)"#;
        let negated = regex::Regex::new(negated).unwrap();
        let shape = |tree: &cel::IdedExpr| {
            let text = format!("{:?}", tree.expr);
            // Ids differ, and one parser reads `-1` as a number where the other negates 1.
            let text = ids.replace_all(&text, "");
            negated.replace_all(&text, "Literal($1($1(-$2)))").replace("--", "")
        };
        let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
        runner
            .run(&expression(), |text| {
                let ours = cel::parser::PrattParser::new().parse(&text).map(|tree| shape(&tree)).map_err(drop);
                let reference = cel::parser::Parser::new().parse(&text).map(|tree| shape(&tree)).map_err(drop);
                prop_assert_eq!(ours, reference);
                Ok(())
            })
            .unwrap();
    });
}
