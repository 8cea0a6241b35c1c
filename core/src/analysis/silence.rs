//! `autopr:ignore RULE[, RULE]`: a comment that silences rules on its line, or on the next when it stands alone.

use std::collections::HashMap;

use memchr::memmem;

use super::file::File;

const MARK: &[u8] = b"autopr:ignore";

/// The silencing comments of one file.
pub(super) struct Silence {
    /// The patterns that the comments name, by the line they speak for.
    comments: HashMap<u32, Vec<String>>,
}

impl Silence {
    /// Reads the comments in the lines the diff shows of a file's new version.
    pub(super) fn of(file: &File<'_>) -> Self {
        let mark = memmem::Finder::new(MARK);
        let mut comments: HashMap<u32, Vec<String>> = HashMap::new();
        for (_, row) in file.shown() {
            let Some(start) = mark.find(row.text) else { continue };
            let patterns = patterns(&row.text[start + MARK.len()..]);
            let alone = !row.text[..start].iter().any(|byte| byte.is_ascii_alphanumeric());
            if alone {
                comments.entry(row.number.saturating_add(1)).or_default().extend(patterns.iter().cloned());
            }
            comments.entry(row.number).or_default().extend(patterns);
        }
        Self { comments }
    }

    /// Whether `rule` is silenced on line `number`.
    pub(super) fn covers(&self, number: u32, rule: &str) -> bool {
        self.comments.get(&number).is_some_and(|patterns| patterns.iter().any(|pattern| matches(pattern, rule)))
    }
}

/// The names after the mark, up to the first word that no comma joins to them.
fn patterns(rest: &[u8]) -> Vec<String> {
    let rest = String::from_utf8_lossy(rest);
    let Some(list) = rest.strip_prefix([' ', '\t', ':']) else { return Vec::new() };
    let mut names = Vec::new();
    for part in list.split(',') {
        let part = part.trim_start();
        let name: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || "/-_*".contains(*c)).collect();
        let last = name.len() < part.trim_end().len();
        if !name.is_empty() {
            // The `*/` that ends a C comment may follow without a space.
            let bare = name.strip_suffix("*/").or(name.strip_suffix("--")).unwrap_or(&name);
            names.push(bare.to_owned());
        }
        if last {
            break;
        }
    }
    names
}

/// Whether a pattern names a rule: itself, its family, or all.
fn matches(pattern: &str, rule: &str) -> bool {
    let family = pattern.strip_suffix("/*").unwrap_or(pattern);
    pattern == "*" || rule.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(" secret/github-token, ci -- a test token", &["secret/github-token", "ci"])]
    #[case(" debug/leftover */", &["debug/leftover"])]
    #[case(" debug/leftover*/", &["debug/leftover"])]
    #[case(" * -->", &["*"])]
    #[case("", &[])]
    #[case("d secret", &[])]
    fn names_are_read_up_to_the_first_word_without_a_comma(#[case] rest: &str, #[case] expected: &[&str]) {
        assert_eq!(patterns(rest.as_bytes()), expected);
    }

    #[rstest]
    #[case("secret", true)]
    #[case("secret/github-token", true)]
    #[case("secret/*", true)]
    #[case("*", true)]
    #[case("sec", false)]
    #[case("secret/github", false)]
    #[case("ci", false)]
    fn a_pattern_names_a_rule_a_family_or_all(#[case] pattern: &str, #[case] expected: bool) {
        assert_eq!(matches(pattern, "secret/github-token"), expected);
    }
}
