//! The names an expression may use, checked before it meets an event: a mistyped one is found when the workflow is
//! written, not when a pull request is opened.

use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use super::expression::{Program, children, locate, path};
use super::scope::StepOutcome;
use crate::yaml::nearest;

/// Where an expression stands, which decides what it can see.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// In a workflow's condition or template.
    Workflow,
    /// In the condition of a step.
    Step {
        /// The step itself.
        own: &'a str,
        /// The steps that have finished by then: those it needs, directly or through others.
        before: &'a [&'a str],
        /// All steps of the workflow.
        all: &'a [&'a str],
    },
}

/// A name that is wrong where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The bytes of the expression at fault.
    pub(super) range: Range<usize>,
    /// What is wrong.
    pub(super) message: String,
    /// What to do about it.
    pub(super) fix: Option<String>,
}

/// Everything in `program` that has no meaning in `place`. `text` is what it was compiled from.
pub(super) fn check(text: &str, program: &Program, place: Place<'_>) -> Vec<Mistake> {
    let mut walk = Walk { text, place, bound: Vec::new(), found: Vec::new() };
    walk.visit(&program.tree);
    walk.found
}

/// What a variable holds.
enum Shape {
    /// A value without fields.
    Scalar,
    /// Text that is one of these words, or empty.
    Word(&'static [&'static str]),
    /// A list.
    List,
    /// A map with exactly these keys.
    Map(&'static [(&'static str, Shape)]),
}

const EVENT: Shape = Shape::Map(&[
    ("type", Shape::Word(&["pull_request", "command", "check_rerun", "manual"])),
    ("action", Shape::Word(&["opened", "reopened", "ready_for_review", "synchronize", "labeled", "closed"])),
    ("repository", Shape::Scalar),
    ("number", Shape::Scalar),
    ("base", Shape::Scalar),
    ("head", Shape::Scalar),
    ("draft", Shape::Scalar),
    ("labels", Shape::List),
    ("sender", Shape::Map(&[("login", Shape::Scalar), ("bot", Shape::Scalar)])),
    ("command", Shape::Map(&[("name", Shape::Scalar), ("arguments", Shape::Scalar)])),
]);

/// Functions of the standard library that make sense here. The macros `has`, `all`, `exists`, `exists_one`, `map` and
/// `filter` are gone by the time names are checked, unless they were not written as they must be.
const FUNCTIONS: &[&str] =
    &["size", "contains", "startsWith", "endsWith", "matches", "string", "int", "uint", "double", "bool"];
const MACROS: &[(&str, &str)] = &[
    ("has", "has(event.field)"),
    ("all", "list.all(x, condition)"),
    ("exists", "list.exists(x, condition)"),
    ("exists_one", "list.exists_one(x, condition)"),
    ("map", "list.map(x, value)"),
    ("filter", "list.filter(x, condition)"),
];
const STATUS_FUNCTIONS: &[&str] = &["always", "success", "failure"];

struct Walk<'a> {
    text: &'a str,
    place: Place<'a>,
    /// Variables of the loops around.
    bound: Vec<String>,
    found: Vec<Mistake>,
}

impl Walk<'_> {
    fn visit(&mut self, expr: &IdedExpr) {
        match &expr.expr {
            Expr::Ident(_) | Expr::Select(_) => self.selection(expr),
            Expr::Call(call) if call.func_name == operators::INDEX => self.selection(expr),
            Expr::Call(call) => {
                self.call(call);
                self.below(expr);
            }
            Expr::Comprehension(over) => {
                self.visit(&over.iter_range);
                self.visit(&over.accu_init);
                let outer = self.bound.len();
                self.bound.push(over.iter_var.clone());
                self.bound.extend(over.iter_var2.clone());
                self.bound.push(over.accu_var.clone());
                for part in [&over.loop_cond, &over.loop_step, &over.result] {
                    self.visit(part);
                }
                self.bound.truncate(outer);
            }
            Expr::Struct(message) => {
                self.report(&message.type_name, false, format!("there is no type `{}`", message.type_name), None);
            }
            Expr::List(_) | Expr::Map(_) => self.below(expr),
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn below(&mut self, expr: &IdedExpr) {
        for child in children(&expr.expr) {
            self.visit(child);
        }
    }

    /// A variable and the fields selected from it.
    fn selection(&mut self, expr: &IdedExpr) {
        let Some((root, fields)) = path(&expr.expr) else { return self.computed(expr) };
        if root.starts_with('@') || self.bound.iter().any(|name| name == root) {
            return;
        }
        match root {
            "event" => self.fields("event", &EVENT, &fields),
            "repo" | "number" => self.fields(root, &Shape::Scalar, &fields),
            "steps" => self.step(&fields),
            _ => {
                let known: &[&str] = match self.place {
                    Place::Workflow => &["event", "repo", "number"],
                    Place::Step { .. } => &["event", "repo", "number", "steps"],
                };
                let fix = match nearest(root, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", listed(known.iter().copied())),
                };
                self.report(root, false, format!("there is no variable `{root}`"), Some(fix));
            }
        }
    }

    /// A selection from something that is no variable, or by an index that is worked out.
    fn computed(&mut self, expr: &IdedExpr) {
        if let Expr::Call(call) = &expr.expr
            && let [operand, _] = call.args.as_slice()
            && let Some((root @ ("event" | "steps"), fields)) = path(&operand.expr)
            && !self.bound.iter().any(|name| name == root)
            && fields.last() != Some(&"labels")
            && !(root == "steps" && fields.get(1) == Some(&"output"))
        {
            let fix = format!("name the field: {root}.name or {root}['name']");
            self.report(root, false, format!("which field of `{root}` this reads can't be checked"), Some(fix));
            return;
        }
        self.below(expr);
    }

    fn fields(&mut self, name: &str, shape: &Shape, fields: &[&str]) {
        let Some((field, rest)) = fields.split_first() else { return };
        let Shape::Map(known) = shape else {
            return self.report(field, true, format!("`{name}` has no fields, so no `{field}`"), None);
        };
        match known.iter().find(|(key, _)| key == field) {
            Some((_, shape)) => self.fields(&format!("{name}.{field}"), shape, rest),
            None => {
                let keys = || known.iter().map(|(key, _)| *key);
                let fix = match nearest(field, keys()) {
                    Some(near) => format!("did you mean `{name}.{near}`?"),
                    None => format!("it has {}", listed(keys())),
                };
                self.report(field, true, format!("`{name}` has no field `{field}`"), Some(fix));
            }
        }
    }

    fn step(&mut self, fields: &[&str]) {
        let Place::Step { own, before, all } = self.place else {
            let fix = "use it in the `if` of a step".to_owned();
            return self.report("steps", false, "`steps` is not known before a step has run".into(), Some(fix));
        };
        let Some((id, rest)) = fields.split_first() else {
            let fix = "name the step: steps.<id>.status".to_owned();
            return self.report("steps", false, "`steps` is no value of its own".into(), Some(fix));
        };
        if !before.contains(id) {
            let (message, fix) = if *id == own {
                (format!("step `{id}` has not run when its own condition is asked"), None)
            } else if all.contains(id) {
                let fix = format!("add `{id}` to the `needs` of this step");
                (format!("step `{id}` may not have finished by then"), Some(fix))
            } else {
                let near = nearest(id, all.iter().copied()).map(|near| format!("did you mean `steps.{near}`?"));
                (format!("there is no step `{id}`"), near)
            };
            return self.report(id, true, message, fix);
        }
        match rest.first() {
            None | Some(&("status" | "output")) => {}
            Some(field) => {
                let fix = nearest(field, ["status", "output"]).unwrap_or("status");
                let fix = format!("did you mean `steps.{id}.{fix}`?");
                self.report(field, true, format!("`steps.{id}` has no field `{field}`"), Some(fix));
            }
        }
    }

    fn call(&mut self, call: &CallExpr) {
        let name = call.func_name.as_str();
        self.words(call);
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || FUNCTIONS.contains(&name) {
            return;
        }
        if STATUS_FUNCTIONS.contains(&name) {
            if matches!(self.place, Place::Workflow) {
                let fix = "use it in the `if` of a step".to_owned();
                self.report(name, false, format!("`{name}()` is not known before a step has run"), Some(fix));
            } else if call.target.is_some() || !call.args.is_empty() {
                self.report(
                    name,
                    call.target.is_some(),
                    format!("`{name}()` takes nothing"),
                    Some(format!("write {name}()")),
                );
            }
            return;
        }
        if let Some((_, form)) = MACROS.iter().find(|(known, _)| *known == name) {
            let message = format!("`{name}` is not used as it must be");
            return self.report(name, call.target.is_some(), message, Some(format!("write it like {form}")));
        }
        let known = FUNCTIONS.iter().chain(MACROS.iter().map(|(name, _)| name)).chain(STATUS_FUNCTIONS).copied();
        let fix = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        self.report(name, call.target.is_some(), format!("there is no function `{name}`"), fix);
    }

    /// A word compared with one of a closed set that does not have it: the comparison would always be false.
    fn words(&mut self, call: &CallExpr) {
        let [left, right] = call.args.as_slice() else { return };
        let compared = match call.func_name.as_str() {
            operators::EQUALS | operators::NOT_EQUALS => vec![(left, right), (right, left)],
            operators::IN => match &right.expr {
                Expr::List(list) => list.elements.iter().map(|element| (left, element)).collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        for (variable, literal) in compared {
            let Expr::Literal(LiteralValue::String(word)) = &literal.expr else { continue };
            let Some((name, words)) = self.closed_set(&variable.expr) else { continue };
            let word = word.inner();
            if !word.is_empty() && !words.contains(&word) {
                let fix = match nearest(word, words.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it is one of {}", listed(words.iter().copied())),
                };
                self.report(word, true, format!("`{name}` is never `{word}`"), Some(fix));
            }
        }
    }

    fn closed_set(&self, expr: &Expr) -> Option<(String, Vec<&'static str>)> {
        let (root, fields) = path(expr)?;
        if self.bound.iter().any(|name| name == root) {
            return None;
        }
        let name = [&[root], fields.as_slice()].concat().join(".");
        match (root, fields.as_slice()) {
            ("steps", [_, "status"]) => Some((name, StepOutcome::ALL.map(StepOutcome::as_str).to_vec())),
            ("event", [field]) => match &EVENT {
                Shape::Map(known) => known.iter().find_map(|(key, shape)| match shape {
                    Shape::Word(words) if key == field => Some((name.clone(), words.to_vec())),
                    _ => None,
                }),
                _ => None,
            },
            _ => None,
        }
    }

    fn report(&mut self, word: &str, field: bool, message: String, fix: Option<String>) {
        let start = locate(self.text, word, field);
        let mistake = Mistake { range: start..(start + word.len()).min(self.text.len()), message, fix };
        if !self.found.contains(&mistake) {
            self.found.push(mistake);
        }
    }
}

fn listed<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_an_event_is_what_an_expression_gets() {
        fn compare(shape: &Shape, value: &cel::Value, at: &str) {
            match (shape, value) {
                (Shape::Map(known), cel::Value::Map(map)) => {
                    assert_eq!(known.len(), map.map.len(), "keys of {at}");
                    for (key, shape) in *known {
                        let value = map.get(&cel::objects::Key::from(*key)).unwrap_or_else(|| panic!("{at}.{key}"));
                        compare(shape, value, &format!("{at}.{key}"));
                    }
                }
                (Shape::Map(_), other) => panic!("{at} is {other:?}"),
                (Shape::List, value) => assert!(matches!(value, cel::Value::List(_)), "{at}"),
                (Shape::Word(words), cel::Value::String(word)) => {
                    assert!(word.is_empty() || words.contains(&word.as_str()), "{at} is {word}");
                }
                (Shape::Word(_), other) => panic!("{at} is {other:?}"),
                (Shape::Scalar, value) => {
                    assert!(!matches!(value, cel::Value::Map(_) | cel::Value::List(_)), "{at}");
                }
            }
        }
        for (_, event) in crate::workflow::sample::events().unwrap() {
            compare(&EVENT, &crate::workflow::scope::event_value(&event), "event");
        }
    }
}
