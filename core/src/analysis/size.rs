//! How large the change is.

use crate::diff::LineKind;
use crate::review::Severity;

use super::Options;
use super::effort::Effort;
use super::file::File;
use super::finding::Findings;
use super::paths::Language;
use super::rule::Rule;

pub(super) const RULES: &[Rule] = &[SIZE];

const SIZE: Rule = Rule {
    id: "change/size",
    severity: Severity::Low,
    title: "Large change",
    reason: "Reviewers find few of the mistakes in a change of this size, and it is hard to revert.",
    fix: "Split it into changes that make sense on their own, such as refactoring first and behaviour after.",
};

/// Figures about the files that were looked at.
#[derive(Debug, Default)]
pub(super) struct Figures {
    files: u32,
    added: u32,
    removed: u32,
    unread: u32,
    /// Added lines of program code outside tests, without blank lines, comments and lone brackets.
    pub(super) code: u32,
    /// The file with the most of them.
    pub(super) largest: Option<(u32, String)>,
    /// Whether a test was added or changed, in a file of its own or beside the code.
    pub(super) tests: bool,
}

impl Figures {
    /// Adds the figures of one file.
    pub(super) fn count(&mut self, file: &File<'_>) {
        if file.kind.generated {
            self.unread += 1;
            return;
        }
        self.files += 1;
        self.added += file.added().count() as u32;
        self.removed += file.rows.iter().filter(|row| row.kind == LineKind::Removed).count() as u32;
        if file.kind.test {
            self.tests |= !file.rows.is_empty();
            return;
        }
        if file.kind.is_soft() || !file.kind.language.is_code() {
            return;
        }
        self.tests |= file.rows.iter().any(|row| is_inline_test(file.kind.language, row.text));
        let code = file.added().filter(|(_, row)| is_code(row.text)).count() as u32;
        self.code += code;
        if self.largest.as_ref().is_none_or(|(most, _)| code > *most) {
            self.largest = Some((code, file.path.to_string()));
        }
    }

    /// The effort to review these files.
    pub(super) fn effort(&self) -> Effort {
        Effort::new(self.files, self.added, self.removed, self.unread)
    }
}

/// Remarks on a change that is too large to review well.
pub(super) fn check(figures: &Figures, options: &Options<'_>, findings: &mut Findings) {
    if figures.effort().weight() > options.large_change_lines {
        let title = format!(
            "Large change: {} lines added and {} removed in {} files",
            figures.added, figures.removed, figures.files
        );
        findings.add_general(&SIZE, Severity::Low, &title);
    }
}

/// Whether a line is program text: not blank, not a comment, not only brackets, not an import.
fn is_code(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| line.starts_with(prefix.as_bytes()));
    line.iter().filter(|byte| byte.is_ascii_alphanumeric()).count() >= 3
        && !starts(&[
            "//", "#", "*", "/*", "--", "\"\"\"", "use ", "pub use ", "import ", "from ", "package ", "mod ",
            "pub mod ",
        ])
}

fn is_inline_test(language: Language, line: &[u8]) -> bool {
    let line = line.trim_ascii();
    match language {
        Language::Rust => {
            line.starts_with(b"#[test]")
                || line.starts_with(b"#[cfg(test)]")
                || line.starts_with(b"#[tokio::test")
                || line.starts_with(b"#[crate::test")
                || line.starts_with(b"#[rstest")
                || line.starts_with(b"assert")
                || line.starts_with(b"/// assert")
                || line.starts_with(b"//! assert")
        }
        Language::Go => line.starts_with(b"func Test") || line.starts_with(b"func Example"),
        Language::Python => line.starts_with(b">>> ") || line.starts_with(b"def test_"),
        _ => line.starts_with(b"it(") || line.starts_with(b"test("),
    }
}
