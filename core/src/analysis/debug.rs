//! Statements that help while debugging and were not meant to stay.

use memchr::memmem;

use crate::review::Severity;

use super::file::{Change, File};
use super::finding::{Findings, Hit};
use super::paths::Language;
use super::rule::Rule;

pub(super) const RULES: &[Rule] = &[LEFTOVER, FOCUSED];

const LEFTOVER: Rule = Rule {
    id: "debug/leftover",
    severity: Severity::Medium,
    title: "Debugging statement left behind",
    reason: "It stops the program, clutters its output or fails when it is reached; it helped once and was forgotten.",
    fix: "Delete it, or use the project's logging.",
};

const FOCUSED: Rule = Rule {
    id: "debug/focused-test",
    severity: Severity::Medium,
    title: "Focused test",
    reason: "With one test focused, all others in the run are skipped in silence.",
    fix: "Remove the focus.",
};

/// One statement of one language.
struct Statement {
    language: Language,
    text: &'static str,
    place: Place,
    rule: &'static Rule,
    severity: Severity,
    /// What it is in a test file; none when it is fine there.
    in_tests: Option<Severity>,
}

/// Where the text must stand to mean what it says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Anywhere, as a word of its own.
    Word,
    /// It begins the line.
    Start,
    /// It is the line, but for a semicolon and a comment.
    Whole,
}

const fn statement(language: Language, text: &'static str, place: Place, severity: Severity) -> Statement {
    Statement { language, text, place, rule: &LEFTOVER, severity, in_tests: Some(severity) }
}

const fn product(language: Language, text: &'static str, place: Place, severity: Severity) -> Statement {
    Statement { language, text, place, rule: &LEFTOVER, severity, in_tests: None }
}

/// What clutters the output but does no harm in a test.
const fn in_test(language: Language, text: &'static str, place: Place, severity: Severity) -> Statement {
    Statement { language, text, place, rule: &LEFTOVER, severity, in_tests: Some(Severity::Info) }
}

const fn focus(language: Language, text: &'static str) -> Statement {
    let (place, severity) = (Place::Start, Severity::Medium);
    Statement { language, text, place, rule: &FOCUSED, severity, in_tests: Some(severity) }
}

const STATEMENTS: &[Statement] = &[
    in_test(Language::Rust, "dbg!(", Place::Word, Severity::Low),
    product(Language::Rust, "todo!(", Place::Word, Severity::Info),
    product(Language::Rust, "unimplemented!(", Place::Word, Severity::Info),
    in_test(Language::Go, "spew.Dump(", Place::Start, Severity::Low),
    product(Language::Go, "fmt.Println(\"DEBUG", Place::Start, Severity::Low),
    product(Language::Go, "fmt.Printf(\"DEBUG", Place::Start, Severity::Low),
    focus(Language::Go, "FIt(\""),
    focus(Language::Go, "FDescribe(\""),
    focus(Language::Go, "FContext(\""),
    statement(Language::Python, "breakpoint()", Place::Whole, Severity::Medium),
    statement(Language::Python, "pdb.set_trace()", Place::Word, Severity::Medium),
    statement(Language::Python, "ipdb.set_trace()", Place::Word, Severity::Medium),
    statement(Language::Ruby, "binding.pry", Place::Whole, Severity::Medium),
    statement(Language::Ruby, "binding.irb", Place::Whole, Severity::Medium),
    statement(Language::Ruby, "byebug", Place::Whole, Severity::Medium),
    statement(Language::Script, "debugger", Place::Whole, Severity::Medium),
    product(Language::Script, "console.log(", Place::Start, Severity::Info),
    focus(Language::Script, "it.only("),
    focus(Language::Script, "test.only("),
    focus(Language::Script, "describe.only("),
    focus(Language::Script, "context.only("),
    focus(Language::Script, "fdescribe("),
    focus(Language::Script, "fit('"),
    focus(Language::Script, "fit(\""),
    statement(Language::Php, "var_dump(", Place::Start, Severity::Low),
    statement(Language::Php, "dd(", Place::Start, Severity::Low),
    product(Language::Braces, "System.out.println(\"DEBUG", Place::Start, Severity::Low),
];

/// Longer lines are no hand-written statements.
const LONGEST_LINE: usize = 1000;

/// Looks for such statements in added lines that were not merely moved.
pub(super) fn check(file: &File<'_>, change: &Change<'_>, findings: &mut Findings) {
    if file.kind.docs || file.kind.example {
        return;
    }
    let console = prints_on_purpose(&file.path);
    let statements: Vec<(&Statement, memmem::Finder<'_>)> = STATEMENTS
        .iter()
        .filter(|statement| statement.language == file.kind.language)
        .filter(|statement| !(console && statement.text == "console.log("))
        .filter_map(|statement| {
            if file.kind.test {
                statement.in_tests?;
            }
            Some((statement, memmem::Finder::new(statement.text)))
        })
        .collect();
    if statements.is_empty() {
        return;
    }
    let mut in_test_module = false;
    let mut hunk = None;
    for (row, line) in file.shown() {
        if hunk.replace(line.hunk) != Some(line.hunk) {
            in_test_module = false;
        }
        in_test_module |= file.kind.language == Language::Rust && line.text.trim_ascii().starts_with(b"#[cfg(test)]");
        if !line.is_added() || line.text.len() > LONGEST_LINE {
            continue;
        }
        for (statement, finder) in &statements {
            let Some(start) = finder.find(line.text) else { continue };
            let severity = if file.kind.test || in_test_module { statement.in_tests } else { Some(statement.severity) };
            let Some(severity) = severity else { continue };
            if stands(statement, line.text, start) && !change.moved(line.text) {
                let title =
                    format!("{}: `{}`", statement.rule.title, statement.text.trim_end_matches(['(', '"', '\'']));
                let span = start..start + statement.text.len();
                findings.add(Hit::new(statement.rule, row, span).severity(severity).title(title));
            }
        }
    }
}

/// Scripts and command-line tools print to the console because that is what they are for.
fn prints_on_purpose(path: &str) -> bool {
    let folders = ["scripts", "script", "bin", "cli", "tools", "build", "cmd", "tasks", ".github", "hack"];
    path.split('/').any(|part| folders.contains(&part)) || path.contains(".config.") || path.contains("cli.")
}

fn stands(statement: &Statement, line: &[u8], start: usize) -> bool {
    let before = line[..start].trim_ascii();
    let after = line[start + statement.text.len()..].trim_ascii();
    // A macro that expands to the statement is a tool, not a leftover.
    if after.starts_with(b"$") {
        return false;
    }
    let place = match statement.place {
        Place::Start => before.is_empty(),
        Place::Whole => {
            let rest = after.strip_prefix(b";").unwrap_or(after).trim_ascii();
            before.is_empty() && (rest.is_empty() || rest.starts_with(b"#") || rest.starts_with(b"//"))
        }
        Place::Word => {
            !line[..start].last().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'`' | b'.'))
        }
    };
    place && !in_comment_or_string(statement.language, &line[..start])
}

/// Whether what follows `before` on its line is in a comment or a string, as far as the line alone tells.
fn in_comment_or_string(language: Language, before: &[u8]) -> bool {
    let trimmed = before.trim_ascii_start();
    let hash = matches!(language, Language::Python | Language::Ruby | Language::Php);
    if trimmed.starts_with(b"*") || trimmed.starts_with(b"/*") {
        return true;
    }
    let mut quote = None;
    let mut bytes = before.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (_, b'\\') => {
                bytes.next();
            }
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"') => quote = Some(byte),
            // In Rust a single quote may open a lifetime, in Go a rune.
            (None, b'\'' | b'`') if !matches!(language, Language::Rust | Language::Go) => quote = Some(byte),
            (None, b'/') if !hash && bytes.peek() == Some(&b'/') => return true,
            (None, b'#') if hash => return true,
            _ => {}
        }
    }
    quote.is_some()
}
