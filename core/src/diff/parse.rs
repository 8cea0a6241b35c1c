//! The parser: splits the text into preamble, headers, hunks and trailers, each a slice of it.

use memchr::memchr;

use super::error::{ParseError, Problem, excerpt};
use super::header::{self, Names};
use super::{Content, Diff, FileDiff, Hunk, Span};

/// Parses a whole diff.
pub(super) fn parse(text: &[u8]) -> Result<Diff<'_>, ParseError> {
    let mut parser = Parser { text, at: 0 };
    let preamble = parser.prose(true)?;
    let mut files = Vec::new();
    while parser.at < text.len() {
        files.push(parser.file()?);
    }
    if files.is_empty()
        && let Some(start) = preamble.iter().position(|byte| !byte.is_ascii_whitespace())
    {
        return Err(parser.fail(parser.line_start(start), Problem::NoDiff));
    }
    Ok(Diff { preamble, files })
}

/// A problem that quotes a line.
type Blame = fn(String) -> Problem;

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    /// Skips to the next file's diff, or to the end, and returns what was skipped.
    fn prose(&mut self, preamble: bool) -> Result<&'a [u8], ParseError> {
        let start = self.at;
        while let Some(first) = self.text.get(self.at) {
            let line = &self.text[self.at..];
            match first {
                b'd' if line.starts_with(b"diff --git ") => break,
                b'd' if line.starts_with(b"diff --cc ") || line.starts_with(b"diff --combined ") => {
                    return Err(self.refuse(Problem::Combined));
                }
                b'-' if self.plain_file() => break,
                b'@' if line.starts_with(b"@@@ -") => return Err(self.refuse(Problem::Combined)),
                b'@' if !preamble && line.starts_with(b"@@ -") => return Err(self.fail(self.at, Problem::OrphanHunk)),
                _ => {}
            }
            self.at = self.next_line(self.at);
        }
        Ok(&self.text[start..self.at])
    }

    /// Whether a diff without a `diff --git` line starts here: `---`, `+++` and a hunk.
    fn plain_file(&self) -> bool {
        let second = self.next_line(self.at);
        self.text[self.at..].starts_with(b"--- ")
            && self.text[second..].starts_with(b"+++ ")
            && self.text[self.next_line(second)..].starts_with(b"@@ -")
    }

    /// One file's diff, up to the next one.
    fn file(&mut self) -> Result<FileDiff<'a>, ParseError> {
        let start = self.at;
        let mut headers = header::Headers::default();
        let mut sides = None;
        if self.text[start..].starts_with(b"diff --git ") {
            self.at = self.next_line(start);
            loop {
                let line = self.line(self.at);
                match headers.read(line) {
                    Ok(true) => self.at = self.next_line(self.at),
                    Ok(false) => break,
                    Err(problem) => return Err(self.fail(self.at, problem)),
                }
            }
        }
        if let Some(old) = self.line(self.at).strip_prefix(b"--- ") {
            let plus = self.next_line(self.at);
            let Some(new) = self.line(plus).strip_prefix(b"+++ ") else {
                return Err(self.fail(self.at, Problem::NoPlus));
            };
            sides = Some((old, new));
            self.at = self.next_line(plus);
        }
        let first = self.line(start);
        let Names { change, old_path, new_path } =
            headers.names(first, sides).map_err(|problem| self.fail(start, problem))?;
        let header = &self.text[start..self.at];
        let content = self.content(sides.is_some())?;
        let trailer = self.prose(false)?;
        let header::Headers { old_mode, new_mode, similarity, .. } = headers;
        Ok(FileDiff { change, old_path, new_path, old_mode, new_mode, similarity, content, header, trailer })
    }

    /// What follows the headers.
    fn content(&mut self, sides: bool) -> Result<Content<'a>, ParseError> {
        let start = self.at;
        let line = self.line(start);
        if sides {
            return self.hunks().map(Content::Text);
        }
        if line.starts_with(b"Binary files ") && line.ends_with(b" differ") {
            self.at = self.next_line(start);
            return Ok(Content::Binary(&self.text[start..self.at]));
        }
        if line == b"GIT binary patch" {
            self.at = self.next_line(start);
            self.binary_patch()?;
            return Ok(Content::Binary(&self.text[start..self.at]));
        }
        if line.starts_with(b"@@@ -") {
            return Err(self.refuse(Problem::Combined));
        }
        if line.starts_with(b"@@ -") {
            return Err(self.fail(start, Problem::OrphanHunk));
        }
        if line.is_empty() || is_signature(line) || line.starts_with(b"diff --") {
            return Ok(Content::None);
        }
        Err(self.fail(start, Problem::Header))
    }

    /// One or two blocks of base-85 data, each ended by an empty line: the new content, and for the way back the old.
    fn binary_patch(&mut self) -> Result<(), ParseError> {
        for block in 0..2 {
            let line = self.line(self.at);
            if !line.starts_with(b"literal ") && !line.starts_with(b"delta ") {
                match block {
                    0 if self.at >= self.text.len() => return Err(self.fail(self.at, Problem::BinaryTruncated)),
                    0 => return Err(self.refuse(Problem::BinaryHeader)),
                    _ => return Ok(()),
                }
            }
            loop {
                self.at = self.next_line(self.at);
                if self.at >= self.text.len() {
                    return Err(self.fail(self.at, Problem::BinaryTruncated));
                }
                if self.line(self.at).is_empty() {
                    self.at = self.next_line(self.at);
                    break;
                }
            }
        }
        Ok(())
    }

    /// All hunks of a file; at least one must stand here.
    fn hunks(&mut self) -> Result<Vec<Hunk<'a>>, ParseError> {
        let mut hunks: Vec<Hunk<'a>> = Vec::new();
        while self.text[self.at..].starts_with(b"@@ -") {
            let start = self.at;
            let hunk = self.hunk()?;
            let in_order = |before: Span, after: Span| before.bounds().1 <= after.bounds().0;
            if let Some(last) = hunks.last()
                && !(in_order(last.old, hunk.old) && in_order(last.new, hunk.new))
            {
                return Err(self.fail(start, Problem::HunkOrder(excerpt(self.line(start)))));
            }
            hunks.push(hunk);
        }
        let line = self.line(self.at);
        match line.first() {
            Some(b'@') if line.starts_with(b"@@@ -") => Err(self.refuse(Problem::Combined)),
            _ if hunks.is_empty() => Err(self.fail(self.at, Problem::NoHunk)),
            Some(b' ' | b'+' | b'\\') => Err(self.fail(self.at, Problem::Surplus)),
            Some(b'-') if !is_signature(line) && !self.plain_file() => Err(self.fail(self.at, Problem::Surplus)),
            _ => {
                // There are many hunks, and nobody adds to them any more.
                hunks.shrink_to_fit();
                Ok(hunks)
            }
        }
    }

    /// One hunk. Its lines are told by its counts alone, so a line of the file may look like any header.
    fn hunk(&mut self) -> Result<Hunk<'a>, ParseError> {
        let start = self.at;
        let (old, new, section) = match hunk_header(self.line(start)) {
            Ok(parsed) => parsed,
            Err(problem) => return Err(self.refuse(problem)),
        };
        let body = self.next_line(start);
        let Ok(body_at) = u32::try_from(body - start) else {
            return Err(self.refuse(Problem::HunkHeader));
        };
        let (mut old_left, mut new_left) = (old.count, new.count);
        let mut context = 0;
        let mut at = body;
        while old_left > 0 || new_left > 0 {
            match self.text.get(at) {
                Some(b'+') if new_left > 0 => new_left -= 1,
                Some(b'-') if old_left > 0 => old_left -= 1,
                Some(b' ' | b'\n' | b'\r') if old_left > 0 && new_left > 0 && self.is_context(at) => {
                    old_left -= 1;
                    new_left -= 1;
                    context += 1;
                }
                Some(b'\\') if at > body => {}
                _ => return Err(self.broken(at, old_left, new_left)),
            }
            at = self.next_line(at);
        }
        if at > body && self.text.get(at) == Some(&b'\\') {
            at = self.next_line(at);
        }
        self.at = at;
        Ok(Hunk { old, new, section, text: &self.text[start..at], body_at, context })
    }

    /// Whether a line that starts with a space or is empty is context. Some tools take the space off an empty line.
    fn is_context(&self, at: usize) -> bool {
        match self.text[at] {
            b'\r' => matches!(self.text.get(at + 1), None | Some(b'\n')),
            _ => true,
        }
    }

    /// Why the line at `at` can't be the next line of a hunk.
    fn broken(&self, at: usize, old: u32, new: u32) -> ParseError {
        let line = self.line(at);
        let problem = match self.text.get(at) {
            None => Problem::Truncated { old, new },
            Some(b'd' | b'@') if line.starts_with(b"diff --") || line.starts_with(b"@@ -") => {
                Problem::Truncated { old, new }
            }
            Some(b'+' | b'-' | b' ' | b'\n') => Problem::Surplus,
            Some(b'\\') => Problem::NoLine,
            Some(&mark) => Problem::Mark { mark, old, new },
        };
        self.fail(at, problem)
    }

    /// The line at `at` without its line feed; without a carriage return before it either, since no header of git ends in
    /// one: a path that does is quoted.
    fn line(&self, at: usize) -> &'a [u8] {
        let rest = &self.text[at..];
        let line = &rest[..memchr(b'\n', rest).unwrap_or(rest.len())];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Where the line after the one at `at` starts.
    fn next_line(&self, at: usize) -> usize {
        memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |end| at + end + 1)
    }

    fn line_start(&self, at: usize) -> usize {
        memchr::memrchr(b'\n', &self.text[..at]).map_or(0, |end| end + 1)
    }

    fn fail(&self, offset: usize, problem: Problem) -> ParseError {
        let line = memchr::memchr_iter(b'\n', &self.text[..offset]).count() + 1;
        ParseError { offset, line, problem }
    }

    /// A problem that quotes the line it stands on.
    fn refuse(&self, problem: Blame) -> ParseError {
        self.fail(self.at, problem(excerpt(self.line(self.at))))
    }
}

/// The line that ends a mailed patch (`git format-patch`); mail programs may take its space off.
fn is_signature(line: &[u8]) -> bool {
    line == b"-- " || line == b"--"
}

/// Reads `@@ -12,3 +12,4 @@ fn section`; an omitted count is 1.
fn hunk_header(line: &[u8]) -> Result<(Span, Span, &[u8]), Blame> {
    let malformed = Problem::HunkHeader as Blame;
    let rest = line.strip_prefix(b"@@ -").ok_or(malformed)?;
    let (old, rest) = span(rest)?;
    let (new, rest) = span(rest.strip_prefix(b" +").ok_or(malformed)?)?;
    let section = rest.strip_prefix(b" @@").ok_or(malformed)?;
    Ok((old, new, section.strip_prefix(b" ").unwrap_or(section)))
}

fn span(text: &[u8]) -> Result<(Span, &[u8]), Blame> {
    let (start, rest) = number(text)?;
    let (count, rest) = match rest.strip_prefix(b",") {
        Some(rest) => number(rest)?,
        None => (1, rest),
    };
    if start == 0 && count > 0 {
        return Err(Problem::HunkHeader);
    }
    match start.checked_add(count) {
        Some(_) => Ok((Span { start, count }, rest)),
        None => Err(Problem::HunkRange),
    }
}

fn number(text: &[u8]) -> Result<(u32, &[u8]), Blame> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return Err(Problem::HunkHeader);
    }
    let value = text[..digits]
        .iter()
        .try_fold(0_u32, |value, digit| value.checked_mul(10)?.checked_add(u32::from(digit - b'0')));
    Ok((value.ok_or(Problem::HunkRange as Blame)?, &text[digits..]))
}
