//! The line a finding stands on, fit to be shown: secrets masked, invisible characters made visible, cut to size.

use std::ops::Range;

use super::unicode;

/// The longest evidence, in characters.
const LONGEST: usize = 200;
/// How many bytes around the located span are looked at; more than enough for [`LONGEST`] characters.
const WINDOW: usize = 4 * LONGEST;

/// A part of a line that must not be shown, and what to show in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mask {
    pub(super) range: Range<usize>,
    pub(super) placeholder: String,
}

/// A line as it may be shown, with the byte columns of the located span in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) text: String,
    pub(super) columns: Option<(u32, u32)>,
}

impl Evidence {
    /// Shows `line`, without the white space at its end. `masks` are sorted and don't overlap.
    pub(super) fn new(line: &[u8], masks: &[Mask], span: Option<Range<usize>>) -> Self {
        let line = line.trim_ascii_end();
        let span = span.map(|span| span.start.min(line.len())..span.end.min(line.len()));
        let focus = span.clone().unwrap_or(0..0);
        let (from, to) = window(line, masks, &focus);
        let mut shown = Shown { text: String::new(), at: [None; 2], marks: [focus.start, focus.end] };
        let mut position = from;
        for mask in masks.iter().filter(|mask| mask.range.end > from && mask.range.start < to) {
            shown.plain(line, position..mask.range.start.min(line.len()));
            shown.mask(mask);
            position = mask.range.end.min(line.len());
        }
        if position < to {
            shown.plain(line, position..to);
        }
        let [start, end] = shown.at;
        let length = shown.text.len();
        let (start, end) = (start.unwrap_or(0), end.unwrap_or(length));
        cut(&shown.text, start..end.max(start), span.is_some(), from > 0, to < line.len())
    }
}

/// The bytes of `line` to look at: around `focus`, at character boundaries, never inside a mask.
fn window(line: &[u8], masks: &[Mask], focus: &Range<usize>) -> (usize, usize) {
    let is_boundary = |at: usize| line.get(at).is_none_or(|byte| byte & 0xC0 != 0x80);
    let mut from = focus.start.saturating_sub(WINDOW);
    let mut to = focus.start.saturating_add(WINDOW).min(line.len());
    from = (from..=from.saturating_add(3)).find(|at| is_boundary(*at)).unwrap_or(from);
    to = (to.saturating_sub(3)..=to).rev().find(|at| is_boundary(*at)).unwrap_or(to);
    for mask in masks {
        if mask.range.start < from && from < mask.range.end {
            from = mask.range.start;
        }
        if mask.range.start < to && to < mask.range.end {
            to = mask.range.end.min(line.len());
        }
    }
    (from, to)
}

struct Shown {
    text: String,
    /// Where the two ends of the located span came to lie.
    at: [Option<usize>; 2],
    /// The two ends in the line.
    marks: [usize; 2],
}

impl Shown {
    fn plain(&mut self, line: &[u8], range: Range<usize>) {
        let mut position = range.start;
        for chunk in line[range].utf8_chunks() {
            for c in chunk.valid().chars() {
                self.pass(position);
                if unicode::is_hidden(c) {
                    self.text.push_str(&format!("\\u{{{:04X}}}", c as u32));
                } else {
                    self.text.push(c);
                }
                position += c.len_utf8();
            }
            if !chunk.invalid().is_empty() {
                self.pass(position);
                self.text.push(char::REPLACEMENT_CHARACTER);
                position += chunk.invalid().len();
            }
        }
        self.pass(position);
    }

    fn mask(&mut self, mask: &Mask) {
        if self.at[0].is_none() && self.marks[0] < mask.range.end {
            self.at[0] = Some(self.text.len());
        }
        self.text.push_str(&mask.placeholder);
        if self.at[1].is_none() && self.marks[1] <= mask.range.end {
            self.at[1] = Some(self.text.len());
        }
    }

    fn pass(&mut self, position: usize) {
        for (at, mark) in self.at.iter_mut().zip(self.marks) {
            if at.is_none() && position >= mark {
                *at = Some(self.text.len());
            }
        }
    }
}

/// Cuts `text` to [`LONGEST`] characters around `span`, with an ellipsis where something was left out.
fn cut(text: &str, span: Range<usize>, located: bool, more_before: bool, more_after: bool) -> Evidence {
    let before = text[..span.start].chars().count();
    let total = text.chars().count();
    let (mut skip, mut take) = (0, total);
    if total > LONGEST || more_before || more_after {
        let inside = text[span.clone()].chars().count().min(LONGEST - 2);
        let room = LONGEST - 2 - inside;
        skip = before.saturating_sub(room / 2).min(total.saturating_sub(LONGEST - 2));
        take = (total - skip).min(LONGEST - 2);
    }
    let from = text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at);
    let to = text.char_indices().nth(skip + take).map_or(text.len(), |(at, _)| at);
    let lead = if from > 0 || more_before { "…" } else { "" };
    let tail = if to < text.len() || more_after { "…" } else { "" };
    let column = |at: usize| (at.clamp(from, to) - from + lead.len()) as u32;
    let columns = located.then(|| (column(span.start), column(span.end)));
    Evidence { text: format!("{lead}{}{tail}", &text[from..to]), columns }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[u8], masks: &[(Range<usize>, &str)], span: Range<usize>, text: &str, located: &str) {
        let masks: Vec<Mask> =
            masks.iter().map(|(range, with)| Mask { range: range.clone(), placeholder: (*with).to_owned() }).collect();
        let evidence = Evidence::new(line, &masks, Some(span));
        let (start, end) = evidence.columns.unwrap();
        assert_eq!(evidence.text, text);
        assert_eq!(&evidence.text[start as usize..end as usize], located);
    }

    #[test]
    fn columns_follow_the_masked_text() {
        check(b"a = SECRET; dbg!(x)  ", &[(4..10, "[k …yz]")], 12..17, "a = [k …yz]; dbg!(x)", "dbg!(");
        check(b"a = SECRET;", &[(4..10, "[k]")], 4..10, "a = [k];", "[k]");
        check(b"a = SECRET;", &[(4..10, "[k]")], 6..8, "a = [k];", "[k]");
    }

    #[test]
    fn bytes_that_are_no_text_and_characters_that_hide_are_made_visible() {
        check("a \u{202E}b".as_bytes(), &[], 2..5, "a \\u{202E}b", "\\u{202E}");
        check(b"\xFF\xFE dbg", &[], 3..6, "\u{FFFD}\u{FFFD} dbg", "dbg");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line = format!("{}HERE{}", "é".repeat(5000), "z".repeat(5000));
        let evidence = Evidence::new(line.as_bytes(), &[], Some(10_000..10_004));
        let (start, end) = evidence.columns.unwrap();
        assert_eq!(&evidence.text[start as usize..end as usize], "HERE");
        assert!(evidence.text.chars().count() <= LONGEST);
        assert!(evidence.text.starts_with('…') && evidence.text.ends_with('…'));
    }

    #[test]
    fn a_cut_never_shows_part_of_a_secret() {
        let line = format!("{}{}here", "s".repeat(900), " ".repeat(700));
        let masks = [Mask { range: 0..900, placeholder: "[k]".to_owned() }];
        let evidence = Evidence::new(line.as_bytes(), &masks, Some(1600..1604));
        assert!(!evidence.text.contains("ss"), "{}", evidence.text);
    }
}
