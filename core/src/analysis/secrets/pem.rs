//! Private keys in PEM form (RFC 7468), over several lines or on one with written-out `\n`.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// The least number of base 64 characters that makes a key and not only talk about one.
const LEAST: usize = 60;
/// The longest key, in lines; an RSA key of 16,384 bits has about 200.
const LONGEST: usize = 400;

static BEGIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("-----BEGIN "));
static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("-----END "));

/// Finds the private keys in `lines`: for each the parts of lines it covers, the first being the one to report.
pub(super) fn find(lines: &[&[u8]]) -> Vec<Vec<(usize, Range<usize>)>> {
    let mut keys = Vec::new();
    let mut next = 0;
    while next < lines.len() {
        let line = lines[next];
        let key = if let Some(begin) = marker(&BEGIN, line) {
            key_from(lines, next, begin)
        } else if marker(&END, line).is_some() {
            key_before(lines, next)
        } else {
            None
        };
        next += 1;
        if let Some(parts) = key {
            next = next.max(parts.last().map_or(0, |(row, _)| row + 1));
            keys.push(parts);
        }
    }
    keys
}

/// Where a marker of a private key stands in a line.
fn marker(finder: &Finder<'_>, line: &[u8]) -> Option<Range<usize>> {
    let start = finder.find(line)?;
    let label = &line[start + finder.needle().len()..];
    let length = label.windows(5).position(|five| five == b"-----")?;
    let name = &label[..length];
    let private = name.ends_with(b"PRIVATE KEY") || name == b"PGP PRIVATE KEY BLOCK";
    private.then(|| start..start + finder.needle().len() + length + 5)
}

fn key_from(lines: &[&[u8]], row: usize, begin: Range<usize>) -> Option<Vec<(usize, Range<usize>)>> {
    let line = lines[row];
    if let Some(end) = marker(&END, &line[begin.end..]) {
        let whole = begin.start..begin.end + end.end;
        return (alphabet(&line[begin.end..begin.end + end.start]) >= LEAST).then(|| vec![(row, whole)]);
    }
    let rest = core(&line[begin.end..]);
    let to = if rest.is_empty() { begin.end } else { begin.end + rest.end };
    let mut size = rest.len();
    let mut parts = vec![(row, begin.start..to)];
    for (row, line) in lines.iter().enumerate().skip(row + 1).take(LONGEST) {
        if let Some(end) = marker(&END, line) {
            let inside = core(&line[..end.start]);
            size += inside.len();
            parts.push((row, inside.start.min(end.start)..end.end));
            break;
        }
        let body = core(line);
        if body.is_empty() {
            if !is_header(line) {
                break;
            }
            continue;
        }
        size += body.len();
        parts.push((row, body));
    }
    (size >= LEAST).then_some(parts)
}

/// A key whose begin is not shown: the body lines before its end.
fn key_before(lines: &[&[u8]], end: usize) -> Option<Vec<(usize, Range<usize>)>> {
    let mut parts: Vec<(usize, Range<usize>)> = lines[..end]
        .iter()
        .enumerate()
        .rev()
        .take(LONGEST)
        .map(|(row, line)| (row, core(line)))
        .take_while(|(_, body)| !body.is_empty())
        .collect();
    parts.reverse();
    (parts.iter().map(|(_, body)| body.len()).sum::<usize>() >= LEAST).then_some(parts)
}

/// How many characters of a text with written-out line ends belong to base 64.
fn alphabet(text: &[u8]) -> usize {
    let inside = text.iter().filter(|byte| is_base64(**byte)).count();
    if inside * 10 >= text.len() * 9 { inside } else { 0 }
}

/// The base 64 text of a line without what surrounds it in source code: a diff's mark, a comment's or quote's signs,
/// a written-out line end. Empty when the line holds anything else.
fn core(line: &[u8]) -> Range<usize> {
    // A diff's mark, then a comment's or quote's signs. Two slashes with text right behind them may be base 64.
    let mut start = usize::from(line.first().is_some_and(|byte| b"+-".contains(byte)));
    let signs = |from: usize| line[from..].iter().take_while(|byte| b" \t\"'`#*>|".contains(byte)).count();
    start += signs(start);
    if line[start..].starts_with(b"// ") {
        start += 3;
        start += signs(start);
    }
    let mut end = line.len();
    loop {
        let cut = match &line[start..end] {
            [.., b'\\', b'n' | b'r'] => 2,
            // A string that goes on in the next line; elsewhere a plus sign is base 64.
            [.., b' ' | b'"' | b'\'', b'+'] => 1,
            [.., last] if b" \t\"'`,;\\)".contains(last) => 1,
            _ => break,
        };
        end -= cut;
    }
    let text = &line[start..end];
    let written_out = text.windows(2).any(|two| two == b"\\n");
    let is_body = if written_out { alphabet(text) > 0 } else { text.iter().all(|byte| is_base64(*byte)) };
    if is_body && text.len() >= 4 { start..end } else { 0..0 }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// An empty line or a header between the begin and the body.
fn is_header(line: &[u8]) -> bool {
    let line = line.trim_ascii().trim_ascii_start();
    let bare = line.iter().position(|byte| !b" \t+-\"'`#*>|".contains(byte)).map_or(&[][..], |at| &line[at..]);
    bare.is_empty()
        || bare == b"\\n"
        || ["Proc-Type:", "DEK-Info:", "Version:", "Comment:", "Hash:"]
            .iter()
            .any(|name| bare.starts_with(name.as_bytes()))
}
