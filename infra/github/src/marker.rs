//! The hidden text by which a write is found again.

use std::fmt::Write;

use autopr_core::ports::forge::Marker;

/// The marker as one word: letters, digits and `:_.-` as they are, the rest by percent escapes. It never holds `--`, so
/// that it can't end a comment of HTML, and it can be the fragment of an address.
pub(crate) fn word(marker: &Marker) -> String {
    let mut word = String::with_capacity(marker.0.len());
    for byte in marker.0.bytes() {
        match byte {
            b'-' if word.ends_with('-') => word.push_str("%2D"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' | b'_' | b'.' | b'-' => word.push(char::from(byte)),
            _ => {
                let _ = write!(word, "%{byte:02X}");
            }
        }
    }
    word
}

/// The marker as Markdown that nobody sees.
pub(crate) fn hidden(marker: &Marker) -> String {
    format!("<!-- {} -->", word(marker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_cannot_end_its_comment() {
        let hidden = |text: &str| hidden(&Marker(text.to_owned()));
        assert_eq!(hidden("autopr:review:0192-ab:publish"), "<!-- autopr:review:0192-ab:publish -->");
        assert_eq!(hidden("x-->y--!>\n<!-- é"), "<!-- x-%2D%3Ey-%2D%21%3E%0A%3C%21-%2D%20%C3%A9 -->");
        assert_eq!(hidden("--->"), "<!-- -%2D-%3E -->");
    }

    #[test]
    fn different_markers_stay_different() {
        let word = |text: &str| word(&Marker(text.to_owned()));
        assert_ne!(word("a--b"), word("a-%2Db"));
    }
}
