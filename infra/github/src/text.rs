//! Texts of limited length.

/// The most characters GitHub takes in a comment, a review or a description.
pub(crate) const BODY: usize = 65_536;

/// At most `limit` characters: a longer text is cut and ends in `note`.
pub(crate) fn within(text: &str, limit: usize, note: &str) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    let kept = limit.saturating_sub(note.chars().count());
    text.chars().take(kept).chain(note.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(within("äöü", 3, "…"), "äöü");
        assert_eq!(within("äöüß", 3, "…"), "äö…");
    }
}
