//! Characters that make text look like something it is not.

use crate::review::Severity;

use super::file::File;
use super::finding::{Findings, Hit};
use super::paths::Language;
use super::rule::Rule;

pub(super) const RULES: &[Rule] = &[BIDI, INVISIBLE, TAG];

const BIDI: Rule = Rule {
    id: "unicode/bidi",
    severity: Severity::High,
    title: "Bidirectional control character",
    reason: "It reorders the text on screen, so that a reviewer reads other code than the compiler does (Trojan Source, CVE-2021-42574).",
    fix: "Delete it; where the text really needs it, write it as an escape such as \\u202E.",
};

const INVISIBLE: Rule = Rule {
    id: "unicode/invisible",
    severity: Severity::Medium,
    title: "Invisible character",
    reason: "Nobody sees it, but it makes two names that look the same differ, and it can carry hidden data.",
    fix: "Delete it; where the text really needs it, write it as an escape such as \\u200B.",
};

const TAG: Rule = Rule {
    id: "unicode/tag",
    severity: Severity::High,
    title: "Hidden text in Unicode tag characters or variation selectors",
    reason: "These characters spell out text that no screen shows but that programs and language models read.",
    fix: "Delete them.",
};

/// Looks for such characters in added lines.
pub(super) fn check(file: &File<'_>, findings: &mut Findings) {
    for (row, line) in file.added() {
        if line.text.is_ascii() {
            continue;
        }
        let at_start = line.number == 1;
        for (rule, span) in suspicious(line.text, at_start) {
            let severity = severity(rule, file, line.text);
            let code = line.text[span.clone()].utf8_chunks().flat_map(|chunk| chunk.valid().chars()).next();
            let title = format!("{} U+{:04X}", rule.title, code.map_or(0, u32::from));
            findings.add(Hit::new(rule, row, span).severity(severity).title(title));
        }
    }
}

/// Right-to-left text needs such characters, and so do translations; in prose they change no program. Test data for
/// text processing holds them on purpose.
fn severity(rule: &'static Rule, file: &File<'_>, line: &[u8]) -> Severity {
    let code = file.kind.language != Language::Other;
    let prose = file.kind.docs || file.kind.locale;
    let native = file.kind.locale || prose && has_script(line, is_right_to_left);
    match rule.id {
        _ if file.kind.test && !code => Severity::Low,
        id if id == TAG.id => TAG.severity,
        _ if native => Severity::Info,
        id if id == BIDI.id => {
            if prose || file.kind.generated {
                Severity::Medium
            } else {
                Severity::High
            }
        }
        _ if prose || file.kind.generated => Severity::Info,
        _ if !code || file.kind.test => Severity::Low,
        _ => Severity::Medium,
    }
}

/// The first character of each rule in a line, with its bytes.
fn suspicious(line: &[u8], at_start: bool) -> Vec<(&'static Rule, std::ops::Range<usize>)> {
    let mut found: Vec<(&'static Rule, std::ops::Range<usize>)> = Vec::new();
    let mut offset = 0;
    for chunk in line.utf8_chunks() {
        let text = chunk.valid();
        let mut before = None;
        let mut flag = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let start = offset + at;
            let after = chars.peek().map(|(_, next)| *next);
            flag = if c == BLACK_FLAG { true } else { flag && is_tag(c) };
            let rule = match c {
                _ if is_bidi(c) => Some(&BIDI),
                _ if is_tag(c) && !flag => Some(&TAG),
                '\u{E0100}'..='\u{E01EF}' if !before.is_some_and(is_ideograph) => Some(&TAG),
                '\u{FEFF}' if at_start && start == 0 => None,
                _ if is_joiner(c) => (!joins(before, after)).then_some(&INVISIBLE),
                '\u{200E}' | '\u{200F}' | '\u{061C}' => (!has_script(line, is_right_to_left)).then_some(&INVISIBLE),
                _ if is_invisible(c) => Some(&INVISIBLE),
                _ => None,
            };
            if let Some(rule) = rule
                && !found.iter().any(|(other, _)| other.id == rule.id)
            {
                found.push((rule, start..start + c.len_utf8()));
            }
            before = Some(c);
        }
        offset += text.len() + chunk.invalid().len();
    }
    found
}

const BLACK_FLAG: char = '\u{1F3F4}';

/// Whether a character must be written as an escape to be seen: controls (but not a tab), and what the rules look for.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control() && c != '\t'
        || is_bidi(c)
        || is_tag(c)
        || is_invisible(c)
        || matches!(c, '\u{E0100}'..='\u{E01EF}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0000}'..='\u{E007F}')
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// Characters without any width or sign that no script needs; the joiners are judged by their neighbours.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200B}'
            | '\u{2060}'..='\u{2064}'
            | '\u{206A}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{180E}'
            | '\u{034F}'
            | '\u{115F}'
            | '\u{1160}'
            | '\u{3164}'
            | '\u{FFA0}'
    )
}

/// Whether a joiner between these two is spelling: within an emoji, or in a script that joins its letters.
fn joins(before: Option<char>, after: Option<char>) -> bool {
    let emoji = |c: char| matches!(c, '\u{FE0F}' | '\u{200D}' | '\u{20E3}' | '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}');
    // All scripts but Latin, Greek, Cyrillic, Armenian and those of East Asia, which need no joiners.
    let script = |c: char| matches!(c, '\u{0590}'..='\u{1DFF}' | '\u{A800}'..='\u{ABFF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}' | '\u{10800}'..='\u{1EFFF}');
    before.is_some_and(|c| emoji(c) || script(c))
        && after.is_none_or(|c| emoji(c) || script(c) || !c.is_ascii_graphic())
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{061B}' | '\u{061D}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

fn has_script(line: &[u8], is: fn(char) -> bool) -> bool {
    line.utf8_chunks().any(|chunk| chunk.valid().chars().any(is))
}
