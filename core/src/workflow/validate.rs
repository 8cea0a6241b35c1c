//! A definition's text held against every rule, so that a person sees all mistakes at once.

use std::collections::{BTreeSet, HashMap};

use super::condition::Condition;
use super::definition::{Definition, schema};
use super::expression::{Expression, ExpressionError};
use super::graph;
use super::names::{self, Place};
use super::sample;
use super::scope::Scope;
use super::template::{self, Part, Template};
use crate::event::Event;
use crate::yaml::{self, Diagnostic, Document, Node, Path, nearest};

/// Every mistake in the text of a definition, in the order of the file; none when it may be used.
pub fn validate(source: &str, yaml: &str) -> Vec<Diagnostic> {
    parse(source, yaml).err().unwrap_or_default()
}

/// The definition in `yaml`, or every mistake in it.
pub(super) fn parse(source: &str, yaml: &str) -> Result<Definition, Vec<Diagnostic>> {
    let document = Document::parse(source, yaml)?;
    let mut check = Check { document: &document, found: document.check(schema()) };
    check.workflow();
    let mut found = check.found;
    if found.is_empty() {
        match serde_json::from_value(document.root().to_json()) {
            Ok(definition) => return Ok(definition),
            Err(error) => found.push(document.mistake("", error.to_string())),
        }
    }
    found.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    Err(found)
}

/// A walk over the document for what its schema can't say. A part of the wrong type is left alone: the schema's check
/// has told.
struct Check<'d> {
    document: &'d Document,
    found: Vec<Diagnostic>,
}

/// What the checks of steps need to know of one.
struct Outline<'d> {
    path: Path,
    id: &'d str,
    needs: Vec<(Path, &'d str)>,
    condition: Option<&'d str>,
}

impl<'d> Check<'d> {
    fn workflow(&mut self) {
        let root = self.document.root();
        if let Some(on) = root.get("on") {
            self.triggers(on);
        }
        if let Some(text) = text_at(root, "if") {
            self.condition(&Path::from("if"), text, Place::Workflow);
        }
        if let Some(text) = root.get("concurrency").and_then(|node| text_at(node, "group")) {
            self.template(&Path::from("concurrency.group"), text);
        }
        let steps = root.get("steps").map(Node::items).unwrap_or_default();
        let steps: Vec<Outline<'d>> = steps.iter().enumerate().filter_map(|(at, node)| outline(at, node)).collect();
        self.steps(&steps);
    }

    fn triggers(&mut self, on: &Node) {
        let yaml::Value::Mapping(entries) = &on.value else { return };
        let starts = entries.iter().any(|entry| match &entry.node.value {
            yaml::Value::Sequence(events) => !events.is_empty(),
            yaml::Value::Bool(manual) => *manual,
            // Neither a list nor true or false: told as such.
            _ => true,
        });
        if !starts {
            let fix = "name at least one event, such as `pull_request: [opened]`, or write `manual: true`";
            self.found.push(self.document.mistake_in_key("on", "nothing starts this workflow").fix(fix));
        }
    }

    fn steps(&mut self, steps: &[Outline<'d>]) {
        let mut first: HashMap<&str, usize> = HashMap::new();
        for (at, step) in steps.iter().enumerate() {
            if let Some(earlier) = first.get(step.id) {
                let line = self.document.at(steps[*earlier].path.key("id")).line;
                let message = format!("there is already a step `{}` in line {line}", step.id);
                let diagnostic = self.document.mistake(step.path.key("id"), message);
                self.found.push(diagnostic.fix("give every step an id of its own"));
            } else {
                first.insert(step.id, at);
            }
        }
        let all: Vec<&str> = steps.iter().map(|step| step.id).collect();
        let needs: Vec<Vec<usize>> =
            steps.iter().enumerate().map(|(at, step)| self.needs(at, step, &first, &all)).collect();
        for cycle in graph::cycles(&needs) {
            let names: Vec<String> = cycle.iter().map(|at| all[*at].to_owned()).collect();
            let (message, fix) = match names.as_slice() {
                [only] => (format!("step `{only}` needs itself"), "remove it from its own `needs`".to_owned()),
                _ => {
                    let message = format!("steps need each other in a circle: {}", graph::circle(&names));
                    (message, "remove one of these needs".to_owned())
                }
            };
            let path = cycle.first().map(|at| steps[*at].path.key("needs")).unwrap_or_default();
            self.found.push(self.document.mistake_in_key(path, message).fix(fix));
        }
        for (at, step) in steps.iter().enumerate() {
            if let Some(text) = step.condition {
                let before: Vec<&str> = graph::ancestors(&needs, at).into_iter().map(|other| all[other]).collect();
                self.condition(&step.path.key("if"), text, Place::Step { own: step.id, before: &before, all: &all });
            }
        }
    }

    /// The positions of the steps that one needs; names of no step are told.
    fn needs(&mut self, at: usize, step: &Outline<'d>, first: &HashMap<&str, usize>, all: &[&str]) -> Vec<usize> {
        let mut found = BTreeSet::new();
        for (path, need) in &step.needs {
            match first.get(need) {
                Some(other) => drop(found.insert(*other)),
                None => {
                    let others: Vec<_> =
                        all.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, id)| *id).collect();
                    let mut diagnostic = self.document.mistake(path, format!("there is no step `{need}`"));
                    diagnostic.fix = Some(match nearest(need, others.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None if others.is_empty() => "leave it out: there is no other step".to_owned(),
                        None => format!("the other steps are {}", others.join(", ")),
                    });
                    self.found.push(diagnostic);
                }
            }
        }
        found.into_iter().collect()
    }

    fn condition(&mut self, path: &Path, text: &str, place: Place<'_>) {
        let condition = Condition::new(text);
        if self.expression(path, 0, condition.expression(), place) {
            self.tried(path, 0, condition.expression(), place, |scope| condition.holds(scope).map(drop));
        }
    }

    fn template(&mut self, path: &Path, text: &str) {
        let template = Template::new(text);
        match template.parts() {
            Err(error) => self.told(path, 0, &error),
            Ok(parts) => {
                for part in parts {
                    let Part::Value(at, expression) = part else { continue };
                    if self.expression(path, *at, expression, Place::Workflow) {
                        let written = |scope: &Scope<'_>| template::written(expression, scope).map(drop);
                        self.tried(path, *at, expression, Place::Workflow, written);
                    }
                }
            }
        }
    }

    /// Compiles an expression that begins at byte `at` of the value at `path` and checks its names; true when both are
    /// right.
    fn expression(&mut self, path: &Path, at: usize, expression: &Expression, place: Place<'_>) -> bool {
        match expression.program() {
            Err(mut error) => {
                // Two braces, as in other systems, make a map of it.
                if error.fix.is_none() && at > 0 && expression.text().starts_with('{') {
                    error.fix = Some("write `${…}`, with one pair of braces".to_owned());
                }
                self.told(path, at, &error);
                false
            }
            Ok(program) => {
                let mistakes = names::check(expression.text(), program, place);
                for mistake in &mistakes {
                    let range = at + mistake.range.start..at + mistake.range.end;
                    let mut diagnostic = self.document.mistake_within(path, range, mistake.message.clone());
                    diagnostic.fix.clone_from(&mistake.fix);
                    self.found.push(diagnostic);
                }
                mistakes.is_empty()
            }
        }
    }

    /// Evaluates on events of every type, so that a wrong type or a missing value is found before it happens. What a
    /// step returns is not known here, so an expression that reads an output is not tried.
    fn tried(
        &mut self,
        path: &Path,
        at: usize,
        expression: &Expression,
        place: Place<'_>,
        evaluate: impl Fn(&Scope<'_>) -> Result<(), ExpressionError>,
    ) {
        if expression.program().is_ok_and(|program| !program.outputs.is_empty()) {
            return;
        }
        let failed = |event: &Event| match place {
            Place::Workflow => evaluate(&Scope::new(event)).err(),
            Place::Step { before, .. } => sample::outcomes(before)
                .iter()
                .find_map(|results| evaluate(&Scope::new(event).of_step(before, before, results, false)).err()),
        };
        for (what, event) in sample::events().iter().flatten() {
            if let Some(mut error) = failed(event) {
                error.reason = format!("{} (tried with {what})", error.reason);
                return self.told(path, at, &error);
            }
        }
    }

    fn told(&mut self, path: &Path, at: usize, error: &ExpressionError) {
        let offset = at + error.offset;
        let mut diagnostic = self.document.mistake_within(path, offset..offset + 1, error.reason.clone());
        diagnostic.fix.clone_from(&error.fix);
        self.found.push(diagnostic);
    }
}

fn outline<'d>(at: usize, node: &'d Node) -> Option<Outline<'d>> {
    let path = Path::from("steps").index(at);
    let needs = node.get("needs").map(Node::items).unwrap_or_default();
    let needs = needs.iter().enumerate().filter_map(|(at, need)| Some((path.key("needs").index(at), need.text()?)));
    let needs = needs.collect();
    Some(Outline { id: text_at(node, "id")?, needs, condition: text_at(node, "if"), path })
}

fn text_at<'d>(node: &'d Node, key: &str) -> Option<&'d str> {
    node.get(key).and_then(Node::text)
}
