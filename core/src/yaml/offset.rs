//! From an offset in the text of a scalar to its place in the file, through quoting, escapes and folding.

use super::tree::{Node, Place, Style, Value};

/// The place of the character `offset` bytes into a scalar; the scalar's own place when it can't be told.
pub(super) fn place(node: &Node, source: &str, offset: usize) -> Place {
    let start = node.span.start;
    let (Value::Text(text), Some(raw)) = (&node.value, source.get(node.span.bytes.clone())) else {
        return start;
    };
    let content = match node.style {
        Style::SingleQuoted | Style::DoubleQuoted => 1,
        Style::Block if raw.starts_with(['|', '>']) => raw.find('\n').map_or(raw.len(), |end| end + 1),
        _ => 0,
    };
    let Some(index) = align(text, &raw[content..], node.style, offset) else { return start };
    advance(start, &raw[..content + index])
}

/// Walks the scalar and its source side by side and says where in the source the byte `offset` of the scalar stands.
fn align(text: &str, raw: &str, style: Style, offset: usize) -> Option<usize> {
    let mut at = 0;
    for (position, c) in text.char_indices() {
        // Indentation and folded line ends stand in the source only, but a blank of the text may be any of them.
        let rest = raw.get(at..)?;
        if !c.is_whitespace() {
            at += rest.len() - rest.trim_start().len();
        }
        if position >= offset {
            return Some(at);
        }
        at += consumed(c, raw.get(at..)?, style)?;
    }
    Some(at)
}

/// How many bytes of the source stand for the character `c` of the scalar.
fn consumed(c: char, rest: &str, style: Style) -> Option<usize> {
    let first = rest.chars().next()?;
    if style == Style::DoubleQuoted && first == '\\' {
        return Some(escape(rest));
    }
    if style == Style::SingleQuoted && rest.starts_with("''") {
        return Some(2);
    }
    if c.is_whitespace() {
        return Some(if first == '\r' && rest[1..].starts_with('\n') {
            2
        } else if first.is_whitespace() {
            first.len_utf8()
        } else {
            0
        });
    }
    (first == c).then_some(first.len_utf8())
}

fn escape(rest: &str) -> usize {
    let digits = match rest.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        _ => 0,
    };
    let mut end = 2 + digits;
    while end < rest.len() && !rest.is_char_boundary(end) {
        end += 1;
    }
    end.min(rest.len())
}

fn advance(start: Place, passed: &str) -> Place {
    let (mut line, mut column) = (start.line, start.column);
    for c in passed.chars() {
        if c == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    Place { line, column }
}
