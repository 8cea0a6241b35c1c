//! Expressions in the Common Expression Language (<https://github.com/google/cel-spec>), bounded in every direction:
//! length, nodes, depth and nested loops. Text is compiled once, when it is first needed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use cel::common::ast::{EntryExpr, Expr, LiteralValue, operators};
use cel::parser::PrattParser;
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};
use cel::{Context, Env, ExecutionError, IdedExpr, Value};

use super::pattern::Patterns;
use super::scope::Scope;
use crate::fault::Fault;

/// The longest expression, in bytes.
pub const MAX_BYTES: usize = 1000;
/// The most operators, names and literals an expression may have.
pub const MAX_NODES: usize = 256;
/// How deep they may nest. The evaluator recurses, and worker threads have 2 MiB of stack.
pub const MAX_DEPTH: usize = 24;
/// How deep `all`, `exists`, `exists_one`, `map` and `filter` may nest: a third level would take cubic time.
pub const MAX_LOOPS: usize = 2;

/// An expression that can't be compiled, or had no usable value for an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expression `{expression}`: {reason}")]
pub struct ExpressionError {
    /// The expression's text.
    pub expression: Arc<str>,
    /// The byte in that text where the mistake is; zero when it is the expression as a whole.
    pub offset: usize,
    /// What is wrong.
    pub reason: String,
    /// What to do about it, when that is known.
    pub fix: Option<String>,
}

impl From<ExpressionError> for Fault {
    fn from(error: ExpressionError) -> Self {
        Fault::invalid(error.to_string())
    }
}

/// The text of an expression and, once it was needed, its compiled form. Clones share both.
#[derive(Clone)]
pub(super) struct Expression {
    text: Arc<str>,
    program: Arc<OnceLock<Result<Program, ExpressionError>>>,
}

impl Expression {
    /// Keeps the text; nothing is compiled yet.
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.into(), program: Arc::default() }
    }

    /// The text as written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The compiled form.
    pub(super) fn program(&self) -> Result<&Program, ExpressionError> {
        self.program.get_or_init(|| Program::compile(&self.text)).as_ref().map_err(Clone::clone)
    }

    /// The value in `scope`.
    pub(super) fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, ExpressionError> {
        let program = self.program()?;
        let mut context = Context::with_env(Arc::clone(&ENV));
        scope.bind(&mut context, program);
        Value::resolve(&program.tree, &context).map_err(|error| self.error(0, told(&error)))
    }

    /// An error in this expression at the given byte.
    pub(super) fn error(&self, offset: usize, reason: impl Into<String>) -> ExpressionError {
        ExpressionError { expression: Arc::clone(&self.text), offset, reason: reason.into(), fix: None }
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// A compiled expression and what it refers to.
#[derive(Debug)]
pub(super) struct Program {
    /// The syntax tree, macros expanded.
    pub(super) tree: IdedExpr,
    /// The steps it names as `steps.<id>`.
    pub(super) steps: BTreeSet<String>,
    /// Those of them whose `.output` it reads.
    pub(super) outputs: BTreeSet<String>,
    /// True when it decides by how steps ended: it calls `always`, `success` or `failure`, or reads a `.status`.
    pub(super) by_outcome: bool,
    /// The patterns of its calls of `matches`.
    pub(super) patterns: Arc<Patterns>,
}

impl Program {
    fn compile(text: &Arc<str>) -> Result<Self, ExpressionError> {
        let error = |offset, reason: String| ExpressionError { expression: cut(text), offset, reason, fix: None };
        if text.len() > MAX_BYTES {
            return Err(error(0, format!("it has {} bytes; at most {MAX_BYTES} are allowed", text.len())));
        }
        if text.trim().is_empty() {
            return Err(error(0, "it is empty".into()));
        }
        let parser = PrattParser::new().max_recursion_depth(MAX_DEPTH as u16).max_expression_node_count(MAX_NODES);
        let tree = parser.parse(text).map_err(|found| match found.errors.first() {
            Some(first) => error(offset(text, first.pos), plain(&first.msg)),
            None => error(0, "it can't be read".into()),
        })?;
        let mut size = Size::default();
        size.measure(&tree, 1, 0);
        if size.nodes > MAX_NODES {
            return Err(error(0, format!("it has {} parts; at most {MAX_NODES} are allowed", size.nodes)));
        }
        if size.depth > MAX_DEPTH {
            return Err(error(0, format!("it nests {} deep; at most {MAX_DEPTH} is allowed", size.depth)));
        }
        if size.loops > MAX_LOOPS {
            return Err(error(0, format!("it has loops within loops; at most {MAX_LOOPS} may nest")));
        }
        let patterns = Patterns::of(&tree).map_err(|bad| {
            let at = bad.pattern.map_or_else(|| locate(text, "matches", true), |pattern| locate(text, &pattern, true));
            error(at, bad.reason)
        })?;
        let (mut steps, mut outputs, mut by_outcome) = (BTreeSet::new(), BTreeSet::new(), false);
        refer(&tree, &mut steps, &mut outputs, &mut by_outcome);
        Ok(Self { tree, steps, outputs, by_outcome, patterns: Arc::new(patterns) })
    }
}

/// The standard functions and types, built once.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// The expressions directly under one.
pub(super) fn children(expr: &Expr) -> Vec<&IdedExpr> {
    match expr {
        Expr::Call(call) => call.target.iter().map(|target| &**target).chain(&call.args).collect(),
        Expr::Comprehension(l) => vec![&l.iter_range, &l.accu_init, &l.loop_cond, &l.loop_step, &l.result],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Struct(message) => message.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

/// `a.b.c`, `a['b'].c` and the like as the name they begin with and the fields selected from it, outermost last.
pub(super) fn path(expr: &Expr) -> Option<(&str, Vec<&str>)> {
    match expr {
        Expr::Ident(name) => Some((name.strip_prefix('.').unwrap_or(name), Vec::new())),
        Expr::Select(select) => {
            let (root, mut fields) = path(&select.operand.expr)?;
            fields.push(&select.field);
            Some((root, fields))
        }
        Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
            [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }] => {
                let (root, mut fields) = path(&operand.expr)?;
                fields.push(field.inner());
                Some((root, fields))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The bytes of `${…}` up to its closing brace, given the text after `${`; none when it is not closed.
pub(super) fn until_brace(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for token in tokens(text) {
        match token.kind {
            TokenKind::TokLeftBrace => open += 1,
            TokenKind::TokRightBrace if open == 0 => return Some(token.start),
            TokenKind::TokRightBrace => open -= 1,
            _ => {}
        }
    }
    None
}

/// Where `word` stands in the expression as a name of its own (or, with `field`, after a dot or as an index);
/// the start when it does not.
pub(super) fn locate(text: &str, word: &str, field: bool) -> usize {
    let mut before = TokenKind::TokEnd;
    for token in tokens(text) {
        let written = text.get(token.start..token.end).unwrap_or_default();
        let place = match token.kind {
            TokenKind::TokString => field && written.get(1..written.len().saturating_sub(1)) == Some(word),
            TokenKind::TokIdent | TokenKind::TokReservedWord => {
                written == word && field == (before == TokenKind::TokDot)
            }
            _ => false,
        };
        if place {
            return token.start;
        }
        before = token.kind;
    }
    0
}

/// The tokens that carry meaning, up to the end or the first mistake.
fn tokens(text: &str) -> impl Iterator<Item = Token> {
    let mut lexer = Lexer::new(text);
    std::iter::from_fn(move || match lexer.lex() {
        Token { kind: TokenKind::TokEnd | TokenKind::TokError, .. } => None,
        token => Some(token),
    })
    .filter(|token| !matches!(token.kind, TokenKind::TokWhitespace | TokenKind::TokComment))
}

#[derive(Default)]
struct Size {
    nodes: usize,
    depth: usize,
    loops: usize,
}

impl Size {
    fn measure(&mut self, expr: &IdedExpr, depth: usize, loops: usize) {
        let loops = loops + usize::from(matches!(expr.expr, Expr::Comprehension(_)));
        self.nodes += 1;
        self.depth = self.depth.max(depth);
        self.loops = self.loops.max(loops);
        for child in children(&expr.expr) {
            self.measure(child, depth + 1, loops);
        }
    }
}

/// Collects what an expression refers to.
fn refer(expr: &IdedExpr, steps: &mut BTreeSet<String>, outputs: &mut BTreeSet<String>, by_outcome: &mut bool) {
    if let Some(("steps", fields)) = path(&expr.expr)
        && let Some(step) = fields.first()
    {
        steps.insert((*step).to_owned());
        match fields.get(1) {
            Some(&"output") => drop(outputs.insert((*step).to_owned())),
            Some(&"status") => *by_outcome = true,
            _ => {}
        }
    }
    if let Expr::Call(call) = &expr.expr {
        *by_outcome |= call.target.is_none() && matches!(call.func_name.as_str(), "always" | "success" | "failure");
    }
    for child in children(&expr.expr) {
        refer(child, steps, outputs, by_outcome);
    }
}

/// The expression for an error text: a very long one is cut.
fn cut(text: &Arc<str>) -> Arc<str> {
    if text.len() <= MAX_BYTES {
        Arc::clone(text)
    } else {
        text.chars().take(100).chain(['…']).collect::<String>().into()
    }
}

/// The byte offset of a 1-based line and byte column as the parser counts them.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or_default().saturating_sub(1);
    let column = usize::try_from(column).unwrap_or_default().saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let mut offset = (start + column).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The parser's message in our words.
fn plain(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    if message.starts_with("expression recursion limit exceeded") {
        return format!("it nests too deep; at most {MAX_DEPTH} is allowed");
    }
    if message.starts_with("expression count exceeds limit") {
        return format!("it has too many parts; at most {MAX_NODES} are allowed");
    }
    let message = message.replace("'<EOF>'", "the end").replace("<EOF>", "the end");
    match message.strip_prefix("mismatched input ").and_then(|rest| rest.split_once(" expecting ")) {
        Some((found, "expression")) => format!("expected an expression, found {found}"),
        Some((found, expected)) => format!("expected {expected}, found {found}"),
        None => {
            let mut letters = message.chars();
            letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

/// Why an expression has no value, without any of the values: they may come from a stranger's comment.
fn told(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no `{key}`"),
        ExecutionError::UndeclaredReference(name) => format!("there is no `{name}`"),
        ExecutionError::NoSuchOverload(overload) => {
            let function = readable(overload.function());
            format!("{function} does not work on ({})", overload.argument_types().join(", "))
        }
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            format!("{} does not work on ({}, {})", readable(operator), left.type_of(), right.type_of())
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            format!("({}, {}) can't be compared", left.type_of(), right.type_of())
        }
        ExecutionError::UnsupportedIndex(index, value) => {
            format!("({}) is no index into ({})", index.type_of(), value.type_of())
        }
        ExecutionError::UnexpectedType { got, want } => format!("it takes {want}, not {got}"),
        ExecutionError::InvalidArgumentCount { expected, actual } => {
            format!("a function takes {expected} arguments, not {actual}")
        }
        ExecutionError::FunctionError { function, .. } => format!("`{function}` can't work on this value"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "it divides by zero".into(),
        ExecutionError::Overflow(operator, ..) => format!("the result of {} is too large", readable(operator)),
        ExecutionError::IndexOutOfBounds(_) => "the index lies outside the list".into(),
        ExecutionError::DuplicateKey(_) => "a map has the same key twice".into(),
        _ => "it has no value here".into(),
    }
}

/// The engine's name of an operator as people write it.
fn readable(function: &str) -> String {
    let word = match function.trim_matches(['_', '@']) {
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        "" => function,
        bare => bare,
    };
    format!("`{word}`")
}
