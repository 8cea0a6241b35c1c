//! Commands in comments: a first line that begins with `/autopr`.

use crate::message::CUT;

/// The most characters of a command's arguments that are kept.
const MOST_ARGUMENTS: usize = 1000;

/// The command of a comment, as its name in lower case and what follows it on the line; `help` when no name is given.
/// None for a comment that is not a command.
pub(super) fn command(comment: &str) -> Option<(String, String)> {
    let rest = comment.trim_start().lines().next()?.strip_prefix("/autopr")?;
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let rest = rest.trim();
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let name = if name.is_empty() { "help" } else { name };
    let name = name.chars().take(50).collect::<String>().to_lowercase();
    Some((name, shortened(arguments.trim())))
}

/// Arguments that are too long are cut, and say so.
fn shortened(arguments: &str) -> String {
    match arguments.char_indices().nth(MOST_ARGUMENTS) {
        Some((end, _)) => format!("{}{CUT}", &arguments[..end]),
        None => arguments.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("/autopr review", Some(("review", "")))]
    #[case::arguments("/autopr  Ask  what is this? ", Some(("ask", "what is this?")))]
    #[case::nothing_more("/autopr", Some(("help", "")))]
    #[case::first_line_only("\n  /autopr describe\r\nand more", Some(("describe", "")))]
    #[case::another_word("/autoprune all", None)]
    #[case::in_a_sentence("please /autopr review", None)]
    #[case::quoted("> /autopr review", None)]
    #[case::later_line("hello\n/autopr review", None)]
    #[case::empty("", None)]
    fn commands(#[case] comment: &str, #[case] expect: Option<(&str, &str)>) {
        let found = command(comment);
        assert_eq!(found.as_ref().map(|(name, arguments)| (name.as_str(), arguments.as_str())), expect);
    }

    #[test]
    fn arguments_that_are_too_long_say_that_they_were_cut() {
        let cut = |letters: usize| command(&format!("/autopr ask {}", "ä".repeat(letters))).unwrap().1;
        assert_eq!(cut(1000), "ä".repeat(1000));
        assert_eq!(cut(1001), format!("{} [cut]", "ä".repeat(1000)));
    }
}
