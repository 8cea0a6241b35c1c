//! A line of source as a terminal can show it without being fooled: tabs become spaces, what would be hidden is written
//! out, long lines are cut around what matters, and the caret stands where the eye sees the text.

use std::ops::Range;

use autopr_core::review::visible;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns between tab stops.
const TAB: usize = 4;

/// A line to show and where its mark goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The line; no wider than asked for.
    pub(super) text: String,
    /// Where the marked part starts, in columns of a terminal.
    pub(super) mark_start: usize,
    /// How wide it is; 0 when nothing is marked.
    pub(super) mark_width: usize,
}

/// Sets a line within `width` columns. `mark` is in bytes of the line.
pub(super) fn excerpt(line: &str, mark: Option<Range<usize>>, width: usize) -> Excerpt {
    let line = line.trim_end();
    let mark = mark.unwrap_or(0..0);
    let (mut cells, mut column) = (Vec::new(), 0);
    let (mut mark_start, mut mark_end) = (None, 0);
    for (at, c) in line.char_indices() {
        let cell = cell(c, column);
        if mark.contains(&at) {
            mark_start = mark_start.or(Some(column));
            mark_end = column + cell.width();
        }
        column += cell.width();
        cells.push(cell);
    }
    let mark_start = mark_start.unwrap_or(0);
    let mark_width = mark_end.saturating_sub(mark_start);
    if column <= width {
        return Excerpt { text: cells.concat(), mark_start, mark_width };
    }
    window(&cells, mark_start, mark_width, width)
}

/// What a terminal shows for a character that stands at a column.
fn cell(c: char, column: usize) -> String {
    match c {
        '\t' => " ".repeat(TAB - column % TAB),
        // A mark without a width belongs to the character before; anything else hidden is written out.
        c if c.width() == Some(0) && visible(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8() => c.to_string(),
        c => visible(c.encode_utf8(&mut [0; 4])).into_owned(),
    }
}

/// The part of a long line around its mark, with an ellipsis on each side where something is missing.
fn window(cells: &[String], mark_start: usize, mark_width: usize, width: usize) -> Excerpt {
    let room = width.saturating_sub(2).max(1);
    // A third of the room stays before the mark, and no more of a wide mark than fits.
    let from = if mark_start + mark_width.min(room) <= room { 0 } else { mark_start.saturating_sub(room / 3) };
    let (mut text, mut column, mut first, mut used) = (String::new(), 0, None, 0);
    let mut complete = true;
    for cell in cells {
        if column >= from {
            if used + cell.width() > room {
                complete = false;
                break;
            }
            first = first.or(Some(column));
            text.push_str(cell);
            used += cell.width();
        }
        column += cell.width();
    }
    let first = first.unwrap_or(0);
    let before = if first > 0 { "…" } else { "" };
    let after = if complete { "" } else { "…" };
    let mark_start = mark_start.saturating_sub(first) + before.width();
    let mark_width = mark_width.min((before.width() + used).saturating_sub(mark_start));
    Excerpt { text: format!("{before}{text}{after}"), mark_start, mark_width }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The line, and below it a caret under the marked text.
    fn show(line: &str, marked: &str, width: usize) -> String {
        let mark = line.find(marked).map(|start| start..start + marked.len());
        let Excerpt { text, mark_start, mark_width } = excerpt(line, mark, width);
        format!("{text}\n{}{}", " ".repeat(mark_start), "^".repeat(mark_width))
    }

    #[test]
    fn the_caret_stands_below_its_text() {
        let shown = [
            show("let x = 1;", "x", 80),
            show("\tlet\tx = 1;", "x", 80),
            show("let 日本 = \"日本語\";", "\"日本語\"", 80),
            show("if cafe\u{301} { x }", "{ x }", 80),
            show("if admin\u{202e} { x }\r", "\u{202e}", 80),
            show("\u{1b}]0;title\u{7}red", "red", 80),
        ];
        insta::assert_snapshot!(shown.join("\n"), @r#"
        let x = 1;
            ^
            let x = 1;
                ^
        let 日本 = "日本語";
                   ^^^^^^^^
        if café { x }
                ^^^^^
        if admin\u{202e} { x }
                ^^^^^^^^
        \u{1b}]0;title\u{7}red
                           ^^^
        "#);
    }

    #[test]
    fn a_long_line_is_cut_around_its_mark() {
        let long = format!("{}NEEDLE{}", "before ".repeat(30), " after".repeat(30));
        let shown = [
            show(&long, "NEEDLE", 40),
            show(&long, "before", 40),
            show(&long, "NEEDLE after after after after after after", 30),
        ];
        insta::assert_snapshot!(shown.join("\n"), @"
        …fore before NEEDLE after after after a…
                     ^^^^^^
        before before before before before bef…
        ^^^^^^
        …e before NEEDLE after after …
                  ^^^^^^^^^^^^^^^^^^^
        ");
    }

    proptest! {
        #[test]
        fn a_line_never_outgrows_its_width(line in any::<String>(), start in 0..40usize, length in 0..40usize, width in 8..60usize) {
            let Excerpt { text, mark_start, mark_width } = excerpt(&line, Some(start..start + length), width);
            prop_assert!(text.width() <= width.max(12), "{text:?}");
            prop_assert!(mark_start + mark_width <= width.max(12));
            let controls = text.chars().any(char::is_control);
            prop_assert!(!controls);
        }
    }
}
