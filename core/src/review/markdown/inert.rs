//! Untrusted text as Markdown in which nothing of its own takes effect.

use super::visible;

/// The most characters of one untrusted line, such as a title or a path.
pub(super) const LINE: usize = 300;

/// A code span that holds any text on one line: its fence is longer than every run of backticks within, and what a
/// screen would hide is written out.
pub fn code(text: &str) -> String {
    let text = cut(&visible(text), LINE);
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space that Markdown takes off again is needed beside a backtick, and keeps a span of spaces alive.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A fenced block whose fence is longer than every run of backticks within.
pub fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}")
}

/// Lines of source as a fenced block, with what a screen would hide written out.
pub fn quoted(source: &str) -> String {
    let visible_line = |line: &str| line.split('\t').map(visible).collect::<Vec<_>>().join("\t");
    fenced("", &source.lines().map(visible_line).collect::<Vec<_>>().join("\n"))
}

/// Untrusted text as one line of Markdown of at most `limit` characters. Code spans stay; everything else is escaped,
/// and a word that a forge would turn into a mention, a reference or a link becomes a code span.
pub fn prose(text: &str, limit: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = cut(&text, limit);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find('`') {
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let inside = &rest[start + run..];
        match closing(inside, run) {
            Some(end) => {
                words(&rest[..start], &mut out);
                span(inside[..end].trim(), &mut out);
                rest = &inside[end + run..];
            }
            None => {
                words(&rest[..start + run], &mut out);
                rest = inside;
            }
        }
    }
    words(rest, &mut out);
    out
}

/// Where the run of exactly `run` backticks that closes a code span starts.
fn closing(text: &str, run: usize) -> Option<usize> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find('`')?;
        let length = text[start..].len() - text[start..].trim_start_matches('`').len();
        if length == run {
            return Some(start);
        }
        from = start + length;
    }
}

/// Appends a code span, away from the fence of a span before it: together they would be one longer run of backticks.
fn span(text: &str, out: &mut String) {
    if out.ends_with('`') {
        out.push(' ');
    }
    out.push_str(&code(text));
}

/// Appends text without code spans, escaped.
fn words(text: &str, out: &mut String) {
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        if links(word) {
            span(word, out);
            continue;
        }
        let block = out.is_empty() && starts_block(word);
        for (at, c) in visible(word).char_indices() {
            if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '$')
                || (block && !c.is_ascii_digit() && at + 1 == word.len())
            {
                out.push('\\');
            }
            out.push(c);
        }
    }
}

/// True for a word that a forge would turn into a mention, a reference, an e-mail address or a link by itself.
fn links(word: &str) -> bool {
    word.contains(['@', '#']) || word.contains("://") || word.to_ascii_lowercase().contains("www.")
}

/// True for a word that begins a list, a rule, a heading or an underline when it stands first on a line.
fn starts_block(word: &str) -> bool {
    let number = word.trim_start_matches(|c: char| c.is_ascii_digit());
    matches!(word, "-" | "+") || (number.len() < word.len() && matches!(number, "." | ")")) || {
        !word.is_empty() && word.chars().all(|c| matches!(c, '-' | '='))
    }
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// At most `limit` characters, with a mark where text was cut.
fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn untrusted_text_stays_text() {
        let texts = [
            "hello @everyone, see #12 and https://evil.example/x or www.evil.example",
            "![image](x) [link](y) <img src=x onerror=alert(1)> &lt; **bold** _it_ ~~no~~ | cell $x$",
            "a `code @span` and ``a ` tick`` and an `open one @user",
            "# heading",
            "- item",
            "1. one",
            "---",
            "two\n\n- lines\n```\nfence",
            "bidi \u{202e}esrever and \u{1b}[31mred",
            "` ``",
            "@`@",
        ];
        insta::assert_snapshot!(texts.map(|text| prose(text, 200)).join("\n"), @r"
        hello `@everyone,` see `#12` and `https://evil.example/x` or `www.evil.example`
        !\[image\](x) \[link\](y) \<img src=x onerror=alert(1)\> \&lt; \*\*bold\*\* \_it\_ \~\~no\~\~ \| cell \$x\$
        a `code @span` and ``a ` tick`` and an \`open one `@user`
        `#` heading
        \- item
        1\. one
        --\-
        two - lines \`\`\` fence
        bidi \\u{202e}esrever and \\u{1b}\[31mred
        \` \`\`
        `` @` `` `@`
        ");
    }

    #[test]
    fn code_spans_hold_any_text() {
        let texts = ["plain", "a`b", "``", "`", " ", "", "new\nline", "[x](y)@z"];
        insta::assert_snapshot!(texts.map(code).join("\n"), @r"
        `plain`
        ``a`b``
        ``` `` ```
        `` ` ``
        `   `
        `  `
        `new\nline`
        `[x](y)@z`
        ");
    }

    proptest! {
        #[test]
        fn a_code_span_is_closed_by_its_own_fence_only(text in "[`a @\\n]{0,20}") {
            let span = code(&text);
            let run = span.len() - span.trim_start_matches('`').len();
            let end = closing(&span[run..], run).map(|end| run + end + run);
            prop_assert_eq!(end, Some(span.len()));
        }

        #[test]
        fn no_line_of_a_fenced_block_closes_it(text in "[`~a\\n ]{0,40}") {
            let block = fenced("", &text);
            let (fence, rest) = block.split_once('\n').unwrap();
            let closing = rest.lines().filter(|line| line.trim().starts_with(fence)).count();
            prop_assert_eq!(closing, 1);
        }

        #[test]
        fn prose_leaves_nothing_active_outside_code(text in any::<String>()) {
            let shown = prose(&text, 500);
            prop_assert!(!shown.contains('\n'));
            // Take the code spans away; what is left has no mention, and no bracket or angle without a backslash.
            let mut rest = shown.as_str();
            let mut plain = String::new();
            while let Some(at) = rest.find('`') {
                if rest[..at].chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
                    plain.push_str(&rest[..=at]);
                    rest = &rest[at + 1..];
                    continue;
                }
                plain.push_str(&rest[..at]);
                let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
                let end = closing(&rest[at + run..], run);
                prop_assert!(end.is_some(), "an open span in {shown:?}");
                rest = &rest[at + run + end.unwrap() + run..];
            }
            plain.push_str(rest);
            prop_assert!(!plain.contains(['@', '#']), "{shown:?}");
            let mut escaped = false;
            for c in plain.chars() {
                prop_assert!(escaped || !matches!(c, '<' | '[' | '*' | '_'), "{shown:?}");
                escaped = c == '\\' && !escaped;
            }
        }
    }
}
