//! The outline of a YAML file, line by line: enough to know the key, the step and the script a line belongs to.
//!
//! This is no YAML parser. It reads block style as workflows are written; a line it does not understand has no key,
//! and the rules say nothing about it.

use std::collections::BTreeMap;

use crate::analysis::file::File;

/// Lines of a YAML file that follow each other: the whole file, or what a hunk shows of it.
pub(super) struct Outline<'d> {
    pub(super) lines: Vec<Entry<'d>>,
    /// Whether this is the whole file.
    pub(super) complete: bool,
    /// By the line with the item's dash.
    steps: BTreeMap<usize, Step>,
}

/// A step of a job: a list item with its keys.
#[derive(Default)]
pub(super) struct Step {
    /// The line with the dash.
    pub(super) start: usize,
    /// The lines with its keys.
    pub(super) lines: Vec<usize>,
    /// The line with the action it uses.
    pub(super) uses: Option<usize>,
}

/// One line.
#[derive(Clone, Copy)]
pub(super) struct Entry<'d> {
    pub(super) text: &'d [u8],
    /// Its place in [`File::rows`], if it was added.
    pub(super) added: Option<usize>,
    /// An empty line or a comment.
    pub(super) blank: bool,
    /// The column of the key or the value.
    pub(super) indent: usize,
    pub(super) key: Option<&'d str>,
    /// What follows the key, or the dash of an item without a key; without quotes and comment.
    pub(super) value: &'d str,
    /// The line of the key this line is nested under.
    pub(super) parent: Option<usize>,
    /// The line with the dash of the innermost list item this line belongs to.
    pub(super) item: Option<usize>,
    /// The line of the key whose block scalar (`|`, `>`) this line is part of.
    pub(super) scalar: Option<usize>,
}

impl<'d> Outline<'d> {
    /// The outline of the whole file when its content is known and agrees with the diff, else one for each hunk.
    pub(super) fn of(file: &File<'d>, content: Option<&'d [u8]>) -> Vec<Self> {
        if let Some(whole) = content.and_then(|content| Self::whole(file, content)) {
            return vec![whole];
        }
        let mut hunks: BTreeMap<u32, Vec<Source<'d>>> = BTreeMap::new();
        for (row, line) in file.shown() {
            hunks.entry(line.hunk).or_default().push((line.text, line.is_added().then_some(row)));
        }
        hunks.into_values().map(|lines| Self::new(&lines, false)).collect()
    }

    fn new(source: &[Source<'d>], complete: bool) -> Self {
        let lines = read(source);
        let mut steps: BTreeMap<usize, Step> = BTreeMap::new();
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.key.is_some() && line.scalar.is_none()) {
            let Some(start) = line.item else { continue };
            let step = steps.entry(start).or_default();
            step.start = start;
            step.lines.push(index);
            if line.key == Some("uses") {
                step.uses = step.uses.or(Some(index));
            }
        }
        Self { lines, complete, steps }
    }

    fn whole(file: &File<'d>, content: &'d [u8]) -> Option<Self> {
        let mut lines: Vec<Source<'d>> =
            content.split(|byte| *byte == b'\n').map(|line| (line.strip_suffix(b"\r").unwrap_or(line), None)).collect();
        for (row, line) in file.added() {
            let place = lines.get_mut((line.number as usize).checked_sub(1)?)?;
            if place.0 != line.text {
                return None;
            }
            place.1 = Some(row);
        }
        Some(Self::new(&lines, true))
    }

    /// The lines with this key that are not part of a script.
    pub(super) fn keys(&self, key: &str) -> impl Iterator<Item = (usize, &Entry<'d>)> {
        self.lines.iter().enumerate().filter(move |(_, line)| line.key == Some(key) && line.scalar.is_none())
    }

    /// The steps: the list items that hold more than a value, without nested items and scripts.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.values()
    }

    /// The step that the line at `index` belongs to.
    pub(super) fn step(&self, index: usize) -> Option<&Step> {
        self.steps.get(&self.lines[index].item?)
    }

    /// The key a line is nested under.
    pub(super) fn parent_key(&self, index: usize) -> Option<&'d str> {
        self.lines.get(self.lines.get(index)?.parent?)?.key
    }
}

/// A line's text, and its place among the rows if it was added.
type Source<'d> = (&'d [u8], Option<usize>);

struct Frame {
    indent: usize,
    line: usize,
    item: Option<usize>,
}

fn read<'d>(lines: &[Source<'d>]) -> Vec<Entry<'d>> {
    let mut entries = Vec::with_capacity(lines.len());
    let mut stack: Vec<Frame> = Vec::new();
    let mut scalar: Option<(usize, usize)> = None;
    for (index, (text, added)) in lines.iter().copied().enumerate() {
        let (dash, parsed) = parse(text);
        let mut entry = Entry {
            text,
            added,
            blank: parsed.blank,
            indent: parsed.indent,
            key: None,
            value: "",
            parent: stack.last().map(|frame| frame.line),
            item: stack.last().and_then(|frame| frame.item),
            scalar: None,
        };
        if let Some((line, indent)) = scalar {
            if text.trim_ascii().is_empty() || text.iter().take_while(|byte| **byte == b' ').count() > indent {
                entry.scalar = Some(line);
                entries.push(entry);
                continue;
            }
            scalar = None;
        }
        if !parsed.blank {
            let mut sibling = None;
            while let Some(frame) = stack.pop_if(|frame| frame.indent >= parsed.indent) {
                if frame.indent == parsed.indent {
                    sibling = frame.item;
                }
            }
            let parent = stack.last();
            entry.parent = parent.map(|frame| frame.line);
            entry.item = if dash { Some(index) } else { sibling.or(parent.and_then(|frame| frame.item)) };
            entry.key = parsed.key;
            entry.value = parsed.value;
            if parsed.key.is_some() {
                stack.push(Frame { indent: parsed.indent, line: index, item: entry.item });
                if is_block_mark(parsed.value) {
                    scalar = Some((index, parsed.indent));
                }
            }
        }
        entries.push(entry);
    }
    entries
}

fn is_block_mark(value: &str) -> bool {
    value.strip_prefix(['|', '>']).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '-' || c == '+'))
}

struct Parsed<'d> {
    blank: bool,
    indent: usize,
    key: Option<&'d str>,
    value: &'d str,
}

/// Splits a line into its dashes, key and value; the flag says whether there was a dash.
fn parse(line: &[u8]) -> (bool, Parsed<'_>) {
    let line = std::str::from_utf8(line).unwrap_or_default();
    let mut rest = line.trim_start_matches(' ');
    let mut dash = false;
    while let Some(after) = rest.strip_prefix("- ") {
        dash = true;
        rest = after.trim_start_matches(' ');
    }
    let indent = line.len() - rest.len();
    let blank = rest.is_empty() || rest.starts_with('#') || rest == "---";
    let split = rest.find(": ").map(|at| (at, at + 2)).or_else(|| {
        let end = rest.trim_end().strip_suffix(':')?.len();
        Some((end, rest.len()))
    });
    let key = split.map(|(end, _)| rest[..end].trim_matches(['"', '\'', ' '])).filter(|key| is_key(key));
    let value = match (key, split) {
        (Some(_), Some((_, from))) => &rest[from..],
        _ => rest,
    };
    (dash, Parsed { blank, indent, key, value: unquote(value) })
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-./*".contains(c))
}

/// A value without its comment and quotes.
fn unquote(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside;
        }
    }
    if value.starts_with('#') {
        return "";
    }
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end())
}
