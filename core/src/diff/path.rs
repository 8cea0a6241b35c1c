//! Paths as git writes them: C-style quoting, the prefixes `a/` and `b/`, and the form shown to people.

use std::borrow::Cow;

use super::error::{Problem, excerpt};

/// The old and the new path.
pub(super) type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// The bytes of a path that [`super::FileDiff::path`] showed: the way back from a quoted form to what git stores.
/// A text that is not in quoted form is returned as it is.
pub fn path_bytes(shown: &str) -> Cow<'_, [u8]> {
    match unquote(shown.as_bytes()) {
        Some((path, used)) if used == shown.len() => Cow::Owned(path),
        _ => Cow::Borrowed(shown.as_bytes()),
    }
}

/// The form shown to people: as it is, or in git's quotes when it is not UTF-8, holds characters that can't be seen, or
/// starts with a quote. No two paths have the same form.
pub(super) fn shown<'a>(path: &Cow<'a, [u8]>) -> Cow<'a, str> {
    let text = match path {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => std::str::from_utf8(bytes).ok().map(|text| Cow::Owned(text.to_owned())),
    };
    match text {
        Some(text) if !text.starts_with('"') && !text.chars().any(|c| c.is_control() || is_invisible(c)) => text,
        _ => Cow::Owned(quote(path)),
    }
}

/// Characters that reorder or hide text: bidirectional controls, zero-width characters, line and paragraph separators
/// (Unicode 16, categories Cf, Zl and Zp as far as they are invisible).
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Reads a path in double quotes at the start of `text`: its bytes, and how many bytes of the text it took. The escapes
/// are those of git's `quote.c`: `\a \b \t \n \v \f \r \" \\` and three octal digits.
pub(super) fn unquote(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut at = 1;
    let mut path = Vec::new();
    if text.first() != Some(&b'"') {
        return None;
    }
    loop {
        match *text.get(at)? {
            b'"' => return Some((path, at + 1)),
            b'\\' => {
                let escape = *text.get(at + 1)?;
                at += 2;
                path.push(match escape {
                    b'a' => 7,
                    b'b' => 8,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 11,
                    b'f' => 12,
                    b'r' => b'\r',
                    b'"' | b'\\' => escape,
                    b'0'..=b'3' => {
                        let digits = text.get(at..at + 2)?;
                        at += 2;
                        digits.iter().try_fold(escape - b'0', |value, digit| match digit {
                            b'0'..=b'7' => Some(value * 8 + (digit - b'0')),
                            _ => None,
                        })?
                    }
                    _ => return None,
                });
            }
            byte => {
                path.push(byte);
                at += 1;
            }
        }
    }
}

/// The path on a `---` or `+++` line, prefix included; none for `/dev/null`. A tab ends it: git writes one after a path
/// with spaces, other tools a tab and a time. A tab that belongs to the path makes git quote it.
pub(super) fn side_path<'a>(field: &'a [u8]) -> Result<Option<Cow<'a, [u8]>>, Problem> {
    let raw = side_field(field);
    if raw == b"/dev/null" {
        return Ok(None);
    }
    header_path(raw).map(Some)
}

/// The part of a `---` or `+++` line that names the file, still quoted.
pub(super) fn side_field(field: &[u8]) -> &[u8] {
    let from = unquote(field).map_or(0, |(_, used)| used);
    match memchr::memchr(b'\t', &field[from..]) {
        Some(tab) => &field[..from + tab],
        None => field,
    }
}

/// A path that takes up a whole header, quoted or not.
pub(super) fn header_path(raw: &[u8]) -> Result<Cow<'_, [u8]>, Problem> {
    let path = if raw.first() == Some(&b'"') {
        match unquote(raw) {
            Some((path, used)) if used == raw.len() => Cow::Owned(path),
            _ => return Err(Problem::Quoting(excerpt(raw))),
        }
    } else {
        Cow::Borrowed(raw)
    };
    if path.is_empty() { Err(Problem::NoPath) } else { Ok(path) }
}

/// The two paths of a `diff --git` line, prefixes included. A line without quotes is ambiguous when a path holds a space;
/// since git writes the same path twice (a rename has lines of its own), the line is cut into two halves that agree.
pub(super) fn header_paths(rest: &[u8]) -> Option<Pair<'_>> {
    let (old, new) = if rest.first() == Some(&b'"') {
        let (_, used) = unquote(rest)?;
        (&rest[..used], rest[used..].strip_prefix(b" ")?)
    } else if rest.last() == Some(&b'"') {
        // A path that holds a quote is itself quoted, so the first quote opens the second path.
        let space = memchr::memmem::find(rest, b" \"")?;
        (&rest[..space], &rest[space + 1..])
    } else {
        let middle = rest.len() / 2;
        let halves = (rest.len() % 2 == 1 && rest[middle] == b' ').then(|| (&rest[..middle], &rest[middle + 1..]));
        match halves.filter(|(old, new)| same_path(old, new)) {
            Some(halves) => halves,
            None => {
                let space = memchr::memchr(b' ', rest)?;
                if memchr::memchr(b' ', &rest[space + 1..]).is_some() {
                    return None;
                }
                (&rest[..space], &rest[space + 1..])
            }
        }
    };
    Some((header_path(old).ok()?, header_path(new).ok()?))
}

/// Takes the prefixes off the two names of one file.
///
/// - A single letter or digit that git uses (`a/ b/`, and with `diff.mnemonicPrefix` `c/ i/ w/ o/`, `1/ 2/`), different
///   on the two sides, is a prefix.
/// - The same name twice has none (`--no-prefix`, also for a path such as `a/x`).
/// - Otherwise what follows the last component that differs is the path (`--src-prefix=old/ --dst-prefix=new/`, and
///   `diff -u old/x new/x`).
/// - Names with nothing in common are two different files compared with each other and stay as they are.
pub(super) fn strip_prefixes<'a>(old: Cow<'a, [u8]>, new: Cow<'a, [u8]>) -> Pair<'a> {
    let (old_prefix, new_prefix) = prefixes(&old, &new);
    (cut(old, old_prefix), cut(new, new_prefix))
}

/// Takes the prefix off a name that stands alone: the other side is `/dev/null` in a diff without a `diff --git` line.
pub(super) fn strip_prefix(name: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match name.as_ref() {
        [b'a' | b'b', b'/', _, ..] => cut(name, 2),
        _ => name,
    }
}

/// The lengths of the prefixes of the two names.
fn prefixes(old: &[u8], new: &[u8]) -> (usize, usize) {
    if let ([a, b'/', _, ..], [b, b'/', _, ..]) = (old, new)
        && a != b
        && b"abciow12".contains(a)
        && b"abciow12".contains(b)
    {
        return (2, 2);
    }
    let common = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let starts = |name: &[u8], len: usize| len == name.len() || name[name.len() - len - 1] == b'/';
    match (1..=common).rev().find(|&len| starts(old, len) && starts(new, len)) {
        Some(len) => (old.len() - len, new.len() - len),
        None => (0, 0),
    }
}

fn same_path(old: &[u8], new: &[u8]) -> bool {
    let (old_prefix, new_prefix) = prefixes(old, new);
    old[old_prefix..] == new[new_prefix..]
}

fn cut(name: Cow<'_, [u8]>, prefix: usize) -> Cow<'_, [u8]> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[prefix..]),
        Cow::Owned(mut name) => {
            name.drain(..prefix);
            Cow::Owned(name)
        }
    }
}

fn quote(path: &[u8]) -> String {
    let mut quoted = String::with_capacity(path.len() + 8);
    quoted.push('"');
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\u{7}' => quoted.push_str("\\a"),
                '\u{8}' => quoted.push_str("\\b"),
                '\t' => quoted.push_str("\\t"),
                '\n' => quoted.push_str("\\n"),
                '\u{b}' => quoted.push_str("\\v"),
                '\u{c}' => quoted.push_str("\\f"),
                '\r' => quoted.push_str("\\r"),
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                c if c.is_control() || is_invisible(c) => octal(&mut quoted, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => quoted.push(c),
            }
        }
        octal(&mut quoted, chunk.invalid());
    }
    quoted.push('"');
    quoted
}

fn octal(quoted: &mut String, bytes: &[u8]) {
    for byte in bytes {
        quoted.push('\\');
        for shift in [6, 3, 0] {
            quoted.push(char::from(b'0' + (byte >> shift & 7)));
        }
    }
}
