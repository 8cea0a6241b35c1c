//! Why a text is not a diff we can work with.

/// A text that is not a diff this parser accepts: where it stopped, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} (byte {offset}): {problem}")]
pub struct ParseError {
    /// The byte offset of the line at fault, from 0.
    pub offset: usize,
    /// The number of the line at fault, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line of a diff. Headers are quoted, cut short and with control characters escaped; the lines of a
/// hunk never are, for they may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Text without any file's diff in it: perhaps an error page in the place of a diff.
    #[error(
        "no diff starts here or below: expected a `diff --git` line, or `---` and `+++` lines and a hunk (`@@ -1 +1 @@`)"
    )]
    NoDiff,
    /// A combined diff has several old sides.
    #[error(
        "`{0}` belongs to a combined diff of a merge, which has several old sides: compare with one parent instead, for \
         example with `git diff A B` or `git show -m`"
    )]
    Combined(String),
    /// A path between double quotes that does not follow git's rules.
    #[error(
        "`{0}` is not a path as git quotes it: expected a closing quote and only the escapes of C, octal in three digits"
    )]
    Quoting(String),
    /// The paths of a `diff --git` line can't be told apart, and no other line names them.
    #[error(
        "the two paths of `{0}` can't be told apart: expected the same path twice; make the diff with git's usual \
         prefixes a/ and b/"
    )]
    Paths(String),
    /// No path where one was expected.
    #[error("this header names no file: a path must follow it")]
    NoPath,
    /// A file mode that is not an octal number.
    #[error("`{0}` has no file mode: expected an octal number such as 100644")]
    Mode(String),
    /// A header of a file that git does not write.
    #[error(
        "this is not a header git writes in a file's diff: expected `index`, `---`, `@@`, `diff --git` or an empty line"
    )]
    Header,
    /// `---` without `+++`.
    #[error("no `+++` line follows this `---` line: the diff is damaged or cut short, get it again")]
    NoPlus,
    /// Both sides are `/dev/null`.
    #[error("both sides are /dev/null: one of `---` and `+++` must name a file")]
    NoSides,
    /// `---` and `+++` without a hunk.
    #[error(
        "no hunk (`@@ -1 +1 @@`) follows the `---` and `+++` lines: the diff is damaged or cut short, get it again"
    )]
    NoHunk,
    /// A hunk without `---` and `+++` before it.
    #[error("this hunk belongs to no file: `---` and `+++` lines or another hunk must stand directly before it")]
    OrphanHunk,
    /// A line that starts like a hunk's header but is none.
    #[error("`{0}` is not a hunk's header: expected `@@ -LINE,COUNT +LINE,COUNT @@` with lines counted from 1")]
    HunkHeader(String),
    /// Line numbers beyond 32 bits.
    #[error("`{0}` counts beyond line 4294967295, more than is supported")]
    HunkRange(String),
    /// Hunks that overlap or go backwards.
    #[error("`{0}` starts before the end of the hunk above it: hunks must not overlap and must be in order")]
    HunkOrder(String),
    /// The text ends, or the next header comes, before the hunk's lines are complete.
    #[error(
        "the hunk is cut short: {old} of its old and {new} of its new lines are missing (a context line counts on both \
         sides); get the whole diff again"
    )]
    Truncated {
        /// Old lines still to come.
        old: u32,
        /// New lines still to come.
        new: u32,
    },
    /// A line of a hunk with an unknown mark.
    #[error(
        "a line of a hunk starts with `{}`: expected a space, `+`, `-` or `\\`; {old} old and {new} new lines of the hunk \
         were still to come",
        .mark.escape_ascii()
    )]
    Mark {
        /// The line's first byte.
        mark: u8,
        /// Old lines still to come.
        old: u32,
        /// New lines still to come.
        new: u32,
    },
    /// A line feed is said to be missing where there is no line.
    #[error("this line says that the line above it has no line feed, but no line of the hunk stands above it")]
    NoLine,
    /// A hunk with more lines on a side than its header says.
    #[error("the hunk has more lines than its header counts: the diff was edited or damaged, get it again")]
    Surplus,
    /// A binary patch that does not end.
    #[error("the binary patch is cut short: its data must end with an empty line; get the whole diff again")]
    BinaryTruncated,
    /// A binary patch without data.
    #[error("`{0}` is not the start of binary data: expected `literal SIZE` or `delta SIZE`")]
    BinaryHeader(String),
}

/// A header line fit for an error text: at most 80 characters, control characters escaped, and of a hunk's header only
/// the part between the `@@`, since what follows is code.
pub(super) fn excerpt(line: &[u8]) -> String {
    let line = match line.strip_prefix(b"@@") {
        Some(rest) => match memchr::memmem::find(rest, b"@@") {
            Some(end) => &line[..end + 4],
            None => &line[..line.iter().take_while(|byte| b"@ -+,0123456789".contains(byte)).count()],
        },
        None => line,
    };
    let text = String::from_utf8_lossy(&line[..line.len().min(400)]);
    let mut shown = String::new();
    for c in text.chars().take(80) {
        if c.is_control() || super::path::is_invisible(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}
