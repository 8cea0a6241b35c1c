//! Makes visible what a screen would hide, so that nobody can be shown another text than the one there is.

use std::borrow::Cow;

/// Writes control characters, terminal escapes, bidirectional overrides, invisible and unassigned characters as
/// `\u{…}` (or `\r`, `\t`, `\n`). Letters, marks, symbols, spaces and line breaks between rows are the caller's: split
/// first where a line feed is meant. Text without such characters comes back as it is.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut hidden = false;
    for c in text.chars() {
        match escaped(c) {
            Some(escape) => {
                hidden = true;
                shown.push_str(&escape);
            }
            None => shown.push(c),
        }
    }
    if hidden { Cow::Owned(shown) } else { Cow::Borrowed(text) }
}

/// The escape of a character that a screen would hide.
fn escaped(c: char) -> Option<String> {
    if matches!(c, ' '..='~') {
        return None;
    }
    // The standard library knows which characters print. Behind a letter it leaves combining marks as they are.
    let behind_letter = String::from_iter(['a', c]);
    let escaped: String = behind_letter.escape_debug().skip(1).collect();
    escaped.starts_with('\\').then_some(escaped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hidden_characters_are_written_out() {
        insta::assert_snapshot!(visible("a\u{202e}b\u{1b}[31m\u{200b}\u{feff}\u{a0}\r\0\u{e0041}\u{2066}\u{9b}"), @r"a\u{202e}b\u{1b}[31m\u{200b}\u{feff}\u{a0}\r\0\u{e0041}\u{2066}\u{9b}");
    }

    #[test]
    fn what_people_write_stays() {
        for text in [r#""quoted" \ 'it'"#, "naïve café", "cafe\u{301}", "日本語", "👍🏽", "привет", "ไทย"]
        {
            assert_eq!(visible(text), text);
            assert!(matches!(visible(text), Cow::Borrowed(_)));
        }
    }

    proptest! {
        #[test]
        fn nothing_that_drives_a_terminal_comes_through(text in any::<String>()) {
            let bidi = '\u{202a}'..='\u{202e}';
            let drives = visible(&text).chars().any(|c| c.is_control() || bidi.contains(&c));
            prop_assert!(!drives);
        }
    }
}
